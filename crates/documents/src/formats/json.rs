//! JSON: every value with the path that leads to it. An element of a list is a row, a member of the outermost object a paragraph.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::writer::{NO_COLUMNS, Writer};
use crate::{Document, Unreadable};

pub(super) fn read(text: &str, mut writer: Writer) -> Result<Document, Unreadable> {
    // Several values one after the other, as in a log of JSON lines, are a list of them.
    let text = text.trim_start_matches('\u{FEFF}').trim();
    let lines = text.split_once('\n').is_some_and(|(first, _)| serde_json::from_str::<IgnoredAny>(first).is_ok());
    let mut values = serde_json::Deserializer::from_str(text);
    let mut out = Out { writer: &mut writer, path: String::new(), record: String::new(), open: None, refused: None };
    if lines {
        out.writer.table(None, NO_COLUMNS);
        out.open = Some(String::new());
    }
    let mut read = 0;
    loop {
        match Value(&mut out).deserialize(&mut values) {
            Ok(()) => read += 1,
            Err(error) if error.classify() == Category::Eof && read > 0 && values.end().is_ok() => break,
            Err(error) => {
                return Err(out.refused.unwrap_or_else(|| {
                    if error.to_string().contains("recursion limit") {
                        Unreadable::too_large("The file nests its values deeper than 127 levels.")
                    } else {
                        Unreadable::damaged()
                    }
                }));
            }
        }
        out.flush().map_err(|()| out.refused.take().unwrap_or_else(Unreadable::damaged))?;
        if values.end().is_ok() {
            break;
        }
    }
    Ok(writer.finish())
}

struct Out<'w> {
    writer: &'w mut Writer,
    path: String,
    record: String,
    /// The caption of the table begun last.
    open: Option<String>,
    refused: Option<Unreadable>,
}

impl Out<'_> {
    fn scalar(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        if !self.record.is_empty() {
            self.record.push_str("; ");
        }
        if !self.path.is_empty() {
            self.record.push_str(&self.path);
            self.record.push_str(": ");
        }
        self.record.push_str(value);
    }

    /// Ends a record and writes it, as a row of the list that `self.open` names, or as a paragraph.
    fn flush(&mut self) -> Result<(), ()> {
        let record = std::mem::take(&mut self.record);
        let done = if self.open.is_some() { self.writer.row(&[record]) } else { self.writer.paragraph(&record) };
        done.map_err(|refused| self.refused = Some(refused))
    }

    /// Runs something one step further down the path.
    fn at<T>(&mut self, key: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let result = then(self);
        self.path.truncate(length);
        result
    }
}

struct Value<'o, 'w>(&'o mut Out<'w>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, value: $kind) -> Result<(), E> {
            self.0.scalar(&value.to_string());
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.scalar(value.trim());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let outermost = self.0.path.is_empty() && self.0.open.is_none();
        while let Some(key) = map.next_key::<String>()? {
            self.0.at(&key, |out| map.next_value_seed(Value(out)))?;
            if outermost {
                self.0.flush().map_err(|()| A::Error::custom("refused"))?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        // A list inside of a row stays in that row.
        if self.0.open.is_some() {
            while seq.next_element_seed(Value(self.0))?.is_some() {}
            return Ok(());
        }
        self.0.flush().map_err(|()| A::Error::custom("refused"))?;
        let path = std::mem::take(&mut self.0.path);
        self.0.writer.table(Some(&path), NO_COLUMNS);
        self.0.open = Some(path);
        while seq.next_element_seed(Value(self.0))?.is_some() {
            self.0.flush().map_err(|()| A::Error::custom("refused"))?;
        }
        self.0.path = self.0.open.take().unwrap_or_default();
        Ok(())
    }
}
