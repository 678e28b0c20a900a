//! `FILE`: reads a file, line by line. Prints how many nanoseconds that took, and how many lines there are.
#![expect(clippy::print_stdout, reason = "it says what it measured")]

use curio::{Result, aopen, clock};

#[curio::main]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).expect("there is an argument");
    let begun = clock();
    let mut file = aopen(path, "r").await?;
    let (mut line, mut lines) = (Vec::new(), 0);
    while file.read_line_into(&mut line).await? > 0 {
        lines += 1;
    }
    println!("{} {lines}", (clock() - begun).as_nanos());
    Ok(())
}
