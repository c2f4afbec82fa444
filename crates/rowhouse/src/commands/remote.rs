//! Commands that ask a running server, in one organisation, with an API key: why not from the data folder, see decision 16.

use client::{Client, shown};
use domain::Ambient;
use serde_json::Value;

use crate::output::{print, print_json};
use crate::{Outcome, because};

/// The variable that holds the key. On the command line others on the machine could read it.
pub(crate) const KEY: &str = "ROWHOUSE_API_KEY";
/// Where a server listens when nobody says otherwise.
pub(crate) const URL: &str = "http://127.0.0.1:8080";

/// Which organisation at which server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door<'a> {
    /// Where the server is.
    pub(crate) url: &'a str,
    /// The organisation's short label, or its id. A key knows its own; it is named so that a wrong key is noticed before it does
    /// anything.
    pub(crate) org: &'a str,
}

/// Does something in an organisation, with the key from the environment.
pub(crate) fn at(door: &Door<'_>, work: impl AsyncFnOnce(Client) -> Outcome) -> Outcome {
    let key = std::env::var(KEY).map_err(|_| because(format!("put an API key into {KEY}")))?;
    let mut client = Client::new(door.url, &key, Ambient::system())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(because)?;
    runtime.block_on(async {
        client.enter(door.org).await?;
        work(client).await
    })
}

/// Prints what was done: the server's answer for programs, a sentence or a table for people.
pub(crate) fn tell(as_json: bool, answer: &Value, sentence: impl std::fmt::Display) {
    if as_json { print_json(answer) } else { print(sentence) }
}

/// A text of an answer, on one line and without signs that a terminal obeys; a dash for none.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => shown(text).replace(['\n', '\t'], " "),
        Value::Number(number) => number.to_string(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        _ => "-".to_owned(),
    }
}

/// A time of an answer, to the minute.
pub(crate) fn when(value: &Value) -> String {
    match value.as_str().and_then(|time| Some((time.get(..10)?, time.get(11..16)?))) {
        Some((day, minute)) => shown(&format!("{day} {minute} UTC")),
        None => text(value),
    }
}
