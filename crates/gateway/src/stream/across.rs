//! A stream of one dialect for a client of the other.

use bytes::Bytes;
use serde_json::Value;

use super::sse::Event;
use super::{Facts, Outcome, Verdict, anthropic, openai};
use crate::dialect;
use crate::dialect::anthropic::stream::Events;
use crate::dialect::openai::stream::Chunks;
use crate::usage::Usage;

/// Reads with the upstream's reader, which also mends and judges, and writes what it lets through in the client's words.
#[derive(Debug)]
pub(crate) struct Across {
    from: From,
    to: To,
}

#[derive(Debug)]
enum From {
    OpenAi(openai::Reader, Chunks),
    Anthropic(anthropic::Reader, Events),
}

/// The client's side of a stream.
#[derive(Debug)]
pub(crate) enum To {
    OpenAi(dialect::openai::stream::Writer),
    Anthropic(dialect::anthropic::stream::Writer),
}

impl To {
    /// For an OpenAI client, which may want to see usage; `created` is in seconds since 1970.
    pub(crate) fn openai(show_usage: bool, created: i64) -> Self {
        Self::OpenAi(dialect::openai::stream::Writer::new(show_usage, created))
    }

    pub(crate) fn anthropic() -> Self {
        Self::Anthropic(dialect::anthropic::stream::Writer::default())
    }

    pub(crate) fn piece(&mut self, piece: dialect::Piece, out: &mut String) {
        match self {
            Self::OpenAi(writer) => writer.piece(piece, out),
            Self::Anthropic(writer) => writer.piece(piece, out),
        }
    }

    pub(crate) fn end(&mut self, usage: Option<Usage>) -> Bytes {
        let mut out = String::new();
        match self {
            Self::OpenAi(writer) => writer.end(usage, &mut out),
            Self::Anthropic(writer) => writer.end(usage, &mut out),
        }
        out.into()
    }
}

impl Across {
    pub(crate) fn from_openai() -> Self {
        Self { from: From::OpenAi(openai::Reader::new(true), Chunks::default()), to: To::anthropic() }
    }

    pub(crate) fn from_anthropic(show_usage: bool, created: i64) -> Self {
        Self {
            from: From::Anthropic(anthropic::Reader::default(), Events::default()),
            to: To::openai(show_usage, created),
        }
    }

    pub(crate) fn event(&mut self, event: &Event<'_>, facts: &mut Facts) -> Verdict {
        let verdict = match &mut self.from {
            From::OpenAi(reader, _) => reader.event(event, facts),
            From::Anthropic(reader, _) => reader.event(event, facts),
        };
        match verdict {
            Verdict::Keep => self.translate(event),
            Verdict::Replace(mended) => self.translate(&Event::read(&mended)),
            Verdict::Drop => Verdict::Drop,
            Verdict::End(_) => Verdict::End(Some(self.end(facts))),
        }
    }

    pub(crate) fn stopped(&mut self, why: Option<String>, facts: &mut Facts) -> Bytes {
        match &mut self.from {
            From::OpenAi(reader, _) => reader.stopped(why, facts),
            From::Anthropic(..) => anthropic::stopped(why, facts),
        };
        self.end(facts)
    }

    fn translate(&mut self, event: &Event<'_>) -> Verdict {
        let Some(data) = &event.data else { return Verdict::Drop };
        let Ok(data) = serde_json::from_slice::<Value>(data) else { return Verdict::Drop };
        let mut out = String::new();
        match &mut self.from {
            From::OpenAi(_, chunks) => {
                for piece in chunks.read(&data) {
                    self.to.piece(piece, &mut out);
                }
            }
            From::Anthropic(_, events) => {
                if let Some(piece) = events.read(&data) {
                    self.to.piece(piece, &mut out);
                }
            }
        }
        if out.is_empty() { Verdict::Drop } else { Verdict::Replace(out.into()) }
    }

    fn end(&mut self, facts: &Facts) -> Bytes {
        match (&facts.outcome, &mut self.to) {
            (Some(Outcome::Complete), to) => to.end(facts.usage),
            (Some(Outcome::Failed(_)), To::OpenAi(_)) => openai::error_event(super::FAILED),
            (Some(Outcome::Failed(_)), To::Anthropic(_)) => anthropic::error_event(super::FAILED),
            (_, To::OpenAi(_)) => openai::error_event(super::BROKE_OFF),
            (_, To::Anthropic(_)) => anthropic::error_event(super::BROKE_OFF),
        }
    }
}
