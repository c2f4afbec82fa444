//! What the index of words makes of words: small letters, no accents, stems. FTS5's own tokenizer says so, in a table that stays in
//! memory, so that what is asked for is cut as what was indexed, and what PostgreSQL indexes as what files do.

use std::sync::{LazyLock, Mutex, PoisonError};

use rusqlite::Connection;

use super::sqlite::translate;
use crate::Result;

/// The table, and a view of it that has a row for each term.
const TABLE: &str = "CREATE VIRTUAL TABLE asked USING fts5 (word, tokenize = 'porter unicode61 remove_diacritics 2');
    CREATE VIRTUAL TABLE asked_terms USING fts5vocab (asked, instance);";

type Table = LazyLock<rusqlite::Result<Mutex<Connection>>>;

static ASKED: Table = LazyLock::new(table);
/// One of its own for what is indexed, so that nobody who asks waits for that.
static INDEXED: Table = LazyLock::new(table);

fn table() -> rusqlite::Result<Mutex<Connection>> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLE)?;
    Ok(Mutex::new(connection))
}

/// The terms of a text, each with its place, from 0; in no order.
pub(crate) type Terms = Vec<(String, u32)>;

/// The terms of each of some words, in their order: mostly one, several where punctuation parts it, none where there is nothing else.
/// # Errors
/// [`crate::Error::Bug`] when FTS5 cannot say.
pub(crate) fn terms(words: &[String]) -> Result<Vec<Vec<String>>> {
    let cut = cut(&ASKED, &mut words.iter().map(String::as_str))?;
    Ok(cut
        .into_iter()
        .map(|mut terms| {
            terms.sort_unstable_by_key(|(_, place)| *place);
            terms.into_iter().map(|(term, _)| term).collect()
        })
        .collect())
}

/// The terms of some passages, of the heading and the text of each. For a few at a time: one waits for the other.
/// # Errors
/// [`crate::Error::Bug`] when FTS5 cannot say.
pub(crate) fn of_passages(passages: &[[&str; 2]]) -> Result<Vec<[Terms; 2]>> {
    let mut cut = cut(&INDEXED, &mut passages.iter().flatten().copied())?.into_iter();
    let mut next = || cut.next().unwrap_or_default();
    Ok(passages.iter().map(|_| [next(), next()]).collect())
}

fn cut(table: &'static Table, texts: &mut dyn Iterator<Item = &str>) -> Result<Vec<Terms>> {
    let table = table.as_ref().map_err(translate)?;
    let mut connection = table.lock().unwrap_or_else(PoisonError::into_inner);
    let read = || -> rusqlite::Result<Vec<Terms>> {
        let mut terms = Vec::new();
        // Rolled back at its end: what people ask for is kept nowhere.
        let tx = connection.transaction()?;
        let mut add = tx.prepare_cached("INSERT INTO asked (rowid, word) VALUES (?1, ?2)")?;
        for (number, text) in (0_i64..).zip(texts) {
            add.execute((number, text))?;
            terms.push(Terms::new());
        }
        let mut all = tx.prepare_cached("SELECT doc, term, \"offset\" FROM asked_terms")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            if let Some(of_text) = usize::try_from(number).ok().and_then(|number| terms.get_mut(number)) {
                of_text.push((row.get(1)?, row.get(2)?));
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

    #[test]
    fn passages_are_cut_with_the_places_of_their_words() {
        let mut cut = of_passages(&[["A heading", "Wolves run. A wolf ran, running"], ["", "..."]]).expect("cut");
        cut.iter_mut().flatten().for_each(|terms| terms.sort());
        let terms =
            |terms: &[(&str, u32)]| terms.iter().map(|(term, place)| ((*term).to_owned(), *place)).collect::<Terms>();
        let text = terms(&[("a", 2), ("ran", 4), ("run", 1), ("run", 5), ("wolf", 3), ("wolv", 0)]);
        assert_eq!(cut, [[terms(&[("a", 0), ("head", 1)]), text], [Terms::new(), Terms::new()]]);
    }
}
