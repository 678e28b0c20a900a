//! Files: reading, writing, positions, and what an interruption leaves. `/data` is an empty directory.

use std::io::{ErrorKind, SeekFrom};
use std::rc::Rc;

use curio::file::{self, File, OpenOptions};
use curio::{Error, Result, aopen, ignore_after, spawn, yield_now};
use test_guests::{cases, fails, ms};

cases! {
    what_was_written_can_be_read
    reading_ends_with_nothing
    a_block_has_a_greatest_size
    the_position_can_be_set
    appending_goes_to_the_end
    a_file_can_be_cut_and_grown
    modes_are_those_of_python
    options_must_go_together
    a_file_for_reading_can_t_be_written
    a_missing_file_is_an_error
    a_directory_is_no_file
    metadata_tells_length_and_kind
    buffers_are_filled
    text_must_be_text
    a_cancelled_read_loses_nothing
    reads_that_time_out_lose_nothing
    a_cancelled_write_is_done_nevertheless
    two_tasks_can_t_use_it_at_once
    a_cancelled_open_is_in_nobody_s_way
    syncing_and_closing_say_nothing
    the_end_may_be_far_away
}

const PATH: &str = "/data/file";

/// Bytes that differ, so that a wrong place shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

async fn make(length: usize) -> Result<Vec<u8>> {
    let bytes = pattern(length);
    file::write(PATH, &bytes).await?;
    Ok(bytes)
}

async fn update() -> Result<File> {
    open("w+").await
}

/// The file itself, and no stream on it.
async fn open(mode: &str) -> Result<File> {
    Ok(aopen(PATH, mode).await?.into_parts().0)
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        other => panic!("should be the system's: {other}"),
    }
}

async fn what_was_written_can_be_read() -> Result<()> {
    let file = File::create(PATH).await?;
    file.write_all(b"one ").await?;
    file.write_all(b"two").await?;
    assert_eq!(file.write(b"").await?, 0);
    file.close().await?;
    assert_eq!(file::read_to_string(PATH).await?, "one two");
    assert_eq!(std::fs::read_to_string(PATH)?, "one two");
    std::fs::write(PATH, "three")?;
    let file = File::open(PATH).await?;
    assert_eq!(file.read(100).await?, b"three");
    // It is cut, not only written over.
    file::write(PATH, "4").await?;
    assert_eq!(file::read(PATH).await?, b"4");
    Ok(())
}

async fn reading_ends_with_nothing() -> Result<()> {
    make(10).await?;
    let file = File::open(PATH).await?;
    assert_eq!(file.read(0).await?, b"");
    assert_eq!(file.read(7).await?, pattern(10)[..7]);
    assert_eq!(file.read(7).await?, pattern(10)[7..]);
    assert_eq!(file.read(7).await?, b"");
    assert_eq!(file.read(7).await?, b"");
    // What comes later is read later.
    let writer = open("a").await?;
    writer.write_all(b"more").await?;
    assert_eq!(file.read(7).await?, b"more");
    Ok(())
}

async fn a_block_has_a_greatest_size() -> Result<()> {
    let bytes = make(1_000_000).await?;
    let file = File::open(PATH).await?;
    assert_eq!(file.read(usize::MAX).await?.len(), 256 * 1024);
    assert_eq!(file.tell().await?, 256 * 1024);
    assert_eq!(file.read_to_end().await?, bytes[256 * 1024..]);
    let file = update().await?;
    assert_eq!(file.write(&bytes).await?, 256 * 1024);
    file.write_all(&bytes[256 * 1024..]).await?;
    file.seek(SeekFrom::Start(0)).await?;
    assert_eq!(file.read_to_end().await?, bytes);
    Ok(())
}

