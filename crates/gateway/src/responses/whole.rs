//! Whole responses, made from whole completions.

use bytes::Bytes;
use serde_json::Value;

use super::{Ended, Named, ResponsesRequest, function_call, message};
use crate::dialect::openai::reply;
use crate::shape;
use crate::usage::OpenAiUsage;

/// Writes a response; none when the body is no completion, or one that holds too much to be built.
pub(super) fn write(request: &ResponsesRequest, named: &Named, completion: &[u8]) -> Option<Bytes> {
    let completion: Value = shape::answer(completion).ok()?;
    completion["choices"][0]["message"].as_object()?;
    let usage = serde_json::from_value::<OpenAiUsage>(completion["usage"].clone()).ok().and_then(|usage| usage.usage());
    let reply = reply::read(&completion, usage);
    let ended = Ended::by(reply.stop);
    let mut output = Vec::new();
    if !reply.text.is_empty() || reply.calls.is_empty() {
        output.push(message(&format!("msg_{}{:02}", named.id, 0), ended.of_item(), &reply.text));
    }
    for call in &reply.calls {
        let id = format!("fc_{}{:02}", named.id, output.len());
        output.push(function_call(&id, ended.of_item(), call));
    }
    let response = request.response(named, &reply.model, &ended, &output, reply.usage);
    Some(response.to_string().into())
}
