//! The schema as the databases themselves tell it, and its hash. It does not matter which way a schema came about, nor on which
//! engine: equal tables, columns, keys, indexes and references have equal hashes. In the organisations' part PostgreSQL's leading
//! `org_id` is left out, since a file is the organisation. One thing is another on each: the words of passages are an FTS5 table with
//! two triggers in a file, and a column on PostgreSQL; that it is there is one line.

use std::sync::Arc;

use domain::OrgId;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::keys::sha256;
use crate::migrate::{CONTROL, LEDGER, Migration, ORG};
use crate::sql::sqlite::{File, translate};
use crate::sql::{Engine, Pair};
use crate::{Backend, Store, hex};

/// One of the three parts of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The control database.
    Control,
    /// What each organisation has.
    Org,
    /// The books of all organisations.
    Ledger,
}

impl Part {
    /// All of them, in the order in which they are made.
    pub const ALL: [Self; 3] = [Self::Control, Self::Org, Self::Ledger];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Org => "org",
            Self::Ledger => "ledger",
        }
    }

    /// The schema on PostgreSQL: there the books stand beside the organisations' other tables, behind the same wall.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        if self == Self::Control { "control" } else { "org" }
    }

    /// Its file on the embedded engine, unless it has many.
    fn file(self, backend: &Backend) -> Option<Arc<File>> {
        match (self, backend) {
            (Self::Control, Backend::Embedded { control, .. }) => Some(control.clone()),
            (Self::Ledger, Backend::Embedded { ledger, .. }) => Some(ledger.clone()),
            _ => None,
        }
    }

    /// Its migrations.
    #[must_use]
    pub fn steps(self) -> &'static [Migration] {
        match self {
            Self::Control => CONTROL,
            Self::Org => ORG,
            Self::Ledger => LEDGER,
        }
    }

    /// The name of its newest migration.
    #[must_use]
    pub fn newest(self) -> &'static str {
        self.steps().last().map_or("", |step| step.name)
    }

    /// The hash of the schema that the migrations make.
    /// # Errors
    /// As the database.
    pub fn expected(self) -> Result<String> {
        hash_of_sql(&self.steps().iter().map(|step| step.sqlite).collect::<Vec<_>>().join("\n"))
    }
}

/// The hash of the schema that a text in SQLite's SQL makes in an empty database.
/// # Errors
/// As the database.
pub fn hash_of_sql(text: &str) -> Result<String> {
    let make = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(text)?;
        Ok(connection)
    };
    hash_of_file(&make().map_err(|error| translate(&error))?)
}

/// The hash of an open file's schema. Blocks.
pub(crate) fn hash_of_file(connection: &Connection) -> Result<String> {
    let lines = || -> rusqlite::Result<Vec<String>> {
        connection.prepare(OF_SQLITE)?.query_map([], |row| row.get(0))?.collect()
    };
    Ok(hash(lines().map_err(|error| translate(&error))?))
}

fn hash(mut lines: Vec<String>) -> String {
    lines.sort();
    hex(&sha256(lines.join("\n")))
}

