//! Glyphs to lines: what stands on one level and goes on to the right. The order of drawing is kept where it reads like one, since
//! it knows of columns what positions only hint at.

use std::collections::HashMap;

use super::content::Glyph;
use super::fonts::Face;
use crate::legible::Legibility;

/// A gap that separates words, in sizes of the letters.
const WORD: f32 = 0.17;
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
        Self { line, sizes: HashMap::new(), letters: 0, bold: 0, mono: 0, last: (f32::MIN, f32::MIN) }
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
        if (glyph.start - self.last.0).abs() < glyph.size * 0.08
            && (glyph.end - self.last.1).abs() < glyph.size * 0.08
            && self.line.text.ends_with(&*glyph.text)
        {
            return;
        }
        self.last = (glyph.start, glyph.end);
        let gap = (glyph.start - self.line.right) / self.line.size.min(glyph.size).max(1.0);
        let blank = glyph.text.chars().all(char::is_whitespace);
        if !self.line.text.is_empty() && !blank {
            if gap > CELL {
                self.line.text.truncate(self.line.text.trim_end().len());
                self.line.text.push('\t');
                self.line.cells += 1;
            } else if gap > WORD && !self.line.text.ends_with([' ', '\t']) {
                self.line.text.push(' ');
            }
        }
        if blank {
            // Blanks at the beginning are the indent of code; elsewhere one is enough.
            if !self.line.text.ends_with([' ', '\t']) && !self.line.text.is_empty() && !glyph.text.is_empty() {
                self.line.text.push(' ');
            }
            // The blank's own width is no gap, but a row of them is: they leave the edge where the last letter ended.
            if gap < CELL {
                self.line.right = self.line.right.max(glyph.end.min(self.line.right + glyph.size));
            }
            if self.letters == 0 {
                (self.line.left, self.line.right) = (glyph.end, glyph.end);
            }
            return;
        }
        self.line.text.push_str(&glyph.text);
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
        self.line.text.truncate(self.line.text.trim_end().len());
        let usual = self.sizes.iter().max_by_key(|(size, letters)| (**letters, **size)).map(|(size, _)| *size)?;
        self.line.size = usual as f32 / 2.0;
        self.line.bold = self.bold * 10 > self.letters * 9;
        self.line.mono = self.mono * 10 > self.letters * 9;
        (self.letters > 0).then_some(self.line)
    }
}

/// Whether lines go up again more often than columns explain.
fn disordered(lines: &[Line]) -> bool {
    let up =
        lines.windows(2).filter(|pair| pair[1].y < pair[0].y - pair[0].size && pair[1].left < pair[0].right).count();
    up > 4 && up * 5 > lines.len()
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
        .map(|mut row| {
            row.sort_by(|a, b| a.left.total_cmp(&b.left));
            let mut parts = row.into_iter();
            let first = parts.next();
            first.map(|first| parts.fold(first, beside)).into_iter()
        })
        .flatten()
        .collect()
}

fn beside(mut line: Line, next: Line) -> Line {
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
