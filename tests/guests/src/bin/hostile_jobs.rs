//! What no honest program does with its workers, by bindings of its own: one case an argument, and where the workers are.

mod raw {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "guest-with-jobs",
        generate_all,
    });

    #[expect(unsafe_code, reason = "generated code: what the kernel calls")]
    mod exported {
        super::export!(Jobs with_types_in super);

        use crate::Jobs;
    }
}

use raw::curio::kernel::traps::{self, Caller, Outcome};
use raw::curio::kernel::types::Error;
use raw::curio::kernel::workers::{self, Job, Loss, LossReason, Outcome as Ended, Place};

/// Another number for each trap.
const COOKIE: u64 = 7;

/// How much may pass with one call, nearly.
const MOST: usize = (16 << 20) - 1024;

// What a worker is asked.
const ECHO: u32 = 0;
const SPIN: u32 = 1;
const SLEEP: u32 = 2;
const PANIC: u32 = 3;
const TOO_MUCH: u32 = 4;
const EXIT: u32 = 5;
const AS_TOLD: u32 = 6;

/// What the kernel calls in a worker.
struct Jobs;

impl raw::exports::curio::kernel::jobs::Guest for Jobs {
    fn run(entry: u32, input: Vec<u8>) -> Vec<u8> {
        match entry {
            ECHO => input,
            SPIN => loop {
                std::hint::spin_loop();
            },
            SLEEP => loop {
                traps::wait(0, &[], u64::MAX);
            },
            PANIC => {
                // Of a worker that says much before it goes, not all is kept.
                workers::panicked(&"\u{1b}[2J€".repeat(1_000_000));
                std::process::abort();
            }
            TOO_MUCH => vec![1; 20 << 20],
            EXIT => std::process::exit(1),
            AS_TOLD => {
                let task = traps::spawn(0, 0, false).expect("it is the first");
                let pass = traps::wait(0, &[], u64::MAX);
                traps::exit(task);
                pass[1..].iter().flat_map(|n| n.to_le_bytes()).collect()
            }
            _ => std::process::abort(),
        }
    }
}

/// How a trap ended, as soon as it has.
fn outcome(cookie: u64) -> Outcome {
    loop {
        let pass = traps::wait(0, &[], u64::MAX);
        for resumption in pass[1..].chunks(3) {
            if resumption[0] == cookie {
                return match resumption[1] {
                    0 => Outcome::Done,
                    1 => Outcome::Busy,
                    2 => Outcome::Closed,
                    other => panic!("{other}"),
                };
            }
        }
    }
}

/// Where the workers are, and who waits.
#[derive(Clone, Copy)]
struct Here {
    place: Place,
    task: u64,
}

impl Here {
    fn start(self, entry: u32, input: &[u8]) -> Job {
        Job::start(self.place, entry, input).expect("there may be one")
    }

    fn caller(self, cookie: u64) -> Caller {
        let task = self.task;
        Caller { task, cookie }
    }

    /// How a job ended, as soon as it has.
    fn ended(self, job: &Job) -> Ended {
        loop {
            match job.outcome() {
                Err(Error::WouldBlock) => {
                    job.read_wait(self.caller(COOKIE));
                    assert_eq!(outcome(COOKIE), Outcome::Done);
                }
                ended => return ended.expect("it is told"),
            }
        }
    }

    fn lost(self, job: &Job) -> Loss {
        match self.ended(job) {
            Ended::Lost(loss) => loss,
            Ended::Returned(output) => panic!("{} bytes", output.len()),
        }
    }

    /// Asserts that workers work.
    fn works(self) {
        let job = self.start(ECHO, b"x");
        assert!(matches!(self.ended(&job), Ended::Returned(output) if output == b"x"));
    }
}

fn told_once(here: Here) {
    let job = here.start(ECHO, b"x");
    here.ended(&job);
    for _ in 0..3 {
        assert!(matches!(job.outcome(), Err(Error::InvalidState(_))));
        job.interrupt();
        job.read_wait(here.caller(COOKIE));
        assert_eq!(outcome(COOKIE), Outcome::Done);
    }
    let lost = here.start(EXIT, b"");
    assert!(matches!(here.lost(&lost).reason, LossReason::Exited));
    lost.interrupt();
    assert!(matches!(lost.outcome(), Err(Error::InvalidState(_))));
    lost.read_wait(here.caller(COOKIE));
    assert_eq!(outcome(COOKIE), Outcome::Done);
    // Whoever has the first one's worker now is not disturbed by its handle.
    let next = here.start(SLEEP, b"");
    job.interrupt();
    drop(job);
    assert!(matches!(next.outcome(), Err(Error::WouldBlock)));
    here.works();
}

