//! Splits a document into passages: the pieces that are indexed, found, and cited. They follow the structure: a passage ends before
//! an outer heading, prefers to end before any heading, and else ends with a paragraph or a sentence.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::document::{Block, Document, Part};

/// Characters of one heading that a passage names, and of all that it names. Each passage below a heading has a copy of it, so a text in
/// the place of a heading would be kept and embedded a thousand times over; its words stand in the passages that it is cut into.
const HEADING: usize = 200;
const PATH: usize = 600;

/// The shape of passages. The estimate is of tokens, of whichever model embeds them; it should grow with the text.
#[derive(Clone, Copy)]
pub struct Shape<'e> {
    /// Tokens a passage aims at; none has more, but where one character has.
    pub tokens: usize,
    /// Tokens that a passage repeats of the one before it, at most, where a text runs on.
    pub overlap: usize,
    /// Tokens of a text.
    pub estimate: &'e dyn Fn(&str) -> usize,
    /// Passages at most. One more is made where there would be more, and nothing is divided after it.
    pub most: usize,
}

impl Default for Shape<'static> {
    /// 180 tokens, 27 of them repeated, by [`estimate`]; any number of passages.
    fn default() -> Self {
        Self { tokens: 180, overlap: 27, estimate: &estimate, most: usize::MAX }
    }
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its text: `document.text[start..end]`.
    pub text: String,
    /// The headings that all of it stands under, outermost first: of each at most 200 characters, of all at most 600. One that is
    /// longer ends with an ellipsis.
    pub headings: Vec<String>,
    /// Its first and last page, from 1, where the document has pages.
    pub pages: Option<(u32, u32)>,
    /// Its first byte in the document's text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// Tokens of a text, roughly: a word has 1.3, a long or mixed one more; a sign of a script without blanks is one.
#[must_use]
pub fn estimate(text: &str) -> usize {
    let mut tenths = 0;
    for word in text.split_whitespace() {
        let wide = word.chars().filter(|c| *c >= '\u{2E80}').count();
        let narrow = word.chars().count() - wide;
        tenths += wide * 10 + if narrow == 0 { 0 } else { (narrow * 10 / 5).max(13) };
    }
    tenths.div_ceil(10)
}

/// A sentence, a row, a line of code, or a heading: what is not divided further.
#[derive(Clone)]
struct Unit {
    range: Range<usize>,
    tokens: usize,
    /// It begins a block of running text, or goes on in one: may be repeated by the next passage.
    running: bool,
    heading: Option<u8>,
    /// Index into the paths of headings.
    path: usize,
}

/// The passages of a document, in order. The same document and shape give the same passages.
#[must_use]
pub fn passages(document: &Document, shape: &Shape<'_>) -> Vec<Passage> {
    let mut splitter =
        Splitter { document, shape, paths: vec![vec![]], open: vec![], tokens: 0, repeated: 0, made: vec![] };
    let outer = outer_level(&document.blocks);
    let mut path: Vec<(u8, usize)> = vec![];
    for (index, block) in document.blocks.iter().enumerate() {
        if splitter.is_full() {
            break;
        }
        if let Part::Heading { level } = block.part {
            // An outer heading always ends the passage before it; an inner one does so unless that passage were very short.
            if splitter.ends_at(level, outer) {
                splitter.close(false);
            }
            path.retain(|(above, _)| *above < level);
            path.push((level, index));
            splitter.paths.push(path.iter().map(|(_, heading)| *heading).collect());
        }
        splitter.block(block);
    }
    splitter.close(false);
    // Headings at the very end, with nothing that follows them.
    splitter.close(false);
    splitter.made
}

/// The outermost level that divides the document: the first with two headings, so that a title alone does not count.
fn outer_level(blocks: &[Block]) -> u8 {
    let mut counts = [0_usize; 10];
    for block in blocks {
        if let Part::Heading { level } = block.part {
            counts[usize::from(level.min(9))] += 1;
        }
    }
    let level = counts.iter().position(|count| *count > 1).or_else(|| counts.iter().position(|count| *count > 0));
    level.and_then(|level| u8::try_from(level).ok()).unwrap_or(0)
}

struct Splitter<'d> {
    document: &'d Document,
    shape: &'d Shape<'d>,
    paths: Vec<Vec<usize>>,
    open: Vec<Unit>,
    tokens: usize,
    /// Units at the beginning of the open passage that the one before ends with.
    repeated: usize,
    made: Vec<Passage>,
}

