//! Columns that hold what people write: bound and read as plain texts, sealed between here and PostgreSQL.
//!
//! There such a column is of the type `sealed_text` or `sealed_bytes`, so that a plain text bound to one is refused by the database, and
//! a sealed one that nobody opened does not fit the `String` it is read into.

use super::row::Row;
use super::value::{Bind, Value};
use crate::cipher::{Cipher, Place};
use crate::error::{Error, Result};

/// The sealed columns of a table. Each is bound to its row by the columns of `key`, so whoever reads one reads these, too.
#[derive(Debug)]
pub(crate) struct SealedColumns {
    pub(crate) table: &'static str,
    pub(crate) key: &'static [&'static str],
    /// Those that hold text.
    pub(crate) texts: &'static [&'static str],
    /// Those that hold bytes.
    pub(crate) bytes: &'static [&'static str],
}

impl SealedColumns {
    /// The row with an id, to seal something for it.
    pub(crate) fn row(&'static self, id: impl Bind) -> SealedRow {
        self.row_of(&[id.value()])
    }

    /// The row that several values name, in the order of the key.
    pub(crate) fn row_of(&'static self, key: &[Value]) -> SealedRow {
        SealedRow { columns: self, key: bytes_of(key) }
    }

    fn has(&self, column: &str) -> bool {
        self.texts.contains(&column) || self.bytes.contains(&column)
    }

    /// Opens what stands sealed in some rows.
    pub(super) fn open(&self, cipher: &Cipher, rows: &mut [Row]) -> Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        let columns = first.columns.clone();
        let at = |wanted: &str| columns.iter().position(|name| name == wanted);
        let key = self.key.iter().map(|wanted| at(wanted)).collect::<Option<Vec<usize>>>();
        let key = key.ok_or_else(|| Error::bug(format!("{} is read without its key", self.table)))?;
        let all = self.texts.iter().map(|text| (*text, true)).chain(self.bytes.iter().map(|bytes| (*bytes, false)));
        let sealed: Vec<_> = all.filter_map(|(column, is_text)| Some((at(column)?, column, is_text))).collect();
        if sealed.is_empty() {
            return Err(Error::bug(format!("nothing of {} is to be opened", self.table)));
        }
        let mut named = Vec::with_capacity(key.len());
        for row in rows {
            named.clear();
            named.extend(key.iter().map(|at| row.values[*at].clone()));
            let key = bytes_of(&named).ok_or_else(|| Error::bug("a key that names no row"))?;
            for (at, column, is_text) in &sealed {
                let Value::Bytes(value) = &row.values[*at] else { continue };
                let open = cipher.open(&Place { table: self.table, column, key: &key }, value)?;
                row.values[*at] = if *is_text {
                    Value::Text(String::from_utf8(open).map_err(|_| Error::Sealed("what is no text"))?)
                } else {
                    Value::Bytes(open)
                };
            }
        }
        Ok(())
    }
}

/// A row of a table with sealed columns.
#[derive(Debug)]
pub(crate) struct SealedRow {
    columns: &'static SealedColumns,
    /// None when a value of the key cannot be one.
    key: Option<Vec<u8>>,
}

impl SealedRow {
    /// A value of one of its columns as PostgreSQL gets it.
    pub(super) fn seal(&self, cipher: &Cipher, column: &'static str, value: Value) -> Result<Value> {
        let key = self.key.as_ref().filter(|_| self.columns.has(column));
        let key = key.ok_or_else(|| Error::bug(format!("{}.{column} is not sealed", self.columns.table)))?;
        let place = Place { table: self.columns.table, column, key };
        Ok(match value {
            Value::Text(text) => Value::Bytes(cipher.seal(&place, text.as_bytes())),
            Value::Bytes(bytes) => Value::Bytes(cipher.seal(&place, &bytes)),
            Value::Null(_) => Value::Null(super::Kind::Bytes),
            _ => return Err(Error::bug(format!("{column} is neither text nor bytes"))),
        })
    }
}

/// The values of a key, one after the other: ids, numbers and names.
fn bytes_of(key: &[Value]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(key.len() * 16);
    for value in key {
        match value {
            Value::Uuid(id) => bytes.extend_from_slice(id.as_bytes()),
            Value::I64(number) => bytes.extend_from_slice(&number.to_be_bytes()),
            Value::Text(name) => {
                bytes.extend_from_slice(&(name.len() as u64).to_be_bytes());
                bytes.extend_from_slice(name.as_bytes());
            }
            _ => return None,
        }
    }
    Some(bytes)
}
