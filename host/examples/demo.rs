//! The main job, from source to a conversation: builds the echo server of `examples/` for the sandbox, runs it
//! there with one right and then with none, and talks to it.
//!
//! ```text
//! cargo demo
//! ```
#![expect(clippy::print_stdout, reason = "it tells what it does")]
#![expect(
    clippy::disallowed_methods,
    reason = "this is a client and an operator, not a part of the host"
)]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ECHO: &str = "target/wasm32-wasip2/release/echo.wasm";
const HOST: &str = "target/release/curio-host";

fn main() -> Result<(), Box<dyn Error>> {
    println!("1. Build examples/echo.rs, which is written with the curio SDK, for wasm32-wasip2.");
    cargo(&[
        "--package",
        "curio-examples",
        "--bin",
        "echo",
        "--target",
        "wasm32-wasip2",
    ])?;
    println!("   {ECHO}\n");

    println!("2. Build the host.");
    cargo(&["--package", "curio-host", "--bin", "curio-host"])?;
    println!("   {HOST}\n");

    println!("3. Run the server in the sandbox. All it may do is listen on 127.0.0.1.");
    let mut server = run(&["--allow-listen=127.0.0.1", ECHO, "127.0.0.1:0"])?;
    let stdout = server.stdout.take().ok_or("the server has no output")?;
    let mut said = String::new();
    BufReader::new(stdout).read_line(&mut said)?;
    println!("   echo.wasm says: {}", said.trim_end());
    let address = said
        .trim_end()
        .strip_prefix("listening on ")
        .ok_or("the server did not say where it listens")?
        .to_owned();

    println!(
        "\n4. Talk to it: three clients at once, each with a connection and a task of its own."
    );
    let mut clients = Vec::new();
    for name in ["Ann", "Bob", "Cleo"] {
        clients.push((name, TcpStream::connect(&address)?));
    }
    for (name, client) in &mut clients {
        writeln!(client, "hello, this is {name}")?;
    }
    for (name, client) in &clients {
        let mut echo = String::new();
        BufReader::new(client).read_line(&mut echo)?;
        println!("   {name} gets back: {}", echo.trim_end());
    }

    println!("\n5. Ask it to end, as Ctrl-C does: its main task is cancelled, and cleans up.");
    let pid = i32::try_from(server.id())?;
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGINT,
    )?;
    println!("   {}", server.wait()?);

    println!("\n6. Run it once more, with no right at all.");
    let refused = run(&[ECHO, "127.0.0.1:0"])?.wait_with_output()?;
    for line in String::from_utf8_lossy(&refused.stderr).lines() {
        println!("   {line}");
    }
    println!("   {}", refused.status);
    Ok(())
}

/// Builds something in this workspace.
fn cargo(what: &[&str]) -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet"])
        .args(what)
        .current_dir(root())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err("the build failed".into())
    }
}

/// Runs the host with these arguments.
fn run(arguments: &[&str]) -> std::io::Result<Child> {
    Command::new(root().join(HOST))
        .args(arguments)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