impl Store {
    /// The hash of a part's schema as the database has it. Of the organisations' part on files there are as many schemas as files,
    /// so it is what the migrations make; [`Store::org_faults`] compares each file with it.
    /// # Errors
    /// As the database.
    pub async fn schema_hash(&self, part: Part) -> Result<String> {
        if let Some(file) = part.file(&self.0.backend) {
            return tokio::task::spawn_blocking(move || file.exclusively(|connection| hash_of_file(connection)))
                .await
                .map_err(|error| Error::bug(error.to_string()))?;
        }
        match &self.0.backend {
            Backend::Embedded { .. } => part.expected(),
            Backend::Postgres { .. } => {
                let mut tx = self.read_control().await?;
                // The same lines as of a file.
                let lines = tx.sql(Pair {
                    sqlite: "SELECT name FROM installation WHERE 1 = 0 AND name = $1",
                    postgres: "SELECT line FROM (
                          WITH tables AS (SELECT c.oid, c.relname::text AS name, CASE $1 WHEN 'org' THEN 'org_id' ELSE '' END AS led
                            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE n.nspname = CASE $1 WHEN 'control' THEN 'control' ELSE 'org' END AND c.relkind IN ('r', 'p')
                              AND (n.nspname = 'control' AND c.relname <> 'migrations'
                                OR n.nspname = 'org' AND (c.relname IN ('holds', 'entries', 'balances', 'alerts', 'admissions')) = ($1 = 'ledger')))
                          SELECT t.name || ' column ' || a.attname || ' '
                              || CASE replace(format_type(a.atttypid, a.atttypmod), 'org.', '') WHEN 'bigint' THEN 'whole' WHEN 'boolean' THEN 'whole'
                                 WHEN 'text' THEN 'text' WHEN 'sealed_text' THEN 'text' WHEN 'uuid' THEN 'bytes' WHEN 'bytea' THEN 'bytes'
                                 WHEN 'sealed_bytes' THEN 'bytes' ELSE format_type(a.atttypid, a.atttypmod) END
                              || CASE WHEN a.attnotnull THEN ' required' ELSE '' END || CASE WHEN a.atthasdef AND a.attname <> 'org_id' THEN ' defaulted' ELSE '' END AS line
                            FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
                            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname <> t.led AND (t.name, a.attname) NOT IN (('chunks', 'words'), ('chunks', 'length'))
                          UNION ALL SELECT 'chunks words' FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
                            WHERE t.name = 'chunks' AND a.attname IN ('words', 'length') GROUP BY t.oid HAVING count(*) = 2
                          UNION ALL SELECT t.name || CASE WHEN x.indisprimary THEN ' key ' WHEN x.indisunique THEN ' unique '
                                ELSE ' index ' || i.relname || ' ' END
                              || regexp_replace((SELECT string_agg(a.attname::text, ',' ORDER BY array_position(x.indkey::smallint[], a.attnum))
                                   FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (x.indkey)), '^' || t.led || ',', '')
                              || CASE WHEN x.indpred IS NULL THEN '' ELSE ' partial' END
                            FROM tables t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
                          UNION ALL SELECT t.name || ' reference '
                              || regexp_replace((SELECT string_agg(a.attname::text, ',' ORDER BY array_position(k.conkey, a.attnum))
                                   FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (k.conkey)), '^' || t.led || ',', '')
                              || ' ' || o.relname || ' '
                              || regexp_replace((SELECT string_agg(a.attname::text, ',' ORDER BY array_position(k.confkey, a.attnum))
                                   FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum = ANY (k.confkey)), '^' || t.led || ',', '')
                              || ' ' || CASE k.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'other' END
                            FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' JOIN pg_class o ON o.oid = k.confrelid
                          UNION ALL SELECT t.name || ' conditions '
                              || (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c'
                                   AND pg_get_constraintdef(k.oid) NOT LIKE '%[(0)::bigint, (1)::bigint]%') FROM tables t) lines",
                });
                Ok(hash(lines.bind(part.as_str()).all().await?))
            }
        }
    }

    /// The hash of the schema of one organisation's file; on PostgreSQL that of all of them.
    /// # Errors
    /// [`Error::Damaged`] when it cannot be opened.
    pub async fn org_schema_hash(&self, org: OrgId) -> Result<String> {
        let Backend::Embedded { files, .. } = &self.0.backend else { return self.schema_hash(Part::Org).await };
        let file = self.file(files, org).await?;
        tokio::task::spawn_blocking(move || file.exclusively(|connection| hash_of_file(connection)))
            .await
            .map_err(|error| Error::bug(error.to_string()))?
    }

    /// What is wrong with the schemas that this database has itself.
    pub(crate) async fn schema_faults(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for part in Part::ALL {
            if self.engine() == Engine::Postgres || part != Part::Org {
                faults.extend(differs(part, &self.schema_hash(part).await?)?);
            }
        }
        Ok(faults)
    }
}

/// Says so when a schema is not what the migrations make.
pub(crate) fn differs(part: Part, found: &str) -> Result<Option<String>> {
    let expected = part.expected()?;
    Ok((found != expected)
        .then(|| format!("the schema `{}` has the hash {found}, the migrations make {expected}", part.as_str())))
}

/// A line for each column, key, index and reference, and how many conditions each table has. SQLite states what holds of booleans
/// as a condition; such do not count.
const OF_SQLITE: &str = "
WITH tables (name, sql) AS (SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN
  ('chunk_words', 'chunk_words_data', 'chunk_words_idx', 'chunk_words_docsize', 'chunk_words_config', 'chunk_terms')),
indexes (owner, name, origin, alone, partial, columns) AS (
  SELECT t.name, l.name, l.origin, l.\"unique\", l.partial,
    (SELECT group_concat(coalesce(i.name, substr(s.sql, instr(s.sql, 'ifnull(') + 7,
              instr(substr(s.sql, instr(s.sql, 'ifnull(') + 7), ',') - 1)), ',' ORDER BY i.seqno)
     FROM pragma_index_info(l.name) i LEFT JOIN sqlite_schema s ON s.name = l.name)
  FROM tables t JOIN pragma_index_list(t.name) l)
SELECT t.name || ' column ' || c.name || ' '
    || CASE c.type WHEN 'INTEGER' THEN 'whole' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytes' ELSE c.type END
    || CASE WHEN c.\"notnull\" THEN ' required' ELSE '' END || CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' defaulted' END
  FROM tables t JOIN pragma_table_info(t.name) c
UNION ALL SELECT t.name || ' key '
    || (SELECT group_concat(c.name, ',' ORDER BY c.pk) FROM pragma_table_info(t.name) c WHERE c.pk > 0) FROM tables t
UNION ALL SELECT owner || CASE WHEN alone THEN ' unique ' ELSE ' index ' || name || ' ' END || columns
    || CASE WHEN partial THEN ' partial' ELSE '' END FROM indexes WHERE origin <> 'pk'
UNION ALL SELECT t.name || ' reference ' || f.\"from\" || ' ' || f.\"table\" || ' ' || f.\"to\" || ' ' || f.on_delete
  FROM tables t JOIN pragma_foreign_key_list(t.name) f
UNION ALL SELECT name || ' conditions '
    || ((length(sql) - length(replace(sql, 'CHECK (', ''))) / 7 - (length(sql) - length(replace(sql, 'IN (0, 1)', ''))) / 9)
  FROM tables
UNION ALL SELECT 'chunks words'
  WHERE (SELECT count(*) FROM sqlite_schema WHERE name IN ('chunk_words', 'chunk_terms', 'chunks_come', 'chunks_go')) = 4";
