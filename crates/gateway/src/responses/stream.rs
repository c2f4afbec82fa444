//! Streams of responses, made from streams of chat completions: each piece is told by the events that the official clients know.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Ended, Named, ResponsesRequest, function_call, message, text_part};
use crate::dialect::openai::stream::Chunks;
use crate::dialect::{Call, Piece};
use crate::stream::sse::{self, Event};
use crate::usage::{OpenAiUsage, Usage};

/// The most that is kept of an answer, in bytes of its texts and arguments as JSON, since each of them is told up to four times more
/// at its end. The longest answers of known models have half a megabyte.
const MOST_KEPT: usize = 8 << 20;
/// What a call counts besides its words: it is an item of its own, and there are a thousand at most.
const CALL: usize = 8 << 10;

/// Puts a stream of chunks in terms of a response's events. Give it each frame as it comes, and the end.
#[derive(Debug)]
pub struct ResponseStream {
    request: ResponsesRequest,
    named: Named,
    chunks: Chunks,
    model: String,
    /// How many events were told.
    told: u64,
    items: Vec<Item>,
    /// What the items count, of [`MOST_KEPT`].
    kept: usize,
    ended: Ended,
    /// The end was told.
    over: bool,
    usage: Option<Usage>,
}

/// An item of the output.
#[derive(Debug)]
struct Item {
    id: String,
    what: What,
    open: bool,
}

#[derive(Debug)]
enum What {
    Message(String),
    /// A call, with the number that the chunks know it by.
    Call(usize, Call),
}

impl Item {
    fn value(&self, status: &str) -> Value {
        match &self.what {
            What::Message(text) => message(&self.id, status, text),
            What::Call(_, call) => function_call(&self.id, status, call),
        }
    }
}

impl ResponseStream {
    pub(super) fn new(request: ResponsesRequest, named: Named) -> Self {
        let (chunks, model, items) = (Chunks::default(), String::new(), Vec::new());
        let ended = Ended::NotYet;
        Self { request, named, chunks, model, told: 0, items, kept: 0, ended, over: false, usage: None }
    }

    /// Takes a frame: one or several whole events of chat completions. Gives those to tell in its place, perhaps none. The last
    /// frame ends the response; an answer that is too large to be kept ends it before, as one that failed.
    pub fn frame(&mut self, bytes: &[u8], last: bool) -> Bytes {
        let mut out = String::new();
        let mut seen = 0;
        while !self.over
            && let Some(length) = sse::event_end(&bytes[seen..])
        {
            let event = Event::read(&bytes[seen..seen + length]);
            seen += length;
            if let Some(chunk) = event.data.and_then(|data| serde_json::from_slice::<Value>(&data).ok()) {
                self.chunk(&chunk, &mut out);
            }
        }
        if last && !self.over {
            self.end(&mut out);
        }
        out.into()
    }

