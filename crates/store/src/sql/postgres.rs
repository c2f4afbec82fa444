//! The scaled-out engine: PostgreSQL through a pool, or a transaction pooler.
//!
//! Statements go out unnamed with their parameter types, so nothing is kept on a connection that a pooler might swap. `BEGIN`, the
//! tenant setting and the first statement travel in one round trip.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::{Access, Answer, Kind, Row, Value};
use crate::error::{Error, Result};

/// How long a request waits for a connection.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);
/// How long a statement that nobody waits for any more goes on before it is cancelled: most end by themselves within that, and their
/// connection can be used again.
const LET_END: Duration = Duration::from_millis(250);
/// How long a cancellation and a rollback are waited for before the connection is given up.
const GIVE_UP: Duration = Duration::from_secs(10);

/// Makes a pool of connections in one role.
pub(crate) fn pool(config: tokio_postgres::Config, size: usize) -> Result<Pool> {
    let manager = Manager::from_config(config, tls(), ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let timeouts =
        Timeouts { wait: Some(ACQUIRE_LIMIT), create: Some(Duration::from_secs(5)), recycle: Some(ACQUIRE_LIMIT) };
    Pool::builder(manager)
        .max_size(size)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .pre_recycle(Hook::async_fn(|client, _| {
            Box::pin(async move {
                // Cheap in tests, too dear in production: proof that no connection comes back with a tenant set or a
                // transaction open.
                if cfg!(debug_assertions) {
                    let text = "SELECT coalesce(current_setting('rowhouse.org', true), '') = '' AND now() = statement_timestamp()";
                    let rows = client.simple_query(text).await.map_err(HookError::Backend)?;
                    let clean = rows.iter().any(|row| matches!(row, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
                    assert!(clean, "a connection came back with a tenant set or a transaction open");
                }
                Ok(())
            })
        }))
        .build()
        .map_err(|error| Error::Setup(error.to_string()))
}

pub(crate) fn tls() -> tokio_postgres_rustls::MakeRustlsConnect {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the built-in provider supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    tokio_postgres_rustls::MakeRustlsConnect::new(config)
}

/// Begins a transaction; `tenant` is set for its length, `locks` part writers that would otherwise race.
pub(crate) async fn begin(pool: &Pool, access: Access, tenant: Option<Uuid>, locks: &[i64]) -> Result<Transaction> {
    let client = pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Timeout(_) => Error::Busy("waited too long for a database connection"),
        other => Error::Unavailable(other.to_string()),
    })?;
    let mut begin = match access {
        Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED".to_owned(),
    };
    // Both values are typed, so no text of a stranger gets in here.
    if let Some(org) = tenant {
        begin.push_str(&format!("; SELECT set_config('rowhouse.org', '{org}', true)"));
    }
    for lock in locks {
        begin.push_str(&format!("; SELECT pg_advisory_xact_lock({lock})"));
    }
    Ok(Transaction { client: Some(client), begin: Some(begin), begun: false, asks: false, share: None })
}

/// A running transaction.
pub(crate) struct Transaction {
    client: Option<Object>,
    begin: Option<String>,
    /// Whether the server has said that it began.
    begun: bool,
    /// Whether a statement is under way.
    asks: bool,
    /// The organisation's share of the connections: given back when the connection is free, which may be after the end of this.
    share: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    /// Counts it to an organisation's share of the connections.
    pub(crate) fn within(mut self, share: OwnedSemaphorePermit) -> Self {
        self.share = Some(share);
        self
    }

    /// Lets each of its statements take an hour: for what the background does with all of an organisation, and nobody waits for. To be said
    /// before the first of them.
    pub(crate) fn patient(mut self) -> Self {
        if let Some(begin) = &mut self.begin {
            begin.push_str("; SET LOCAL statement_timeout = '1h'");
        }
        self
    }

    pub(super) async fn execute(&mut self, text: &'static str, values: &[Value]) -> Result<Answer> {
        self.journey(async |client| query(client, text, values).await).await
    }

    /// Sends statements one behind the other without waiting for the answers between.
    pub(super) async fn execute_all(&mut self, statements: &[(&'static str, Vec<Value>)]) -> Result<Vec<Answer>> {
        // Each is sent when it is first asked, which is in this order.
        self.journey(async |client| {
            try_join_all(statements.iter().map(|(text, values)| query(client, text, values))).await
        })
        .await
    }

    /// Asks the server; the beginning of the transaction travels along.
    async fn journey<T>(&mut self, ask: impl AsyncFnOnce(&Object) -> Result<T, tokio_postgres::Error>) -> Result<T> {
        let Self { client, begin, begun, asks, .. } = self;
        let client = client.as_ref().ok_or_else(|| Error::bug("the transaction has ended"))?;
        *asks = true;
        let answer = if let Some(text) = begin.take() {
            let beginning = async {
                let done = client.batch_execute(&text).await;
                *begun = done.is_ok();
                done
            };
            let (done, answer) = tokio::join!(beginning, ask(client));
            done.and(answer)
        } else {
            ask(client).await
        };
        *asks = false;
        answer.map_err(|error| translate(&error))
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        let client = self.client.take().ok_or_else(|| Error::bug("the transaction has ended"))?;
        if self.begin.is_some() {
            return Ok(());
        }
        let share = self.share.take();
        let commit = tokio::spawn(async move {
            let done = client.batch_execute("COMMIT").await;
            give_back(client, share, done.is_ok());
            done
        });
        commit.await.map_err(|error| Error::bug(error.to_string()))?.map_err(|error| translate(&error))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.begin.is_some() {
            return;
        }
        // A statement of which the server has not said that the transaction began before it is never cancelled: the beginning might be hit
        // in its place, and the statement, which is sent already, would run outside a transaction.
        let may_cancel = self.begun && self.asks;
        let share = self.share.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let clean = roll_back(&client, may_cancel).await;
                give_back(client, share, clean);
            });
        } else {
            drop(Object::take(client));
        }
    }
}

