//! How many input tokens a request can have at most, without a tokeniser.
//!
//! The rule: a token is at least one byte of text, so text counts its bytes, and there is added
//! - 16 for each message (roles and marks between turns: 3 to 7 tokens with all known templates), and 16 once (the answer's head);
//! - 1,000 when tools or functions are given (the upstream's own instructions about tools, up to about 700), besides their bytes;
//! - for each picture what the model counts it as at most, which its price says; its base64 data is no text.
//!
//! Fields that are not known here count the bytes of their JSON, beside the messages as inside them, since an upstream may put them into
//! the prompt as such (`prediction`, `documents`, `response_format`); so do calls of tools, audio, files and documents, base64 included.
//! What only points at something (a file's id, a document's URL), films, and tools that the provider runs by itself have no bound and are
//! refused: money cannot be held for them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::RequestError;

const PER_MESSAGE: u64 = 16;
const TOOLS: u64 = 1_000;
/// How deep content may hold content; results of tools do once.
const DEPTH: u32 = 8;

/// Tools that the client runs, by how their types begin; Anthropic's have a version behind it.
const OF_THE_CLIENT: [&str; 6] = ["function", "custom", "bash_", "text_editor_", "computer_", "memory_"];

/// The sum so far.
#[derive(Default)]
pub(super) struct Bound {
    tokens: u64,
    pictures: u64,
}

impl Bound {
    /// Tokens of all but pictures.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Pictures.
    pub(super) fn pictures(&self) -> u64 {
        self.pictures
    }

    fn add(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    fn take(&mut self, counter: &Counter) {
        self.add(counter.tokens);
        self.pictures = self.pictures.saturating_add(counter.pictures);
    }

    /// A list of messages, which must not be empty.
    pub(super) fn messages(&mut self, param: &'static str, raw: Option<&RawValue>) -> Result<(), RequestError> {
        let raw = raw.ok_or_else(|| RequestError::at(param, "is missing"))?;
        if !raw.get().starts_with('[') {
            return Err(RequestError::at(param, "must be a list"));
        }
        let mut counter = Counter::default();
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        Messages(&mut counter).deserialize(&mut deserializer).map_err(|error| {
            let n = counter.messages;
            if error.is_data() {
                RequestError::at(format!("{param}[{n}]"), words(&error))
            } else {
                RequestError::at(format!("{param}[{n}]"), "is not JSON, or nested too deeply")
            }
        })?;
        if counter.messages == 0 {
            return Err(RequestError::at(param, "must not be empty"));
        }
        if let Some((n, what)) = counter.unbounded {
            return Err(RequestError::at(format!("{param}[{n}]"), pointing(what)));
        }
        self.take(&counter);
        self.add(PER_MESSAGE.saturating_mul(counter.messages as u64 + 1));
        Ok(())
    }

    /// Anthropic's `system`: text, or blocks of text.
    pub(super) fn system(&mut self, raw: Option<&RawValue>) -> Result<(), RequestError> {
        let Some(raw) = raw else { return Ok(()) };
        self.add(PER_MESSAGE);
        self.any("system", raw)
    }

    /// Tools or functions: their bytes, and what the upstream says around them.
    pub(super) fn tools(&mut self, param: &'static str, raw: Option<&RawValue>) -> Result<(), RequestError> {
        #[derive(Deserialize)]
        struct Tool {
            #[serde(rename = "type")]
            kind: Option<String>,
        }
        let Some(raw) = raw.filter(|raw| !matches!(raw.get(), "null" | "[]")) else { return Ok(()) };
        self.add(TOOLS);
        self.add(raw.get().len() as u64);
        let wrong = |_| RequestError::at(param, "must be a list of objects whose `type`, if any, is text");
        let tools: Vec<Tool> = serde_json::from_str(raw.get()).map_err(wrong)?;
        let of_the_client = |kind: &str| OF_THE_CLIENT.iter().any(|known| kind.starts_with(known));
        match tools.iter().position(|tool| tool.kind.as_deref().is_some_and(|kind| !of_the_client(kind))) {
            None => Ok(()),
            Some(n) => {
                let message = "is run by the provider, and nothing bounds what it reads and costs: leave it out";
                Err(RequestError::at(format!("{param}[{n}]"), message))
            }
        }
    }

    /// A field that lets the provider do what costs more than tokens, or ask another model.
    pub(super) fn unbounded(param: &'static str, raw: Option<&RawValue>) -> Result<(), RequestError> {
        match raw.map(RawValue::get) {
            None | Some("null" | "[]") => Ok(()),
            Some(_) => Err(RequestError::at(param, "has no bound on what it costs: leave it out")),
        }
    }

    /// The bytes of fields that are not read, and may reach the prompt as JSON.
    pub(super) fn others(&mut self, bytes: usize) {
        self.add(bytes as u64);
    }

    /// `input` of embeddings: text, texts, tokens, or lists of tokens.
    pub(super) fn embedding_input(&mut self, raw: Option<&RawValue>) -> Result<(), RequestError> {
        let raw = raw.ok_or_else(|| RequestError::at("input", "is missing"))?;
        if !raw.get().starts_with(['"', '[']) || raw.get() == "[]" {
            return Err(RequestError::at("input", "must be text or a list that is not empty"));
        }
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        let tokens = EmbeddingInput(0)
            .deserialize(&mut deserializer)
            .map_err(|_| RequestError::at("input", "must hold text or whole numbers alone"))?;
        self.add(tokens);
        Ok(())
    }

    fn any(&mut self, param: &'static str, raw: &RawValue) -> Result<(), RequestError> {
        let mut counter = Counter::default();
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        let seed = Content { counter: &mut counter, depth: 0 };
        seed.deserialize(&mut deserializer).map_err(|error| RequestError::at(param, words(&error)))?;
        if let Some((_, what)) = counter.unbounded {
            return Err(RequestError::at(param, pointing(what)));
        }
        self.take(&counter);
        Ok(())
    }
}

/// The words of an error of ours, without serde's place, which is one inside the field.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((words, _)) if !words.starts_with("invalid type") => words.to_owned(),
        _ => "must be an object".to_owned(),
    }
}

