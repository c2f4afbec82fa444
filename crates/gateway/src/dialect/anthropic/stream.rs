//! Streams of messages.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::{Piece, Stop};
use super::{stop_from, stop_to, usage_to};
use crate::usage::Usage;

/// Reads events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// The calls of tools by the index of their block.
    calls: HashMap<u64, Begun>,
}

/// A call of a tool whose block began.
#[derive(Debug)]
struct Begun {
    call: usize,
    /// Its arguments when its block ends without any: those that it began with, as a rule `{}`. OpenAI's clients parse what they put
    /// together, and nothing is no JSON.
    input: Option<String>,
}

impl Events {
    pub(crate) fn read(&mut self, event: &Value) -> Option<Piece> {
        let block = event["index"].as_u64().unwrap_or(0);
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match event["type"].as_str()? {
            "message_start" => {
                let message = &event["message"];
                let part = |name: &str| message[name].as_str().unwrap_or("").to_owned();
                Some(Piece::Start { id: part("id"), model: part("model") })
            }
            "content_block_start" if event["content_block"]["type"] == "tool_use" => {
                let call = self.calls.len();
                let input = &event["content_block"]["input"];
                let input = Some(if input.is_object() { input.to_string() } else { "{}".to_owned() });
                self.calls.insert(block, Begun { call, input });
                let part = |name: &str| event["content_block"][name].as_str().unwrap_or("").to_owned();
                Some(Piece::Call { call, id: part("id"), name: part("name") })
            }
            "content_block_start" => text(&event["content_block"]["text"]).map(Piece::Text),
            "content_block_delta" => match event["delta"]["type"].as_str()? {
                "text_delta" => text(&event["delta"]["text"]).map(Piece::Text),
                "input_json_delta" => {
                    let begun = self.calls.get_mut(&block)?;
                    let text = text(&event["delta"]["partial_json"])?;
                    begun.input = None;
                    Some(Piece::Arguments { call: begun.call, text })
                }
                _ => None,
            },
            "content_block_stop" => {
                let begun = self.calls.get_mut(&block)?;
                begun.input.take().map(|text| Piece::Arguments { call: begun.call, text })
            }
            "message_delta" => {
                event["delta"]["stop_reason"].as_str().map(|reason| Piece::Stop(stop_from(Some(reason))))
            }
            _ => None,
        }
    }
}

/// Writes events. Blocks stand one behind the other: one ends when the next begins.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    blocks: u64,
    open: Option<Open>,
    /// The blocks of calls.
    calls: HashMap<usize, u64>,
    stop: Option<Stop>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Call,
}

impl Writer {
    pub(crate) fn piece(&mut self, piece: Piece, out: &mut String) {
        match piece {
            Piece::Start { id, model } => {
                let usage = usage_to(Usage::default());
                let message = json!({
                    "id": id, "type": "message", "role": "assistant", "model": model, "content": [],
                    "stop_reason": null, "stop_sequence": null, "usage": usage,
                });
                event(&json!({"type": "message_start", "message": message}), out);
            }
            Piece::Text(text) => {
                if self.open != Some(Open::Text) {
                    self.begin(Open::Text, &json!({"type": "text", "text": ""}), out);
                }
                let delta = json!({"type": "text_delta", "text": text});
                event(&json!({"type": "content_block_delta", "index": self.blocks - 1, "delta": delta}), out);
            }
            Piece::Call { call, id, name } => {
                self.begin(Open::Call, &json!({"type": "tool_use", "id": id, "name": name, "input": {}}), out);
                self.calls.insert(call, self.blocks - 1);
            }
            Piece::Arguments { call, text } => {
                let Some(index) = self.calls.get(&call) else { return };
                let delta = json!({"type": "input_json_delta", "partial_json": text});
                event(&json!({"type": "content_block_delta", "index": index, "delta": delta}), out);
            }
            Piece::Stop(stop) => self.stop = Some(stop),
        }
    }

    pub(crate) fn end(&mut self, usage: Option<Usage>, out: &mut String) {
        self.close(out);
        let delta = json!({"stop_reason": stop_to(self.stop.unwrap_or(Stop::End)), "stop_sequence": null});
        let usage = usage_to(usage.unwrap_or_default());
        event(&json!({"type": "message_delta", "delta": delta, "usage": usage}), out);
        event(&json!({"type": "message_stop"}), out);
    }

    fn begin(&mut self, open: Open, block: &Value, out: &mut String) {
        self.close(out);
        event(&json!({"type": "content_block_start", "index": self.blocks, "content_block": block}), out);
        self.blocks += 1;
        self.open = Some(open);
    }

    fn close(&mut self, out: &mut String) {
        if self.open.take().is_some() {
            event(&json!({"type": "content_block_stop", "index": self.blocks - 1}), out);
        }
    }
}

fn event(data: &Value, out: &mut String) {
    out.push_str(&format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or("")));
}
