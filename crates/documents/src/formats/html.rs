//! HTML, by its tokens alone: a stack of open tags is all that structure needs, so that neither ten thousand nested tags nor badly
//! nested ones cost more than their length. What a page does not show (scripts, styles, what is hidden) and what is not its content
//! (navigation, forms' controls, pictures) is dropped.

mod grid;

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use self::grid::Grid;
use crate::document::Part;
use crate::writer::Writer;
use crate::{Document, Unreadable};

/// Dropped with all they contain.
const DROPPED: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "select", "textarea", "button",
    "nav", "audio", "video", "datalist", "dialog", "noframes", "noembed", "applet",
];
/// Never have content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Run on inside of a line. All other tags end the paragraph before them.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "nobr", "output", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "input", "area", "map", "source", "track", "param",
    "embed", "link", "meta", "base", "col", "colgroup",
];

pub(super) fn read(text: &str, mut writer: Writer) -> Result<Document, Unreadable> {
    write(text, &mut writer)?;
    Ok(writer.finish())
}

/// Writes the blocks of a page or a fragment.
pub(super) fn write(text: &str, writer: &mut Writer) -> Result<(), Unreadable> {
    let mut page = Page {
        writer,
        text: String::new(),
        drop: None,
        heading: None,
        lists: 0,
        item: false,
        pre: 0,
        title: false,
        tables: vec![],
        failed: None,
    };
    let mut tag = Tag::default();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        if page.failed.is_none()
            && let Err(refused) = page.event(&event, &mut tag)
        {
            page.failed = Some(refused);
        }
        None
    });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(text, emitter).finish();
    page.finish()
}

/// A start tag, as its parts arrive.
#[derive(Default)]
struct Tag {
    name: String,
    attribute: String,
    hidden: bool,
    presentation: bool,
    colspan: usize,
    rowspan: usize,
}

impl Tag {
    fn value(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        match self.attribute.as_str() {
            "aria-hidden" => self.hidden |= value == "true",
            "role" => {
                self.presentation |= matches!(value.as_str(), "presentation" | "none");
                self.hidden |= value == "navigation";
            }
            "style" => {
                let bare: String = value.split_whitespace().collect();
                self.hidden |=
                    ["display:none", "visibility:hidden", "font-size:0;"].iter().any(|hidden| bare.contains(hidden))
                        || bare.ends_with("font-size:0");
            }
            "colspan" => self.colspan = value.trim().parse().unwrap_or(1),
            "rowspan" => self.rowspan = value.trim().parse().unwrap_or(1),
            _ => {}
        }
    }
}

struct Page<'w> {
    writer: &'w mut Writer,
    text: String,
    /// The tag that is being dropped with its content, and how often it is open inside of itself.
    drop: Option<(String, usize)>,
    heading: Option<u8>,
    lists: u8,
    item: bool,
    pre: usize,
    title: bool,
    tables: Vec<Grid>,
    failed: Option<Unreadable>,
}

