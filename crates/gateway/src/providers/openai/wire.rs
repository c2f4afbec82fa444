//! What whole answers and streams of OpenAI-compatible servers have in common.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::usage::{OpenAiUsage, Usage};

/// A call of a tool, or a piece of one.
#[derive(Deserialize)]
pub(crate) struct ToolCall<'a> {
    pub(crate) index: Option<u64>,
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) function: Option<Function<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
}

impl<'a> ToolCall<'a> {
    /// Its arguments, or a piece of them.
    pub(crate) fn arguments(&self) -> Option<&'a RawValue> {
        self.function.as_ref().and_then(|function| function.arguments)
    }

    /// The bytes of text in it.
    pub(crate) fn length(&self) -> u64 {
        let parts = self.function.as_ref().map_or([None, None], |function| [function.name, function.arguments]);
        parts.into_iter().flatten().map(text_length).sum()
    }
}

/// Bytes of a text in JSON, escapes counting as they stand: never less than its bytes.
pub(crate) fn text_length(raw: &RawValue) -> u64 {
    raw.get().len().saturating_sub(2) as u64
}

/// The counts of a `usage`, when they can be read.
pub(crate) fn usage(raw: Option<&RawValue>) -> Option<Usage> {
    serde_json::from_str::<OpenAiUsage>(raw?.get()).ok()?.usage()
}

/// Arguments as the text that they must be, when they are something else.
pub(crate) fn texted(arguments: &Value) -> Option<String> {
    (!arguments.is_string() && !arguments.is_null()).then(|| arguments.to_string())
}
