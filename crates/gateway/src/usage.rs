//! What a call used, as its upstream says.

use serde::{Deserialize, Deserializer};

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All input tokens, those read from or written to a cache included.
    pub input: u64,
    /// Input tokens that the upstream had in its cache; part of `input`.
    pub cached_input: u64,
    /// Input tokens that the upstream put into its cache, which may cost more; part of `input`.
    pub cache_write: u64,
    /// Of these, for an hour in place of a few minutes.
    pub cache_write_long: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Output tokens of reasoning that the client does not see; part of `output`.
    pub reasoning: u64,
}

/// `usage` of an OpenAI answer. Compatible servers leave parts of it out, say `null`, or write whole numbers as 12.0.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OpenAiUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "count")]
    completion_tokens: u64,
    #[serde(deserialize_with = "count")]
    total_tokens: u64,
    #[serde(deserialize_with = "or_default")]
    prompt_tokens_details: OpenAiInput,
    #[serde(deserialize_with = "or_default")]
    completion_tokens_details: OpenAiOutput,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct OpenAiInput {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct OpenAiOutput {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
}

impl OpenAiUsage {
    /// The counts; none when there are none, as from servers that send an empty object.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let input = self.prompt_tokens;
        // Some leave what the model thought out of `completion_tokens`, and have it in the total alone.
        let output = self.completion_tokens.max(self.total_tokens.saturating_sub(input));
        (input > 0 || output > 0).then_some(Usage {
            input,
            cached_input: self.prompt_tokens_details.cached_tokens.min(input),
            cache_write: 0,
            cache_write_long: 0,
            output,
            reasoning: self.completion_tokens_details.reasoning_tokens.min(output),
        })
    }
}

/// `usage` of Anthropic messages. In streams each field is cumulative and may be missing: a later value replaces an earlier one.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnthropicUsage {
    #[serde(rename = "input_tokens", deserialize_with = "maybe_count")]
    input: Option<u64>,
    #[serde(rename = "output_tokens", deserialize_with = "maybe_count")]
    output: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens", deserialize_with = "maybe_count")]
    written: Option<u64>,
    #[serde(rename = "cache_read_input_tokens", deserialize_with = "maybe_count")]
    cached: Option<u64>,
    #[serde(rename = "cache_creation", deserialize_with = "or_unsaid")]
    lifetimes: Lifetimes,
}

/// Of what was written to the cache, how much for how long (`CacheCreation` of Anthropic's clients).
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Lifetimes {
    #[serde(rename = "ephemeral_1h_input_tokens", deserialize_with = "maybe_count")]
    long: Option<u64>,
}

impl AnthropicUsage {
    /// Takes what a later event says.
    pub(crate) fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.output = later.output.or(self.output);
        self.written = later.written.or(self.written);
        self.cached = later.cached.or(self.cached);
        self.lifetimes.long = later.lifetimes.long.or(self.lifetimes.long);
    }

    /// The counts; none when either side is missing.
    pub(crate) fn usage(self) -> Option<Usage> {
        let cached_input = self.cached.unwrap_or(0);
        let cache_write = self.written.unwrap_or(0);
        let cache_write_long = self.lifetimes.long.unwrap_or(0).min(cache_write);
        Some(Usage {
            // Billable input = input + cache creation + cache read.
            input: self.input?.saturating_add(cached_input).saturating_add(cache_write),
            cached_input,
            cache_write,
            cache_write_long,
            output: self.output?,
            reasoning: 0,
        })
    }
}

/// A count of tokens as servers write it: a number, perhaps 12.0, perhaps nothing. What cannot be a count is none.
fn maybe_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Whole(u64),
        Float(f64),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Loose::deserialize(deserializer)? {
        Loose::Whole(count) => Some(count),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Loose::Float(count) if (0.0..9e15).contains(&count) => Some(count.ceil() as u64),
        Loose::Float(_) | Loose::Other(_) => None,
    })
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(maybe_count(deserializer)?.unwrap_or(0))
}

/// `null` is as good as missing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What is none of it says nothing.
fn or_unsaid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Lifetimes, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Told(Lifetimes),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Loose::deserialize(deserializer)? {
        Loose::Told(lifetimes) => lifetimes,
        Loose::Other(_) => Lifetimes::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openai(text: &str) -> Option<Usage> {
        serde_json::from_str::<OpenAiUsage>(text).expect("usage is read from anything").usage()
    }

    #[test]
    fn openai_counts_are_read_with_their_parts() {
        let text = r#"{"prompt_tokens":40,"completion_tokens":12,"total_tokens":52,
            "prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":5}}"#;
        let expected =
            Usage { input: 40, cached_input: 8, cache_write: 0, cache_write_long: 0, output: 12, reasoning: 5 };
        assert_eq!(openai(text), Some(expected));
    }

    #[test]
    fn what_compatible_servers_write_is_read_as_far_as_it_goes() {
        let both = |input, output| Some(Usage { input, output, ..Usage::default() });
        assert_eq!(
            openai(r#"{"prompt_tokens":4.0,"completion_tokens":null,"total_tokens":9,"prompt_tokens_details":null}"#),
            both(4, 5)
        );
        assert_eq!(openai(r#"{"prompt_tokens":7,"total_tokens":7}"#), both(7, 0));
        // What the model thought stands in the total alone; a total that is too small says nothing.
        assert_eq!(openai(r#"{"prompt_tokens":20,"completion_tokens":151,"total_tokens":553}"#), both(20, 533));
        assert_eq!(openai(r#"{"prompt_tokens":20,"completion_tokens":151,"total_tokens":10}"#), both(20, 151));
        assert_eq!(openai("{}"), None);
        assert_eq!(openai(r#"{"prompt_tokens":-3,"completion_tokens":"many"}"#), None);
        // No part is larger than the whole.
        assert_eq!(
            openai(r#"{"prompt_tokens":4,"prompt_tokens_details":{"cached_tokens":9}}"#).map(|u| u.cached_input),
            Some(4)
        );
    }

    #[test]
    fn anthropic_counts_replace_earlier_ones() {
        let read = |text: &str| serde_json::from_str::<AnthropicUsage>(text).expect("usage");
        let mut usage = read(
            r#"{"input_tokens":40,"output_tokens":1,"cache_creation_input_tokens":3,"cache_read_input_tokens":2}"#,
        );
        usage.update(read(r#"{"output_tokens":15}"#));
        usage.update(read(r#"{"output_tokens":20}"#));
        let expected =
            Usage { input: 45, cached_input: 2, cache_write: 3, cache_write_long: 0, output: 20, reasoning: 0 };
        assert_eq!(usage.usage(), Some(expected));
        assert_eq!(read(r#"{"output_tokens":20}"#).usage(), None);
        // How long what was written is kept may be told late, wrongly, or not at all.
        let long = |more: &str| {
            let mut usage = read(r#"{"input_tokens":40,"output_tokens":1,"cache_creation_input_tokens":30}"#);
            usage.update(read(more));
            usage.usage().map(|usage| (usage.cache_write, usage.cache_write_long))
        };
        let told = r#"{"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}"#;
        assert_eq!(long(told), Some((30, 20)));
        assert_eq!(long(r#"{"cache_creation":{"ephemeral_1h_input_tokens":1e15}}"#), Some((30, 30)));
        for nothing in [
            r#"{"cache_creation":null}"#,
            r#"{"cache_creation":7}"#,
            r#"{"cache_creation":{"ephemeral_1h_input_tokens":-1}}"#,
        ] {
            assert_eq!(long(nothing), Some((30, 0)), "{nothing}");
        }
    }
}
