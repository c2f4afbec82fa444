//! What a scripted model server does with a call.

use std::time::Duration;

use serde_json::{Value, json};

/// How a call is answered.
#[derive(Debug, Clone)]
pub struct Script {
    /// What the model says.
    pub text: String,
    /// Into how many chunks a stream cuts the text; at least one.
    pub pieces: usize,
    /// A tool that it calls then, with its arguments as JSON text.
    pub tool: Option<(String, String)>,
    /// Input and output tokens that it claims; none leaves usage out.
    pub usage: Option<(u64, u64)>,
    /// Before the head of the answer.
    pub delay: Duration,
    /// Between two frames of a stream. Without it all frames go out in one write.
    pub gap: Duration,
    /// How many numbers its vectors have, each made of the words of its text; none for three that are always the same.
    pub size: Option<usize>,
    /// What goes wrong.
    pub fault: Fault,
}

/// What goes wrong with a call. Numbers are frames of a stream that go out before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// No answer, ever.
    Silent,
    /// The connection is reset instead of an answer.
    Reset,
    /// An error with this status, perhaps a `Retry-After` in seconds, and this body.
    Status(u16, Option<u64>, String),
    /// 400 for each call whose body has this word, as of a server that does not take some text.
    Refuses(String),
    /// So many frames, then silence.
    Stalls(usize),
    /// So many frames, then a reset.
    ResetsAfter(usize),
    /// So many frames, then the end of the body as if all were well.
    Truncated(usize),
    /// So many frames, then a frame that is no JSON, and silence.
    Malformed(usize),
    /// So many frames, then an error in the stream.
    FailsAfter(usize),
    /// So many frames, then an event without end: two megabytes, and silence.
    Endless(usize),
    /// These frames as they stand, and the end of the body; for a whole answer the first one is the body.
    Raw(Vec<String>),
    /// This body with this content type, streamed or not.
    Body(String, String),
}

impl Default for Script {
    /// "Hello there." in three pieces for 10 input and 5 output tokens, at once.
    fn default() -> Self {
        Self {
            text: "Hello there.".into(),
            pieces: 3,
            tool: None,
            usage: Some((10, 5)),
            delay: Duration::ZERO,
            gap: Duration::ZERO,
            size: None,
            fault: Fault::None,
        }
    }
}

impl Script {
    /// The default, but for what goes wrong.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    /// The default, but with vectors of so many numbers: texts that share words are near to each other.
    #[must_use]
    pub fn vectors(size: usize) -> Self {
        Self { size: Some(size), ..Self::default() }
    }

    /// The default, but for the tokens that it claims.
    #[must_use]
    pub fn usage(input: u64, output: u64) -> Self {
        Self { usage: Some((input, output)), ..Self::default() }
    }
}

/// A script with its answers as they go over the wire.
pub(super) struct Written {
    pub(super) script: Script,
    /// With head and length.
    pub(super) chat: Vec<u8>,
    pub(super) message: Vec<u8>,
    /// Frames in chunked coding, without the head.
    pub(super) chat_stream: Vec<Vec<u8>>,
    pub(super) chat_stream_with_usage: Vec<Vec<u8>>,
    pub(super) message_stream: Vec<Vec<u8>>,
}

impl Script {
    pub(super) fn written(&self) -> Written {
        let raw = match &self.fault {
            Fault::Raw(frames) => Some(frames.clone()),
            _ => None,
        };
        let frames = |own: Vec<String>| raw.clone().unwrap_or(own).into_iter().map(|frame| chunk(&frame)).collect();
        let whole =
            |own: Value| answer(200, "application/json", &raw.as_ref().map_or(own.to_string(), |raw| raw.concat()), "");
        Written {
            chat: whole(self.chat()),
            message: whole(self.message()),
            chat_stream: frames(self.chat_frames(false)),
            chat_stream_with_usage: frames(self.chat_frames(true)),
            message_stream: frames(self.message_frames()),
            script: self.clone(),
        }
    }

    fn cut(&self) -> Vec<String> {
        let letters: Vec<char> = self.text.chars().collect();
        let size = letters.len().div_ceil(self.pieces.max(1)).max(1);
        letters.chunks(size).map(|piece| piece.iter().collect()).collect()
    }

