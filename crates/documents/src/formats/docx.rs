//! Word documents: paragraphs by their styles, lists, tables, footnotes, comments, text boxes. Deleted text stays deleted.

use std::collections::HashMap;

use super::table::names_columns;
use super::xml::{self, Xml, attribute};
use crate::document::Part;
use crate::package::Package;
use crate::writer::Writer;
use crate::{Document, Unreadable};

pub(super) fn read(mut package: Package<'_>, mut writer: Writer) -> Result<Document, Unreadable> {
    if package.has("docProps/core.xml") {
        writer.title(&core_title(&package.text("docProps/core.xml")?)?);
    }
    let styles =
        if package.has("word/styles.xml") { styles(&package.text("word/styles.xml")?)? } else { HashMap::new() };
    let body = package.text("word/document.xml")?;
    write(&body, &styles, &mut writer, "")?;
    for (part, label) in [("footnotes", "Footnote"), ("endnotes", "Endnote"), ("comments", "Comment")] {
        let name = format!("word/{part}.xml");
        if package.has(&name) {
            write(&package.text(&name)?, &styles, &mut writer, label)?;
        }
    }
    Ok(writer.finish())
}

fn core_title(core: &str) -> Result<String, Unreadable> {
    let (mut title, mut inside) = (String::new(), false);
    xml::read(core, |event| {
        match event {
            Xml::Start(name, _) => inside = name == "title",
            Xml::Text(text) if inside => title.push_str(text),
            Xml::End(_) => inside = false,
            Xml::Text(_) => {}
        }
        Ok(())
    })?;
    Ok(title)
}

/// What a style says of its paragraphs.
#[derive(Default, Clone)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    list: bool,
}

