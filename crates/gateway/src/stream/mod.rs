//! A streamed answer on its way from the upstream to the client.
//!
//! Bytes are held only until an event is whole. What the reader of the dialect finds right goes on as the very bytes that came;
//! usage and the end are read on the way.

mod across;
mod anthropic;
mod openai;
pub(crate) mod sse;
mod words;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use egress::Body;

use crate::dialect::Reply;
use crate::error::Unsaid;
use crate::usage::Usage;

pub(crate) use across::To;
pub use words::Words;

/// What a client is told when the upstream says that it failed; its own words are for the log.
const FAILED: &str = "the model's server failed while it answered";
/// What a client is told when a stream has no end.
const BROKE_OFF: &str = "the model's server broke off its answer";

/// The largest event of a stream; common ones have 200 bytes, an image in one perhaps a megabyte.
const MAX_EVENT: usize = 1 << 20;

/// A piece of a stream for the client: one or several whole events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes to send on.
    pub bytes: Bytes,
    /// Whether the stream ends with it. Then [`ModelStream::outcome`] and [`ModelStream::usage`] are final already, so the ledger can
    /// be settled before these bytes go out.
    pub last: bool,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As its dialect says a stream ends.
    Complete,
    /// The upstream said in the stream that it failed; in words for the log. The client was told.
    Failed(String),
    /// It stopped before its end, stalled, or was no stream of its dialect; in words for the log. The client was told.
    Broken(String),
}

/// A streamed answer. Dropping it cancels the call at the upstream at once.
#[derive(Debug)]
pub struct ModelStream {
    source: Source,
    reader: Reader,
    /// The beginning of an event whose end has not come: all of it was searched for one.
    partial: BytesMut,
    ready: VecDeque<Frame>,
    facts: Facts,
    ended: bool,
    unsaid: Unsaid,
}

/// Where the events come from.
#[derive(Debug)]
enum Source {
    Upstream(Body),
    /// Over: the connection is given back or closed.
    Over,
}

/// What is known of a stream so far.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    usage: Option<Usage>,
    received: u64,
    outcome: Option<Outcome>,
}

/// What to do with an event.
pub(crate) enum Verdict {
    /// It goes on as it came.
    Keep,
    /// It is not for the client.
    Drop,
    /// These bytes go on in its place.
    Replace(Bytes),
    /// It ends the stream; `Some` goes on in its place.
    End(Option<Bytes>),
}

/// Reads the events of one dialect.
#[derive(Debug)]
pub(crate) enum Reader {
    OpenAi(openai::Reader),
    Anthropic(anthropic::Reader),
    Across(Box<across::Across>),
}

impl Reader {
    fn event(&mut self, event: &sse::Event<'_>, facts: &mut Facts) -> Verdict {
        match self {
            Self::OpenAi(reader) => reader.event(event, facts),
            Self::Anthropic(reader) => reader.event(event, facts),
            Self::Across(reader) => reader.event(event, facts),
        }
    }

    /// The upstream is done without having said so: what the client gets for an end.
    fn stopped(&mut self, why: Option<String>, facts: &mut Facts) -> Bytes {
        match self {
            Self::OpenAi(reader) => reader.stopped(why, facts),
            Self::Anthropic(_) => anthropic::stopped(why, facts),
            Self::Across(reader) => reader.stopped(why, facts),
        }
    }
}

impl ModelStream {
    /// The stream of an OpenAI-compatible upstream for a client of the same dialect.
    pub(crate) fn openai(body: Body, show_usage: bool) -> Self {
        Self::new(body, Reader::OpenAi(openai::Reader::new(show_usage)))
    }

    /// The stream of an upstream that speaks Anthropic's dialect for a client that does too.
    pub(crate) fn anthropic(body: Body) -> Self {
        Self::new(body, Reader::Anthropic(anthropic::Reader::default()))
    }

    /// The stream of an OpenAI-compatible upstream for a client of Anthropic's dialect.
    pub(crate) fn openai_for_anthropic(body: Body) -> Self {
        Self::new(body, Reader::Across(Box::new(across::Across::from_openai())))
    }

    /// The stream of an upstream that speaks Anthropic's dialect for an OpenAI client.
    pub(crate) fn anthropic_for_openai(body: Body, show_usage: bool, created: i64) -> Self {
        Self::new(body, Reader::Across(Box::new(across::Across::from_anthropic(show_usage, created))))
    }

