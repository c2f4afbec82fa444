//! Streams of chat completions.

use serde_json::{Value, json};

use super::super::Piece;
use super::{stop_from, stop_to, usage_to};
use crate::usage::Usage;

/// Reads chunks that were mended before.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    started: bool,
}

impl Chunks {
    pub(crate) fn read(&mut self, chunk: &Value) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if !self.started {
            self.started = true;
            let text = |name: &str| chunk[name].as_str().unwrap_or("").to_owned();
            pieces.push(Piece::Start { id: text("id"), model: text("model") });
        }
        // Only one choice is asked for across dialects.
        let Some(choice) = chunk["choices"].get(0) else { return pieces };
        let delta = &choice["delta"];
        for name in ["content", "refusal"] {
            if let Some(text) = delta[name].as_str().filter(|text| !text.is_empty()) {
                pieces.push(Piece::Text(text.to_owned()));
            }
        }
        for part in delta["tool_calls"].as_array().into_iter().flatten() {
            let call = part["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
            let function = &part["function"];
            if let (Some(id), Some(name)) = (part["id"].as_str(), function["name"].as_str()) {
                pieces.push(Piece::Call { call, id: id.to_owned(), name: name.to_owned() });
            }
            if let Some(text) = function["arguments"].as_str().filter(|text| !text.is_empty()) {
                pieces.push(Piece::Arguments { call, text: text.to_owned() });
            }
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            pieces.push(Piece::Stop(stop_from(Some(reason))));
        }
        pieces
    }
}

/// Writes chunks.
#[derive(Debug)]
pub(crate) struct Writer {
    show_usage: bool,
    created: i64,
    id: String,
    model: String,
}

impl Writer {
    pub(crate) fn new(show_usage: bool, created: i64) -> Self {
        Self { show_usage, created, id: String::new(), model: String::new() }
    }

    pub(crate) fn piece(&mut self, piece: Piece, out: &mut String) {
        let (delta, reason) = match piece {
            Piece::Start { id, model } => {
                (self.id, self.model) = (id, model);
                (json!({"role": "assistant", "content": ""}), None)
            }
            Piece::Text(text) => (json!({"content": text}), None),
            Piece::Call { call, id, name } => {
                let begun =
                    json!({"index": call, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
                (json!({"tool_calls": [begun]}), None)
            }
            Piece::Arguments { call, text } => {
                (json!({"tool_calls": [{"index": call, "function": {"arguments": text}}]}), None)
            }
            Piece::Stop(stop) => (json!({}), Some(stop_to(stop))),
        };
        let choices = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]);
        self.chunk(&choices, None, out);
    }

    pub(crate) fn end(&mut self, usage: Option<Usage>, out: &mut String) {
        if let (true, Some(usage)) = (self.show_usage, usage) {
            self.chunk(&json!([]), Some(usage_to(usage)), out);
        }
        out.push_str("data: [DONE]\n\n");
    }

    fn chunk(&self, choices: &Value, usage: Option<Value>, out: &mut String) {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model, "choices": choices,
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        } else if self.show_usage {
            chunk["usage"] = Value::Null;
        }
        out.push_str(&format!("data: {chunk}\n\n"));
    }
}
