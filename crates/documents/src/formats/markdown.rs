//! Markdown, with what the common dialects add: tables, footnotes, task lists, front matter.

use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use super::html;
use crate::document::Part;
use crate::writer::Writer;
use crate::{Document, Unreadable};

pub(super) fn read(text: &str, mut writer: Writer) -> Result<Document, Unreadable> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_DEFINITION_LIST;
    let text = text.trim_start_matches('\u{FEFF}');
    let mut state = State::default();
    for event in Parser::new_ext(text, options) {
        state.event(event, &mut writer)?;
    }
    state.flush(&mut writer)?;
    Ok(writer.finish())
}

#[derive(Default)]
struct State {
    text: String,
    /// Inside of which lists; an item flushes as what it is even when it holds a paragraph.
    lists: u8,
    item: bool,
    heading: Option<u8>,
    code: bool,
    metadata: bool,
    image: usize,
    html: String,
    header: Option<Vec<String>>,
    row: Option<Vec<String>>,
}

impl State {
    fn event(&mut self, event: Event<'_>, writer: &mut Writer) -> Result<(), Unreadable> {
        match event {
            Event::Start(tag) => return self.start(&tag, writer),
            Event::End(tag) => return self.end(tag, writer),
            Event::Html(html) => self.html.push_str(&html),
            // What a tag shows is text of its own; a break is a break.
            Event::InlineHtml(tag) if tag.starts_with("<br") => self.text.push('\n'),
            Event::InlineHtml(_) | Event::Rule => {}
            // What stands for a picture is dropped with it.
            _ if self.image > 0 => {}
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text.push_str(&text);
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::FootnoteReference(name) => {
                self.text.push('[');
                self.text.push_str(&name);
                self.text.push(']');
            }
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>, writer: &mut Writer) -> Result<(), Unreadable> {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush(writer)?;
                self.heading = Some(*level as u8);
            }
            Tag::List(_) => {
                self.flush(writer)?;
                self.lists = self.lists.saturating_add(1);
            }
            Tag::Item => {
                self.flush(writer)?;
                self.item = true;
            }
            Tag::CodeBlock(_) => {
                self.flush(writer)?;
                self.code = true;
            }
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => self.metadata = true,
            Tag::Image { .. } => self.image += 1,
            Tag::TableHead => self.header = Some(vec![]),
            Tag::TableRow => self.row = Some(vec![]),
            Tag::FootnoteDefinition(name) => {
                self.flush(writer)?;
                self.text = format!("[{name}] ");
            }
            Tag::Paragraph | Tag::BlockQuote(_) | Tag::Table(_) | Tag::HtmlBlock if !self.text.starts_with('[') => {
                self.flush(writer)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd, writer: &mut Writer) -> Result<(), Unreadable> {
        match tag {
            TagEnd::Heading(level) => {
                if level as u8 == 1 {
                    writer.title(&self.text);
                }
                self.flush(writer)?;
                self.heading = None;
            }
            TagEnd::List(_) => {
                self.flush(writer)?;
                self.lists = self.lists.saturating_sub(1);
            }
            TagEnd::Item => {
                self.flush(writer)?;
                self.item = false;
            }
            TagEnd::CodeBlock => {
                self.flush(writer)?;
                self.code = false;
            }
            TagEnd::MetadataBlock(_) => {
                self.metadata = false;
                metadata(&std::mem::take(&mut self.text), writer);
            }
            TagEnd::Image => self.image -= 1,
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                self.header.as_mut().or(self.row.as_mut()).unwrap_or(&mut vec![]).push(cell);
            }
            TagEnd::TableHead => writer.table(None, &self.header.take().unwrap_or_default()),
            TagEnd::TableRow => writer.row(&self.row.take().unwrap_or_default())?,
            TagEnd::HtmlBlock => {
                self.flush(writer)?;
                html::write(&std::mem::take(&mut self.html), writer)?;
            }
            TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => {
                self.flush(writer)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self, writer: &mut Writer) -> Result<(), Unreadable> {
        if self.metadata || self.header.is_some() || self.row.is_some() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        match self.heading {
            Some(level) => writer.heading(level, &text),
            None if self.code => writer.block(Part::Code, &text),
            None if self.item && self.lists > 0 => writer.block(Part::Item { depth: self.lists - 1 }, &text),
            None => writer.paragraph(&text),
        }
    }
}

/// Takes the title out of front matter; the rest is for programs.
fn metadata(text: &str, writer: &mut Writer) {
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("title:") {
            writer.title(title.trim().trim_matches(['"', '\'']));
        }
    }
}