async fn the_position_can_be_set() -> Result<()> {
    make(100).await?;
    let file = File::open(PATH).await?;
    assert_eq!(file.seek(SeekFrom::Start(90)).await?, 90);
    assert_eq!(file.read(1).await?, [90]);
    assert_eq!(file.seek(SeekFrom::Current(-11)).await?, 80);
    assert_eq!(file.read(1).await?, [80]);
    assert_eq!(file.seek(SeekFrom::End(-1)).await?, 99);
    assert_eq!(file.read(5).await?, [99]);
    assert_eq!(file.seek(SeekFrom::End(50)).await?, 150);
    assert_eq!(file.read(5).await?, b"");
    for wrong in [
        SeekFrom::Current(-151),
        SeekFrom::End(-101),
        SeekFrom::Start(u64::MAX),
        SeekFrom::Start(1 << 63),
    ] {
        let error = fails(file.seek(wrong).await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    assert_eq!(file.tell().await?, 150);
    // A hole is full of zeros.
    let file = open("r+").await?;
    file.seek(SeekFrom::Start(102)).await?;
    file.write_all(b"x").await?;
    assert_eq!(file.tell().await?, 103);
    assert_eq!(file::read(PATH).await?[99..], [99, 0, 0, b'x']);
    Ok(())
}

async fn appending_goes_to_the_end() -> Result<()> {
    make(3).await?;
    let file = open("a+").await?;
    assert_eq!(file.tell().await?, 0);
    assert_eq!(file.read(2).await?, [0, 1]);
    file.write_all(b"a").await?;
    assert_eq!(file.tell().await?, 4);
    let other = open("ab").await?;
    other.write_all(b"b").await?;
    file.seek(SeekFrom::Start(1)).await?;
    file.write_all(b"c").await?;
    assert_eq!(file.tell().await?, 6);
    assert_eq!(file::read(PATH).await?, [0, 1, 2, b'a', b'b', b'c']);
    Ok(())
}

async fn a_file_can_be_cut_and_grown() -> Result<()> {
    make(10).await?;
    let file = open("r+").await?;
    file.read(5).await?;
    file.truncate(3).await?;
    assert_eq!(file.tell().await?, 5);
    assert_eq!(file.read(5).await?, b"");
    file.truncate(7).await?;
    assert_eq!(file.metadata().await?.len(), 7);
    assert_eq!(file.read(5).await?, [0, 0]);
    assert_eq!(file::read(PATH).await?, [0, 1, 2, 0, 0, 0, 0]);
    let error = fails(file.truncate(u64::MAX).await);
    assert_eq!(kind(&error), ErrorKind::InvalidInput);
    Ok(())
}

async fn modes_are_those_of_python() -> Result<()> {
    assert_eq!(kind(&fails(open("r").await)), ErrorKind::NotFound);
    assert_eq!(kind(&fails(open("rb+").await)), ErrorKind::NotFound);
    let file = open("xb").await?;
    file.write_all(b"new").await?;
    assert_eq!(kind(&fails(open("x").await)), ErrorKind::AlreadyExists);
    let file = open("rb").await?;
    assert_eq!(file.read_to_end().await?, b"new");
    let file = open("w+").await?;
    assert_eq!(file.read(9).await?, b"");
    file.write_all(b"newer").await?;
    file.seek(SeekFrom::Start(0)).await?;
    assert_eq!(file.read(9).await?, b"newer");
    for wrong in ["", "b", "rw", "r++", "é", "rbb", "R", "rbt"] {
        let error = fails(open(wrong).await);
        assert!(
            matches!(&error, Error::InvalidArgument(text) if text.contains(&format!("{wrong:?}"))),
            "{error}"
        );
    }
    Ok(())
}

async fn options_must_go_together() -> Result<()> {
    make(1).await?;
    let new = OpenOptions::new;
    for wrong in [
        new(),
        new().create(true),
        new().read(true).create(true),
        new().read(true).create_new(true),
        new().read(true).truncate(true),
        new().append(true).truncate(true),
        new().write(true).append(true).truncate(true),
        new().read(true).read(false),
    ] {
        let error = fails(wrong.open(PATH).await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    assert_eq!(file::read(PATH).await?, [0]);
    Ok(())
}

async fn a_file_for_reading_can_t_be_written() -> Result<()> {
    make(3).await?;
    let file = File::open(PATH).await?;
    fails(file.write(b"x").await);
    fails(file.truncate(0).await);
    assert_eq!(file.read(9).await?, [0, 1, 2]);
    let file = open("a").await?;
    fails(file.read(9).await);
    // A failure is told once, and is in nobody's way.
    file.write_all(b"x").await?;
    assert_eq!(file::read(PATH).await?, [0, 1, 2, b'x']);
    Ok(())
}

async fn a_missing_file_is_an_error() -> Result<()> {
    assert_eq!(kind(&fails(File::open(PATH).await)), ErrorKind::NotFound);
    let error = fails(File::create("/data/none/file").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    make(1).await?;
    let error = fails(File::open("/data/file/below").await);
    assert_eq!(kind(&error), ErrorKind::NotADirectory);
    let error = fails(File::open("/data/fi\0le").await);
    assert_eq!(kind(&error), ErrorKind::InvalidInput);
    let long = format!("/data/{}", "x/".repeat(5000));
    let error = fails(File::open(long).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let error = fails(File::open(format!("/data/{}", "x".repeat(300))).await);
    assert!(error.to_string().contains("too long"), "{error}");
    Ok(())
}

async fn a_directory_is_no_file() -> Result<()> {
    for path in ["/data", "/data/", "/data/."] {
        let error = fails(File::open(path).await);
        assert_eq!(kind(&error), ErrorKind::IsADirectory, "{path}");
        let error = fails(File::create(path).await);
        assert_eq!(kind(&error), ErrorKind::IsADirectory, "{path}");
    }
    Ok(())
}

async fn metadata_tells_length_and_kind() -> Result<()> {
    make(123).await?;
    let file = File::open(PATH).await?;
    let known = file.metadata().await?;
    assert!(known.is_file() && !known.is_dir() && !known.is_symlink());
    assert_eq!(known.len(), 123);
    assert_eq!(known.len(), file::metadata(PATH).await?.len());
    let std = std::fs::metadata(PATH)?;
    assert_eq!(known.modified(), std.modified().ok());
    assert!(file::metadata("/data").await?.is_dir());
    Ok(())
}

async fn buffers_are_filled() -> Result<()> {
    let bytes = make(600_000).await?;
    let file = File::open(PATH).await?;
    let mut buffer = vec![0; 500_000];
    assert_eq!(file.read_into(&mut buffer[..10]).await?, 10);
    assert_eq!(buffer[..10], bytes[..10]);
    assert_eq!(file.read_full(&mut buffer).await?, 500_000);
    assert_eq!(buffer, bytes[10..500_010]);
    assert_eq!(file.read_full(&mut buffer).await?, 99_990);
    assert_eq!(buffer[..99_990], bytes[500_010..]);
    assert_eq!(file.read_full(&mut buffer).await?, 0);
    assert_eq!(file.read_into(&mut []).await?, 0);
    Ok(())
}

async fn text_must_be_text() -> Result<()> {
    file::write(PATH, "grün\n").await?;
    assert_eq!(file::read_to_string(PATH).await?, "grün\n");
    file::write(PATH, [b'g', 0xfc]).await?;
    let error = fails(file::read_to_string(PATH).await);
    assert_eq!(kind(&error), ErrorKind::InvalidData);
    Ok(())
}

async fn a_cancelled_read_loses_nothing() -> Result<()> {
    let bytes = make(100_000).await?;
    let file = Rc::new(File::open(PATH).await?);
    let ours = file.clone();
    let reader = spawn(async move { ours.read(60_000).await });
    yield_now().await?;
    reader.cancel().await?;
    assert_eq!(file.tell().await?, 0);
    assert_eq!(file.read(10).await?, bytes[..10]);
    assert_eq!(file.read_to_end().await?, bytes[10..]);
    Ok(())
}

async fn reads_that_time_out_lose_nothing() -> Result<()> {
    let bytes = make(200_000).await?;
    let file = File::open(PATH).await?;
    let (mut read, mut timed_out) = (Vec::new(), 0);
    loop {
        // Now and then nobody waits long enough.
        let time = ms(u64::from(read.len() % 3 != 0));
        match ignore_after(time, file.read(1001)).await? {
            None => timed_out += 1,
            Some(block) if block.is_empty() => break,
            Some(block) => read.extend_from_slice(&block),
        }
        if timed_out % 5 == 1 {
            assert_eq!(file.tell().await?, read.len() as u64);
        }
    }
    assert!(read == bytes, "{} bytes", read.len());
    assert!(timed_out > 0);
    Ok(())
}

async fn a_cancelled_write_is_done_nevertheless() -> Result<()> {
    let file = Rc::new(update().await?);
    let ours = file.clone();
    let writer = spawn(async move { ours.write(b"begun").await });
    yield_now().await?;
    writer.cancel().await?;
    assert_eq!(file.tell().await?, 5);
    file.write_all(b" and more").await?;
    assert_eq!(file::read_to_string(PATH).await?, "begun and more");

    // One that fails is told once: to that task if it was quick, or else to whoever comes next.
    let file = Rc::new(File::open(PATH).await?);
    let ours = file.clone();
    let writer = spawn(async move { ours.write(b"can't").await });
    yield_now().await?;
    writer.cancel().await?;
    let told_the_task = match fails(writer.join().await) {
        Error::Task(failed) => matches!(failed.cause(), Error::Io(_)),
        other => panic!("should be the task's: {other}"),
    };
    let told_us = file.flush().await.is_err();
    assert!(told_the_task != told_us);
    file.flush().await?;
    assert_eq!(file.read(5).await?, b"begun");
    Ok(())
}

async fn two_tasks_can_t_use_it_at_once() -> Result<()> {
    make(10).await?;
    let file = Rc::new(File::open(PATH).await?);
    let ours = file.clone();
    let reader = spawn(async move { ours.read(10).await });
    yield_now().await?;
    assert!(matches!(fails(file.read(1).await), Error::ResourceBusy));
    assert!(matches!(fails(file.tell().await), Error::ResourceBusy));
    assert!(matches!(fails(file.metadata().await), Error::ResourceBusy));
    assert_eq!(reader.join().await?, pattern(10));
    assert_eq!(file.tell().await?, 10);
    Ok(())
}

async fn a_cancelled_open_is_in_nobody_s_way() -> Result<()> {
    make(10).await?;
    for _ in 0..100 {
        drop(ignore_after(ms(0), File::open(PATH)).await?);
    }
    let opener = spawn(File::open(PATH));
    yield_now().await?;
    opener.cancel().await?;
    assert_eq!(file::read(PATH).await?, pattern(10));
    Ok(())
}

async fn syncing_and_closing_say_nothing() -> Result<()> {
    let file = update().await?;
    file.write_all(b"kept").await?;
    file.flush().await?;
    file.sync_data().await?;
    file.sync_all().await?;
    file.close().await?;
    assert_eq!(file::read(PATH).await?, b"kept");
    Ok(())
}

async fn the_end_may_be_far_away() -> Result<()> {
    let file = update().await?;
    let far = 5 << 30;
    file.seek(SeekFrom::Start(far)).await?;
    file.write_all(b"here").await?;
    assert_eq!(file.metadata().await?.len(), far + 4);
    file.seek(SeekFrom::End(-4)).await?;
    assert_eq!(file.read(100).await?, b"here");
    assert_eq!(file.tell().await?, far + 4);
    file.truncate(0).await
}
