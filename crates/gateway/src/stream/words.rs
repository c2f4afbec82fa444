//! What a model says in a stream of chat completions, for who reads it here instead of passing it on.

use serde_json::Value;

use super::sse::{self, Event};
use crate::dialect::Piece;
use crate::dialect::openai::stream::Chunks;

/// Reads the text out of the frames of a stream in OpenAI's dialect. Give it each frame as it comes.
#[derive(Debug, Default)]
pub struct Words {
    chunks: Chunks,
    model: String,
    complete: bool,
    failed: bool,
}

impl Words {
    /// The text that a frame adds; perhaps none.
    pub fn frame(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut seen = 0;
        while let Some(length) = sse::event_end(&bytes[seen..]) {
            let event = Event::read(&bytes[seen..seen + length]);
            seen += length;
            let Some(data) = event.data else { continue };
            if data.trim_ascii() == b"[DONE]" {
                self.complete = true;
                continue;
            }
            let Ok(chunk) = serde_json::from_slice::<Value>(&data) else { continue };
            self.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
            for piece in self.chunks.read(&chunk) {
                match piece {
                    Piece::Start { model, .. } => self.model = model,
                    Piece::Text(more) => text.push_str(&more),
                    _ => {}
                }
            }
        }
        text
    }

    /// The model that speaks, as it names itself; empty before the first frame.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether all of it came, and no failure was told.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete && !self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_read_to_their_end() {
        let mut words = Words::default();
        let first = b"data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"It is \"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"nine.\"}}]}\n\n";
        assert_eq!((words.frame(first).as_str(), words.model(), words.is_complete()), ("It is nine.", "m", false));
        assert_eq!(words.frame(b": note\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n"), "");
        assert!(words.is_complete());
    }

    #[test]
    fn a_failure_is_no_end() {
        let mut words = Words::default();
        words.frame(b"data: {\"error\":{\"message\":\"gone\"}}\n\ndata: [DONE]\n\n");
        assert!(!words.is_complete());
    }
}
