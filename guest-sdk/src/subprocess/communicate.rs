//! Writing to a child and reading from it, all at once.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use super::{Output, PipeStream, Popen};
use crate::error::{Error, Result};
use crate::io::RawIo;

/// What [`Popen::communicate`] has still to write. It stays when that is interrupted.
#[derive(Debug, Default)]
pub(super) struct Talk {
    input: Vec<u8>,
    written: usize,
}

/// As [`Popen::communicate`].
pub(super) async fn communicate(child: &mut Popen, input: &[u8]) -> Result<Output> {
    if !input.is_empty() {
        if child.talk.written < child.talk.input.len() {
            let text = "an earlier call has not written all of its input; call it without any";
            return Err(Error::InvalidState(text.to_owned()));
        }
        if child.stdin.is_none() {
            let text = "there is input, and standard input is no pipe, or was closed";
            return Err(Error::InvalidState(text.to_owned()));
        }
        child.talk = Talk {
            input: input.to_vec(),
            written: 0,
        };
    }
    let result = exchange(child).await;
    let result = match result {
        Ok(()) => child.wait().await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        return Err(
            error.with_moved(buffered(child.stdout.as_ref()) + buffered(child.stderr.as_ref()))
        );
    }
    Ok(take_output(child))
}

/// What was read so far, and is the child's output no more.
pub(super) fn take_output(child: &mut Popen) -> Output {
    let take = |stream: &mut Option<PipeStream>| {
        let stream = stream.take();
        stream.map_or_else(Vec::new, |stream| stream.into_parts().1)
    };
    Output {
        stdout: take(&mut child.stdout),
        stderr: take(&mut child.stderr),
    }
}

/// Writes and reads all there is.
async fn exchange(child: &mut Popen) -> Result<()> {
    let Popen {
        stdin,
        stdout,
        stderr,
        talk,
        ..
    } = child;
    let mut writes = pin!(write(stdin, talk));
    let mut reads_out = pin!(read(stdout));
    let mut reads_err = pin!(read(stderr));
    let mut left = [true; 3];
    poll_fn(move |cx| {
        if left[0] && writes.as_mut().poll(cx)?.is_ready() {
            left[0] = false;
        }
        if left[1] && reads_out.as_mut().poll(cx)?.is_ready() {
            left[1] = false;
        }
        if left[2] && reads_err.as_mut().poll(cx)?.is_ready() {
            left[2] = false;
        }
        if left.contains(&true) {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    })
    .await
}

async fn read(stream: &mut Option<PipeStream>) -> Result<()> {
    if let Some(stream) = stream {
        stream.buffer_up_to(usize::MAX).await?;
    }
    Ok(())
}

/// Writes the rest, and closes the pipe. A child that has closed its end wants no more.
async fn write(stdin: &mut Option<PipeStream>, talk: &mut Talk) -> Result<()> {
    if let Some(stream) = stdin {
        let pipe = stream.get_ref();
        while talk.written < talk.input.len() {
            match pipe.try_send(&talk.input[talk.written..]) {
                Ok(Some(written)) => talk.written += written,
                Ok(None) => pipe.write_wait().await?,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => break,
                Err(error) => return Err(error),
            }
        }
    }
    *stdin = None;
    *talk = Talk::default();
    Ok(())
}

fn buffered(stream: Option<&PipeStream>) -> usize {
    stream.map_or(0, |stream| stream.buffered().len())
}
