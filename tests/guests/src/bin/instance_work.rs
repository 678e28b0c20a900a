//! What an instance beside others does: a case, and what that needs.
#![expect(clippy::print_stdout, reason = "an embedder may want to know")]

use std::fmt::Write;
use std::time::Duration;

use curio::socket::socketpair;
use curio::{Error, Result, Socket, clock, sleep, spawn};

#[curio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let case = args.next().expect("a case is given");
    let argument = args.next().unwrap_or_default();
    match case.as_str() {
        "tick" => tick(argument.parse().expect("a number of ticks")).await,
        "spin" => loop {
            std::hint::black_box(0);
        },
        "exit" => {
            sleep(Duration::from_millis(20)).await?;
            std::process::exit(1)
        }
        "fault" => {
            sleep(Duration::from_millis(20)).await?;
            panic!("as it was told")
        }
        "nap" => sleep(Duration::from_millis(200)).await.map(drop),
        "sleep" => match sleep(Duration::from_hours(1)).await {
            Err(Error::TaskCancelled) => sleep(Duration::from_millis(20)).await.map(drop),
            other => panic!("{other:?}"),
        },
        "serve" => serve(&argument).await,
        "hello" => {
            let task = spawn(async { Ok(42) });
            assert_eq!(task.join().await?, 42);
            Ok(())
        }
        "isolated" => isolated(&argument).await,
        "take-handles" => take_handles().await,
        "need-handles" => need_handles().await,
        _ => panic!("there is no case {case}"),
    }
}

/// Takes all handles that it may have, notes that in `/out/taken`, and keeps them.
async fn take_handles() -> Result<()> {
    let mut held = Vec::new();
    let error = loop {
        match Socket::unix_stream() {
            Ok(socket) => held.push(socket),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Limit(_)), "{error}");
    assert!(error.to_string().contains("--max-handles"), "{error}");
    std::fs::write("/out/taken", held.len().to_string())?;
    sleep(Duration::from_hours(1)).await.map(drop)
}

/// Waits until another instance has taken all it may have, and has sockets, files and directories then.
async fn need_handles() -> Result<()> {
    while !std::fs::exists("/out/taken")? {
        sleep(Duration::from_millis(5)).await?;
    }
    let mut held = Vec::new();
    for _ in 0..50 {
        held.push((
            Socket::tcp_v4()?,
            socketpair()?,
            std::fs::File::open("/out/taken")?,
        ));
    }
    let file = curio::file::File::open("/out/taken").await?;
    assert!(!file.read(10).await?.is_empty());
    assert_eq!(std::fs::read_dir("/out")?.count(), 1);
    Ok(())
}

/// Ticks every 10 ms, and writes to `/out/lateness` how many ticks came, and how late the worst was.
async fn tick(ticks: u32) -> Result<()> {
    const PERIOD: Duration = Duration::from_millis(10);
    let begun = clock();
    let mut worst = Duration::ZERO;
    for n in 1..=ticks {
        let due = begun + n * PERIOD;
        let woken = curio::traps::sleep_until(due).await?;
        assert!(woken >= due, "woken early");
        worst = worst.max(clock() - due);
    }
    println!("worst lateness {worst:?}");
    let mut text = String::new();
    writeln!(text, "{ticks} {}", worst.as_micros()).expect("a text has room");
    std::fs::write("/out/lateness", text)?;
    Ok(())
}

/// Echoes to one client, on an address that it writes to `/out/address`.
async fn serve(address: &str) -> Result<()> {
    let address: std::net::SocketAddr = address.parse().expect("an address");
    let listener = curio::tcp_server_socket(address)?;
    std::fs::write("/out/address.new", listener.local_address()?.to_string())?;
    std::fs::rename("/out/address.new", "/out/address")?;
    let (client, _) = listener.accept().await?;
    loop {
        let data = client.recv(1000).await?;
        if data.is_empty() {
            return Ok(());
        }
        client.send_all(&data).await?;
    }
}

/// Sees its own arguments and nothing of what others keep in the same place of their memory.
async fn isolated(own: &str) -> Result<()> {
    use std::sync::Mutex;

    static SHARED: Mutex<String> = Mutex::new(String::new());
    assert!(SHARED.lock().expect("nobody panicked").is_empty());
    own.clone_into(&mut SHARED.lock().expect("nobody panicked"));
    for _ in 0..10 {
        sleep(Duration::from_millis(1)).await?;
        assert_eq!(*SHARED.lock().expect("nobody panicked"), own);
    }
    Ok(())
}
