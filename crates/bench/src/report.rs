//! The table that `make bench` prints.

use std::io::Write as _;

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    missed: usize,
    text: String,
}

impl Report {
    /// A heading.
    pub(crate) fn section(&mut self, title: &str) {
        self.line(&format!("\n{title}\n{}", "-".repeat(title.len())));
    }

    /// A figure for the record.
    pub(crate) fn note(&mut self, what: &str, value: &str) {
        self.line(&format!("  {what:<58} {value:>14}"));
    }

    /// A figure that must stay below a bound.
    pub(crate) fn below(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        self.judged(what, unit, value, bound, value < bound, '<');
    }

    /// A figure that must reach a bound.
    pub(crate) fn above(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        self.judged(what, unit, value, bound, value >= bound, '>');
    }

    /// A count that must be what another one is.
    pub(crate) fn same(&mut self, what: &str, count: u64, wanted: u64) {
        self.missed += usize::from(count != wanted);
        let verdict = if count == wanted { "holds" } else { "MISSED" };
        self.line(&format!("  {what:<58} {count:>10} {:<5} = {wanted:<8} {verdict}", ""));
    }

    fn judged(&mut self, what: &str, unit: &str, value: f64, bound: f64, holds: bool, sign: char) {
        self.missed += usize::from(!holds);
        let verdict = if holds { "holds" } else { "MISSED" };
        self.line(&format!("  {what:<58} {value:>10.2} {unit:<5} {sign} {bound:<8} {verdict}"));
    }

    /// Ends the run; an error when a bound was missed.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let verdict = if self.missed == 0 { "All bounds hold." } else { "Some bounds were missed." };
        self.line(&format!("\n{verdict}"));
        std::fs::write("target/bench.txt", &self.text)?;
        anyhow::ensure!(self.missed == 0, "{} of the bounds were missed", self.missed);
        Ok(())
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// The value below which a share of the samples lies.
pub(crate) fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small counts"
    )]
    let at = ((samples.len() as f64 * share) as usize).min(last);
    samples.get(at).copied().unwrap_or(f64::NAN)
}
