//! What is done with paths, and directories. `/data` is an empty directory.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::rc::Rc;

use curio::file::{self, File, FileKind};
use curio::{Error, Result, TaskGroup, Wait, clock, sleep, spawn, yield_now};
use test_guests::{cases, fails, ms};

cases! {
    directories_are_made_and_removed
    what_holds_something_is_not_removed
    things_are_renamed_and_replaced
    a_large_directory_is_listed_whole
    an_empty_directory_lists_nothing
    a_file_can_t_be_listed
    the_standard_library_finds_the_same
    relative_paths_begin_at_the_top
    exists_tells_only_what_it_knows
    a_thousand_files_are_read_at_once
    a_large_file_disturbs_nobody
    a_cancelled_operation_is_in_nobody_s_way
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        other => panic!("should be the system's: {other}"),
    }
}

async fn names(path: &str) -> Result<BTreeSet<String>> {
    let mut folder = file::list_dir(path).await?;
    let mut names = BTreeSet::new();
    while let Some(entry) = folder.next().await? {
        assert!(
            names.insert(entry.name().to_owned()),
            "{} twice",
            entry.name()
        );
    }
    assert_eq!(folder.next().await?, None);
    Ok(names)
}

async fn directories_are_made_and_removed() -> Result<()> {
    file::create_dir("/data/a").await?;
    let error = fails(file::create_dir("/data/a").await);
    assert_eq!(kind(&error), ErrorKind::AlreadyExists);
    let error = fails(file::create_dir("/data/b/c").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    file::create_dir_all("/data/b/c/d").await?;
    file::create_dir_all("/data/b/c/d/").await?;
    file::create_dir_all("/data").await?;
    assert!(file::metadata("/data/b/c/d").await?.is_dir());
    file::remove_dir("/data/b/c/d").await?;
    let error = fails(file::remove_dir("/data/b/c/d").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    assert_eq!(names("/data/b/c").await?.len(), 0);
    Ok(())
}

async fn what_holds_something_is_not_removed() -> Result<()> {
    file::create_dir("/data/a").await?;
    file::write("/data/a/text", "x").await?;
    let error = fails(file::remove_dir("/data/a").await);
    assert_eq!(kind(&error), ErrorKind::DirectoryNotEmpty);
    fails(file::remove_file("/data/a").await);
    let error = fails(file::remove_dir("/data/a/text").await);
    assert_eq!(kind(&error), ErrorKind::NotADirectory);
    file::remove_file("/data/a/text").await?;
    let error = fails(file::remove_file("/data/a/text").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    file::remove_dir("/data/a").await
}

async fn things_are_renamed_and_replaced() -> Result<()> {
    file::write("/data/one", "1").await?;
    file::write("/data/two", "2").await?;
    file::create_dir("/data/folder").await?;
    let open = File::open("/data/one").await?;
    file::rename("/data/one", "/data/two").await?;
    assert_eq!(file::read("/data/two").await?, b"1");
    assert!(!file::exists("/data/one").await?);
    file::rename("/data/two", "/data/folder/three").await?;
    file::rename("/data/folder", "/data/other").await?;
    assert_eq!(file::read("/data/other/three").await?, b"1");
    // What is open does not care for names.
    assert_eq!(open.read_to_end().await?, b"1");
    let error = fails(file::rename("/data/none", "/data/some").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    Ok(())
}

async fn a_large_directory_is_listed_whole() -> Result<()> {
    file::create_dir("/data/sub").await?;
    let expected: BTreeSet<_> = (0..500).map(|n| format!("file {n} ü")).collect();
    for name in &expected {
        std::fs::write(format!("/data/sub/{name}"), name)?;
    }
    assert_eq!(names("/data/sub").await?, expected);
    assert_eq!(names("/data/sub/").await?, expected);
    let mut folder = file::list_dir("/data").await?;
    let entry = folder.next().await?.expect("there is one");
    assert_eq!((entry.name(), entry.kind()), ("sub", FileKind::Directory));
    let mut folder = file::list_dir("/data/sub").await?;
    let entry = folder.next().await?.expect("there is one");
    assert_eq!(entry.kind(), FileKind::File);
    Ok(())
}

async fn an_empty_directory_lists_nothing() -> Result<()> {
    assert_eq!(names("/data").await?.len(), 0);
    Ok(())
}

async fn a_file_can_t_be_listed() -> Result<()> {
    file::write("/data/text", "x").await?;
    let error = fails(file::list_dir("/data/text").await);
    assert_eq!(kind(&error), ErrorKind::NotADirectory);
    let error = fails(file::list_dir("/data/none").await);
    assert_eq!(kind(&error), ErrorKind::NotFound);
    Ok(())
}

async fn the_standard_library_finds_the_same() -> Result<()> {
    for path in ["/data/a", "data/b", "./data/c", "//data//d", "/data/./e"] {
        file::write(path, path).await?;
        assert_eq!(std::fs::read_to_string(path)?, path);
        std::fs::write(path, "std")?;
        assert_eq!(file::read(path).await?, b"std");
    }
    assert_eq!(names("/data").await?.len(), 5);
    file::create_dir("/data/sub").await?;
    std::env::set_current_dir("/data/sub")?;
    for path in ["f", "./g"] {
        file::write(path, path).await?;
        assert_eq!(std::fs::read_to_string(path)?, path);
    }
    assert_eq!(names("/data/sub").await?, names(".").await?);
    assert_eq!(names("/data/sub").await?.len(), 2);
    Ok(())
}

async fn relative_paths_begin_at_the_top() -> Result<()> {
    file::write("data/text", "x").await?;
    assert_eq!(file::read("/data/text").await?, b"x");
    let error = fails(file::read("text").await);
    assert!(
        matches!(&error, Error::Refused(text) if text.contains("\"text\"")),
        "{error}"
    );
    let error = fails(file::read("").await);
    assert!(matches!(error, Error::Refused(_)), "{error}");
    Ok(())
}

async fn exists_tells_only_what_it_knows() -> Result<()> {
    assert!(!file::exists("/data/text").await?);
    file::write("/data/text", "x").await?;
    assert!(file::exists("/data/text").await?);
    assert!(file::exists("/data").await?);
    assert!(matches!(
        fails(file::exists("/etc").await),
        Error::Refused(_)
    ));
    let error = fails(file::exists("/data/text/below").await);
    assert_eq!(kind(&error), ErrorKind::NotADirectory);
    Ok(())
}

async fn a_thousand_files_are_read_at_once() -> Result<()> {
    for n in 0..10 {
        let text = n.to_string().repeat(10_000);
        file::write(format!("/data/{n}"), text).await?;
    }
    let group = TaskGroup::new(Wait::All);
    for n in 0..1000 {
        let path = format!("/data/{}", n % 10);
        let expected = (n % 10).to_string().repeat(10_000);
        group.spawn(async move {
            assert_eq!(file::read_to_string(path).await?, expected);
            Ok(())
        });
    }
    group.join().await
}

async fn a_large_file_disturbs_nobody() -> Result<()> {
    let line = "0123456789abcde\n";
    let chunk = line.repeat(1 << 12);
    let writer = File::create("/data/large").await?;
    // 100 MiB.
    for _ in 0..1600 {
        writer.write_all(chunk.as_bytes()).await?;
    }
    writer.close().await?;
    let ticks = Rc::new(std::cell::Cell::new(0));
    let ours = ticks.clone();
    let ticker = spawn(async move {
        loop {
            sleep(ms(1)).await?;
            ours.set(ours.get() + 1);
        }
        #[expect(unreachable_code, reason = "it says what the task returns")]
        Ok::<(), Error>(())
    });
    let (reader, start) = (File::open("/data/large").await?, clock());
    let (mut lines, mut blocks) = (0, 0);
    loop {
        let block = reader.read(64 * 1024).await?;
        if block.is_empty() {
            break;
        }
        lines += block.split(|byte| *byte == b'\n').count() - 1;
        blocks += 1;
    }
    assert_eq!((lines, blocks), (1600 << 12, 1600));
    // It has had its turns; how many depends on how long all that took.
    if clock().since(start) > ms(100) {
        assert!(ticks.get() >= 3, "{} ticks", ticks.get());
    }
    ticker.cancel().await?;
    Ok(())
}

async fn a_cancelled_operation_is_in_nobody_s_way() -> Result<()> {
    for n in 0..300 {
        let maker = spawn(file::create_dir(format!("/data/{n}")));
        let lister = spawn(names("/data"));
        if n % 2 == 0 {
            yield_now().await?;
        }
        maker.cancel().await?;
        lister.cancel().await?;
    }
    file::create_dir("/data/last").await?;
    assert!(names("/data").await?.contains("last"));
    Ok(())
}
