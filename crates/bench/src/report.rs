//! The table that `make bench` prints.

use std::io::Write as _;

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    missed: usize,
}

impl Report {
    /// A heading.
    pub(crate) fn section(&self, title: &str) {
        line(&format!("\n{title}\n{}", "-".repeat(title.len())));
    }

    /// A figure for the record.
    pub(crate) fn note(&self, what: &str, value: &str) {
        line(&format!("  {what:<58} {value:>14}"));
    }

    /// A figure that must stay below a bound.
    pub(crate) fn below(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        self.judged(what, unit, value, bound, value < bound, '<');
    }

    /// A figure that must reach a bound.
    pub(crate) fn above(&mut self, what: &str, unit: &str, value: f64, bound: f64) {
        self.judged(what, unit, value, bound, value >= bound, '>');
    }

    fn judged(&mut self, what: &str, unit: &str, value: f64, bound: f64, holds: bool, sign: char) {
        self.missed += usize::from(!holds);
        let verdict = if holds { "holds" } else { "MISSED" };
        line(&format!("  {what:<58} {value:>10.2} {unit:<5} {sign} {bound:<8} {verdict}"));
    }

    /// Ends the run; an error when a bound was missed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        line("");
        anyhow::ensure!(self.missed == 0, "{} of the bounds were missed", self.missed);
        line("All bounds hold.");
        Ok(())
    }
}

fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
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