    /// Whether the end was told: nothing comes after it, whatever frames do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn chunk(&mut self, chunk: &Value, out: &mut String) {
        if let Some(error) = chunk.get("error") {
            let message = error["message"].as_str().unwrap_or("the model's server failed while it answered");
            self.ended = Ended::Failed(message.to_owned());
            return;
        }
        let usage = serde_json::from_value::<OpenAiUsage>(chunk["usage"].clone()).ok().and_then(|usage| usage.usage());
        self.usage = usage.or(self.usage);
        for piece in self.chunks.read(chunk) {
            self.kept = self.kept.saturating_add(counted(&piece));
            if self.kept > MOST_KEPT {
                self.ended = Ended::Failed(format!("the answer is larger than {} MiB", MOST_KEPT >> 20));
                self.end(out);
                return;
            }
            match piece {
                Piece::Start { model, .. } => {
                    self.model = model;
                    self.begin(out);
                }
                Piece::Text(text) => self.text(&text, out),
                Piece::Call { call, id, name } => self.call(call, id, name, out),
                Piece::Arguments { call, text } => self.arguments(call, &text, out),
                Piece::Stop(stop) => self.ended = Ended::by(stop),
            }
        }
    }

    fn begin(&mut self, out: &mut String) {
        for kind in ["response.created", "response.in_progress"] {
            let response = self.request.response(&self.named, &self.model, &Ended::NotYet, &[], None);
            self.tell(kind, json!({ "response": response }), out);
        }
    }

    fn text(&mut self, text: &str, out: &mut String) {
        let at = match self.items.iter().position(|item| item.open && matches!(item.what, What::Message(_))) {
            Some(at) => at,
            None => self.open_message(out),
        };
        let item = &mut self.items[at];
        let id = item.id.clone();
        if let What::Message(whole) = &mut item.what {
            whole.push_str(text);
        }
        let delta = json!({ "item_id": id, "output_index": at, "content_index": 0, "delta": text, "logprobs": [] });
        self.tell("response.output_text.delta", delta, out);
    }

    fn open_message(&mut self, out: &mut String) -> usize {
        let at = self.items.len();
        let id = format!("msg_{}{at:02}", self.named.id);
        self.items.push(Item { id: id.clone(), what: What::Message(String::new()), open: true });
        let item = json!({ "id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": [] });
        self.tell("response.output_item.added", json!({ "output_index": at, "item": item }), out);
        let part = json!({ "item_id": id, "output_index": at, "content_index": 0, "part": text_part("") });
        self.tell("response.content_part.added", part, out);
        at
    }

    fn call(&mut self, number: usize, call_id: String, name: String, out: &mut String) {
        // What is said before a call is over with it; several calls may be written at the same time.
        if let Some(at) = self.items.iter().position(|item| item.open && matches!(item.what, What::Message(_))) {
            self.close(at, "completed", out);
        }
        let at = self.items.len();
        let call = Call { id: call_id, name, arguments: String::new() };
        let item = Item { id: format!("fc_{}{at:02}", self.named.id), what: What::Call(number, call), open: true };
        let value = item.value("in_progress");
        self.items.push(item);
        self.tell("response.output_item.added", json!({ "output_index": at, "item": value }), out);
    }

    fn arguments(&mut self, number: usize, text: &str, out: &mut String) {
        let is_it = |item: &Item| matches!(&item.what, What::Call(known, _) if *known == number);
        let Some(at) = self.items.iter().rposition(is_it) else { return };
        let item = &mut self.items[at];
        let id = item.id.clone();
        if let What::Call(_, call) = &mut item.what {
            call.arguments.push_str(text);
        }
        let delta = json!({ "item_id": id, "output_index": at, "delta": text });
        self.tell("response.function_call_arguments.delta", delta, out);
    }

    fn close(&mut self, at: usize, status: &str, out: &mut String) {
        self.items[at].open = false;
        let (id, item) = (self.items[at].id.clone(), self.items[at].value(status));
        match &self.items[at].what {
            What::Message(text) => {
                let text = text.clone();
                let place = json!({ "item_id": id, "output_index": at, "content_index": 0 });
                let with = |more: Value| joined(&place, more);
                self.tell("response.output_text.done", with(json!({ "text": text, "logprobs": [] })), out);
                self.tell("response.content_part.done", with(json!({ "part": text_part(&text) })), out);
            }
            What::Call(_, call) => {
                let done = json!({
                    "item_id": id, "output_index": at, "name": call.name, "arguments": call.arguments,
                });
                self.tell("response.function_call_arguments.done", done, out);
            }
        }
        self.tell("response.output_item.done", json!({ "output_index": at, "item": item }), out);
    }

    fn end(&mut self, out: &mut String) {
        self.over = true;
        if self.told == 0 {
            self.begin(out);
        }
        if self.ended == Ended::NotYet {
            self.ended = Ended::Failed("the model's server broke off its answer".into());
        }
        if self.items.is_empty() && matches!(self.ended, Ended::Completed | Ended::Incomplete(_)) {
            self.open_message(out);
        }
        let status = self.ended.of_item();
        for at in 0..self.items.len() {
            if self.items[at].open {
                self.close(at, status, out);
            }
        }
        let last = self.items.len().saturating_sub(1);
        let output = self.items.iter().enumerate();
        let output: Vec<Value> =
            output.map(|(at, item)| item.value(if at == last { status } else { "completed" })).collect();
        let response = self.request.response(&self.named, &self.model, &self.ended, &output, self.usage);
        let kind = match self.ended {
            Ended::Incomplete(_) => "response.incomplete",
            Ended::Failed(_) => "response.failed",
            Ended::NotYet | Ended::Completed => "response.completed",
        };
        self.tell(kind, json!({ "response": response }), out);
    }

    fn tell(&mut self, kind: &str, about: Value, out: &mut String) {
        let event = joined(&json!({ "type": kind, "sequence_number": self.told }), about);
        self.told += 1;
        out.push_str(&format!("event: {kind}\ndata: {event}\n\n"));
    }
}

/// What a piece counts of [`MOST_KEPT`].
fn counted(piece: &Piece) -> usize {
    match piece {
        Piece::Text(text) | Piece::Arguments { text, .. } => as_json(text),
        Piece::Call { id, name, .. } => CALL + as_json(id) + as_json(name),
        Piece::Start { .. } | Piece::Stop(_) => 0,
    }
}

/// The bytes of a text in JSON, where a control character has six.
fn as_json(text: &str) -> usize {
    let length = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

/// One object out of two.
fn joined(first: &Value, second: Value) -> Value {
    let mut all: Map<String, Value> = first.as_object().cloned().unwrap_or_default();
    if let Value::Object(second) = second {
        all.extend(second);
    }
    Value::Object(all)
}
