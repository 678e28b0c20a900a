//! The lines of a file of 100 MB, one after the other, each into the same memory: a stream of the guest's on a file,
//! beside `std::io::BufReader`, whose reads are the system's and on the same thread.
//!
//! The file was read before, so that it is in the system's memory for both.

use std::fs::File;
use std::io::{BufWriter, Write};

use tempfile::TempDir;

use crate::figures::{Effort, Rounds, figure, take_turns, title};
use crate::program::{Program, Side};

/// How long the file is, at least.
const LENGTH: u64 = 100_000_000;

pub(crate) fn run(effort: Effort) {
    title(
        "lines",
        "a file of 100 MB, line by line, 76 bytes on average",
    );
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let lines = write(&folder);
    let path = folder.path().join("lines").display().to_string();
    let flags = [format!("--dir={}::/data::ro", folder.path().display())];
    let mut time = Rounds::EMPTY;
    take_turns(effort.pick(7, 3), |side| {
        let arg = match side {
            Side::Curio => "/data/lines".to_owned(),
            Side::Tokio => path.clone(),
        };
        let mut program = Program::start_with(side, "bench-lines", &flags, &[arg]);
        let figures = program.figures();
        assert!(
            (figures[1] - figure(lines)).abs() < 0.5,
            "all lines are read"
        );
        program.end();
        time.push(side, figure(LENGTH) / 1e6 / (figures[0] / 1e9));
    });
    time.print("one file", "MB/s", "target >= 0.5x");
}

/// Makes the file, and says how many lines it has: of 1 to 151 bytes, in no order.
fn write(folder: &TempDir) -> u64 {
    let file = File::create(folder.path().join("lines")).expect("there is room for a file");
    let mut file = BufWriter::new(file);
    let (mut written, mut lines) = (0, 0_u64);
    let text = [b'x'; 150];
    while written < LENGTH {
        let length = usize::try_from(lines * 7_919 % 151).expect("it is small");
        let text = text.iter().copied().take(length);
        let line: Vec<u8> = text.chain([b'\n']).collect();
        file.write_all(&line).expect("there is room");
        written += line.len() as u64;
        lines += 1;
    }
    file.flush().expect("there is room");
    lines
}
