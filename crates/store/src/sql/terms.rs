//! What the index of words makes of words: small letters, no accents, stems. FTS5's own tokenizer says so, in a table that stays in
//! memory, so that what is asked for is cut as what was indexed.

use std::sync::{LazyLock, Mutex, PoisonError};

use rusqlite::Connection;

use super::sqlite::translate;
use crate::Result;

/// The table, and a view of it that has a row for each term.
const TABLE: &str = "CREATE VIRTUAL TABLE asked USING fts5 (word, tokenize = 'porter unicode61 remove_diacritics 2');
    CREATE VIRTUAL TABLE asked_terms USING fts5vocab (asked, instance);";

static ASKED: LazyLock<rusqlite::Result<Mutex<Connection>>> = LazyLock::new(|| {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLE)?;
    Ok(Mutex::new(connection))
});

/// The terms of each of some words, in their order: mostly one, several where punctuation parts it, none where there is nothing else.
/// # Errors
/// [`crate::Error::Bug`] when FTS5 cannot say.
pub(crate) fn terms(words: &[String]) -> Result<Vec<Vec<String>>> {
    let asked = ASKED.as_ref().map_err(translate)?;
    let mut connection = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let mut read = || -> rusqlite::Result<Vec<Vec<String>>> {
        let mut terms = vec![Vec::new(); words.len()];
        // Rolled back at its end: what people ask for is kept nowhere.
        let tx = connection.transaction()?;
        let mut add = tx.prepare_cached("INSERT INTO asked (rowid, word) VALUES (?1, ?2)")?;
        for (place, word) in (0_i64..).zip(words) {
            add.execute((place, word))?;
        }
        let mut all = tx.prepare_cached("SELECT doc, term FROM asked_terms ORDER BY doc, \"offset\"")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let place: i64 = row.get(0)?;
            if let Some(of_word) = usize::try_from(place).ok().and_then(|place| terms.get_mut(place)) {
                of_word.push(row.get(1)?);
            }
        }
        Ok(terms)
    };
    read().map_err(|error| translate(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_the_index_cuts_them() {
        let how =
            |text: &str| text.split("tokenize = ").nth(1).and_then(|rest| rest.split(')').next()).map(str::to_owned);
        let schema: String = crate::migrate::ORG.iter().map(|step| step.sqlite).collect();
        assert_eq!(how(&schema), how(TABLE));
        let of = |words: &[&str]| terms(&words.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("cut");
        assert_eq!(
            of(&["Running", "CAFÉ", "foo bar", "...", "日本", "run"]),
            [vec!["run"], vec!["cafe"], vec!["foo", "bar"], vec![], vec!["日本"], vec!["run"]]
        );
        assert_eq!(of(&[]), Vec::<Vec<String>>::new());
        assert_eq!(of(&["wolves"]), [vec!["wolv"]], "nothing is left of what was asked before");
    }
}