fn pointing(what: &str) -> String {
    match what {
        "film" => "a part is a film, and nothing bounds how many tokens it is".to_owned(),
        what => format!("a part points at a {what}, whose size is not known: send its content instead"),
    }
}

#[derive(Default)]
struct Counter {
    tokens: u64,
    pictures: u64,
    /// The first part without a bound: its message and what it points at.
    unbounded: Option<(usize, &'static str)>,
    messages: usize,
}

impl Counter {
    fn add(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    fn points_at(&mut self, what: &'static str) {
        self.unbounded.get_or_insert((self.messages, what));
    }
}

struct Messages<'a>(&'a mut Counter);

impl<'de> DeserializeSeed<'de> for Messages<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Message(self.0))?.is_some() {
            self.0.messages += 1;
        }
        Ok(())
    }
}

struct Message<'a>(&'a mut Counter);

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        object(self.0, 0, map)
    }
}

/// Content: text, a part, or a list of parts.
struct Content<'a> {
    counter: &'a mut Counter,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a list of parts")
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.counter.add(text.len() as u64);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        while list.next_element_seed(Content { counter: &mut *self.counter, depth })?.is_some() {
            // Upstreams join parts with a mark or a line break.
            self.counter.add(1);
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        object(self.counter, deeper(self.depth)?, map)
    }
}

fn deeper<E: serde::de::Error>(depth: u32) -> Result<u32, E> {
    if depth >= DEPTH { Err(E::custom("is nested too deeply")) } else { Ok(depth + 1) }
}

/// Counts a message or a part. The keys `role`, `content`, `type` and `text` count nothing, their values do.
fn object<'de, A: MapAccess<'de>>(counter: &mut Counter, depth: u32, mut map: A) -> Result<(), A::Error> {
    let mut image = false;
    let mut source: Option<&RawValue> = None;
    while let Some(key) = map.next_key::<Key>()? {
        match key {
            Key::Content => map.next_value_seed(Content { counter: &mut *counter, depth })?,
            Key::Text => counter.add(map.next_value::<TextLength>()?.0),
            Key::Type => {
                let kind: &RawValue = map.next_value()?;
                counter.add(kind.get().len() as u64);
                image = kind.get() == "\"image\"";
            }
            Key::ImageUrl => {
                counter.pictures += 1;
                counter.add(map.next_value::<&RawValue>().map(beside_image)?);
            }
            Key::Source => source = Some(map.next_value()?),
            Key::File => {
                let file: &RawValue = map.next_value()?;
                counter.add(file.get().len() as u64);
                if serde_json::from_str::<Pointer>(file.get()).is_ok_and(|file| file.file_id.is_some()) {
                    counter.points_at("file");
                }
            }
            Key::Points(what) => {
                let value: &RawValue = map.next_value()?;
                counter.add(value.get().len() as u64);
                counter.points_at(what);
            }
            Key::Other(length) => {
                let value: &RawValue = map.next_value()?;
                counter.add(length + 4 + value.get().len() as u64);
            }
        }
    }
    if let Some(source) = source {
        close_source(counter, image, source);
    }
    Ok(())
}

