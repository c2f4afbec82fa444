//! Separated values: the separator is the one that splits the first lines most evenly, the first row names the columns if it can.

use csv::ReaderBuilder;

use super::table::names_columns;
use crate::writer::{NO_COLUMNS, Writer};
use crate::{Document, Unreadable};

/// Lines looked at for the separator.
const SAMPLE: usize = 50;
/// More columns than a table has; a row of more is no table.
const COLUMNS: usize = 4096;

pub(super) fn read(text: &str, mut writer: Writer) -> Result<Document, Unreadable> {
    // A spreadsheet program's own declaration of the separator.
    let (separator, text) = match text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')) {
        Some((separator, rest)) => (separator.bytes().next().filter(u8::is_ascii).unwrap_or(b','), rest),
        None => (separator(text), text),
    };
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut first = true;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| Unreadable::damaged())? {
        if record.len() > COLUMNS {
            return Err(Unreadable::too_large(format!("A row has more than {COLUMNS} columns.")));
        }
        let cells: Vec<&str> = record.iter().collect();
        if std::mem::take(&mut first) {
            if names_columns(&cells) {
                writer.table(None, &cells);
                continue;
            }
            writer.table(None, NO_COLUMNS);
        }
        writer.row(&cells)?;
    }
    Ok(writer.finish())
}

/// The separator: of those that occur in the first lines, the one whose count varies least.
fn separator(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE).collect();
    let score = |separator: u8| {
        let counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, separator)).collect();
        let usual = counts.first().copied().unwrap_or_default();
        let even = counts.iter().filter(|count| **count == usual).count();
        if usual == 0 { (0, 0) } else { (even * 100 / counts.len().max(1), usual) }
    };
    // `max_by_key` gives the last of equals: the comma wins a draw.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|separator| score(*separator)).unwrap_or(b',')
}

fn outside_quotes(line: &str, separator: u8) -> usize {
    let mut quoted = false;
    line.bytes()
        .take(65536)
        .filter(|byte| {
            quoted ^= *byte == b'"';
            !quoted && *byte == separator
        })
        .count()
}
