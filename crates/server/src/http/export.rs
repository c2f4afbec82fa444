//! A log on its way out as CSV or JSON lines, in batches: a long log needs no more memory than a short one.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Stop;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Format")]
pub(crate) enum Form {
    /// One JSON object per line.
    #[default]
    Jsonl,
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
}

impl Form {
    const ALL: [Self; 2] = [Self::Jsonl, Self::Csv];

    /// The type of its content.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// The form of a type of content.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.kind() == kind)
    }
}

/// A log that is taken out.
pub(crate) trait Log: Send + 'static {
    /// One of its entries.
    type Row: Serialize;
    /// What the file is called, without its ending.
    const NAME: &'static str;
    /// The names of the columns.
    const HEADING: &'static str;

    /// The next entries; none after the last. What the caller may see is looked at again each time.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Self::Row>>, Stop>> + Send;

    /// An entry as a line of CSV, without its end.
    fn csv(row: &Self::Row) -> String;
}

/// The answer that a log goes out as.
pub(crate) struct Export<L> {
    log: L,
    form: Form,
    begun: bool,
}

impl<L: Log> Export<L> {
    /// A log in a form.
    pub(crate) fn new(log: L, form: Form) -> Self {
        Self { log, form, begun: false }
    }

    /// The next batch as text; none after the last.
    async fn next(&mut self) -> Result<Option<String>, Stop> {
        let Some(rows) = self.log.next().await? else { return Ok(None) };
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) && self.form == Form::Csv {
            text.push_str(L::HEADING);
            text.push_str("\r\n");
        }
        for row in rows {
            match self.form {
                Form::Jsonl => text.push_str(&(serde_json::to_string(&row).unwrap_or_default() + "\n")),
                Form::Csv => text.push_str(&(L::csv(&row) + "\r\n")),
            }
        }
        Ok(Some(text))
    }
}

impl<L: Log> IntoResponse for Export<L> {
    fn into_response(self) -> Response {
        let (kind, ending) = match self.form {
            Form::Jsonl => (self.form.kind(), "jsonl"),
            Form::Csv => (self.form.kind(), "csv"),
        };
        // What fails half way ends the transfer without its end, so that nobody takes a part for the whole.
        let batches = stream::try_unfold(self, async |mut export| {
            let batch = export.next().await.inspect_err(|error| tracing::error!(%error, "an export ended early"))?;
            Ok::<_, Stop>(batch.map(|text| (Bytes::from(text), export)))
        });
        let file = format!("attachment; filename=\"{}.{ending}\"", L::NAME);
        let headers = [(CONTENT_TYPE, format!("{kind}; charset=utf-8")), (CONTENT_DISPOSITION, file)];
        (headers, Body::from_stream(batches)).into_response()
    }
}

impl<L: Log> OperationOutput for Export<L> {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let content = Form::ALL.map(|form| (form.kind().to_owned(), MediaType::default())).into_iter().collect();
        vec![(Some(200), Described { description: "The log.".into(), content, ..Described::default() })]
    }
}
