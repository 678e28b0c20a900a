//! How limits are written: `64MiB`, `1m 30s`, `1000`.
//!
//! Invariant: what was read from text is never zero unless it says so, and an error is one line that repeats the text and
//! shows what would do. Called by the command line for `--max-memory` and the like.

use std::num::NonZero;
use std::time::Duration;

use thiserror::Error;

/// The units of memory, smallest first. They are powers of 1024 however written, as for `docker` and
/// `systemd`; two readings of `64M` would be one too many.
const UNITS: [(&str, u64); 5] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Longer than any run, but short enough to be added to a clock without overflow.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// A text that is no limit, with the reason and examples of what would be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} {problem}, for example {examples}")]
pub struct InvalidLimit {
    /// The text as typed.
    text: String,
    /// Continues a sentence that begins with the text.
    problem: &'static str,
    examples: &'static str,
}

/// Reads a number of bytes: `64MiB`, `64M`, `64m` and `64 MB` are all 67 108 864, as is that number.
pub fn parse_size(text: &str) -> Result<u64, InvalidLimit> {
    let invalid = |problem| InvalidLimit {
        text: text.to_owned(),
        problem,
        examples: "64MiB, 2G or 1048576 (bytes)",
    };
    let trimmed = text.trim();
    let digits_end = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(digits_end);
    let bytes = unit_bytes(unit.trim_start()).filter(|_| !digits.is_empty());
    let bytes = bytes.ok_or_else(|| invalid("is not a size; give a whole number and a unit"))?;
    let number = digits.parse::<u64>().ok();
    match number.and_then(|number| number.checked_mul(bytes)) {
        Some(0) => Err(invalid("leaves no memory at all; give more than zero")),
        Some(size) => Ok(size),
        None => Err(invalid("is too large a size; give less")),
    }
}

/// Reads a time: a bare number is seconds, else numbers with units such as `250ms` or `1m 30s`.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidLimit> {
    let invalid = |problem| InvalidLimit {
        text: text.to_owned(),
        problem,
        examples: "1s, 250ms, 1m 30s or 2 (seconds)",
    };
    let trimmed = text.trim();
    let time = match trimmed.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(trimmed).ok(),
    };
    match time {
        Some(Duration::ZERO) => Err(invalid("leaves no time at all; give more than zero")),
        Some(time) if time > LONGEST => {
            Err(invalid("is too long; leave the limit out or give less"))
        }
        Some(time) => Ok(time),
        None => Err(invalid("is not a duration; give numbers with units")),
    }
}

/// Reads a number of tasks or handles.
pub fn parse_count(text: &str) -> Result<u32, InvalidLimit> {
    let count = text.trim().parse::<NonZero<u32>>();
    count.map(NonZero::get).map_err(|_| InvalidLimit {
        text: text.to_owned(),
        problem: "is not a count; give a whole number from 1 to 4294967295",
        examples: "1000",
    })
}

/// Reads a number of processes, which may be zero.
pub fn parse_count_or_none(text: &str) -> Result<u32, InvalidLimit> {
    text.trim().parse::<u32>().map_err(|_| InvalidLimit {
        text: text.to_owned(),
        problem: "is not a count; give a whole number from 0 to 4294967295",
        examples: "16, or 0 for none",
    })
}

/// Takes a unit in any case, by its first letter or with `B` or `iB` behind it.
fn unit_bytes(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let stem = unit.strip_suffix('b').unwrap_or(&unit);
    let stem = stem
        .strip_suffix('i')
        .filter(|stem| !stem.is_empty())
        .unwrap_or(stem);
    if stem.is_empty() {
        return Some(1);
    }
    UNITS
        .iter()
        .skip(1)
        .find(|(name, _)| name[..1].eq_ignore_ascii_case(stem))
        .map(|&(_, bytes)| bytes)
}

/// Writes a size in the largest unit that needs no fraction.
pub(super) fn size(bytes: u64) -> String {
    let exact = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    match UNITS.iter().rev().find(exact) {
        Some((name, unit)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("1048576", 1 << 20),
            ("64MiB", 64 << 20),
            ("64M", 64 << 20),
            ("64mb", 64 << 20),
            (" 64 Mi ", 64 << 20),
            ("1k", 1 << 10),
            ("2G", 2 << 30),
            ("1TiB", 1 << 40),
            ("1B", 1),
            ("18446744073709551615", u64::MAX),
            ("16777215TiB", 16_777_215 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("1s", 1_000),
            ("250ms", 250),
            ("1m 30s", 90_000),
            ("1m30s", 90_000),
            ("2", 2_000),
            (" 2 ", 2_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_on_one_line() {
        let sizes = "|x|MiB|64X|64MM|1.5G|-1|+1|1e9|0x10|64ib|6iiB|٣|64Miß|64M M|\0\n";
        let sizes = sizes.split('|').map(|text| (text, "is not a size"));
        let large = ["18446744073709551616", "16777216TiB"].map(|text| (text, "too large"));
        let zero = ["0", "0G", "000"].map(|text| (text, "more than zero"));
        for (text, hint) in sizes.chain(large).chain(zero) {
            let error = parse_size(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{text:?} ")) && error.contains(hint),
                "{error}"
            );
            assert!(
                error.ends_with(", for example 64MiB, 2G or 1048576 (bytes)"),
                "{error}"
            );
        }
        let times = "|x|s|1x|-1|- 1s|1:30|٣s|\0\n|99999999999999999999|99999999999999999999s";
        let times = times.split('|').map(|text| (text, "is not a duration"));
        let long = ["18446744073709551615", "101y"].map(|text| (text, "is too long"));
        let zero = ["0", "0s", "0ms"].map(|text| (text, "more than zero"));
        for (text, hint) in times.chain(long).chain(zero) {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{text:?} ")) && error.contains(hint),
                "{error}"
            );
            assert!(
                error.ends_with(", for example 1s, 250ms, 1m 30s or 2 (seconds)"),
                "{error}"
            );
        }
        for text in ["", "0", "-1", "4294967296", "1k"] {
            let error = parse_count(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{text:?} is not a count")),
                "{error}"
            );
        }
        assert_eq!(parse_count(" 1000 "), Ok(1000));
        for text in ["", "-1", "4294967296", "none"] {
            let error = parse_count_or_none(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{text:?} is not a count")),
                "{error}"
            );
        }
        assert_eq!(parse_count_or_none(" 0 "), Ok(0));
    }
}
