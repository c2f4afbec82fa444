//! What is done, as rate limits and the usage log name it: a closed list.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($name:ident = $text:literal: $doc:literal;)+) => {
        /// A kind of work that costs something.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation {
            $(#[doc = $doc] $name,)+
        }

        impl Operation {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name in the API and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

operations! {
    Chat = "chat": "An answer of a language model.";
    Embeddings = "embeddings": "Vectors of texts.";
    Search = "search": "A search in knowledge.";
    Documents = "documents": "A document that is taken in.";
    Runs = "runs": "A run of an agent or a workflow.";
    Mails = "mails": "A mail to somebody outside the organisation.";
    Exports = "exports": "Something large that is taken out as a file.";
    Api = "api": "Any other request. Only limits that name it, and those of API keys, count it.";
}

impl Operation {
    /// Whether it takes one of the slots that a plan gives: what lasts does, a plain request does not.
    #[must_use]
    pub const fn takes_a_slot(self) -> bool {
        matches!(self, Self::Chat | Self::Embeddings | Self::Documents | Self::Runs)
    }
}

/// Text that names no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of chat, embeddings, search, documents, runs, mails, exports, api")]
pub struct InvalidOperation;

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = InvalidOperation;
    fn from_str(text: &str) -> Result<Self, InvalidOperation> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(InvalidOperation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_reads_back_and_is_named_in_the_refusal() {
        for one in Operation::ALL {
            assert_eq!(one.as_str().parse(), Ok(*one));
            assert!(InvalidOperation.to_string().contains(one.as_str()));
        }
    }
}
