//! A group's members one by one, as they end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::TaskGroup;
use crate::error::Result;
use crate::task::Task;
use crate::task::shared::Membership;
use crate::traps::Suspend;

/// The members of a group, in the order in which they end: what [`TaskGroup::done`] returns. A member leaves the
/// group as it comes.
///
/// It ends when no member is left. If others are spawned later, it goes on.
///
/// # Cancellation
/// That is an item, the error. No member leaves the group, and the stream goes on.
pub struct DoneTasks<'a, T> {
    group: &'a TaskGroup<T>,
    /// The wait for a change.
    change: Option<Suspend<'a, fn()>>,
}

impl<'a, T> DoneTasks<'a, T> {
    pub(super) fn new(group: &'a TaskGroup<T>) -> Self {
        let change = None;
        Self { group, change }
    }
}

impl<T: 'static> Stream for DoneTasks<'_, T> {
    type Item = Result<Task<T>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let state = &self.group.state;
        loop {
            if let Some(change) = &mut self.change {
                let changed = ready!(Pin::new(change).poll(cx));
                self.change = None;
                changed?;
            }
            let first = state.members.borrow_mut().remove_first();
            if let Some(task) = first {
                task.header().membership.replace(Membership::Left);
                state.note_change();
                return Poll::Ready(Some(Ok(task)));
            }
            if !state.members.borrow().is_running() {
                return Poll::Ready(None);
            }
            self.change = Some(state.change("group-next"));
        }
    }
}

impl<T> fmt::Debug for DoneTasks<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoneTasks")
            .field("group", self.group)
            .finish_non_exhaustive()
    }
}
