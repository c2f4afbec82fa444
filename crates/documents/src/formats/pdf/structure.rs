//! Lines to blocks: which lines belong to one paragraph, which are headings, items, code; words broken at the end of a line are
//! mended.

use std::collections::{HashMap, HashSet};

use super::lines::Line;
use super::outline::{self, Entry};
use crate::Unreadable;
use crate::document::Part;
use crate::writer::Writer;

/// How much larger than the running text a heading is.
const LARGER: f32 = 1.12;
/// A heading has no more letters.
const HEADING: usize = 200;
/// Marks of items.
const BULLETS: &[char] = &['•', '◦', '▪', '▸', '►', '‣', '∙', '·', '–', '—', '*', '○', '■', '□', '✓', '➢', '→', '-'];

/// A block being put together.
struct Draft {
    kind: Kind,
    /// The text on each page it stands on.
    pieces: Vec<String>,
    page: usize,
    size: f32,
    left: f32,
    lines: usize,
    last: Line,
    last_page: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Surely one (larger than the text), or perhaps (only bold).
    Heading {
        sure: bool,
    },
    Text,
    Item,
    Code,
    /// A row of a table, as far as gaps tell.
    Row,
}

/// Writes the blocks of all pages.
pub(super) fn write(pages: &[Vec<Line>], entries: &[Entry], writer: &mut Writer) -> Result<(), Unreadable> {
    let usual = Usual::of(pages);
    let pages = &without_contents(pages, entries, &usual);
    let drafts = drafts(pages, &usual);
    let levels = levels(&drafts, entries, &usual);
    if !writer.has_title() {
        let headings = drafts.iter().filter(|draft| draft.page == 0 && draft.kind == Kind::Heading { sure: true });
        if let Some(largest) = headings.reduce(|a, b| if b.size > a.size { b } else { a }) {
            writer.title(&largest.pieces.join(" "));
        }
    }
    let mut page = 0;
    let mut table = 0;
    for (index, (draft, level)) in drafts.iter().zip(levels).enumerate() {
        while page <= draft.page {
            writer.page()?;
            page += 1;
        }
        page = page.max(draft.last_page + 1);
        if draft.kind == Kind::Row {
            let cells: Vec<&str> = draft.last.text.split('\t').collect();
            let like = |other: Option<&Draft>| {
                other.is_some_and(|other| other.kind == Kind::Row && other.last.cells == cells.len())
            };
            if index >= table {
                // Rows of as many cells are a table; a bold row above others names the columns.
                table = index + drafts[index..].iter().take_while(|other| like(Some(other))).count();
                let named = table > index + 1 && draft.last.bold && !drafts[index + 1].last.bold;
                writer.table(None, if named { &cells } else { &[] });
                if named {
                    continue;
                }
            }
            writer.row(&cells)?;
            continue;
        }
        let pieces: Vec<&str> = draft.pieces.iter().map(String::as_str).collect();
        let part = match (draft.kind, level) {
            (_, Some(level)) => Part::Heading { level },
            (Kind::Item, _) => Part::Item { depth: 0 },
            (Kind::Code, _) => Part::Code,
            _ => Part::Paragraph,
        };
        writer.block_over_pages(part, &pieces)?;
    }
    while page < pages.len() {
        writer.page()?;
        page += 1;
    }
    Ok(())
}

/// What is usual in a document.
struct Usual {
    /// The size of running text.
    size: f32,
    /// From line to line, in sizes.
    leading: f32,
    /// Words that stand whole somewhere, for mending broken ones.
    words: HashSet<String>,
}

impl Usual {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "points, in halves or twentieths"
    )]
    fn of(pages: &[Vec<Line>]) -> Self {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        let mut leadings: HashMap<u32, usize> = HashMap::new();
        let mut words = HashSet::new();
        for line in pages.iter().flatten() {
            *sizes.entry((line.size * 2.0).round() as u32).or_default() += line.text.len();
        }
        let most = |counts: &HashMap<u32, usize>| {
            counts.iter().max_by_key(|(value, count)| (**count, **value)).map(|(value, _)| *value as f32)
        };
        let size = most(&sizes).map_or(10.0, |halves| halves / 2.0);
        for page in pages {
            for pair in page.windows(2) {
                let gap = (pair[1].y - pair[0].y) / pair[1].size.max(1.0);
                if gap > 0.8 && gap < 2.5 && (pair[1].size - size).abs() < 0.6 {
                    *leadings.entry((gap * 20.0).round() as u32).or_default() += 1;
                }
            }
            for line in page {
                let line = line.text.trim_end();
                let whole = if ends_broken(line) {
                    line.rsplit_once(char::is_whitespace).map_or("", |(whole, _)| whole)
                } else {
                    line
                };
                words.extend(whole.split_whitespace().map(word).filter(|word| word.len() > 3));
            }
        }
        Self { size, leading: most(&leadings).map_or(1.2, |twentieths| twentieths / 20.0), words }
    }
}

