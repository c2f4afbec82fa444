//! Made-up text with the word counts of real one: a vocabulary of 50,000 words whose frequency falls with their rank (Zipf, as
//! Mandelbrot bent it), so that a few words stand in every passage and most in next to none.

use embedding::DIMENSIONS;
use store::org::knowledge::chunks::Draft;

use super::library::Entry;

/// Words that there are.
const VOCABULARY: usize = 50_000;
/// Words of a passage: some 130 make 180 tokens.
const WORDS: usize = 130;
/// Passages of a document.
const PASSAGES: usize = 20;
/// Words from which on nobody counts them as too common to ask for.
const TELLING: usize = 60;

/// Writes documents and asks for what is in them; always the same ones.
pub(super) struct Writer {
    state: u64,
    /// The share of words of this rank or below.
    shares: Vec<f64>,
}

impl Writer {
    pub(super) fn new(seed: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let weights = (0..VOCABULARY).map(|rank| 1.0 / (rank as f64 + 2.7).powf(1.07));
        let mut sum = 0.0;
        let mut shares: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        for share in &mut shares {
            *share /= sum;
        }
        Self { state: seed.wrapping_mul(2).wrapping_add(1), shares }
    }

    /// Evenly from 0 to 1.
    fn chance(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // 32 bits are exact.
        f64::from(u32::try_from(self.state >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }

    fn rank(&mut self) -> usize {
        let chance = self.chance();
        self.shares.partition_point(|share| *share < chance).min(VOCABULARY - 1)
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for n in 0..words {
            text.push_str(&word(self.rank()));
            text.push_str(if n % 17 == 16 { ". " } else { " " });
        }
        text
    }

    /// A document of twenty passages under a heading each; with vectors that point anywhere, evenly.
    pub(super) fn document(&mut self, name: usize, embedded: bool) -> Entry {
        let mut starts = 0;
        let passages: Vec<Draft> = (0..PASSAGES)
            .map(|_| {
                let (heading, text) = (self.text(4), self.text(WORDS));
                let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
                starts += length;
                Draft { heading, text, page: None, starts: starts - length, ends: starts }
            })
            .collect();
        let vectors = if embedded { passages.iter().map(|_| self.direction()).collect() } else { Vec::new() };
        Entry { name: format!("{name}.txt"), passages, vectors }
    }

    /// Documents that have so many passages together.
    pub(super) fn documents(&mut self, passages: usize) -> Vec<Entry> {
        (0..passages.div_ceil(PASSAGES)).map(|n| self.document(n, true)).collect()
    }

    /// The text of a file with about so many passages, with headings.
    pub(super) fn file(&mut self, passages: usize) -> String {
        (0..passages).map(|_| format!("## {}\n\n{}\n\n", self.text(4), self.text(WORDS))).collect()
    }

    /// A question of eight words that tell something, as likely as texts have them.
    pub(super) fn question(&mut self) -> String {
        let mut words = Vec::new();
        while words.len() < 8 {
            let rank = self.rank();
            if rank >= TELLING {
                words.push(word(rank));
            }
        }
        format!("What is the {}?", words.join(" "))
    }

    /// A direction, each as likely as any.
    pub(super) fn direction(&mut self) -> [f32; DIMENSIONS] {
        let mut vector = [0.0_f32; DIMENSIONS];
        for value in &mut vector {
            let bell: f64 = (0..4).map(|_| self.chance()).sum::<f64>() - 2.0;
            #[expect(clippy::cast_possible_truncation, reason = "as exact as a vector is")]
            let rounded = bell as f32;
            *value = rounded;
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.map(|value| value / length)
    }
}

/// The word of a rank: two to four syllables, the more common the shorter.
fn word(rank: usize) -> String {
    const SYLLABLES: [&str; 40] = [
        "ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "wa", "xe", "zi",
        "cho", "thu", "bran", "cren", "drin", "flon", "grun", "lar", "mer", "nir", "por", "quar", "ras", "ses", "tis",
        "vos", "zus", "lan", "men", "nin", "pon", "run",
    ];
    let mut rest = rank + SYLLABLES.len();
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    word
}
