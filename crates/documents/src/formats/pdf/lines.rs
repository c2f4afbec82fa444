//! Glyphs to lines: what stands on one level and goes on to the right. The order of drawing is kept where it reads like one, since
//! it knows of columns what positions only hint at.

use std::collections::HashMap;
use std::rc::Rc;

use super::content::Glyph;
use super::fonts::Face;
use crate::legible::Legibility;

/// A gap that separates words, in sizes of the letters: in a line that has blanks, and in one that has none and parts its words by
/// gaps alone (TeX shrinks them to a ninth of the size and less).
const WORD: f32 = 0.2;
const WORD_WITHOUT_BLANKS: f32 = 0.09;
/// A gap that separates the cells of a row.
const CELL: f32 = 1.8;

/// A line of text on a page.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    /// Where it stands, downwards.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) mono: bool,
    /// Parts with wide gaps between them.
    pub(super) cells: usize,
}

/// What became of a page.
pub(super) struct PageLines {
    pub(super) lines: Vec<Line>,
    pub(super) legibility: Legibility,
    /// Whether text that runs in another direction than most was left out.
    pub(super) turned: bool,
}

/// The lines of a page in reading order.
pub(super) fn lines(mut glyphs: Vec<Glyph>, faces: &[Face]) -> PageLines {
    let mut turns = [0_usize; 4];
    for glyph in &glyphs {
        turns[usize::from(glyph.turn)] += 1;
    }
    let main = (0..4).max_by_key(|turn| (turns[*turn], 4 - *turn)).unwrap_or_default();
    let turned = glyphs.iter().any(|glyph| usize::from(glyph.turn) != main && !glyph.text.trim().is_empty());
    glyphs.retain(|glyph| usize::from(glyph.turn) == main && glyph.size >= 0.5);

    let mut legibility = Legibility::default();
    let mut lines: Vec<Line> = vec![];
    let mut open: Option<OpenLine> = None;
    for glyph in &glyphs {
        glyph.text.chars().for_each(|c| legibility.add(c));
        if let Some(line) = open.as_mut().filter(|line| line.takes(glyph)) {
            line.add(glyph, faces);
        } else {
            lines.extend(open.take().and_then(OpenLine::close));
            let mut line = OpenLine::new(glyph);
            line.add(glyph, faces);
            open = Some(line);
        }
    }
    lines.extend(open.and_then(OpenLine::close));
    if disordered(&lines) {
        lines = sorted(lines);
    }
    PageLines { lines, legibility, turned }
}

struct OpenLine {
    line: Line,
    /// Letters per size (in halves of a point), and of bold and fixed-width faces.
    sizes: HashMap<u32, usize>,
    letters: usize,
    bold: usize,
    mono: usize,
    last: (f32, f32),
    /// The glyphs' texts and the gap before each, in sizes.
    parts: Vec<(f32, Rc<str>)>,
}

impl OpenLine {
    fn new(glyph: &Glyph) -> Self {
        let line = Line {
            text: String::new(),
            left: glyph.start,
            right: glyph.start,
            y: glyph.line,
            size: glyph.size,
            bold: false,
            mono: false,
            cells: 1,
        };
        Self { line, sizes: HashMap::new(), letters: 0, bold: 0, mono: 0, last: (f32::MIN, f32::MIN), parts: vec![] }
    }