/// A word as it is compared: without the signs around it, in lower case.
fn word(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// The pages without the lines of a table of contents: a heading of the document, and the number of its page.
fn without_contents(pages: &[Vec<Line>], entries: &[Entry], usual: &Usual) -> Vec<Vec<Line>> {
    let mut headings: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let lines = pages.iter().flatten().filter(|line| matches!(kind(line, usual), Kind::Heading { .. }));
    headings.extend(lines.map(|line| outline::key(&line.text)));
    let mut pages = pages.to_vec();
    for line in pages.iter_mut().flatten() {
        if let Some((title, number)) = leader(&line.text) {
            line.text = if number.len() < 6 && headings.contains(&outline::key(title)) {
                String::new()
            } else {
                format!("{title} … {number}")
            };
            line.cells = 1;
        }
    }
    for page in &mut pages {
        page.retain(|line| !line.text.is_empty());
    }
    pages
}

/// The two sides of a line of dots, or of a gap before a last number.
fn leader(text: &str) -> Option<(&str, &str)> {
    let last = text.rsplit(['.', ' ', '\t', '…', '·', '_']).next()?;
    let rest = text[..text.len() - last.len()]
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '…' | '·' | '_'));
    let between = &text[rest.len()..text.len() - last.len()];
    let dots = between.chars().filter(|c| matches!(c, '.' | '·' | '_')).count();
    let number = !last.is_empty() && last.chars().all(|c| c.is_ascii_digit() || "ivxlc".contains(c));
    (dots > 3 || between.contains('…') || (number && between.contains('\t')))
        .then_some((rest, last))
        .filter(|(rest, last)| !rest.is_empty() && !last.is_empty())
}

/// Whether a heading only counts: `ONE`, `Chapter 3`, `Part II`.
fn counts(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches('.').to_lowercase();
    words <= 2
        && (matches!(
            first.as_str(),
            "chapter"
                | "part"
                | "appendix"
                | "section"
                | "kapitel"
                | "teil"
                | "anhang"
                | "chapitre"
                | "partie"
                | "annexe"
                | "capítulo"
                | "parte"
        ) || (words == 1 && text.len() <= 12 && text.chars().all(char::is_uppercase))
            || text.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn drafts(pages: &[Vec<Line>], usual: &Usual) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = vec![];
    for (page, lines) in pages.iter().enumerate() {
        let rights = rights(lines);
        for line in lines {
            let kind = kind(line, usual);
            let right = rights.get(&column(line)).copied().unwrap_or(line.right);
            match drafts.last_mut() {
                Some(draft) if draft.goes_on(line, kind, page, right, usual) => draft.add(line, page, usual),
                _ => drafts.push(Draft::new(line, kind, page)),
            }
        }
    }
    drafts
}

/// Lines that begin near the same place belong to one column.
#[expect(clippy::cast_possible_truncation, reason = "points on a page, in steps of 40")]
fn column(line: &Line) -> i32 {
    (line.left / 40.0).floor() as i32
}

/// How far lines reach that begin in each column.
fn rights(lines: &[Line]) -> HashMap<i32, f32> {
    let mut rights: HashMap<i32, f32> = HashMap::new();
    for line in lines {
        let right = rights.entry(column(line)).or_insert(line.right);
        *right = right.max(line.right);
    }
    rights
}

fn kind(line: &Line, usual: &Usual) -> Kind {
    let text = line.text.trim();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let short = text.chars().count() <= HEADING && letters > 0;
    if line.size > usual.size * LARGER && short {
        return Kind::Heading { sure: true };
    }
    if bullet(text).is_some() {
        return Kind::Item;
    }
    if line.mono {
        return Kind::Code;
    }
    if line.cells > 1 && !numbered(text) {
        return Kind::Row;
    }
    if line.bold
        && short
        && line.size > usual.size * 0.95
        && !text.ends_with(['.', ',', ';'])
        && letters * 2 > text.len() / 2
    {
        return Kind::Heading { sure: false };
    }
    Kind::Text
}

/// What follows a bullet.
fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(BULLETS)?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim_start())
}

