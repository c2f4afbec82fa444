//! Changing the few values of a request that must change, and nothing else.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ClientRequest, Operation};
use crate::error::RequestError;

/// The name under which an OpenAI-compatible upstream takes the bound of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLimit {
    /// The older name, which every compatible server knows.
    #[default]
    MaxTokens,
    /// The newer one, without which OpenAI's reasoning models refuse.
    MaxCompletionTokens,
}

#[derive(Deserialize)]
struct StreamOptions<'a> {
    #[serde(borrow, default, deserialize_with = "super::present")]
    include_usage: Option<&'a RawValue>,
}

fn read(raw: &RawValue) -> Result<(Option<&RawValue>, bool), RequestError> {
    let wrong = || RequestError::at("stream_options.include_usage", "must be true or false");
    let not_an_object = || RequestError::at("stream_options", "must be an object");
    if raw.get().starts_with('[') {
        return Err(not_an_object());
    }
    let options: Option<StreamOptions<'_>> = serde_json::from_str(raw.get()).map_err(|_| not_an_object())?;
    let Some(include) = options.and_then(|options| options.include_usage) else { return Ok((None, false)) };
    let asked: Option<bool> = serde_json::from_str(include.get()).map_err(|_| wrong())?;
    Ok((Some(include), asked.unwrap_or(false)))
}

/// Whether `stream_options` asks for usage.
pub(super) fn asks_for_usage(raw: &RawValue) -> Result<bool, RequestError> {
    Ok(read(raw)?.1)
}

impl ClientRequest {
    /// The body for an upstream of the same dialect: its name of the model, a bound of the output under a name that it knows, and in
    /// OpenAI's streams the wish for usage. The client's own bytes, uncopied, when all of that is there already.
    pub(crate) fn rewritten(&self, model: &str, max_output: u64, limit: OutputLimit) -> Bytes {
        let places = &self.places;
        let mut changes: Vec<(Range<usize>, String)> = Vec::with_capacity(3);
        let start = places.start..places.start;
        if model != self.model {
            changes.push((places.model.clone(), quoted(model)));
        }
        if self.max_output.is_none() && self.operation != Operation::Embeddings {
            let (name, place) = match (self.operation, limit) {
                (Operation::Chat, OutputLimit::MaxCompletionTokens) => {
                    ("max_completion_tokens", &places.max_completion_tokens)
                }
                _ => ("max_tokens", &places.max_tokens),
            };
            changes.push(match place {
                Some(null) => (null.clone(), max_output.to_string()),
                None => (start.clone(), format!("\"{name}\":{max_output},")),
            });
        }
        if limit == OutputLimit::MaxTokens {
            changes.extend(self.older_limit());
        }
        if self.operation == Operation::Chat && self.stream && !self.include_usage {
            changes.push(match &places.stream_options {
                Some(place) => (place.clone(), with_usage(&self.body[place.clone()])),
                None => (start, "\"stream_options\":{\"include_usage\":true},".into()),
            });
        }
        if changes.is_empty() {
            return self.body.clone();
        }
        // What is put in before a key comes before what stands in place of it.
        changes.sort_by_key(|(place, _)| (place.start, place.end));
        let mut body = Vec::with_capacity(self.body.len() + changes.iter().map(|(_, text)| text.len()).sum::<usize>());
        let mut done = 0;
        for (place, text) in changes {
            body.extend_from_slice(&self.body[done..place.start]);
            body.extend_from_slice(text.as_bytes());
            done = place.end;
        }
        body.extend_from_slice(&self.body[done..]);
        body.into()
    }

    /// The client's bound under the older name, when it stands under the newer one alone. Servers that know the older one pass over
    /// the newer, and would write more than what was held.
    fn older_limit(&self) -> Option<(Range<usize>, String)> {
        let max_output = self.max_output.filter(|_| self.operation == Operation::Chat)?;
        let newer = self.places.max_completion_tokens.as_ref()?;
        match &self.places.max_tokens {
            None => Some((self.key_of(newer)?, "\"max_tokens\"".into())),
            Some(older) if self.body[older.clone()] == *b"null" => Some((older.clone(), max_output.to_string())),
            Some(_) => None,
        }
    }

    /// Where the key of a value stands, with its quotes. There are none in the keys that are read.
    fn key_of(&self, value: &Range<usize>) -> Option<Range<usize>> {
        let last = memchr::memrchr(b'"', &self.body[..value.start])?;
        let first = memchr::memrchr(b'"', &self.body[..last])?;
        Some(Range { start: first, end: last + 1 })
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `stream_options` with `include_usage` true, and with whatever else stands in it.
fn with_usage(options: &[u8]) -> String {
    let alone = || "{\"include_usage\":true}".to_owned();
    let Ok(text) = std::str::from_utf8(options) else { return alone() };
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return alone() };
    match read(raw) {
        Ok((Some(include), _)) => {
            let start = include.get().as_ptr() as usize - text.as_ptr() as usize;
            format!("{}true{}", &text[..start], &text[start + include.get().len()..])
        }
        _ => match text.strip_prefix('{').map(str::trim_start) {
            None | Some("" | "}") => alone(),
            Some(rest) if rest.starts_with('}') => alone(),
            Some(rest) => format!("{{\"include_usage\":true,{rest}"),
        },
    }
}
