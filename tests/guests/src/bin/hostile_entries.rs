//! Numbers of jobs that nobody gave out, for the workers of an honest program: whatever such a worker does, only it comes
//! to harm. The argument says where the workers are.

mod raw {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "guest",
        generate_all,
    });
}

use curio::{Result, sleep};
use raw::curio::kernel::workers::{Job, Outcome, Place};
use test_guests::{ms, say};

/// What a number leads to: a word for how the job ended.
async fn attempt(place: Place, entry: u32) -> Result<&'static str> {
    let mut random = fastrand::Rng::with_seed(u64::from(entry));
    let input: Vec<u8> = (0..random.usize(..64)).map(|_| random.u8(..)).collect();
    let job = Job::start(place, entry, &input).expect("there may be one");
    for _ in 0..2000 {
        match job.outcome() {
            Ok(Outcome::Returned(_)) => return Ok("returned"),
            Ok(Outcome::Lost(loss)) => {
                assert!(!loss.message.is_empty());
                return Ok("lost");
            }
            Err(_) => sleep(ms(1)).await?,
        };
    }
    // It may do anything, and for ever: then it is ended.
    Ok("endless")
}

#[curio::main]
async fn main() -> Result<()> {
    let in_process = std::env::args()
        .nth(1)
        .is_some_and(|place| place == "process");
    let place = if in_process {
        Place::Process
    } else {
        Place::Thread
    };
    let mut random = fastrand::Rng::with_seed(5);
    for entry in [0, u32::MAX, u32::MAX - 1, 1 << 31] {
        assert_eq!(attempt(place, entry).await?, "lost", "{entry}");
    }
    let count = if in_process { 10 } else { 100 };
    for _ in 0..count {
        // Far behind all functions.
        let entry = random.u32(1 << 20..);
        assert_eq!(attempt(place, entry).await?, "lost", "{entry}");
    }
    for _ in 0..count {
        // Some function, of whatever type.
        attempt(place, random.u32(1..1000)).await?;
    }
    assert_eq!(curio::run_in_thread(|n: u32| n + 1, 1).await?, 2);
    assert_eq!(curio::run_in_process(|n: u32| n + 1, 1).await?, 2);
    say("done");
    Ok(())
}
