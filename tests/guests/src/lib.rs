//! What the test guests share. A guest holds several cases, asserts by itself, and exits with 0.

use std::time::Duration;

/// Makes the main function of a guest whose first argument names the case to run: an `async fn` that
/// returns `curio::Result<()>`. The word `cases` lists them.
#[macro_export]
macro_rules! cases {
    ($($case:ident)*) => {
        fn main() -> curio::Result<()> {
            let case = std::env::args().nth(1).unwrap_or_default();
            match case.as_str() {
                $(stringify!($case) => curio::run($case()),)*
                "cases" => {
                    $crate::say(concat!($(stringify!($case), "\n",)*).trim_end());
                    Ok(())
                }
                _ => panic!("there is no case {case}"),
            }
        }
    };
}

/// Writes a line to standard output.
#[expect(clippy::print_stdout, reason = "tests read it")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Milliseconds.
pub const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}
