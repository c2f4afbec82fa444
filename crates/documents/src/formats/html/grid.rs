//! A table of a page while its cells arrive: cells that span columns and rows stand in each of them, so that a value keeps its column.

use crate::Unreadable;
use crate::formats::table::names_columns;
use crate::writer::Writer;

/// A cell spans at most so many columns and rows; the standard says 1,000 and 65,534.
const SPAN: usize = 100;
/// Cells of one table.
const CELLS: usize = 1_000_000;
/// Bytes that spanning may add to the cells of one table.
const SPANNED: usize = 4 << 20;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "where in the table the next text goes, each by a tag of its own")]
pub(super) struct Grid {
    /// It lays out a page: its cells are no values.
    pub(super) layout: bool,
    pub(super) caption: Option<String>,
    pub(super) in_caption: bool,
    pub(super) in_cell: bool,
    pub(super) in_head: bool,
    rows: Vec<Row>,
    row: Row,
    cell: (bool, usize, usize),
    /// Per column, a text that reaches down from above, and for how many rows more.
    down: Vec<(usize, String)>,
    cells: usize,
    spanned: usize,
}

#[derive(Default)]
struct Row {
    cells: Vec<String>,
    head: bool,
    values: bool,
}

impl Grid {
    pub(super) fn new(layout: bool) -> Self {
        Self { layout, ..Self::default() }
    }

    pub(super) fn open_cell(&mut self, head: bool, columns: usize, rows: usize) {
        self.in_cell = true;
        self.cell = (head, columns.clamp(1, SPAN), rows.clamp(1, SPAN));
    }

    pub(super) fn close_cell(&mut self, text: &str) {
        self.in_cell = false;
        let (head, columns, rows) = std::mem::replace(&mut self.cell, (false, 1, 1));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.reach_down();
        self.row.values |= !head;
        for column in 0..columns {
            if column > 0 {
                self.spanned += text.len();
            }
            if self.spanned > SPANNED {
                break;
            }
            if rows > 1 {
                let index = self.row.cells.len();
                self.down.resize_with(self.down.len().max(index + 1), Default::default);
                self.down[index] = (rows - 1, text.clone());
            }
            self.row.cells.push(text.clone());
        }
    }

    /// Fills the columns that a cell above still covers.
    fn reach_down(&mut self) {
        while let Some((left, text)) = self.down.get_mut(self.row.cells.len()).filter(|(left, _)| *left > 0) {
            *left -= 1;
            self.spanned += text.len();
            self.row.cells.push(if self.spanned > SPANNED { String::new() } else { text.clone() });
        }
    }

    pub(super) fn close_row(&mut self) -> Result<(), Unreadable> {
        if self.row.cells.is_empty() {
            return Ok(());
        }
        self.reach_down();
        let mut row = std::mem::take(&mut self.row);
        row.head = self.in_head || !row.values;
        self.cells += row.cells.len();
        if self.cells > CELLS {
            return Err(Unreadable::too_large(format!("A table has more than {CELLS} cells.")));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Turns the table into one that only lays out, and gives what it had collected.
    pub(super) fn give_up(&mut self) -> Self {
        std::mem::replace(self, Self::new(true))
    }

    /// Writes the cells as paragraphs.
    pub(super) fn write_plain(self, writer: &mut Writer) -> Result<(), Unreadable> {
        let rows = self.rows.iter().chain([&self.row]);
        rows.flat_map(|row| &row.cells).try_for_each(|cell| writer.paragraph(cell))
    }

    pub(super) fn write(self, writer: &mut Writer) -> Result<(), Unreadable> {
        // One column, or one row, is a frame around a text.
        let wide = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
        if wide < 2 || (self.rows.len() == 1 && !self.rows[0].head) {
            if let Some(caption) = &self.caption {
                writer.paragraph(caption)?;
            }
            return self.write_plain(writer);
        }
        // A row of header cells names the columns, unless it is alone or spans them all as a title does.
        let mut columns: Option<Vec<String>> = None;
        let mut begun = false;
        for (index, row) in self.rows.iter().enumerate() {
            let one = row.cells.windows(2).all(|pair| pair[0] == pair[1]);
            let names =
                if row.head { !one } else { index == 0 && self.rows.len() > 2 && !one && names_columns(&row.cells) };
            if names && !begun {
                // Two rows of names: the second says more.
                columns = Some(match columns {
                    None => row.cells.clone(),
                    Some(above) => join(&above, &row.cells),
                });
                continue;
            }
            if one && !begun {
                writer.paragraph(&row.cells[0])?;
                continue;
            }
            if !begun {
                if let Some(caption) = &self.caption {
                    writer.paragraph(caption)?;
                }
                writer.table(self.caption.as_deref(), &columns.take().unwrap_or_default());
                begun = true;
            }
            writer.row(if one { &row.cells[..1] } else { &row.cells })?;
        }
        // Names and nothing under them.
        columns.unwrap_or_default().iter().try_for_each(|name| writer.paragraph(name))
    }
}

/// Names of columns that stand in two rows: `Sales` over `2024` is `Sales 2024`.
fn join(above: &[String], below: &[String]) -> Vec<String> {
    (0..above.len().max(below.len()))
        .map(|index| match (above.get(index).map_or("", String::as_str), below.get(index).map_or("", String::as_str)) {
            (above, below) if above == below || below.is_empty() => above.to_owned(),
            ("", below) => below.to_owned(),
            (above, below) => format!("{above} {below}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Limits};

    fn table(html: &str) -> String {
        let mut writer = Writer::new(Kind::Html, &Limits::default());
        super::super::write(html, &mut writer).unwrap();
        writer.finish().text
    }

    #[test]
    fn spans_keep_values_in_their_columns() {
        assert_eq!(
            table("<table><tr><th>Plan<th>Seats<th>Price<tr><td rowspan=2>Team<td>5<td>40<tr><td>10<td>70</table>"),
            "Plan: Team; Seats: 5; Price: 40\nPlan: Team; Seats: 10; Price: 70"
        );
        assert_eq!(
            table(
                "<table><tr><th rowspan=2>Town<th colspan=2>Sales</tr><tr><th>2024<th>2025</tr><tr><td>Bonn<td>3<td>4</table>"
            ),
            "Town: Bonn; Sales 2024: 3; Sales 2025: 4"
        );
    }

    #[test]
    fn a_table_that_lays_out_a_page_is_text() {
        assert_eq!(
            table("<table><tr><td>Menu<td><h1>News</h1><table><tr><th>A<th>B<tr><td>1<td>2</table>After</table>"),
            "Menu\n\nNews\n\nA: 1; B: 2\n\nAfter"
        );
        assert_eq!(table("<table><tr><td>Alone</table>"), "Alone");
    }
}