/// The bytes of `image_url` that are no picture: all of it, but for a `data:image/` URL.
fn beside_image(raw: &RawValue) -> u64 {
    #[derive(Deserialize)]
    struct Detailed<'a> {
        #[serde(borrow)]
        url: &'a RawValue,
    }
    let url = serde_json::from_str::<Detailed<'_>>(raw.get()).map_or(raw.get(), |detailed| detailed.url.get());
    let data = if url.starts_with("\"data:image/") { url.len() } else { 0 };
    (raw.get().len() - data) as u64
}

/// Where a part's content comes from, in Anthropic's dialect.
#[derive(Deserialize)]
struct Source<'a> {
    #[serde(rename = "type")]
    kind: String,
    media_type: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Anthropic's `{"type": …, "source": {"type": base64|url|file|text|content, …}}`.
fn close_source(counter: &mut Counter, image: bool, raw: &RawValue) {
    let length = raw.get().len() as u64;
    if image {
        counter.pictures += 1;
    }
    let picture = match serde_json::from_str::<Source<'_>>(raw.get()) {
        Ok(source) if matches!(source.kind.as_str(), "url" | "file") => {
            if !image {
                counter.points_at("document");
            }
            0
        }
        Ok(Source { kind, media_type: Some(media), data: Some(data) })
            if image && kind == "base64" && media.starts_with("image/") =>
        {
            data.get().len() as u64
        }
        _ => 0,
    };
    counter.add(length - picture);
}

#[derive(Deserialize)]
struct Pointer {
    file_id: Option<IgnoredAny>,
}

enum Key {
    Content,
    Text,
    Type,
    ImageUrl,
    Source,
    File,
    /// What has no bound.
    Points(&'static str),
    Other(u64),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "content" => Key::Content,
                    "role" | "text" => Key::Text,
                    "type" => Key::Type,
                    "image_url" => Key::ImageUrl,
                    "source" => Key::Source,
                    "file" => Key::File,
                    "file_id" => Key::Points("file"),
                    "audio_url" => Key::Points("recording"),
                    "video" | "video_url" | "input_video" => Key::Points("film"),
                    other => Key::Other(other.len() as u64),
                })
            }
        }
        deserializer.deserialize_str(Read)
    }
}

/// The bytes of a text.
struct TextLength(u64);

impl<'de> Deserialize<'de> for TextLength {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = TextLength;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, text: &str) -> Result<TextLength, E> {
                Ok(TextLength(text.len() as u64))
            }
            fn visit_unit<E>(self) -> Result<TextLength, E> {
                Ok(TextLength(0))
            }
        }
        deserializer.deserialize_any(Read).map_err(|_| D::Error::custom("`role` and `text` must be text"))
    }
}

/// Counts `input` of embeddings: bytes of text, one for a token; an element more for each list's entry.
struct EmbeddingInput(u32);

impl<'de> DeserializeSeed<'de> for EmbeddingInput {
    type Value = u64;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EmbeddingInput {
    type Value = u64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or tokens")
    }
    fn visit_str<E>(self, text: &str) -> Result<u64, E> {
        // Marks before and after, as BERT-like models count them.
        Ok(text.len() as u64 + 2)
    }
    fn visit_u64<E>(self, _: u64) -> Result<u64, E> {
        Ok(1)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<u64, A::Error> {
        if self.0 >= 2 {
            return Err(A::Error::custom("nested too deeply"));
        }
        let mut sum = 2u64;
        while let Some(tokens) = list.next_element_seed(EmbeddingInput(self.0 + 1))? {
            sum = sum.saturating_add(tokens);
        }
        Ok(sum)
    }
}