    fn takes(&self, glyph: &Glyph) -> bool {
        let size = self.line.size.max(glyph.size);
        // Raised and lowered letters are smaller; those of the same size stand level.
        let level = if glyph.size < self.line.size * 0.85 || self.line.size < glyph.size * 0.85 { 0.6 } else { 0.3 };
        (glyph.line - self.line.y).abs() <= size * level && glyph.start >= self.line.right - size * 0.6
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size of letters, in halves of a point"
    )]
    fn add(&mut self, glyph: &Glyph, faces: &[Face]) {
        // A letter drawn twice, a hair's breadth apart, is a bold letter.
        let hair = glyph.size * 0.08;
        let twice = (glyph.start - self.last.0).abs() < hair && (glyph.end - self.last.1).abs() < hair;
        if twice && self.parts.last().is_some_and(|(_, text)| *text == glyph.text) {
            return;
        }
        self.last = (glyph.start, glyph.end);
        let gap = (glyph.start - self.line.right) / self.line.size.min(glyph.size).max(1.0);
        if glyph.text.chars().all(char::is_whitespace) {
            if self.letters == 0 {
                // Blanks at the beginning are an indent.
                (self.line.left, self.line.right) = (glyph.end, glyph.end);
            } else if !glyph.text.is_empty() {
                self.parts.push((gap, " ".into()));
                // Its own width is no gap, but a row of them is: the edge moves by one blank at most.
                if gap < CELL {
                    self.line.right = self.line.right.max(glyph.end.min(self.line.right + glyph.size));
                }
            }
            return;
        }
        self.parts.push((gap, glyph.text.clone()));
        self.line.right = self.line.right.max(glyph.end);
        let letters = glyph.text.chars().count();
        self.letters += letters;
        let face = faces.get(usize::from(glyph.face)).copied().unwrap_or_default();
        self.bold += if face.bold { letters } else { 0 };
        self.mono += if face.mono { letters } else { 0 };
        let sizes = self.sizes.entry((glyph.size * 2.0).round() as u32).or_default();
        *sizes += letters;
        // The line stands where its largest letters do: one may begin with a raised one.
        if glyph.size > self.line.size * 1.1 {
            (self.line.size, self.line.y) = (glyph.size, glyph.line);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "halves of a point")]
    fn close(mut self) -> Option<Line> {
        let usual = self.sizes.iter().max_by_key(|(size, letters)| (**letters, **size)).map(|(size, _)| *size)?;
        self.line.size = usual as f32 / 2.0;
        self.line.bold = self.bold * 10 > self.letters * 9;
        self.line.mono = self.mono * 10 > self.letters * 9;
        self.spell();
        (!self.line.text.is_empty()).then_some(self.line)
    }

    /// Writes the text, with a blank at each gap that parts words and a tab at each that parts cells.
    fn spell(&mut self) {
        let blanks = self.parts.iter().any(|(_, text)| &**text == " ");
        let mut gaps: Vec<f32> = self.parts.iter().skip(1).map(|(gap, _)| *gap).collect();
        let middle = gaps.len() / 2;
        // Letters set apart from each other: only what is wider than that is a gap.
        let usual = if gaps.len() > 8 { gaps.select_nth_unstable_by(middle, f32::total_cmp).1.max(0.0) } else { 0.0 };
        let word = usual + if blanks { WORD } else { WORD_WITHOUT_BLANKS };
        let text = &mut self.line.text;
        for (gap, part) in &self.parts {
            if &**part == " " {
                if !text.ends_with([' ', '\t']) {
                    text.push(' ');
                }
                continue;
            }
            if !text.is_empty() && *gap > CELL {
                text.truncate(text.trim_end().len());
                text.push('\t');
                self.line.cells += 1;
            } else if !text.is_empty() && *gap > word && !text.ends_with([' ', '\t']) {
                text.push(' ');
            }
            text.push_str(part);
        }
        text.truncate(text.trim_end().len());
    }
}

/// Whether lines go up again more often than columns explain.
fn disordered(lines: &[Line]) -> bool {
    let up =
        lines.windows(2).filter(|pair| pair[1].y < pair[0].y - pair[0].size && pair[1].left < pair[0].right).count();
    up > 2 && up * 5 > lines.len()
}

/// The lines from top to bottom, those on one level from left to right as one.
fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.left.total_cmp(&b.left)));
    let mut rows: Vec<Vec<Line>> = vec![];
    for line in lines {
        match rows.last_mut() {
            Some(row) if (row[0].y - line.y).abs() < row[0].size.min(line.size) * 0.4 => row.push(line),
            _ => rows.push(vec![line]),
        }
    }
    rows.into_iter()
        .filter_map(|mut row| {
            row.sort_by(|a, b| a.left.total_cmp(&b.left));
            row.into_iter().reduce(|line, next| beside(line, &next))
        })
        .collect()
}

fn beside(mut line: Line, next: &Line) -> Line {
    let gap = (next.left - line.right) / line.size.max(1.0);
    if gap > CELL {
        line.text.push('\t');
        line.cells += 1;
    } else if gap > WORD {
        line.text.push(' ');
    }
    line.text.push_str(&next.text);
    line.cells += next.cells - 1;
    line.right = line.right.max(next.right);
    line.size = line.size.max(next.size);
    line.bold &= next.bold;
    line.mono &= next.mono;
    line
}
