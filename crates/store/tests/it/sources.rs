//! Reads the statements out of the source of the store, and the schema out of fresh databases.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rusqlite::Connection;
use store::migrate::{CONTROL, LEDGER, Migration, ORG};

/// A statement as it stands in the source.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The file, from `src/`, and the line.
    pub(crate) place: String,
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
}

/// The methods that hand a text on to the transaction; every other call must show its text.
const HANDED_ON: [&str; 3] = ["control/mod.rs", "ledger/mod.rs", "org/mod.rs"];

/// All files of the store's source, by their path from `src/`.
pub(crate) fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).expect("inside").to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("text"))).collect()
}

/// Every text that is given to `.sql(`. Panics at a call whose text is not written out in place.
pub(crate) fn texts() -> Vec<Text> {
    files().iter().flat_map(|(name, source)| texts_of(name, &without_comments(source))).collect()
}

/// Blanks out comments, so that what they quote is no statement; keeps lines as they are numbered.
fn without_comments(source: &str) -> String {
    let blank = |line: &str| line.trim_start().starts_with("//");
    source.lines().map(|line| if blank(line) { "\n".into() } else { format!("{line}\n") }).collect()
}

fn texts_of(name: &str, source: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut handed_on = 0;
    let calls: Vec<usize> = source.match_indices(".sql(").map(|(at, _)| at).collect();
    for at in &calls {
        let line = source[..*at].lines().count();
        let place = format!("{name}:{line}");
        let mut rest = Reader { rest: &source[at + ".sql(".len()..] };
        rest.space();
        if rest.take("Pair {") {
            let sqlite = rest.field("sqlite", &place);
            let postgres = rest.field("postgres", &place);
            texts.push(Text { place, sqlite, postgres });
        } else if let Some(text) = rest.literal() {
            rest.space();
            rest.take(",");
            rest.space();
            assert!(rest.take(")"), "{place}: the text of a statement is built, not written out");
            texts.push(Text { place, sqlite: text.clone(), postgres: text });
        } else {
            assert!(
                HANDED_ON.contains(&name) && rest.take("text)"),
                "{place}: the text of a statement must be written out in place"
            );
            handed_on += 1;
        }
    }
    assert!(handed_on <= 1, "{name} hands texts on in more than one place");
    // Counted a second way: however it is spaced or called, no call of anything named `sql` escapes.
    let word_before = |at: usize| source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let called = |at: usize| source[at + "sql".len()..].trim_start().starts_with(['(', ':']);
    let named = source.match_indices("sql").filter(|(at, _)| !word_before(*at) && called(*at)).count();
    let declared = source.matches("fn sql(").count() + source.matches("sql::").count();
    assert_eq!(named - declared, texts.len() + handed_on, "{name}: a statement escapes this test");
    texts
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn field(&mut self, name: &str, place: &str) -> String {
        self.space();
        assert!(self.take(&format!("{name}:")), "{place}: a pair names sqlite, then postgres");
        self.space();
        let text = self.literal().unwrap_or_else(|| panic!("{place}: the {name} text must be written out in place"));
        self.space();
        self.take(",");
        text
    }

    /// A string literal: plain, with escapes, or raw.
    fn literal(&mut self) -> Option<String> {
        let raw = self.rest.strip_prefix('r').map(|rest| (rest.len() - rest.trim_start_matches('#').len(), rest));
        if let Some((hashes, rest)) = raw
            && let Some(body) = rest[hashes..].strip_prefix('"')
        {
            let end = format!("\"{}", "#".repeat(hashes));
            let (text, after) = body.split_once(&end)?;
            self.rest = after;
            return Some(text.to_owned());
        }
        let body = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        let mut letters = body.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &body[at + 1..];
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    '\n' => {
                        while letters.clone().next().is_some_and(|(_, next)| next.is_whitespace()) {
                            letters.next();
                        }
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        None
    }
}

/// A fresh control database, or a fresh organisation's store, in memory.
pub(crate) fn fresh(steps: &[Migration]) -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    for step in steps {
        connection.execute_batch(step.sqlite).unwrap_or_else(|error| panic!("{}: {error}", step.name));
    }
    connection
}

/// The index of the passages' words, which is a table in files alone, and the tables that FTS5 keeps it in. On PostgreSQL it is a
/// column, `chunks.words`.
pub(crate) const WORDS: [&str; 6] =
    ["chunk_words", "chunk_words_data", "chunk_words_idx", "chunk_words_docsize", "chunk_words_config", "chunk_terms"];

/// The tables that both engines have.
pub(crate) fn tables(connection: &Connection) -> Vec<String> {
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(text).expect("prepares");
    let names = statement.query_map([], |row| row.get(0)).expect("runs");
    let names: Vec<String> = names.collect::<Result<_, _>>().expect("names");
    names.into_iter().filter(|name| !WORDS.contains(&name.as_str())).collect()
}

