//! Rounds, medians, and how they are printed.

use crate::program::Side;

/// How much time to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough to rely on the figures.
    Full,
    /// Enough to see that everything works.
    Quick,
}

impl Effort {
    /// One of two values.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// What both sides took, round by round.
#[derive(Clone, Debug)]
pub(crate) struct Rounds {
    pub(crate) curio: Vec<f64>,
    pub(crate) tokio: Vec<f64>,
}

impl Rounds {
    /// No rounds yet.
    pub(crate) const EMPTY: Self = Self {
        curio: Vec::new(),
        tokio: Vec::new(),
    };

    /// Adds one side's figure of a round.
    pub(crate) fn push(&mut self, side: Side, figure: f64) {
        match side {
            Side::Curio => self.curio.push(figure),
            Side::Tokio => self.tokio.push(figure),
        }
    }

    /// Prints them, with what the project aims at.
    pub(crate) fn print(&self, label: &str, unit: &str, target: &str) {
        let ratios: Vec<f64> = self
            .curio
            .iter()
            .zip(&self.tokio)
            .map(|(curio, tokio)| curio / tokio)
            .collect();
        let (curio, tokio) = (spread(&self.curio, unit), spread(&self.tokio, unit));
        let ratio = spread(&ratios, "x");
        println!("  {label:<26} {curio:<34} {tokio:<34} {ratio:<24} {target}");
    }
}

/// Gives both sides a turn in every round; the one that begins changes.
pub(crate) fn take_turns(rounds: usize, mut turn: impl FnMut(Side)) {
    for round in 0..rounds {
        let mut sides = [Side::Curio, Side::Tokio];
        sides.rotate_left(round % 2);
        sides.into_iter().for_each(&mut turn);
    }
}

/// Prints the first lines of a table.
pub(crate) fn title(name: &str, what: &str) {
    println!("\n{name}: {what}");
    let (curio, tokio, ratio) = ("curio-host", "tokio", "curio-host / tokio");
    println!("  {:<26} {curio:<34} {tokio:<34} {ratio}", "");
}

/// The figure in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure that such a part of all is not greater than.
pub(crate) fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into as many figures as were measured"
    )]
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The median, and the smallest and greatest.
pub(crate) fn spread(figures: &[f64], unit: &str) -> String {
    let (least, greatest) = (quantile(figures, 0.0), quantile(figures, 1.0));
    let middle = show(median(figures));
    format!("{middle} {unit} ({}..{})", show(least), show(greatest))
}

/// Three digits that mean something, or all before the point.
fn show(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => thousands(figure),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut shown = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A count as a figure.
#[expect(
    clippy::cast_precision_loss,
    reason = "nothing is measured to so many digits"
)]
pub(crate) fn figure(count: u64) -> f64 {
    count as f64
}
