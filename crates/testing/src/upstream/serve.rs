//! One connection to a scripted model server.

use std::borrow::Cow;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::script::{Fault, Written, answer, chunk};
use super::{Asked, State};

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const END: &[u8] = b"0\r\n\r\n";

/// Answers requests until the client goes away or a script breaks the connection.
pub(super) async fn connection(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::with_capacity(4096);
    while let Ok(Some(request)) = read(&mut stream, &mut buffer).await {
        let went_on = call(&mut stream, &state, &buffer, &request).await;
        match went_on {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                state.counts.cancelled.fetch_add(1, Ordering::SeqCst);
                state.changed.send_modify(|changes| *changes += 1);
                return;
            }
        }
        state.changed.send_modify(|changes| *changes += 1);
        buffer.drain(..request.length);
    }
}

/// Where a request stands in the buffer.
struct Request {
    path: String,
    head: usize,
    length: usize,
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or("").to_owned();
    let body: usize = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    while buffer.len() < head + body {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Request { path, head, length: head + body }))
}

#[derive(Deserialize, Default)]
struct Body<'a> {
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    encoding_format: Option<String>,
}

#[derive(Deserialize, Default)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// Answers one call. `Ok(false)` when the script broke the connection, an error when the client did.
async fn call(stream: &mut TcpStream, state: &State, buffer: &[u8], request: &Request) -> io::Result<bool> {
    let bytes = &buffer[request.head..request.length];
    let body: Body<'_> = serde_json::from_slice(bytes).unwrap_or_default();
    state.counts.calls.fetch_add(1, Ordering::SeqCst);
    state.changed.send_modify(|changes| *changes += 1);
    if state.keep.load(Ordering::Relaxed) {
        state.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Asked {
            path: request.path.clone(),
            head: String::from_utf8_lossy(&buffer[..request.head]).into_owned(),
            body: String::from_utf8_lossy(bytes).into_owned(),
        });
    }
    if request.path.ends_with("/models") {
        let models = json!({"object": "list", "data": [{"id": "scripted", "object": "model", "created": 1, "owned_by": "test"}]});
        stream.write_all(&answer(200, "application/json", &models.to_string(), "")).await?;
        return Ok(true);
    }
    let Some(written) = state.choose(&body.model) else { return Ok(false) };
    let script = &written.script;
    wait(stream, script.delay).await?;
    match &script.fault {
        Fault::Silent => return gone(stream).await,
        Fault::Reset => return reset(stream),
        Fault::Status(status, retry_after, text) => {
            let more = retry_after.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
            let kind = if text.starts_with('{') { "application/json" } else { "text/plain" };
            stream.write_all(&answer(*status, kind, text, &more)).await?;
            return Ok(true);
        }
        Fault::Refuses(word) if String::from_utf8_lossy(bytes).contains(word.as_str()) => {
            let error = json!({"error": {"type": "invalid_request_error", "message": "This text is not taken."}});
            stream.write_all(&answer(400, "application/json", &error.to_string(), "")).await?;
            return Ok(true);
        }
        Fault::Body(kind, text) => {
            stream.write_all(&answer(200, kind, text, "")).await?;
            return Ok(true);
        }
        _ => {}
    }
    let (input, output) = script.usage.unwrap_or((0, 0));
    state.counts.input.fetch_add(input, Ordering::SeqCst);
    let messages = request.path.ends_with("/messages");
    let went_on = if request.path.ends_with("/embeddings") {
        stream.write_all(&embeddings(&body, input, script.size)).await?;
        true
    } else if body.stream {
        let frames = match (messages, body.stream_options.unwrap_or_default().include_usage) {
            (true, _) => &written.message_stream,
            (false, true) => &written.chat_stream_with_usage,
            (false, false) => &written.chat_stream,
        };
        streamed(stream, &written, frames, messages).await?
    } else {
        stream.write_all(if messages { &written.message } else { &written.chat }).await?;
        true
    };
    if went_on {
        state.counts.output.fetch_add(output, Ordering::SeqCst);
        state.counts.complete.fetch_add(1, Ordering::SeqCst);
    }
    Ok(went_on)
}

