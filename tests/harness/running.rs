//! A program while it runs: `curio-host`, or one of others.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Output, Process};

/// How often the program's end is looked for.
const CHECK: Duration = Duration::from_millis(5);

/// A program while it runs. It is killed when its deadline passes, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// The command line, for messages.
    command: String,
    deadline: Instant,
    stdin: Option<ChildStdin>,
    /// The lines of standard output, each with its end.
    lines: Receiver<String>,
    /// Those that were read.
    read: String,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    pub(super) fn new(mut child: Child, command: String, time: Duration) -> Self {
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut stdout = BufReader::new(stdout);
                let mut line = Vec::new();
                while stdout.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    if sender.send(text).is_err() {
                        return;
                    }
                    line.clear();
                }
            });
        }
        let stderr = child.stderr.take();
        let stderr = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stderr) = stderr {
                // What came before an error is still worth showing.
                drop(stderr.read_to_end(&mut bytes));
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self {
            stdin: child.stdin.take(),
            child,
            command,
            deadline: Instant::now() + time,
            lines,
            read: String::new(),
            stderr: Some(stderr),
        }
    }

    /// The next line of its standard output, without its end.
    pub(crate) fn line(&mut self) -> String {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.read.push_str(&line);
                line.trim_end_matches('\n').to_owned()
            }
            Err(RecvTimeoutError::Disconnected) => self.fail("no further line"),
            Err(RecvTimeoutError::Timeout) => self.fail("no further line before the deadline"),
        }
    }

    /// Writes to its standard input.
    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open until `wait`");
        let written = stdin.write_all(text.as_bytes());
        if let Err(error) = written.and_then(|()| stdin.flush()) {
            self.fail(&format!("can't write to it: {error}"));
        }
    }

    /// What the system knows of it.
    pub(crate) fn process(&self) -> Process {
        Process::new(self.child.id())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("process numbers are small");
        kill(Pid::from_raw(id), signal).expect("the process is not waited for yet");
    }

    /// Closes its standard input, waits for its end, and gives all it wrote.
    pub(crate) fn wait(mut self) -> Output {
        self.stdin = None;
        self.wait_for_end()
    }

    /// Waits for its end, and gives all it wrote.
    pub(crate) fn wait_for_end(mut self) -> Output {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                break status;
            }
            if Instant::now() >= self.deadline {
                self.fail("it did not end before the deadline");
            }
            std::thread::sleep(CHECK);
        };
        let (stdout, stderr) = self.rest();
        Output::new(std::mem::take(&mut self.command), status, stdout, stderr)
    }

    /// All that it wrote, once it has ended.
    fn rest(&mut self) -> (String, String) {
        let mut stdout = std::mem::take(&mut self.read);
        stdout.extend(self.lines.iter());
        let stderr = self.stderr.take().map(JoinHandle::join);
        let stderr = stderr.expect("called once");
        (stdout, stderr.expect("the reading thread does not panic"))
    }

    /// Ends it, and the test.
    fn fail(&mut self, why: &str) -> ! {
        drop(self.child.kill());
        drop(self.child.wait());
        let (stdout, stderr) = self.rest();
        panic!(
            "{}: {why}\n--- stdout\n{stdout}--- stderr\n{stderr}",
            self.command
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
