//! Says hello.
//!
//! ```text
//! curio-host hello.wasm
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

#[curio::main]
async fn main() -> curio::Result<()> {
    println!("Hello from task {}.", curio::current_task().id());
    Ok(())
}
