//! `PROCESSES`: runs `true` so often, one after the other. Prints the nanoseconds it took.
#![expect(clippy::print_stdout, reason = "it says how long it took")]

use std::time::Duration;

use curio::subprocess::{Command, Stdio};
use curio::{Result, clock};

async fn run(processes: u64) -> Result<Duration> {
    let begun = clock();
    for _ in 0..processes {
        let child = Command::new("/bin/true").stdin(Stdio::null()).spawn()?;
        assert!(child.wait().await?.success());
    }
    Ok(clock() - begun)
}

#[curio::main]
async fn main() -> Result<()> {
    let [processes] = bench_guests::numbers();
    run(10).await?;
    println!("{}", run(processes).await?.as_nanos());
    Ok(())
}