async fn streamed(stream: &mut TcpStream, written: &Written, frames: &[Vec<u8>], messages: bool) -> io::Result<bool> {
    let script = &written.script;
    let most = match &script.fault {
        Fault::Stalls(n)
        | Fault::ResetsAfter(n)
        | Fault::Truncated(n)
        | Fault::Malformed(n)
        | Fault::FailsAfter(n)
        | Fault::Endless(n) => *n,
        _ => frames.len(),
    };
    let frames = &frames[..most.min(frames.len())];
    if script.gap.is_zero() {
        let all = [STREAM_HEAD, &frames.concat()].concat();
        stream.write_all(&all).await?;
    } else {
        let first = frames.first().map_or(&[][..], Vec::as_slice);
        stream.write_all(&[STREAM_HEAD, first].concat()).await?;
        for frame in frames.iter().skip(1) {
            wait(stream, script.gap).await?;
            stream.write_all(frame).await?;
        }
    }
    match &script.fault {
        Fault::Stalls(_) => gone(stream).await,
        Fault::ResetsAfter(_) => reset(stream),
        Fault::Malformed(_) => {
            stream.write_all(&chunk("data: {\"choices\":[{\n\n")).await?;
            gone(stream).await
        }
        Fault::Endless(_) => {
            stream.write_all(&chunk(&format!("data: \"{}", "x".repeat(2 << 20)))).await?;
            gone(stream).await
        }
        Fault::FailsAfter(_) => {
            let error = if messages {
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "secret words"}})
            } else {
                json!({"error": {"type": "server_error", "message": "secret words"}})
            };
            let name = if messages { "event: error\n" } else { "" };
            stream.write_all(&chunk(&format!("{name}data: {error}\n\n"))).await?;
            stream.write_all(END).await?;
            Ok(true)
        }
        _ => {
            stream.write_all(END).await?;
            Ok(true)
        }
    }
}

/// As many vectors as there are inputs: of a size, or of three numbers.
fn embeddings(body: &Body<'_>, input: u64, size: Option<usize>) -> Vec<u8> {
    let count =
        body.input.as_array().filter(|list| list.first().is_some_and(|first| !first.is_number())).map_or(1, Vec::len);
    let vector = match body.encoding_format.as_deref() {
        // 0.5, -0.25 and 1 as little-endian float32.
        Some("base64") => json!("AAAAPwAAgL4AAIA/"),
        _ => json!([0.5, -0.25, 1.0]),
    };
    let data: Vec<Value> = (0..count)
        .map(|index| {
            let text = body.input.get(index).unwrap_or(&body.input).as_str().unwrap_or("");
            let vector = size.map_or_else(|| vector.clone(), |size| json!(of_words(text, size)));
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let usage = json!({"prompt_tokens": input, "total_tokens": input});
    let body = json!({"object": "list", "model": "scripted", "data": data, "usage": usage});
    answer(200, "application/json", &body.to_string(), "")
}

/// A vector that counts the words of a text.
fn of_words(text: &str, size: usize) -> Vec<f32> {
    let mut vector = vec![0.01; size];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash =
            word.to_lowercase().bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        vector[hash % size] += 1.0;
    }
    vector
}

/// Waits, unless the client goes away.
async fn wait(stream: &mut TcpStream, time: Duration) -> io::Result<()> {
    if time.is_zero() {
        return Ok(());
    }
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        error = left(stream) => Err(error),
    }
}

/// Says nothing until the client goes away.
async fn gone(stream: &mut TcpStream) -> io::Result<bool> {
    Err(left(stream).await)
}

async fn left(stream: &TcpStream) -> io::Error {
    let mut byte = [0];
    match stream.peek(&mut byte).await {
        Ok(0) => io::ErrorKind::ConnectionAborted.into(),
        // The next request came before the answer to this one, which no client of ours does.
        Ok(_) => io::ErrorKind::InvalidData.into(),
        Err(error) => error,
    }
}

/// Ends the connection by a reset instead of an orderly end.
fn reset(stream: &TcpStream) -> io::Result<bool> {
    stream.set_zero_linger()?;
    Ok(false)
}