fn styles(text: &str) -> Result<HashMap<String, Style>, Unreadable> {
    let mut styles: HashMap<String, Style> = HashMap::new();
    let mut current: Option<(String, Style)> = None;
    xml::read(text, |event| {
        match (event, &mut current) {
            (Xml::Start("style", element), _) => {
                current = attribute(element, "styleId").map(|id| (id, Style::default()));
            }
            (Xml::End("style"), Some(_)) => styles.extend(current.take()),
            (Xml::Start("name", element), Some((_, style))) => {
                style.name = attribute(element, "val").unwrap_or_default().to_ascii_lowercase();
            }
            (Xml::Start("basedOn", element), Some((_, style))) => style.based_on = attribute(element, "val"),
            (Xml::Start("outlineLvl", element), Some((_, style))) => {
                style.outline = attribute(element, "val").and_then(|level| level.parse().ok());
            }
            (Xml::Start("numPr", _), Some((_, style))) => style.list = true,
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

/// The level of heading that a style makes, by its own name or outline level or that of a style it is based on.
fn heading(styles: &HashMap<String, Style>, id: &str) -> Option<u8> {
    let mut id = id;
    for _ in 0..16 {
        let Some(style) = styles.get(id) else {
            return id
                .to_ascii_lowercase()
                .strip_prefix("heading")?
                .parse()
                .ok()
                .filter(|level| (1..=9).contains(level));
        };
        if style.name == "title" {
            return Some(1);
        }
        if let Some(level) = style.name.strip_prefix("heading ").and_then(|level| level.parse().ok()) {
            return Some(level).filter(|level| (1..=9).contains(level));
        }
        if let Some(level) = style.outline {
            return (level < 9).then_some(level + 1);
        }
        id = style.based_on.as_deref()?;
    }
    None
}

/// A paragraph being read; text boxes put one inside of another.
#[derive(Default)]
struct Paragraph {
    text: String,
    style: String,
    outline: Option<u8>,
    list: Option<u8>,
}

#[derive(Default)]
struct Cell {
    text: String,
    columns: usize,
    /// It goes on with the cell above.
    merged: bool,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: Cell,
    head: usize,
    row_is_head: bool,
    first_row: bool,
}

struct Body<'s, 'w> {
    styles: &'s HashMap<String, Style>,
    writer: &'w mut Writer,
    label: &'s str,
    paragraphs: Vec<Paragraph>,
    tables: Vec<Table>,
    /// Inside of what is not shown, and how deep.
    skipped: usize,
    text: bool,
    /// The number of the note that comes next.
    note: Option<String>,
}

fn write(xml: &str, styles: &HashMap<String, Style>, writer: &mut Writer, label: &str) -> Result<(), Unreadable> {
    let mut body =
        Body { styles, writer, label, paragraphs: vec![], tables: vec![], skipped: 0, text: false, note: None };
    xml::read(xml, |event| body.event(&event))
}

impl Body<'_, '_> {
    fn event(&mut self, event: &Xml<'_, '_>) -> Result<(), Unreadable> {
        match *event {
            // The same once more, for programs that do not know the new way.
            Xml::Start("Fallback" | "instrText" | "delText", _) => self.skipped += 1,
            Xml::End("Fallback" | "instrText" | "delText") => self.skipped = self.skipped.saturating_sub(1),
            _ if self.skipped > 0 => {}
            Xml::Start(name, element) => {
                let value = || attribute(element, "val");
                match name {
                    "p" => self.paragraphs.push(Paragraph::default()),
                    "t" => self.text = true,
                    "tab" | "ptab" => self.push("\t"),
                    "br" | "cr" => self.push("\n"),
                    "noBreakHyphen" => self.push("-"),
                    "pStyle" => self.paragraph(|paragraph| paragraph.style = value().unwrap_or_default()),
                    "outlineLvl" => {
                        self.paragraph(|paragraph| paragraph.outline = value().and_then(|level| level.parse().ok()));
                    }
                    "numPr" => self.paragraph(|paragraph| paragraph.list = Some(0)),
                    "ilvl" => self.paragraph(|paragraph| paragraph.list = value().and_then(|level| level.parse().ok())),
                    "footnoteReference" | "endnoteReference" => {
                        if let Some(id) = attribute(element, "id") {
                            self.push(&format!("[{id}]"));
                        }
                    }
                    "footnote" | "endnote" | "comment" => {
                        // Separators are notes too, of a type of their own.
                        self.note = if attribute(element, "type").is_some() { None } else { attribute(element, "id") };
                    }
                    _ => self.start_table_part(name, element),
                }
            }
            Xml::End(name) => match name {
                "t" => self.text = false,
                "p" => self.end_paragraph()?,
                "tc" | "tr" | "tbl" => self.end_table_part(name)?,
                _ => {}
            },
            Xml::Text(text) if self.text => self.push(text),
            Xml::Text(_) => {}
        }
        Ok(())
    }

    fn paragraph(&mut self, change: impl FnOnce(&mut Paragraph)) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            change(paragraph);
        }
    }

    fn push(&mut self, text: &str) {
        self.paragraph(|paragraph| paragraph.text.push_str(text));
    }

    fn start_table_part(&mut self, name: &str, element: &quick_xml::events::BytesStart<'_>) {
        if name == "tbl" {
            self.tables.push(Table::default());
        }
        let Some(table) = self.tables.last_mut() else { return };
        let value = || attribute(element, "val");
        let off = || value().is_some_and(|value| matches!(value.as_str(), "0" | "false" | "off"));
        match name {
            "tr" => (table.row, table.row_is_head) = (vec![], false),
            "tblHeader" => table.row_is_head = !off(),
            "tblLook" => {
                let bits = value().and_then(|bits| u32::from_str_radix(&bits, 16).ok()).unwrap_or_default();
                table.first_row =
                    attribute(element, "firstRow").map_or(bits & 0x20 != 0, |on| on == "1" || on == "true");
            }
            "tc" => table.cell = Cell { columns: 1, ..Cell::default() },
            "gridSpan" => table.cell.columns = value().and_then(|span| span.parse().ok()).unwrap_or(1).clamp(1, 63),
            "vMerge" => table.cell.merged = value().is_none_or(|kind| kind == "continue"),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) -> Result<(), Unreadable> {
        let Some(paragraph) = self.paragraphs.pop() else { return Ok(()) };
        if let Some(table) = self.tables.last_mut() {
            if !paragraph.text.trim().is_empty() {
                table.cell.text.push_str(&paragraph.text);
                table.cell.text.push(' ');
            }
            return Ok(());
        }
        let text = paragraph.text;
        if !self.label.is_empty() {
            return match self.note.clone() {
                Some(id) => self.writer.paragraph(&format!("{} [{id}]: {}", self.label, text.trim())),
                None => Ok(()),
            };
        }
        let by_style = heading(self.styles, &paragraph.style);
        if let Some(level) = paragraph.outline.filter(|level| *level < 9).map(|level| level + 1).or(by_style) {
            if level == 1 {
                self.writer.title(&text);
            }
            return self.writer.heading(level, &text);
        }
        let listed =
            self.styles.get(&paragraph.style).is_some_and(|style| style.list || style.name.starts_with("list "));
        let code = self
            .styles
            .get(&paragraph.style)
            .is_some_and(|style| style.name.contains("code") || style.name.contains("preformatted"));
        match paragraph.list.or(listed.then_some(0)) {
            Some(depth) => self.writer.block(Part::Item { depth: depth.min(9) }, &text),
            None if code => self.writer.block(Part::Code, &text),
            None => self.writer.paragraph(&text),
        }
    }

    fn end_table_part(&mut self, name: &str) -> Result<(), Unreadable> {
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        match name {
            "tc" => {
                let cell = std::mem::take(&mut table.cell);
                for _ in 0..cell.columns.max(1) {
                    let column = table.row.len();
                    let above = table.rows.last().and_then(|row| row.get(column)).filter(|_| cell.merged).cloned();
                    table.row.push(above.unwrap_or_else(|| cell.text.trim().to_owned()));
                }
            }
            "tr" => {
                table.head += usize::from(table.row_is_head && table.head == table.rows.len());
                let row = std::mem::take(&mut table.row);
                table.rows.push(row);
            }
            _ => {
                let Some(table) = self.tables.pop() else { return Ok(()) };
                if let Some(outer) = self.tables.last_mut() {
                    // A table inside of a cell is that cell's text.
                    for row in &table.rows {
                        outer.cell.text.push_str(&row.join(", "));
                        outer.cell.text.push_str(". ");
                    }
                } else {
                    self.write_table(&table)?;
                }
            }
        }
        Ok(())
    }

    fn write_table(&mut self, table: &Table) -> Result<(), Unreadable> {
        let Some(first) = table.rows.first() else { return Ok(()) };
        if table.rows.iter().all(|row| row.len() < 2) {
            return table.rows.iter().flatten().try_for_each(|cell| self.writer.paragraph(cell));
        }
        let named =
            table.head > 0 || (table.rows.len() > 1 && first.len() > 1 && (table.first_row || names_columns(first)));
        self.writer.table(None, if named { first } else { &[] });
        table.rows.iter().skip(usize::from(named)).try_for_each(|row| self.writer.row(row))
    }
}
