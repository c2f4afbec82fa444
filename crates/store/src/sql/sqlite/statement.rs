//! One statement on a connection: its values go in by the names of its parameters, its rows come out.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::connection::{start_the_clock, translate};
use crate::error::{Error, Result};
use crate::sql::{Kind, Row, Value};

/// Begins or ends a transaction.
pub(super) fn plainly(connection: &Connection, text: &str) -> Result<()> {
    let run = |connection: &Connection| connection.prepare_cached(text)?.execute([]);
    run(connection).map(drop).map_err(|error| translate(&error))
}

pub(super) fn run(connection: &Connection, text: &'static str, values: &[Value]) -> Result<(Vec<Row>, u64)> {
    start_the_clock();
    let mut statement = connection.prepare_cached(text).map_err(|error| translate(&error))?;
    let in_order = values.len() <= statement.parameter_count() && names_in_order(&statement, text);
    for (place, value) in (1..).zip(values) {
        let index = if in_order { Some(place) } else { index_of(&statement, place)? };
        let index = index.ok_or_else(|| Error::bug(format!("${place} is bound but not in: {text}")))?;
        statement.raw_bind_parameter(index, value).map_err(|error| translate(&error))?;
    }
    if statement.parameter_count() != values.len() {
        return Err(Error::bug(format!(
            "{} values for {} parameters: {text}",
            values.len(),
            statement.parameter_count()
        )));
    }
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut cursor = statement.raw_query();
    while let Some(row) = cursor.next().map_err(|error| translate(&error))? {
        let values = (0..columns.len())
            .map(|at| row.get_ref(at).map(read))
            .collect::<Result<_, _>>()
            .map_err(|error| translate(&error))?;
        rows.push(Row { columns: columns.clone(), values });
    }
    drop(cursor);
    drop(statement);
    Ok((rows, connection.changes()))
}

thread_local! {
    /// Texts whose parameters come in the order of their names, as most do. Each of them is there once for as long as the program runs.
    static IN_ORDER: RefCell<HashSet<*const str>> = RefCell::default();
}

/// Whether a parameter's place is its index: then no name has to be sought.
fn names_in_order(statement: &Statement<'_>, text: &'static str) -> bool {
    let text = std::ptr::from_ref(text);
    if IN_ORDER.with_borrow(|known| known.contains(&text)) {
        return true;
    }
    let count = statement.parameter_count();
    let in_order = (1..=count).all(|place| statement.parameter_name(place) == PLACES.get(place - 1).copied());
    if in_order {
        IN_ORDER.with_borrow_mut(|known| known.insert(text));
    }
    in_order
}

fn index_of(statement: &Statement<'_>, place: usize) -> Result<Option<usize>> {
    let name = PLACES.get(place - 1).ok_or_else(|| Error::bug("too many parameters"))?;
    statement.parameter_index(name).map_err(|error| translate(&error))
}

/// The names of the parameters; `SQLite` takes `$1` for a name, not for a place.
const PLACES: [&str; 40] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17",
    "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32", "$33",
    "$34", "$35", "$36", "$37", "$38", "$39", "$40",
];

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null(Kind::Text),
        ValueRef::Integer(v) => Value::I64(v),
        ValueRef::Real(v) => Value::F64(v),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => ValueRef::Null,
            Self::I64(v) => ValueRef::Integer(*v),
            Self::F64(v) => ValueRef::Real(*v),
            Self::Bool(v) => ValueRef::Integer(i64::from(*v)),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Bytes(v) => ValueRef::Blob(v),
            Self::Uuid(v) => ValueRef::Blob(v.as_bytes()),
        }))
    }
}