    /// An answer that is there already, as a stream.
    pub(crate) fn ready(reply: &Reply, mut to: To) -> Self {
        let mut ready = VecDeque::new();
        for piece in reply.pieces() {
            let mut out = String::new();
            to.piece(piece, &mut out);
            if !out.is_empty() {
                ready.push_back(Frame { bytes: out.into(), last: false });
            }
        }
        ready.push_back(Frame { bytes: to.end(reply.usage), last: true });
        let received = reply.text.len() as u64;
        let facts = Facts { usage: reply.usage, received, outcome: Some(Outcome::Complete) };
        let reader = Reader::Anthropic(anthropic::Reader::default());
        Self {
            source: Source::Over,
            reader,
            partial: BytesMut::new(),
            ready,
            facts,
            ended: true,
            unsaid: Unsaid::default(),
        }
    }

    fn new(body: Body, reader: Reader) -> Self {
        Self {
            source: Source::Upstream(body),
            reader,
            partial: BytesMut::new(),
            ready: VecDeque::new(),
            facts: Facts::default(),
            ended: false,
            unsaid: Unsaid::default(),
        }
    }

    /// The upstream's words for the log leave these out.
    pub(crate) fn without(mut self, unsaid: Unsaid) -> Self {
        self.unsaid = unsaid;
        self
    }

    /// The next piece for the client; none after the one that was the last. Being dropped half way loses nothing.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.ended {
                return None;
            }
            let Source::Upstream(body) = &mut self.source else { return None };
            match body.chunk().await {
                Ok(Some(chunk)) => self.take(chunk),
                Ok(None) => self.stop(None),
                Err(error) => self.stop(Some(error.to_string())),
            }
        }
    }

    /// How it ended; none while it goes on.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.facts.outcome.as_ref()
    }

    /// What the upstream says the call used. Before the end it may be missing or not yet the whole.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.facts.usage
    }

    /// Bytes of text, reasoning and tools' arguments received so far: at least as many as output tokens, so that a stream cut
    /// without usage can be charged.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.facts.received
    }

    /// Takes what came and makes frames of the events that are whole.
    fn take(&mut self, chunk: Bytes) {
        // An event may come byte by byte: it stays where it is until its end has come, and none of it is searched twice.
        let mut searched = self.partial.len();
        let whole = if searched == 0 {
            chunk
        } else {
            self.partial.extend_from_slice(&chunk);
            if sse::event_end_beyond(&self.partial, searched).is_none() {
                self.bound_partial();
                return;
            }
            self.partial.split().freeze()
        };
        let mut done = 0; // all before it is in frames, or dropped
        let mut seen = 0; // all before it is read
        while let Some(length) = sse::event_end_beyond(&whole[seen..], searched) {
            searched = 0;
            let event = sse::Event::read(&whole[seen..seen + length]);
            let start = seen;
            seen += length;
            match self.reader.event(&event, &mut self.facts) {
                Verdict::Keep => continue,
                Verdict::Drop => self.push(&whole, done..start),
                Verdict::Replace(bytes) => {
                    self.push(&whole, done..start);
                    self.ready.push_back(Frame { bytes, last: false });
                }
                Verdict::End(other) => {
                    self.push(&whole, done..start);
                    self.end(other.unwrap_or_else(|| whole.slice(start..seen)));
                    return;
                }
            }
            done = seen;
        }
        self.push(&whole, done..seen);
        self.partial.extend_from_slice(&whole[seen..]);
        self.bound_partial();
    }

    /// Breaks off when an event becomes too large.
    fn bound_partial(&mut self) {
        if self.partial.len() > MAX_EVENT {
            self.stop(Some(format!("an event is larger than {MAX_EVENT} bytes")));
        }
    }

    fn push(&mut self, whole: &Bytes, range: std::ops::Range<usize>) {
        if !range.is_empty() {
            self.ready.push_back(Frame { bytes: whole.slice(range), last: false });
        }
    }

    fn end(&mut self, bytes: Bytes) {
        self.ready.push_back(Frame { bytes, last: true });
        self.ended = true;
        if let Some(Outcome::Failed(words) | Outcome::Broken(words)) = &mut self.facts.outcome {
            self.unsaid.clean(words);
        }
        let source = std::mem::replace(&mut self.source, Source::Over);
        if let (Source::Upstream(body), Some(Outcome::Complete)) = (source, &self.facts.outcome) {
            body.finish();
        }
    }

    /// The upstream ended without an end, or broke.
    fn stop(&mut self, why: Option<String>) {
        let rest = self.partial.split().freeze();
        if why.is_none() && !rest.is_empty() {
            // Servers that leave out the last blank line.
            let mut closed = BytesMut::from(&rest[..]);
            closed.extend_from_slice(b"\n\n");
            self.take(closed.freeze());
            if self.ended {
                return;
            }
        }
        let bytes = self.reader.stopped(why, &mut self.facts);
        self.end(bytes);
    }
}

#[cfg(test)]
mod tests;
