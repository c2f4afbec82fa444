//! Turns texts into vectors by the model inside this program, asked and answered in OpenAI's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use embedding::{DIMENSIONS, Embedder, Embedding, Error, MAX_TEXTS};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

use super::MINILM;
use crate::error::{ErrorKind, RequestError, Spent, UpstreamError};
use crate::providers::Whole;
use crate::usage::Usage;

/// The most bytes of text in one request.
const MOST_TEXT: usize = 4 << 20;
/// A single text of at most so many bytes is taken for a question that somebody waits for.
const QUESTION: usize = 1 << 10;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    texts: Vec<String>,
    base64: bool,
}

/// The fields that are read; `user` and those that are not known mean nothing here.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    encoding_format: Option<&'a RawValue>,
    #[serde(borrow)]
    dimensions: Option<&'a RawValue>,
}

impl Texts {
    /// Reads a request.
    /// # Errors
    /// [`RequestError`], which names the field.
    pub(crate) fn read(body: &[u8]) -> Result<Self, RequestError> {
        let fields: Fields<'_> =
            serde_json::from_slice(body).map_err(|error| RequestError::body(format!("the body: {error}")))?;
        let given = |raw: Option<&'_ RawValue>| raw.map(|raw| raw.get().to_owned()).filter(|text| text != "null");
        if given(fields.dimensions).is_some_and(|text| text != DIMENSIONS.to_string()) {
            let message = format!("must be {DIMENSIONS} or left out: this model's vectors have no other size");
            return Err(RequestError::at("dimensions", message));
        }
        let format = given(fields.encoding_format);
        let format = format.map(|text| serde_json::from_str::<String>(&text).unwrap_or_default());
        let base64 = match format.as_deref() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(_) => return Err(RequestError::at("encoding_format", "must be `float` or `base64`")),
        };
        let input = fields.input.ok_or_else(|| RequestError::at("input", "is missing"))?;
        let texts = if input.get().starts_with('[') { many(input)? } else { vec![text(input, || "input".into())?] };
        if texts.iter().map(String::len).sum::<usize>() > MOST_TEXT {
            let message = format!("must hold at most {} MiB of text: send fewer at once", MOST_TEXT >> 20);
            return Err(RequestError::at("input", message));
        }
        Ok(Self { texts, base64 })
    }

    /// The vectors, in the words of an answer.
    pub(crate) async fn embed(self) -> Result<Whole, UpstreamError> {
        let Self { texts, base64 } = self;
        let embedder = Embedder::shared();
        let embeddings = match texts.as_slice() {
            [one] if one.len() <= QUESTION => embedder.query(one).await.map(|one| vec![one]),
            _ => embedder.passages(texts).await,
        };
        let embeddings = embeddings.map_err(|error| failed(&error))?;
        let input = embeddings.iter().map(|one| one.tokens as u64).sum();
        // Writing a million numbers takes a while, and threads that serve requests have none.
        let written = tokio::task::spawn_blocking(move || write(&embeddings, base64, input)).await;
        let body = written.map_err(|error| UpstreamError::not_an_answer(&error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let usage = Some(Usage { input, ..Usage::default() });
        Ok(Whole { status: StatusCode::OK, headers, body, usage, received: 0 })
    }
}

fn many(input: &RawValue) -> Result<Vec<String>, RequestError> {
    let list: Vec<&RawValue> =
        serde_json::from_str(input.get()).map_err(|_| RequestError::at("input", "must be text or a list of texts"))?;
    if list.is_empty() || list.len() > MAX_TEXTS {
        return Err(RequestError::at("input", format!("must hold 1 to {MAX_TEXTS} texts")));
    }
    list.into_iter().enumerate().map(|(n, one)| text(one, || format!("input[{n}]"))).collect()
}

fn text(raw: &RawValue, place: impl Fn() -> String) -> Result<String, RequestError> {
    if !raw.get().starts_with('"') {
        return Err(RequestError::at(place(), "must be text: this model takes no tokens of another one"));
    }
    let text: String = serde_json::from_str(raw.get()).map_err(|_| RequestError::at(place(), "must be text"))?;
    if text.is_empty() {
        return Err(RequestError::at(place(), "must not be empty"));
    }
    Ok(text)
}

fn failed(error: &Error) -> UpstreamError {
    match error {
        Error::Busy => {
            let mut busy = UpstreamError::new(ErrorKind::RateLimited, Spent::Nothing, error.to_string());
            busy.caller.message = "Too many texts wait to be embedded; try again shortly.".into();
            busy.retry_after = Some(Duration::from_secs(1));
            busy
        }
        Error::TooMany | Error::Failed(_) => UpstreamError::new(ErrorKind::Failed, Spent::Nothing, error.to_string()),
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Datum<'a>>,
    model: &'static str,
    usage: Counts,
}

#[derive(Serialize)]
struct Datum<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Numbers(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct Counts {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The answer as OpenAI writes it; in base64 the numbers are f32 in little-endian order.
fn write(embeddings: &[Embedding], base64: bool, tokens: u64) -> Bytes {
    let vector = |embedding: &'_ Embedding| {
        let bytes: Vec<u8> = embedding.vector.iter().flat_map(|one| one.to_le_bytes()).collect();
        STANDARD.encode(bytes)
    };
    let data = embeddings.iter().enumerate().map(|(index, one)| Datum {
        object: "embedding",
        index,
        embedding: if base64 { Vector::Base64(vector(one)) } else { Vector::Numbers(one.vector.as_slice()) },
    });
    let usage = Counts { prompt_tokens: tokens, total_tokens: tokens };
    let answer = Answer { object: "list", data: data.collect(), model: MINILM, usage };
    serde_json::to_vec(&answer).expect("numbers and text").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &serde_json::Value) -> Result<Texts, RequestError> {
        Texts::read(body.to_string().as_bytes())
    }

    #[test]
    fn texts_are_read_in_both_forms() {
        let one = read(&serde_json::json!({"model": "m", "input": "nine", "user": "u", "new": 1})).expect("good");
        assert_eq!((one.texts.as_slice(), one.base64), (["nine".to_owned()].as_slice(), false));
        let two = serde_json::json!({"input": ["nine", " "], "encoding_format": "base64", "dimensions": 384});
        let two = read(&two).expect("good");
        assert_eq!((two.texts.len(), two.base64), (2, true));
        let null = serde_json::json!({"input": "x", "encoding_format": null, "dimensions": null});
        assert!(read(&null).is_ok());
    }

    #[test]
    fn what_it_cannot_do_names_the_field() {
        let big = "x".repeat(MOST_TEXT / 2 + 1);
        for (body, param) in [
            (serde_json::json!({"input": [1, 2]}), "input[0]"),
            (serde_json::json!({"input": [[1, 2]]}), "input[0]"),
            (serde_json::json!({"input": ["a", ""]}), "input[1]"),
            (serde_json::json!({"input": ""}), "input"),
            (serde_json::json!({"input": []}), "input"),
            (serde_json::json!({"input": 7}), "input"),
            (serde_json::json!({}), "input"),
            (serde_json::json!({"input": vec!["a"; MAX_TEXTS + 1]}), "input"),
            (serde_json::json!({"input": [big, big]}), "input"),
            (serde_json::json!({"input": "a", "dimensions": 256}), "dimensions"),
            (serde_json::json!({"input": "a", "dimensions": "384"}), "dimensions"),
            (serde_json::json!({"input": "a", "encoding_format": "hex"}), "encoding_format"),
            (serde_json::json!({"input": "a", "encoding_format": 1}), "encoding_format"),
        ] {
            let error = read(&body).expect_err(param);
            assert_eq!(error.param.as_deref(), Some(param), "{error}");
        }
        assert!(Texts::read(br#"{"input":"a","input":"b"}"#).is_err(), "the same key twice");
        assert!(Texts::read(br#"{"input":"\ud800"}"#).is_err(), "half a character");
    }

    #[test]
    fn both_formats_hold_the_same_numbers() {
        let mut vector = Box::new([0.1f32; DIMENSIONS]);
        vector[1] = -1.0e-7;
        let embeddings = [Embedding { vector, tokens: 5 }];
        let value = |base64| serde_json::from_slice::<serde_json::Value>(&write(&embeddings, base64, 5)).expect("JSON");
        let (numbers, base64) = (value(false), value(true));
        assert_eq!((&numbers["usage"]["total_tokens"], &numbers["data"][0]["index"]), (&5.into(), &0.into()));
        let bytes = STANDARD.decode(base64["data"][0]["embedding"].as_str().expect("text")).expect("base64");
        let decoded: Vec<f32> = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        let plain: Vec<f32> = serde_json::from_value(numbers["data"][0]["embedding"].clone()).expect("numbers");
        assert_eq!(decoded, plain);
    }

    #[test]
    fn a_full_queue_asks_to_come_again() {
        let busy = failed(&Error::Busy);
        assert_eq!((busy.kind, busy.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
        assert_eq!(failed(&Error::Failed("x".into())).kind, ErrorKind::Failed);
    }
}
