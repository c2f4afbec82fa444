//! What tables of every format share: whether a first row names the columns.

/// Whether the first row of a table names its columns: every cell filled, none a number, no two alike.
pub(super) fn names_columns<S: AsRef<str>>(row: &[S]) -> bool {
    row.len() > 1
        && row.iter().enumerate().all(|(index, cell)| {
            let cell = cell.as_ref().trim();
            !cell.is_empty()
                && cell.chars().count() <= 100
                && !is_number(cell)
                && row[..index].iter().all(|other| other.as_ref().trim() != cell)
        })
}

/// Whether a cell is a number, a date, or an amount: begins with a digit once signs and currencies are gone, and holds few letters.
pub(super) fn is_number(cell: &str) -> bool {
    let bare = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
    bare.starts_with(|c: char| c.is_ascii_digit()) && bare.chars().filter(|c| c.is_alphabetic()).count() <= 3
}
