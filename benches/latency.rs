//! How soon an echo comes back, while another instance on the same kernel runs an endless loop.
//!
//! The kernel is in this process, on a thread of its own: its two instances are the echo server and, for the
//! second line, a guest that never traps. The client asks again after a pause that is another one every time,
//! so that it meets the loop anywhere in its turn. There is nothing to compare: on tokio such a task
//! would stop all the others for good.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use curio_host::{
    Cache, Component, Engine, EngineOptions, Host, Limits, Options, Permissions, Stdio,
};

use crate::figures::{Effort, quantile};
use crate::load::MESSAGE;
use crate::program::{cache, guest};

/// How long after its start the server must be there.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(effort: Effort) {
    println!("\nlatency: an echo of 1 KiB, from another instance on the same kernel");
    let length = effort.pick(Duration::from_secs(5), Duration::from_secs(1));
    for (hog, label, target) in [
        (false, "alone", ""),
        (true, "beside an endless loop", "target: 99 of 100 < 20 ms"),
    ] {
        let address = free_address();
        let server = start(address, length, hog);
        let times = ask(address, length);
        server.join().expect("the kernel works");
        let [middle, late, worst] = [0.5, 0.99, 1.0].map(|part| quantile(&times, part));
        println!(
            "  {label:<26} median {middle:.3} ms, 99 of 100 within {late:.3} ms, all {} within {worst:.3} ms   {target}",
            times.len()
        );
    }
}

/// An address that nobody listens at.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it listens")
}

/// Starts a kernel with the server, which ends some time after `length`, and the loop.
fn start(address: SocketAddr, length: Duration, hog: bool) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let engine = Engine::new(&EngineOptions {
            cache: Cache::Directory(cache()),
            ..EngineOptions::default()
        });
        let engine = engine.expect("this machine can run guests");
        let load = |name| Component::load(&engine, guest(name)).expect("the guest was built");
        let mut host = Host::new(&engine).expect("a kernel can start");
        let mut permissions = Permissions::none();
        let allowed = permissions.allow_listen(&address.to_string());
        allowed.expect("the address is well-formed");
        let options = Options {
            permissions,
            limits: Limits::default().with_time(length + Duration::from_secs(1)),
            args: vec!["echo".to_owned(), address.to_string()],
            stdio: Stdio::Null,
            ..Options::default()
        };
        let echo = host.start(&load("echo"), options);
        if hog {
            let hog = host.start(&load("bench-hog"), Options::default());
            hog.expect("the loop can start");
        }
        let echo = echo.expect("the server can start");
        drop(host.run(echo).expect("the kernel works"));
    })
}

/// Asks again and again; returns how many milliseconds each answer took.
fn ask(address: SocketAddr, length: Duration) -> Vec<f64> {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "no server: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    stream.set_nodelay(true).expect("TCP has that option");
    let (begun, mut times) = (Instant::now(), Vec::new());
    let mut message = [b'x'; MESSAGE];
    while begun.elapsed() < length.mul_f64(0.9) {
        let asked = Instant::now();
        stream.write_all(&message).expect("the server reads");
        stream.read_exact(&mut message).expect("the server answers");
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        // Up to 3 milliseconds, in no step with anything.
        let pause = times.len() as u64 * 104_729 % 3_001;
        std::thread::sleep(Duration::from_micros(pause));
    }
    times
}