fn second_wait(here: Here) {
    let job = here.start(SLEEP, b"");
    // That nobody knows whether there is something is worth an attempt, and no wait.
    assert!(matches!(job.outcome(), Err(Error::WouldBlock)));
    job.read_wait(here.caller(COOKIE));
    job.read_wait(here.caller(COOKIE + 1));
    assert_eq!(outcome(COOKIE + 1), Outcome::Busy);
    drop(job);
    assert_eq!(outcome(COOKIE), Outcome::Closed);
    here.works();
}

fn polled_while_waiting(here: Here) {
    for n in 0..20 {
        let job = here.start(ECHO, b"x");
        job.read_wait(here.caller(COOKIE));
        while matches!(job.outcome(), Err(Error::WouldBlock)) {}
        if n % 2 == 0 {
            // The end was told already, and the trap ends all the same.
            assert_eq!(outcome(COOKIE), Outcome::Done);
        } else {
            // Here it is the handle's end, or that of the job.
            drop(job);
            outcome(COOKIE);
        }
    }
    here.works();
}

fn dropped(here: Here) {
    for entry in [ECHO, SPIN, SLEEP, PANIC, TOO_MUCH, EXIT] {
        // At once, soon, and when it is about to end.
        for naps in 0..3 {
            let job = here.start(entry, b"x");
            traps::wait(0, &[], traps::now() + naps * 10_000_000);
            job.interrupt();
            drop(job);
        }
    }
    here.works();
}

fn big(here: Here) {
    let input = vec![1; MOST];
    let job = here.start(ECHO, &input);
    assert!(matches!(here.ended(&job), Ended::Returned(output) if output == input));
    // It is given up while some of it is under way still.
    for _ in 0..5 {
        drop(here.start(ECHO, &input));
        drop(here.start(SPIN, &input));
    }
    let loss = here.lost(&here.start(TOO_MUCH, b""));
    assert!(matches!(
        loss.reason,
        LossReason::Faulted | LossReason::Limit
    ));
    assert!(loss.message.len() < 10_000, "{}", loss.message);
    let loss = here.lost(&here.start(PANIC, b""));
    assert!(matches!(loss.reason, LossReason::Panicked));
    assert!(loss.message.len() < 100_000, "{}", loss.message.len());
    here.works();
}

fn many(here: Here, count: u32) {
    let mut started = 0_u32;
    let mut jobs = Vec::new();
    let mut random = fastrand::Rng::with_seed(1);
    for n in 0..count {
        let entry = [ECHO, SPIN, SLEEP, EXIT][n as usize % 4];
        match Job::start(here.place, entry, b"x") {
            Ok(job) => {
                started += 1;
                jobs.push(job);
            }
            Err(Error::Limit(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        if random.bool() && !jobs.is_empty() {
            drop(jobs.swap_remove(random.usize(..jobs.len())));
        }
    }
    assert!(started > count / 10, "{started}");
    drop(jobs);
    here.works();
}

/// A worker on a thread that is interrupted before it has a task is told when it has one.
fn interrupted(here: Here) {
    let job = here.start(AS_TOLD, b"");
    for _ in 0..1000 {
        job.interrupt();
    }
    let told = [0_u64, 3, 0].map(u64::to_le_bytes).concat();
    assert!(matches!(here.ended(&job), Ended::Returned(output) if output.starts_with(&told)));
    here.works();
}

fn main() {
    let mut args = std::env::args().skip(1);
    let case = args.next().unwrap_or_default();
    let place = match args.next().as_deref() {
        Some("process") => Place::Process,
        _ => Place::Thread,
    };
    let task = traps::spawn(0, 0, false).expect("it is the first");
    let here = Here { place, task };
    match case.as_str() {
        "told-once" => told_once(here),
        "second-wait" => second_wait(here),
        "polled-while-waiting" => polled_while_waiting(here),
        "dropped" => dropped(here),
        "big" => big(here),
        "many" => many(here, if place == Place::Thread { 3000 } else { 1000 }),
        "interrupted" => interrupted(here),
        _ => panic!("there is no case {case}"),
    }
    traps::exit(task);
}