/// Rolls back, and says whether the connection is clean then.
///
/// A statement may still be under way. The driver sends requests in order, so this rollback comes after it, and only when it is confirmed
/// may the connection be used again.
async fn roll_back(client: &Object, may_cancel: bool) -> bool {
    let mut rollback = pin!(client.batch_execute("ROLLBACK"));
    if let Ok(done) = timeout(LET_END, rollback.as_mut()).await {
        return done.is_ok();
    }
    if !may_cancel {
        return matches!(timeout(GIVE_UP, rollback).await, Ok(Ok(())));
    }
    let token = client.cancel_token();
    let cancelled = async {
        // When it does not get through, the statement ends by itself or with the connection.
        let _ = token.cancel_query(tls()).await;
        rollback.await
    };
    let _ = timeout(GIVE_UP, cancelled).await;
    // The cancellation came over a way of its own, and nobody says when it arrived: it must not hit what others ask next.
    false
}

/// Gives a connection back, or up when it is not clean, and then the share that it was counted to.
fn give_back(client: Object, share: Option<OwnedSemaphorePermit>, is_clean: bool) {
    if is_clean {
        drop(client);
    } else {
        drop(Object::take(client));
    }
    drop(share);
}

async fn query(client: &Object, text: &str, values: &[Value]) -> Result<Answer, tokio_postgres::Error> {
    let parameters = values.iter().map(|value| (value, type_of(value)));
    let stream = client.query_typed_raw(text, parameters).await?;
    let mut stream = std::pin::pin!(stream);
    let mut columns: Option<Arc<[String]>> = None;
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        let columns = columns.get_or_insert_with(|| row.columns().iter().map(|c| c.name().to_owned()).collect());
        let values = (0..columns.len()).map(|at| row.try_get::<_, Value>(at)).collect::<Result<_, _>>()?;
        rows.push(Row { columns: columns.clone(), values });
    }
    let changed = stream.rows_affected().unwrap_or(0);
    Ok((rows, changed))
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null(Kind::I64) | Value::I64(_) => Type::INT8,
        Value::Null(Kind::F64) | Value::F64(_) => Type::FLOAT8,
        Value::Null(Kind::Bool) | Value::Bool(_) => Type::BOOL,
        Value::Null(Kind::Text) | Value::Text(_) => Type::TEXT,
        Value::Null(Kind::Bytes) | Value::Bytes(_) => Type::BYTEA,
        Value::Null(Kind::Uuid) | Value::Uuid(_) => Type::UUID,
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::I64(v) => v.to_sql(kind, out),
            Self::F64(v) => v.to_sql(kind, out),
            Self::Bool(v) => v.to_sql(kind, out),
            Self::Text(v) => v.to_sql(kind, out),
            Self::Bytes(v) => v.to_sql(kind, out),
            Self::Uuid(v) => {
                out.extend_from_slice(v.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::I64(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::I64(i32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Self::F64(f64::from_sql(kind, raw)?),
            Type::BOOL => Self::Bool(bool::from_sql(kind, raw)?),
            Type::TEXT | Type::VARCHAR | Type::NAME => Self::Text(String::from_sql(kind, raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(Uuid::from_slice(raw)?),
            ref other => return Err(format!("a column of type {other} needs a cast").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null(Kind::Text))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) fn translate(error: &tokio_postgres::Error) -> Error {
    let Some(refusal) = error.as_db_error() else {
        return if error.is_closed() { Error::Unavailable(error.to_string()) } else { Error::bug(error.to_string()) };
    };
    let text = || refusal.message().to_owned();
    match refusal.code() {
        code if *code == SqlState::UNIQUE_VIOLATION => Error::Taken("value"),
        code if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => {
            Error::Busy("a race")
        }
        code if *code == SqlState::LOCK_NOT_AVAILABLE => Error::Busy("waited too long for a lock"),
        code if *code == SqlState::QUERY_CANCELED => Error::Busy("a statement took too long"),
        code if *code == SqlState::DISK_FULL => Error::Full,
        // A text with a NUL, plain or within JSON. Files keep it.
        code if *code == SqlState::CHARACTER_NOT_IN_REPERTOIRE || *code == SqlState::UNTRANSLATABLE_CHARACTER => {
            Error::Refused("a text holds a character that the database does not keep".into())
        }
        code if code.code().starts_with("23") || *code == SqlState::INSUFFICIENT_PRIVILEGE => Error::Refused(text()),
        code if code.code().starts_with("08") || code.code().starts_with("57P") || code.code().starts_with("53") => {
            Error::Unavailable(text())
        }
        code => Error::bug(format!("{}: {}", code.code(), text())),
    }
}
