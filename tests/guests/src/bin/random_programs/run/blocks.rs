//! Timeout blocks, shields, and branches of a task.

use std::cell::RefCell;

use curio::{Result, disable_cancellation, ignore_after, timeout_after};
use futures::StreamExt;
use futures::future::{Either, join, select};
use futures::stream::FuturesUnordered;

use super::super::kind::Kind;
use super::super::model::Place;
use super::super::program::{Op, Way};
use super::super::world::World;

/// An open block. It closes when this is dropped.
struct Open<'a> {
    world: &'a World,
    /// Where what is in it is.
    place: Place,
}

impl<'a> Open<'a> {
    fn new(world: &'a World, around: Place, after: Option<u64>) -> Self {
        let place = world.model(|model| Some(model.open(around, after)));
        Self {
            world,
            place: place.unwrap_or(around),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let scope = self.place.scope;
        self.world
            .model(|model| scope.map(|scope| model.close(scope)));
    }
}

/// Whether what is behind a shield has come to its end, or may be dropped before, as the loser of a race.
struct Whole(bool);

impl Drop for Whole {
    fn drop(&mut self) {
        assert!(self.0, "what is behind a shield was dropped");
    }
}

impl World {
    pub(super) async fn timeout(
        &self,
        place: Place,
        ticks: u32,
        is_error: bool,
        script: &[Op],
    ) -> Result<()> {
        let (length, began) = (self.ticks(ticks), curio::clock());
        let nanos = u64::try_from(length.as_nanos()).expect("blocks are short");
        let open = Open::new(self, place, Some(nanos));
        let ended = RefCell::new(None);
        let inside = async {
            let result = self.run_script(open.place, script).await;
            ended.replace(Some(result.as_ref().map(drop).map_err(Kind::of)));
            result
        };
        let result = if is_error {
            timeout_after(length, inside).await.map(Some)
        } else {
            ignore_after(length, inside).await
        };
        let kind = result.as_ref().copied().map_err(Kind::of);
        if matches!(kind, Ok(None) | Err(Kind::Timeout(_))) {
            assert!(curio::clock() >= began + length, "timed out early");
        }
        self.model(|model| {
            let scope = open.place.scope.expect("the model has opened it");
            let ended = ended.take().unwrap_or_else(|| Err(model.gave_up(scope)));
            let expected = match ended.map_err(|kind| model.leave(scope, kind)) {
                Ok(()) => Ok(Some(())),
                Err((_, true)) if !is_error => Ok(None),
                Err((kind, _)) => Err(kind),
            };
            assert_eq!(kind, expected, "what comes out of a block");
        });
        result.map(drop)
    }

    pub(super) async fn shield(&self, place: Place, script: &[Op]) -> Result<()> {
        let open = Open::new(self, place, None);
        let mut whole = Whole(place.in_branch);
        let result = disable_cancellation(self.run_script(open.place, script)).await;
        whole.0 = true;
        result
    }

    /// A place in a branch.
    fn branch(&self, place: Place) -> Place {
        self.model(|model| model.branched.insert(place.task));
        Place {
            in_branch: true,
            ..place
        }
    }

    pub(super) async fn both(
        &self,
        place: Place,
        way: Way,
        left: &[Op],
        right: &[Op],
    ) -> Result<()> {
        let place = self.branch(place);
        let (left, right) = (self.run_script(place, left), self.run_script(place, right));
        match way {
            Way::Together => {
                let (left, right) = join(left, right).await;
                left.and(right)
            }
            Way::ByWakers => {
                let mut branches = FuturesUnordered::from_iter([left, right]);
                let mut result = Ok(());
                while let Some(ended) = branches.next().await {
                    result = result.and(ended);
                }
                result
            }
        }
    }

    pub(super) async fn race(
        &self,
        place: Place,
        way: Way,
        left: &[Op],
        right: &[Op],
    ) -> Result<()> {
        let place = self.branch(place);
        let (left, right) = (self.run_script(place, left), self.run_script(place, right));
        match way {
            Way::Together => match select(left, right).await {
                Either::Left((result, _)) | Either::Right((result, _)) => result,
            },
            Way::ByWakers => {
                let mut branches = FuturesUnordered::from_iter([left, right]);
                branches.next().await.expect("there are two")
            }
        }
    }
}
