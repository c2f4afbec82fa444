//! Servers that speak Anthropic's messages.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::Read;
use crate::error::UpstreamError;
use crate::shape::few;
use crate::usage::AnthropicUsage;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default, deserialize_with = "few::<10_000, _, _>")]
    content: Option<Vec<Block<'a>>>,
    usage: Option<AnthropicUsage>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// Reads a whole message, which goes on as it came.
pub(crate) fn message(body: Bytes) -> Result<Read, UpstreamError> {
    let message: Message<'_> =
        serde_json::from_slice(&body).map_err(|error| UpstreamError::not_an_answer(&error.to_string()))?;
    if let Some(error) = message.error {
        return Err(UpstreamError::not_an_answer(error.get()));
    }
    let blocks = message.content.ok_or_else(|| UpstreamError::not_an_answer("a message without content"))?;
    let parts = blocks.iter().flat_map(|block| [block.text, block.thinking, block.input]).flatten();
    let received = parts.map(|raw| raw.get().len() as u64).sum();
    let usage = message.usage.and_then(AnthropicUsage::usage);
    Ok((body, usage, received))
}
