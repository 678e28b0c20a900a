//! What no honest program does with its children, by bindings of its own: one case an argument.

mod raw {
    #![expect(clippy::pedantic, reason = "generated code; see the files in wit/")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "guest",
        generate_all,
    });
}

use raw::curio::kernel::subprocess::{self, Command, ExitStatus, Pipe, Spawned, Stdio};
use raw::curio::kernel::traps::{self, Caller, Outcome};
use raw::curio::kernel::types::Error;

/// Another number for each trap.
const COOKIE: u64 = 7;

fn command(program: &str, args: &[&str]) -> Command {
    let args = std::iter::once(program).chain(args.iter().copied());
    Command {
        program: program.to_owned(),
        args: args.map(str::to_owned).collect(),
        environment: Vec::new(),
        directory: None,
        stdin: Stdio::Pipe,
        stdout: Stdio::Pipe,
        stderr: Stdio::Null,
        own_group: false,
        kill_group: true,
    }
}

fn sleeper() -> Spawned {
    subprocess::spawn(command("sleep", &["1000"])).expect("it is granted")
}

fn caller(task: u64, cookie: u64) -> Caller {
    Caller { task, cookie }
}

/// How a trap ended, as soon as it has.
fn outcome(cookie: u64) -> Outcome {
    loop {
        let pass = traps::wait(0, &[], u64::MAX);
        for resumption in pass[1..].chunks(3) {
            if resumption[0] == cookie {
                let outcomes = [
                    Outcome::Done,
                    Outcome::Busy,
                    Outcome::Closed,
                    Outcome::EndRequested,
                    Outcome::InvalidState,
                ];
                let place = usize::try_from(resumption[1]).expect("it is small");
                return outcomes[place];
            }
        }
    }
}

fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    let task = traps::spawn(0, 0, false).expect("it is the first");
    match case.as_str() {
        "dropped-while-waiting" => {
            let spawned = sleeper();
            // That nobody knows whether it runs is worth an attempt, and no wait.
            assert!(matches!(spawned.child.try_wait(), Err(Error::WouldBlock)));
            spawned.child.wait(caller(task, COOKIE));
            drop(spawned.child);
            assert_eq!(outcome(COOKIE), Outcome::Closed);
        }
        "closed-while-waiting" => {
            let spawned = sleeper();
            let stdout = spawned.stdout.expect("it is a pipe");
            stdout.read_wait(caller(task, COOKIE));
            // It may be worth an attempt.
            assert_eq!(outcome(COOKIE), Outcome::Done);
            assert!(matches!(stdout.read(1), Err(Error::WouldBlock)));
            stdout.read_wait(caller(task, COOKIE));
            stdout.close();
            assert_eq!(outcome(COOKIE), Outcome::Closed);
            stdout.read_wait(caller(task, COOKIE));
            assert_eq!(outcome(COOKIE), Outcome::Closed);
            stdout.close();
        }
        "wrong-way" => {
            let spawned = sleeper();
            let ends = [spawned.stdin, spawned.stdout].map(|end| end.expect("it is a pipe"));
            let [stdin, stdout] = ends;
            stdin.read_wait(caller(task, COOKIE));
            assert_eq!(outcome(COOKIE), Outcome::InvalidState);
            stdout.write_wait(caller(task, COOKIE));
            assert_eq!(outcome(COOKIE), Outcome::InvalidState);
            assert!(matches!(stdin.read(1), Err(Error::InvalidState(_))));
            assert!(matches!(stdout.write(b"x"), Err(Error::InvalidState(_))));
        }
        "second-wait" => {
            let spawned = sleeper();
            assert!(matches!(spawned.child.try_wait(), Err(Error::WouldBlock)));
            spawned.child.wait(caller(task, COOKIE));
            spawned.child.wait(caller(task, COOKIE + 1));
            assert_eq!(outcome(COOKIE + 1), Outcome::Busy);
            assert!(spawned.child.send_signal(9).expect("it is ours"));
            assert_eq!(outcome(COOKIE), Outcome::Done);
            for _ in 0..3 {
                let status = spawned.child.try_wait().expect("it has ended");
                assert!(matches!(status, ExitStatus::Killed(9)));
                spawned.child.wait(caller(task, COOKIE));
                assert_eq!(outcome(COOKIE), Outcome::Done);
            }
            assert!(!spawned.child.send_signal(9).expect("it has ended"));
        }
        "polled-while-waiting" => {
            let spawned = subprocess::spawn(command("true", &[])).expect("it is granted");
            spawned.child.wait(caller(task, COOKIE));
            while spawned.child.try_wait().is_err() {}
            // Its end was told already, and the trap ends all the same.
            assert_eq!(outcome(COOKIE), Outcome::Done);
        }
        "odd-sizes" => {
            let mut how = command("cat", &[]);
            how.args.clear();
            let spawned = subprocess::spawn(how);
            // What a program makes of having no name is its own business.
            drop(spawned);
            let spawned = subprocess::spawn(command("cat", &[])).expect("it is granted");
            let ends = [spawned.stdin, spawned.stdout].map(|end| end.expect("it is a pipe"));
            let [stdin, stdout] = ends;
            assert_eq!(stdin.write(&[]).expect("there is nothing to write"), 0);
            assert!(matches!(stdout.read(0), Ok(data) if data.is_empty()));
            let wrote = stdin.write(&vec![0; 4 << 20]).expect("there is room");
            assert!(wrote < 1 << 20, "{wrote}");
            stdout.read_wait(caller(task, COOKIE));
            outcome(COOKIE);
            loop {
                match stdout.read(u32::MAX) {
                    Ok(data) => break assert!(!data.is_empty() && data.len() <= 65_536),
                    Err(Error::WouldBlock) => {
                        stdout.read_wait(caller(task, COOKIE));
                        outcome(COOKIE);
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
        "ends-given-away" => {
            // Whatever becomes of the spawning, what was given is gone, and counts no more.
            for _ in 0..100 {
                let mut spawned = sleeper();
                let mut how = command("nosuch", &[]);
                let end: Pipe = spawned.stdout.take().expect("it is a pipe");
                how.stdin = Stdio::PipeEnd(end);
                how.stdout = Stdio::PipeEnd(spawned.stdin.take().expect("it is a pipe"));
                assert!(matches!(subprocess::spawn(how), Err(Error::Refused(_))));
                assert!(spawned.child.send_signal(9).expect("it is ours"));
                spawned.child.wait(caller(task, COOKIE));
                outcome(COOKIE);
            }
        }
        _ => panic!("there is no case {case}"),
    }
    traps::exit(task);
}