/// Whether a line with a gap is a number and what it numbers: `2.1   Scope`, `(a)   the first`.
fn numbered(text: &str) -> bool {
    text.split_once('\t').is_some_and(|(first, rest)| {
        !rest.contains('\t')
            && first.len() <= 10
            && first.chars().any(char::is_alphanumeric)
            && !first.contains(' ')
            && (first.contains(['.', ')', '(']) || first.chars().all(|c| c.is_ascii_digit()))
    })
}

impl Draft {
    fn new(line: &Line, kind: Kind, page: usize) -> Self {
        let text = match kind {
            Kind::Item => bullet(line.text.trim()).unwrap_or_default().replace('\t', " "),
            Kind::Row => line.text.trim().replace('\t', " | "),
            Kind::Code => line.text.replace('\t', "    "),
            _ => line.text.trim().replace('\t', " "),
        };
        let (size, left) = (line.size, line.left);
        Self { kind, pieces: vec![text], page, size, left, lines: 1, last: line.clone(), last_page: page }
    }

    fn goes_on(&self, line: &Line, kind: Kind, page: usize, right: f32, usual: &Usual) -> bool {
        let (last, size) = (&self.last, line.size);
        let gap = (line.y - last.y) / size.max(1.0);
        let near = page == self.last_page && gap > 0.3 && gap < (usual.leading * 1.28).max(1.3);
        let alike = (last.size - size).abs() < 0.7;
        let ended = last.text.trim_end().ends_with(['.', '!', '?', ':', '”', '"', ';']);
        match (self.kind, kind) {
            (Kind::Heading { sure: true }, Kind::Heading { sure: true }) if self.lines == 1 && counts(&last.text) => {
                page == self.last_page && gap > 0.3 && gap < 4.0
            }
            (Kind::Heading { sure: true }, Kind::Heading { sure: true }) => {
                alike
                    && page == self.last_page
                    && gap > 0.3
                    && gap < 1.7
                    && self.pieces[0].len() + line.text.len() < HEADING
            }
            (Kind::Heading { sure: false }, Kind::Heading { sure: false }) => {
                near && alike && !numbered(&line.text) && self.lines < 3
            }
            (Kind::Code, Kind::Code) => alike && page == self.last_page && gap > 0.3 && gap < 2.6,
            // A bold beginning of a paragraph is no heading; nor is a line of code in the middle of one.
            (Kind::Text | Kind::Item, Kind::Text | Kind::Heading { sure: false } | Kind::Row)
                if !alike || (kind != Kind::Text && (ended || !near)) =>
            {
                false
            }
            (_, Kind::Heading { .. }) if section(&line.text).is_some() => false,
            (Kind::Text, Kind::Text | Kind::Heading { sure: false } | Kind::Row) => {
                let indent = line.left - last.left;
                let short = last.right < right - (right - last.left) * 0.2;
                if page == self.last_page && gap > 0.0 {
                    near && !(short && ended)
                        && (indent < size * 0.8 || (self.lines == 1 && !ended))
                        && (indent > -size * 0.8 || self.lines == 1)
                } else {
                    // The next column or page: a sentence that had not ended goes on.
                    ends_broken(&last.text) || (!ended && line.text.starts_with(char::is_lowercase))
                }
            }
            (Kind::Item, Kind::Text | Kind::Heading { sure: false } | Kind::Row) => {
                if page == self.last_page && gap > 0.0 {
                    near && line.left > self.left + size * 0.3
                } else {
                    ends_broken(&last.text) || (!ended && line.text.starts_with(char::is_lowercase))
                }
            }
            _ => false,
        }
    }

    fn add(&mut self, line: &Line, page: usize, usual: &Usual) {
        if page != self.last_page {
            // Pages in between hold nothing but what was taken away.
            for _ in self.last_page..page {
                self.pieces.push(String::new());
            }
        }
        let new_page = page != self.last_page;
        let before = if new_page { self.pieces.len() - 1 - (page - self.last_page) } else { self.pieces.len() - 1 };
        if self.kind == Kind::Code {
            // Fixed-width letters are some three fifths of their size.
            let indent = ((line.left - self.left) / (line.size * 0.6).max(1.0)).round().clamp(0.0, 40.0);
            let text = line.text.replace('\t', "    ");
            let piece = &mut self.pieces[before];
            piece.push('\n');
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
            piece.extend(std::iter::repeat_n(' ', indent as usize));
            piece.push_str(&text);
        } else {
            let text = line.text.trim().replace('\t', " ");
            let joined = mend(&mut self.pieces[before], &text, usual);
            let last = self.pieces.len() - 1;
            if !joined && (new_page || !self.pieces[last].is_empty()) {
                self.pieces[last].push(' ');
            }
            self.pieces[last].push_str(&text);
        }
        self.lines += 1;
        self.last = line.clone();
        self.last_page = page;
    }
}