/// One of the three schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Control,
    Org,
    Ledger,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Control, Self::Org, Self::Ledger];

    pub(crate) fn steps(self) -> &'static [Migration] {
        match self {
            Self::Control => CONTROL,
            Self::Org => ORG,
            Self::Ledger => LEDGER,
        }
    }

    pub(crate) fn schema(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Org | Self::Ledger => "org",
        }
    }

    /// The role that runs on this side.
    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::Control => "rowhouse_control",
            Self::Org | Self::Ledger => "rowhouse_app",
        }
    }
}

/// The tables of each side.
static KNOWN: LazyLock<Vec<(Side, Vec<String>)>> =
    LazyLock::new(|| Side::ALL.map(|side| (side, tables(&fresh(side.steps())))).into());

/// The sides that hold all tables which a text names.
pub(crate) fn sides(text: &str) -> Vec<Side> {
    let named = tables_in(text);
    // PostgreSQL's own catalogue is read from the control side, where operators' checks run; tenants' statements have no use for it.
    let holds = |(side, known): &&(Side, Vec<String>)| {
        named.iter().all(|table| {
            known.contains(table)
                || (*side == Side::Control && table.starts_with("pg_"))
                || (*side == Side::Org && WORDS.contains(&table.as_str()))
        })
    };
    KNOWN.iter().filter(holds).map(|(side, _)| *side).collect()
}

/// What stands after FROM, JOIN or UPDATE and is no table; `org` is where the tables are whose names are not known.
const NO_TABLES: [&str; 11] = [
    "SET",
    "WITH",
    "SELECT",
    "OF",
    "LATERAL",
    "clock_timestamp",
    "json_array_elements",
    "json_each",
    "jsonb_array_elements_text",
    "unnest",
    "org",
];

/// The tables that a text names; what it defines itself by WITH is none, and neither are PostgreSQL's catalogue and functions.
pub(crate) fn tables_in(text: &str) -> Vec<String> {
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let own: Vec<&str> =
        words.windows(2).filter(|pair| pair[0] == "WITH" || pair[0] == "RECURSIVE").map(|pair| pair[1]).collect();
    let further = words.windows(3).filter(|three| three[1] == "AS" && ["SELECT", "MATERIALIZED"].contains(&three[2]));
    let own: Vec<&str> = own.into_iter().chain(further.map(|three| three[0])).collect();
    let named = words.windows(2).filter(|pair| ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0]));
    let mut tables: Vec<String> = named
        .map(|pair| pair[1].to_owned())
        .filter(|name| !own.contains(&name.as_str()) && !NO_TABLES.contains(&name.as_str()) && !reads_catalogue(name))
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

/// Whether a text or a name in it is about PostgreSQL's catalogue, which belongs to neither side. How long a value is stands in no catalogue.
pub(crate) fn reads_catalogue(text: &str) -> bool {
    text.replace("pg_column_size(", "(").contains("pg_")
}

/// Prepares a text under the name `statement` and gives the types of its parameters. At run time the values say their types; here
/// they are guessed where PostgreSQL cannot tell, as for `$1 IS NULL OR id > $1`.
pub(crate) async fn prepare(client: &tokio_postgres::Client, text: &str) -> Result<Vec<&'static str>, String> {
    const GUESSES: [&str; 5] = ["bigint", "text", "uuid", "bytea", "boolean"];
    let count = (1..=64).take_while(|at| text.contains(&format!("${at}"))).count();
    let mut types = vec!["unknown"; count];
    // Where a recursion begins with a parameter, PostgreSQL takes it for text.
    if text.contains("(id) AS (SELECT $1 UNION") {
        types[0] = "uuid";
    }
    let attempt = async |types: &[&str]| {
        let list = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let prepared = client.batch_execute(&format!("PREPARE statement {list} AS {text}")).await;
        prepared.map_err(|error| {
            error.as_db_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
        })
    };
    let undetermined =
        |error: &str| error.strip_prefix("could not determine data type of parameter $")?.parse::<usize>().ok();
    loop {
        let Err(error) = attempt(&types).await else { return Ok(types) };
        let Some(at) = undetermined(&error) else { return Err(error) };
        let mut fits = None;
        for guess in GUESSES {
            types[at - 1] = guess;
            match attempt(&types).await {
                Ok(()) => return Ok(types),
                Err(next) if undetermined(&next).is_some_and(|other| other != at) => fits = Some(guess),
                Err(_) => {}
            }
        }
        types[at - 1] = fits.ok_or(error)?;
    }
}
