//! `GET /api/v1/threads/{id}/export`: takes a conversation out as Markdown, in batches, so a long one needs no more memory than a short
//! one. Nothing in it is fetched from anywhere when somebody opens it.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::{Body as RawBody, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::access::can;
use domain::{ThreadId, TurnId};
use futures_util::stream;
use metering::rates::Pass;
use store::audit::Event;
use store::org::knowledge::threads::{self, Author, Message};
use store::{Stop, Tx};

use super::citations::{Citable, CitationView};
use super::find;
use crate::http::body::Path;
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::error::Result;

/// How many messages are read at once.
const BATCH: i64 = 100;

/// A conversation on its way out.
pub(crate) struct Export {
    caller: Caller<can::AnswersUse>,
    /// Held until all of it went out.
    _pass: Pass,
    thread: ThreadId,
    /// The last message that went out.
    after: Option<TurnId>,
    begun: bool,
    ended: bool,
}

pub(crate) async fn export(
    metered: Metered<Local<can::AnswersUse>, meters::Exports>,
    Path(id): Path<ThreadId>,
) -> Result<Export> {
    let (local, pass) = metered.through();
    let caller = local.each();
    let mut tx: Tx = caller.begin().await?;
    find(&mut tx, caller.scope(), id).await?;
    tx.record(Event::new("thread.exported", id)).await?;
    tx.commit().await?;
    Ok(Export { caller, _pass: pass, thread: id, after: None, begun: false, ended: false })
}

impl Export {
    /// The next batch as text; none after the last. What is no longer the reader's to see ends it.
    async fn next(&mut self) -> Result<Option<String>, Stop> {
        if self.ended {
            return Ok(None);
        }
        let scope = self.caller.reentered().await?;
        let mut tx = self.caller.store().open(&scope).read().await?;
        let (thread, _) = find(&mut tx, &scope, self.thread).await?;
        let rows = threads::messages(&mut tx, self.thread, self.after, BATCH).await?;
        let citable = Citable::of(&mut tx, &scope, &rows).await?;
        drop(tx);
        self.ended = i64::try_from(rows.len()).unwrap_or(0) < BATCH;
        self.after = rows.last().map(|message| message.id);
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            let title = if thread.title.is_empty() { "Conversation" } else { &thread.title };
            text = format!("# {}\n", plain(title));
        }
        for message in rows {
            text.push_str(&said(message, &citable));
        }
        Ok(Some(text))
    }
}

fn said(message: Message, citable: &Citable) -> String {
    let who = match message.author {
        Author::User => "Question",
        Author::Assistant => "Answer",
    };
    let mut text = format!("\n## {who}, {}\n\n{}\n", message.created_at, harmless(&message.content));
    for citation in message.citations.0 {
        text.push_str(&cited(&citable.view(citation)));
    }
    text
}

fn cited(citation: &CitationView) -> String {
    let (Some(title), Some(quote)) = (&citation.title, &citation.quote) else {
        return format!("\n\\[{}\\] The document is gone.\n", citation.n);
    };
    let page = citation.page.map(|page| format!(", page {page}")).unwrap_or_default();
    let heading = citation.heading.as_deref().filter(|heading| !heading.is_empty());
    let heading = heading.map(|heading| format!(", {}", plain(heading))).unwrap_or_default();
    format!("\n\\[{}\\] {}{page}{heading}: “{}”\n", citation.n, plain(title), plain(quote))
}

/// A text on one line, with nothing in it that Markdown reads.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        for c in word.chars() {
            if c.is_ascii_punctuation() {
                plain.push('\\');
            }
            plain.push(c);
        }
    }
    plain
}

/// A text as it is, but without images and HTML: opened in a reader they would tell somebody elsewhere of it.
fn harmless(text: &str) -> String {
    text.replace("![", "!\\[").replace('<', "\\<")
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        // What fails half way ends the transfer without its end, so that nobody takes a part for the whole.
        let batches = stream::try_unfold(self, async |mut export| {
            let batch = export.next().await.inspect_err(|error| tracing::error!(%error, "an export ended early"))?;
            Ok::<_, Stop>(batch.map(|text| (Bytes::from(text), export)))
        });
        let headers = [
            (CONTENT_TYPE, "text/markdown; charset=utf-8"),
            (CONTENT_DISPOSITION, "attachment; filename=\"conversation.md\""),
        ];
        (headers, RawBody::from_stream(batches)).into_response()
    }
}

impl OperationOutput for Export {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let content = std::iter::once(("text/markdown".to_owned(), MediaType::default())).collect();
        vec![(Some(200), Described { description: "The conversation.".into(), content, ..Described::default() })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_stays_text() {
        assert_eq!(plain("# A\n![x](http://evil.example)"), "\\# A \\!\\[x\\]\\(http\\:\\/\\/evil\\.example\\)");
        assert_eq!(harmless("**Yes** ![x](y) <img src=z>"), "**Yes** !\\[x](y) \\<img src=z>");
    }
}
