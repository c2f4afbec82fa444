//! Workbooks: each visible sheet a heading, each row a row. Cells are read as they come, so that a sheet with one cell in its last
//! corner costs what its cells cost and not its corners.

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::table::{is_number, names_columns};
use crate::package::Package;
use crate::writer::Writer;
use crate::{Document, Unreadable};

/// Columns of a sheet that are read (`A` to `ALL`).
const COLUMNS: usize = 1000;
/// Rows looked at for the one that names the columns.
const HEAD: usize = 10;

pub(super) fn read(mut package: Package<'_>, mut writer: Writer) -> Result<Document, Unreadable> {
    // What follows unpacks without counting; so count first.
    package.measure()?;
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(package.bytes())).map_err(|error| failure(&error))?;
    let sheets: Vec<_> =
        book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).cloned().collect();
    let shown: Vec<_> = sheets.iter().filter(|sheet| sheet.visible == SheetVisible::Visible).collect();
    if shown.len() < sheets.len() {
        writer.note("Hidden sheets were left out. Show them in the spreadsheet program to have them read.");
    }
    for sheet in &shown {
        let mut rows =
            Rows { held: vec![], begun: false, sheet: &sheet.name, heading: shown.len() > 1, writer: &mut writer };
        let mut cells = book.worksheet_cells_reader(&sheet.name).map_err(|error| failure(&error))?;
        let (mut at, mut row, mut wide): (u32, Vec<String>, bool) = (0, vec![], false);
        let mut missing = false;
        loop {
            let cell = match cells.next_cell_with_formula_metadata() {
                Ok(Some(cell)) => cell,
                Ok(None) => break,
                Err(error) => return Err(failure(&error)),
            };
            let (line, column) = cell.pos;
            if line != at {
                rows.add(std::mem::take(&mut row))?;
                at = line;
            }
            let Ok(column) = usize::try_from(column) else { continue };
            if column >= COLUMNS {
                wide = true;
                continue;
            }
            let value = value(&cell.value);
            missing |= value.is_empty() && cell.formula.is_some();
            row.resize(row.len().max(column), String::new());
            row.truncate(column);
            row.push(value);
        }
        rows.add(row)?;
        rows.finish()?;
        if missing {
            writer.note(
                "Some formulas hold no value. Open the workbook in a spreadsheet program, save it, and send it again.",
            );
        }
        if wide {
            writer.note(format!("Columns after the {COLUMNS}th were left out."));
        }
    }
    Ok(writer.finish())
}

/// The rows of a sheet: the first are held back until it is known which names the columns.
struct Rows<'w> {
    held: Vec<Vec<String>>,
    begun: bool,
    sheet: &'w str,
    heading: bool,
    writer: &'w mut Writer,
}

impl Rows<'_> {
    fn add(&mut self, row: Vec<String>) -> Result<(), Unreadable> {
        if row.iter().all(String::is_empty) {
            return Ok(());
        }
        if self.begun {
            return self.writer.row(&row);
        }
        self.held.push(row);
        if self.held.len() >= HEAD { self.begin() } else { Ok(()) }
    }

    /// Writes what was held back: titles above the table, the names of the columns, the first rows.
    fn begin(&mut self) -> Result<(), Unreadable> {
        self.begun = true;
        if self.heading && !self.held.is_empty() {
            self.writer.heading(1, self.sheet)?;
        }
        let rows = std::mem::take(&mut self.held);
        let filled = |row: &[String]| row.iter().filter(|cell| !cell.is_empty()).count();
        let widest = rows.iter().map(|row| filled(row)).max().unwrap_or_default();
        let head = rows.iter().position(|row| filled(row) * 2 > widest).unwrap_or_default();
        let named = rows.get(head).is_some_and(|row| {
            let cells: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
            rows.len() > head + 1
                && (names_columns(&cells) || (widest == 1 && cells.len() == 1 && !is_number(cells[0])))
        });
        for title in &rows[..head] {
            self.writer
                .paragraph(&title.iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(" "))?;
        }
        self.writer.table(Some(self.sheet), rows.get(head).filter(|_| named).map_or(&[], Vec::as_slice));
        rows[head..].iter().skip(usize::from(named)).try_for_each(|row| self.writer.row(row))
    }

    fn finish(mut self) -> Result<(), Unreadable> {
        if self.begun { Ok(()) } else { self.begin() }
    }
}

fn value(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => self::number(*number),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(time) if time.is_duration() => {
            let seconds = (time.as_f64() * 86400.0).round();
            format!(
                "{:.0}:{:02.0}:{:02.0}",
                (seconds / 3600.0).floor(),
                (seconds / 60.0).floor() % 60.0,
                seconds % 60.0
            )
        }
        DataRef::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            let clock = match (hour, minute, second) {
                (0, 0, 0) => String::new(),
                (_, _, 0) => format!(" {hour:02}:{minute:02}"),
                _ => format!(" {hour:02}:{minute:02}:{second:02}"),
            };
            if time.as_f64() < 1.0 { clock.trim().to_owned() } else { format!("{year:04}-{month:02}-{day:02}{clock}") }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number as the program shows it: fifteen digits, so that 0.1 + 0.2 is 0.3.
fn number(number: f64) -> String {
    format!("{number:.14e}").parse::<f64>().unwrap_or(number).to_string()
}

fn failure(error: &XlsxError) -> Unreadable {
    match error {
        XlsxError::Password => Unreadable::encrypted(),
        _ => Unreadable::damaged(),
    }
}