/// Whether a line ends within a word.
fn ends_broken(line: &str) -> bool {
    let mut end = line.trim_end().chars().rev();
    matches!(end.next(), Some('-' | '\u{AD}' | '\u{2010}')) && end.next().is_some_and(char::is_alphabetic)
}

/// Takes the hyphen away where a word was broken at the end of a line, and tells whether the next line follows without a blank.
fn mend(before: &mut String, next: &str, usual: &Usual) -> bool {
    if !ends_broken(before) {
        // A dash or a slash at the end keeps what it joins together; so do signs of scripts without blanks.
        return before.ends_with(['/', '—'])
            || (before.chars().last().is_some_and(wide) && next.chars().next().is_some_and(wide));
    }
    let soft = before.ends_with('\u{AD}');
    let head = before.trim_end_matches(['-', '\u{AD}', '\u{2010}']).len();
    let first = before[..head].rsplit(char::is_whitespace).next().unwrap_or_default();
    let second = next.split_whitespace().next().unwrap_or_default();
    let (whole, compound) = (word(&format!("{first}{second}")), word(&format!("{first}-{second}")));
    let keep = !soft
        && (!next.starts_with(char::is_lowercase)
            || (usual.words.contains(&compound) && !usual.words.contains(&whole)));
    if !keep {
        before.truncate(head);
    }
    true
}

/// Whether a character belongs to a script that is written without blanks.
fn wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF00}'..='\u{FFEF}')
}

/// The level of each draft that is a heading: by the outline where it names it, else by its size.
fn levels(drafts: &[Draft], entries: &[Entry], usual: &Usual) -> Vec<Option<u8>> {
    let mut levels: Vec<Option<u8>> = vec![None; drafts.len()];
    let candidates: Vec<(usize, String)> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| matches!(draft.kind, Kind::Heading { .. }))
        .map(|(index, draft)| (index, outline::key(&draft.pieces.join(" "))))
        .collect();
    let mut from = 0;
    let mut by_size: HashMap<u32, u8> = HashMap::new();
    let mut matched = 0;
    for entry in entries {
        if let Some(found) = candidates[from..].iter().position(|(_, key)| {
            key.strip_suffix(entry.key.as_str())
                .is_some_and(|before| before.is_empty() || (before.len() <= 12 && entry.key.len() > 3))
        }) {
            let index = candidates[from + found].0;
            levels[index] = Some(entry.level);
            by_size
                .entry(halves(drafts[index].size))
                .and_modify(|level| *level = (*level).min(entry.level))
                .or_insert(entry.level);
            matched += 1;
            from += found + 1;
        }
    }
    let outlined = matched > 1 && matched * 2 > entries.len();
    // What the outline does not name ranks by its size.
    let mut sizes: Vec<u32> = drafts
        .iter()
        .filter(|draft| draft.kind == Kind::Heading { sure: true })
        .map(|draft| halves(draft.size))
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.dedup();
    for (index, draft) in drafts.iter().enumerate() {
        if levels[index].is_some() {
            continue;
        }
        let size = halves(draft.size);
        levels[index] = match draft.kind {
            Kind::Heading { sure: true } if outlined => {
                let above = by_size.iter().filter(|(other, _)| **other <= size).map(|(_, level)| *level).min();
                Some(above.unwrap_or(1))
            }
            Kind::Heading { sure: true } => {
                let rank = sizes.iter().position(|other| *other == size).unwrap_or_default();
                Some(u8::try_from(rank + 1).unwrap_or(6).min(6))
            }
            Kind::Heading { sure: false }
                if !outlined && draft.size >= usual.size * 0.98 && draft.pieces[0].len() < 120 =>
            {
                Some(u8::try_from(sizes.len() + 1).unwrap_or(6).min(6))
            }
            _ => None,
        };
    }
    levels
}

/// The level that the number of a section says: `5.9.2 Removing packages` is on the third.
fn section(text: &str) -> Option<u8> {
    let (number, title) = text.split_once(char::is_whitespace)?;
    let number = number.trim_end_matches('.');
    let parts = number.split('.').count();
    let numbers =
        number.split('.').all(|part| !part.is_empty() && part.len() < 4 && part.chars().all(|c| c.is_ascii_digit()));
    (numbers && parts > 1 && title.trim_start().starts_with(char::is_alphabetic))
        .then(|| u8::try_from(parts).unwrap_or(9).min(9))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of letters")]
fn halves(size: f32) -> u32 {
    (size * 2.0).round() as u32
}