impl Splitter<'_> {
    /// Whether the open passage ends before a heading. One that is only headings goes on with those below it.
    fn ends_at(&self, level: u8, outer: u8) -> bool {
        let only_headings = self.open.iter().all(|unit| unit.heading.is_some());
        let above = self.open.last().and_then(|unit| unit.heading).is_some_and(|above| above < level);
        !(only_headings && above) && (level <= outer || self.tokens * 2 >= self.shape.tokens)
    }

    /// Whether there are more passages than there may be.
    fn is_full(&self) -> bool {
        self.made.len() > self.shape.most
    }

    fn block(&mut self, block: &Block) {
        let text = self.document.block(block);
        let range = block.start..block.end;
        match block.part {
            Part::Heading { level } => self.whole(range, Some(level), false),
            Part::Row { .. } => self.whole(range, None, false),
            Part::Code => {
                let mut start = block.start;
                for line in text.split_inclusive('\n') {
                    if self.is_full() {
                        return;
                    }
                    self.whole(start..start + line.len(), None, false);
                    start += line.len();
                }
            }
            Part::Paragraph | Part::Item { .. } => {
                // Short ones are not worth dividing.
                if (self.shape.estimate)(text) * 3 <= self.shape.tokens {
                    return self.whole(range, None, true);
                }
                for (offset, sentence) in text.split_sentence_bound_indices() {
                    if self.is_full() {
                        return;
                    }
                    let start = block.start + offset;
                    self.whole(start..start + sentence.len(), None, true);
                }
            }
        }
    }

    /// Adds a unit, in parts where it alone is more than a passage.
    fn whole(&mut self, range: Range<usize>, heading: Option<u8>, running: bool) {
        let text = &self.document.text[range.clone()];
        let tokens = (self.shape.estimate)(text);
        let path = self.paths.len() - 1;
        if tokens <= self.shape.tokens {
            return self.add(Unit { range, tokens, running, heading, path });
        }
        for part in self.cut(range) {
            if self.is_full() {
                return;
            }
            let tokens = (self.shape.estimate)(&self.document.text[part.clone()]);
            self.add(Unit { range: part, tokens, running: false, heading, path });
        }
    }

    /// Cuts a text at blanks, or anywhere between characters where there is none, into parts that fit a passage.
    fn cut(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let text = &self.document.text[range.clone()];
        // Some letters make a token; a first guess that the estimate then corrects.
        let mut parts = vec![];
        let mut start = 0;
        while start < text.len() {
            let mut length = (self.shape.tokens * 6).min(text.len() - start);
            loop {
                let end = boundary(text, start, start + length);
                if length <= 4 || (self.shape.estimate)(&text[start..end]) <= self.shape.tokens {
                    parts.push(range.start + start..range.start + end);
                    start = end;
                    break;
                }
                length = length * 3 / 4;
            }
        }
        parts
    }

    fn add(&mut self, unit: Unit) {
        if self.tokens + unit.tokens > self.shape.tokens && self.open.len() > self.repeated {
            self.close(unit.running);
        }
        // What is repeated gives way to what is new.
        while self.repeated > 0 && self.tokens + unit.tokens > self.shape.tokens {
            self.tokens -= self.open.remove(0).tokens;
            self.repeated -= 1;
        }
        self.tokens += unit.tokens;
        self.open.push(unit);
    }

    /// Ends the open passage. Where the text runs on, the next begins with the end of this one.
    fn close(&mut self, runs_on: bool) {
        let units = std::mem::take(&mut self.open);
        let new = units.len() > self.repeated;
        (self.tokens, self.repeated) = (0, 0);
        if !new {
            return;
        }
        // Headings at the end belong to what follows them.
        let kept = units.iter().rposition(|unit| unit.heading.is_none()).map_or(units.len(), |last| last + 1);
        let (units, headings) = units.split_at(kept);
        self.make(units);
        let repeat = if runs_on && headings.is_empty() { self.repeat(units) } else { 0 };
        self.repeated = repeat;
        self.open = units[units.len() - repeat..].iter().chain(headings).cloned().collect();
        self.tokens = self.open.iter().map(|unit| unit.tokens).sum();
    }

    /// How many sentences at the end are repeated.
    fn repeat(&self, units: &[Unit]) -> usize {
        let mut tokens = 0;
        let last = units.iter().rev().take_while(|unit| {
            tokens += unit.tokens;
            unit.running && tokens <= self.shape.overlap
        });
        // Never all of it.
        last.count().min(units.len() - 1)
    }

    fn make(&mut self, units: &[Unit]) {
        let (Some(first), Some(last)) = (units.first(), units.last()) else { return };
        if self.is_full() {
            return;
        }
        let raw = &self.document.text[first.range.start..last.range.end];
        let start = first.range.start + (raw.len() - raw.trim_start().len());
        let end = first.range.start + raw.trim_end().len();
        if start >= end {
            return;
        }
        // The path that everything but the headings themselves shares; a passage of headings alone has the last one's.
        let mut paths = units.iter().filter(|unit| unit.heading.is_none()).map(|unit| &self.paths[unit.path]);
        let shared = match paths.next() {
            None => self.paths[last.path].clone(),
            Some(path) => paths.fold(path.clone(), |shared, path| {
                shared.iter().zip(path).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect()
            }),
        };
        let headings: Vec<&str> =
            shared.iter().map(|index| self.document.block(&self.document.blocks[*index])).collect();
        let headings = named(&headings);
        let text = self.document.text[start..end].to_owned();
        self.made.push(Passage { text, headings, pages: self.document.pages_of(&(start..end)), start, end });
    }
}

/// Headings as a passage names them: long ones are shortened, and where they are too long together each to the same length.
fn named(headings: &[&str]) -> Vec<String> {
    let shorten = |most: usize| headings.iter().map(|heading| shortened(heading, most)).collect::<Vec<String>>();
    let each = shorten(HEADING);
    let together: usize = each.iter().map(|heading| heading.chars().count()).sum();
    if together <= PATH { each } else { shorten(PATH / headings.len()) }
}

/// A text of at most so many characters; of a longer one its beginning and an ellipsis. A long one is not read to its end.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The last blank before a place, or the place itself moved to a character's beginning; always past `start`.
fn boundary(text: &str, start: usize, end: usize) -> usize {
    let mut end = end.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if end == text.len() {
        return end;
    }
    match text[start..end].rfind(char::is_whitespace) {
        Some(blank) if blank > (end - start) / 2 => start + blank + 1,
        _ => end,
    }
}