impl Page<'_> {
    fn event(&mut self, event: &CallbackEvent<'_>, tag: &mut Tag) -> Result<(), Unreadable> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                *tag =
                    Tag { name: String::from_utf8_lossy(name).into_owned(), colspan: 1, rowspan: 1, ..Tag::default() };
            }
            CallbackEvent::AttributeName { name } => {
                tag.attribute = String::from_utf8_lossy(name).into_owned();
                tag.hidden |= tag.attribute == "hidden";
            }
            CallbackEvent::AttributeValue { value } => tag.value(value),
            CallbackEvent::CloseStartTag { self_closing } => self.start(tag, *self_closing)?,
            CallbackEvent::EndTag { name } => self.end(&String::from_utf8_lossy(name))?,
            CallbackEvent::String { value } => self.string(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
        Ok(())
    }

    fn string(&mut self, value: &str) {
        if self.drop.is_some() {
            return;
        }
        if self.pre > 0 {
            self.text.push_str(value);
        } else {
            // Line breaks of the source are blanks; those of the page come from tags.
            self.text.extend(value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
        }
    }

    fn start(&mut self, tag: &Tag, self_closing: bool) -> Result<(), Unreadable> {
        let name = tag.name.as_str();
        if let Some((dropped, depth)) = &mut self.drop {
            *depth += usize::from(dropped == name && !self_closing);
            return Ok(());
        }
        let void = VOID.contains(&name);
        // In HTML a slash closes nothing; in the SVG that is dropped anyway it does.
        if (DROPPED.contains(&name) && !self_closing) || (tag.hidden && !void && !matches!(name, "html" | "body")) {
            self.drop = Some((name.to_owned(), 1));
            return Ok(());
        }
        if name == "br" {
            self.text.push('\n');
            return Ok(());
        }
        if INLINE.contains(&name) {
            return Ok(());
        }
        match name {
            "table" => return self.table(tag.presentation),
            "tr" | "td" | "th" | "thead" | "tbody" | "tfoot" | "caption" => return self.table_part(tag),
            // Values have no headings.
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.lay_out()?;
                self.flush()?;
            }
            _ => self.flush()?,
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = name[1..].parse().ok(),
            "ul" | "ol" | "dir" | "menu" => self.lists = self.lists.saturating_add(1),
            "li" => self.item = true,
            "pre" | "listing" | "xmp" | "plaintext" => self.pre += 1,
            "title" => self.title = true,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Unreadable> {
        if let Some((dropped, depth)) = &mut self.drop {
            if dropped == name {
                *depth -= 1;
                if *depth == 0 {
                    self.drop = None;
                }
            }
            return Ok(());
        }
        if INLINE.contains(&name) || name == "br" {
            return Ok(());
        }
        match name {
            "td" | "th" => return self.end_cell(),
            "tr" => return self.end_row(),
            "thead" | "tbody" | "tfoot" => {
                self.end_row()?;
                if let Some(grid) = self.grid() {
                    grid.in_head = false;
                }
                return Ok(());
            }
            "table" => return self.end_table(),
            "caption" => return self.end_caption(),
            _ => self.flush()?,
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "ul" | "ol" | "dir" | "menu" => self.lists = self.lists.saturating_sub(1),
            "li" => self.item = false,
            "pre" | "listing" | "xmp" => self.pre = self.pre.saturating_sub(1),
            "title" => self.title = false,
            _ => {}
        }
        Ok(())
    }

    /// The table whose cells are collected; not one that only lays out a page.
    fn grid(&mut self) -> Option<&mut Grid> {
        self.tables.last_mut().filter(|grid| !grid.layout)
    }

    fn in_cell(&self) -> bool {
        self.tables.last().is_some_and(|grid| !grid.layout && (grid.in_cell || grid.in_caption))
    }

    /// Ends a paragraph. Inside of a cell it only ends a word: a cell is one text.
    fn flush(&mut self) -> Result<(), Unreadable> {
        if self.in_cell() {
            self.text.push(' ');
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.title {
            self.writer.title(&text);
            return Ok(());
        }
        match self.heading {
            // Sites put a link to the heading behind it.
            Some(level) => self.writer.heading(level, text.trim_end().trim_end_matches(['¶', '§', '🔗'])),
            None if self.pre > 0 => self.writer.block(Part::Code, &text),
            None if self.item && self.lists > 0 => self.writer.block(Part::Item { depth: self.lists - 1 }, &text),
            None => self.writer.paragraph(&text),
        }
    }

    /// Takes the open tables for what only lays out the page: their cells are text like any other.
    fn lay_out(&mut self) -> Result<(), Unreadable> {
        let outer: Vec<Grid> = self.tables.iter_mut().filter(|grid| !grid.layout).map(Grid::give_up).collect();
        outer.into_iter().try_for_each(|grid| grid.write_plain(self.writer))
    }

    fn table(&mut self, presentation: bool) -> Result<(), Unreadable> {
        // A table inside of a table's cell: the outer one lays out the page.
        self.lay_out()?;
        self.flush()?;
        self.tables.push(Grid::new(presentation));
        Ok(())
    }

    fn table_part(&mut self, tag: &Tag) -> Result<(), Unreadable> {
        match tag.name.as_str() {
            "td" | "th" => self.end_cell()?,
            "tr" => self.end_row()?,
            _ => self.flush()?,
        }
        if let Some(grid) = self.grid() {
            match tag.name.as_str() {
                "td" | "th" => grid.open_cell(tag.name == "th", tag.colspan, tag.rowspan),
                "thead" => grid.in_head = true,
                "tbody" | "tfoot" => grid.in_head = false,
                "caption" => grid.in_caption = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Unreadable> {
        let text = std::mem::take(&mut self.text);
        match self.grid() {
            Some(grid) if grid.in_cell => {
                grid.close_cell(&text);
                Ok(())
            }
            _ => {
                self.text = text;
                self.flush()
            }
        }
    }

    fn end_row(&mut self) -> Result<(), Unreadable> {
        self.end_cell()?;
        match self.grid() {
            Some(grid) => grid.close_row(),
            None => Ok(()),
        }
    }

    fn end_caption(&mut self) -> Result<(), Unreadable> {
        let text = std::mem::take(&mut self.text);
        match self.grid() {
            Some(grid) if grid.in_caption => {
                grid.in_caption = false;
                grid.caption = Some(text);
                Ok(())
            }
            _ => {
                self.text = text;
                self.flush()
            }
        }
    }

    fn end_table(&mut self) -> Result<(), Unreadable> {
        self.end_row()?;
        match self.tables.pop() {
            Some(grid) if !grid.layout => grid.write(self.writer),
            _ => Ok(()),
        }
    }

    /// Writes what is still open, as a browser shows it.
    fn finish(mut self) -> Result<(), Unreadable> {
        if let Some(refused) = self.failed.take() {
            return Err(refused);
        }
        self.end_cell()?;
        while !self.tables.is_empty() {
            self.end_table()?;
        }
        self.flush()
    }
}
