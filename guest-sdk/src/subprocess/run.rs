//! Running a program to its end.

use std::ffi::OsStr;

use super::communicate::{communicate, take_output};
use super::{Command, CompletedProcess, ExitStatus, Output, Popen, Stdio, TimeoutExpired};
use crate::cancellation::disable_cancellation;
use crate::error::Result;
use crate::time::ignore_after;

/// Runs a program with these words: see [`Command::run`].
///
/// # Errors
/// As [`Command::run`].
///
/// # Cancellation
/// As [`Command::run`].
pub async fn run<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<CompletedProcess> {
    Command::from_words(words).run().await
}

/// Runs a program with these words, and gives all that it writes to standard output: see [`Command::check_output`].
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let out = curio::subprocess::check_output(["uname", "-r"]).await?;
/// println!("{}", String::from_utf8_lossy(&out));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Command::check_output`].
///
/// # Cancellation
/// As [`Command::run`].
pub async fn check_output<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<Vec<u8>> {
    Command::from_words(words).check_output().await
}

/// Runs a program with these words, which must not fail: see [`Command::check_call`].
///
/// # Errors
/// As [`Command::check_call`].
///
/// # Cancellation
/// As [`Command::run`].
pub async fn check_call<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<()> {
    Command::from_words(words).check_call().await
}

/// Runs a program with these words, and says how it has ended: see [`Command::call`].
///
/// # Errors
/// As [`Command::run`].
///
/// # Cancellation
/// As [`Command::run`].
pub async fn call<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<ExitStatus> {
    Command::from_words(words).call().await
}

impl Command {
    /// Runs the program to its end, and gives what it has written into pipes. It reads [`input`](Command::input), or
    /// nothing, unless [`stdin`](Command::stdin) says otherwise.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use curio::subprocess::Command;
    ///
    /// # async fn example() -> curio::Result<()> {
    /// let sorted = Command::new("sort")
    ///     .input("b\na\n")
    ///     .capture_output()
    ///     .timeout(Duration::from_secs(10))
    ///     .check(true)
    ///     .run()
    ///     .await?;
    /// assert_eq!(sorted.stdout, b"a\nb\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Command::spawn`]; [`TimeoutExpired`] if it took longer than its [`timeout`](Command::timeout);
    /// [`CalledProcessError`](super::CalledProcessError) if it failed and that is to be [`check`](Command::check)ed.
    /// It has ended in any case: it is killed if need be. [`Error::output`](crate::Error::output) has what it had
    /// written.
    ///
    /// # Cancellation
    /// As with any other error: the program is killed, with its whole group if
    /// [`kill_group`](Command::kill_group) was set.
    #[doc(alias = "subprocess.run")]
    pub async fn run(mut self) -> Result<CompletedProcess> {
        let input = self.input.take();
        let (check, timeout) = (self.check, self.timeout);
        if input.is_some() {
            self = self.stdin(Stdio::pipe());
        } else if !self.leads().0 {
            self = self.stdin(Stdio::null());
        }
        let input = input.unwrap_or_default();
        // If this future is dropped, so is the child.
        let mut child = self.kill_on_drop(true).spawn()?;
        let talks = ignore_after(timeout, communicate(&mut child, &input)).await;
        let output = match talks {
            Ok(Some(output)) => output,
            Ok(None) => {
                let output = end(&mut child).await?;
                return Err(TimeoutExpired {
                    args: child.args().to_vec(),
                    timeout: timeout.unwrap_or_default(),
                    output,
                }
                .into());
            }
            Err(error) => {
                let output = end(&mut child).await?;
                return Err(error.with_output(output));
            }
        };
        let completed = CompletedProcess {
            args: child.args().to_vec(),
            status: child.wait().await?,
            stdout: output.stdout,
            stderr: output.stderr,
        };
        if check {
            completed.check()
        } else {
            Ok(completed)
        }
    }

    /// Runs the program, which must not fail, and gives all that it writes to standard output.
    ///
    /// # Errors
    /// As [`Command::run`], [`CalledProcessError`](super::CalledProcessError) among them.
    ///
    /// # Cancellation
    /// As [`Command::run`].
    pub async fn check_output(self) -> Result<Vec<u8>> {
        let completed = self.stdout(Stdio::pipe()).check(true).run().await?;
        Ok(completed.stdout)
    }

    /// Runs the program, which must not fail.
    ///
    /// # Errors
    /// As [`Command::run`], [`CalledProcessError`](super::CalledProcessError) among them.
    ///
    /// # Cancellation
    /// As [`Command::run`].
    pub async fn check_call(self) -> Result<()> {
        self.check(true).run().await.map(drop)
    }

    /// Runs the program, and says how it has ended.
    ///
    /// # Errors
    /// As [`Command::run`].
    ///
    /// # Cancellation
    /// As [`Command::run`].
    #[doc(alias = "status")]
    pub async fn call(self) -> Result<ExitStatus> {
        Ok(self.check(false).run().await?.status)
    }
}

/// Kills a child, waits for its end, whatever else may be wanted of the task, and gives what it had written. What others
/// that have the same pipe write afterwards is not waited for.
async fn end(child: &mut Popen) -> Result<Output> {
    child.kill()?;
    disable_cancellation(child.wait()).await?;
    let streams = [&mut child.stdout, &mut child.stderr];
    for stream in streams.into_iter().flatten() {
        stream.buffer_what_is_there();
    }
    Ok(take_output(child))
}
