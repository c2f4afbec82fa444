//! Tells text from what only looks like it: replacement characters, private-use codes, controls.

/// Counts of a text's characters, blanks left out.
#[derive(Default, Clone, Copy)]
pub(crate) struct Legibility {
    /// Letters and signs that mean something.
    pub(crate) good: usize,
    /// Replacement characters, private-use codes, controls, unassigned codes.
    pub(crate) bad: usize,
}

impl Legibility {
    pub(crate) fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for c in text.chars() {
            counts.add(c);
        }
        counts
    }

    pub(crate) fn add(&mut self, c: char) {
        if c.is_whitespace() {
        } else if unreadable(c) {
            self.bad += 1;
        } else {
            self.good += 1;
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.good += other.good;
        self.bad += other.bad;
    }

    /// Whether so much is unreadable that the rest would be gibberish: more than one character in five.
    pub(crate) fn gibberish(self) -> bool {
        self.bad * 5 > self.good + self.bad
    }
}

/// Whether a character says nothing by itself.
pub(crate) fn unreadable(c: char) -> bool {
    c == '\u{FFFD}'
        || (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{C}'))
        || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
}