    fn chat_usage(&self) -> Option<Value> {
        let (input, output) = self.usage?;
        Some(json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}))
    }

    fn chat(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text, "refusal": null});
        if let Some((name, arguments)) = &self.tool {
            let function = json!({"name": name, "arguments": arguments});
            message["tool_calls"] = json!([{"id": "call_1", "type": "function", "function": function}]);
        }
        let reason = if self.tool.is_some() { "tool_calls" } else { "stop" };
        let mut answer = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_767_225_600, "model": "scripted",
            "choices": [{"index": 0, "finish_reason": reason, "logprobs": null, "message": message}],
        });
        if let Some(usage) = self.chat_usage() {
            answer["usage"] = usage;
        }
        answer
    }

    fn chat_frames(&self, usage: bool) -> Vec<String> {
        let frame = |choices: Value, usage: Option<Value>| {
            let mut chunk = json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": "scripted",
                "choices": choices,
            });
            if let Some(usage) = usage {
                chunk["usage"] = usage;
            }
            format!("data: {chunk}\n\n")
        };
        let delta = |delta: Value, reason: Value| {
            frame(json!([{"index": 0, "delta": delta, "finish_reason": reason}]), usage.then_some(Value::Null))
        };
        let mut frames = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
        frames.extend(self.cut().into_iter().map(|piece| delta(json!({"content": piece}), Value::Null)));
        if let Some((name, arguments)) = &self.tool {
            let begin =
                json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}});
            frames.push(delta(json!({"tool_calls": [begin]}), Value::Null));
            let (a, b) = arguments.split_at(arguments.len() / 2);
            for part in [a, b] {
                frames.push(delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}), Value::Null));
            }
        }
        frames.push(delta(json!({}), if self.tool.is_some() { "tool_calls" } else { "stop" }.into()));
        if usage && let Some(usage) = self.chat_usage() {
            frames.push(frame(json!([]), Some(usage)));
        }
        frames.push("data: [DONE]\n\n".into());
        frames
    }

    fn message(&self) -> Value {
        let mut content = vec![json!({"type": "text", "text": self.text})];
        if let Some((name, arguments)) = &self.tool {
            let input: Value = serde_json::from_str(arguments).unwrap_or_default();
            content.push(json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": input}));
        }
        let mut answer = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": content,
            "stop_reason": if self.tool.is_some() { "tool_use" } else { "end_turn" }, "stop_sequence": null,
        });
        if let Some((input, output)) = self.usage {
            answer["usage"] = json!({"input_tokens": input, "output_tokens": output,
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0});
        }
        answer
    }

    fn message_frames(&self) -> Vec<String> {
        let frame = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or(""));
        let mut message = self.message();
        message["content"] = json!([]);
        message["stop_reason"] = Value::Null;
        if self.usage.is_some() {
            message["usage"]["output_tokens"] = 1.into();
        }
        let mut frames = vec![
            frame(json!({"type": "message_start", "message": message})),
            frame(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
            frame(json!({"type": "ping"})),
        ];
        frames.extend(self.cut().into_iter().map(|text| {
            frame(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}))
        }));
        frames.push(frame(json!({"type": "content_block_stop", "index": 0})));
        if let Some((name, arguments)) = &self.tool {
            let block = json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": {}});
            frames.push(frame(json!({"type": "content_block_start", "index": 1, "content_block": block})));
            let (a, b) = arguments.split_at(arguments.len() / 2);
            for part in [a, b] {
                let delta = json!({"type": "input_json_delta", "partial_json": part});
                frames.push(frame(json!({"type": "content_block_delta", "index": 1, "delta": delta})));
            }
            frames.push(frame(json!({"type": "content_block_stop", "index": 1})));
        }
        let reason = if self.tool.is_some() { "tool_use" } else { "end_turn" };
        let mut end = json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}});
        if let Some((_, output)) = self.usage {
            end["usage"] = json!({"output_tokens": output});
        }
        frames.push(frame(end));
        frames.push(frame(json!({"type": "message_stop"})));
        frames
    }
}

/// A frame in chunked coding (RFC 9112 section 7.1).
pub(super) fn chunk(frame: &str) -> Vec<u8> {
    format!("{:x}\r\n{frame}\r\n", frame.len()).into_bytes()
}

/// An answer with its head.
pub(super) fn answer(status: u16, kind: &str, body: &str, more: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{more}\r\n{body}")
        .into_bytes()
}
