//! Why something was not done, in words that say what to do.

use serde_json::Value;

use crate::Answer;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's address is none.
    #[error("the server's address {0}")]
    Address(String),
    /// The credential cannot be sent.
    #[error("the API key is no key: it is empty, or has characters that no key has")]
    Credential,
    /// The path or a header cannot be sent.
    #[error("this cannot be asked of a server")]
    Request,
    /// There is no answer.
    #[error("{host} cannot be asked: {why}")]
    Unreachable {
        /// Where it was tried.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// What answers is something else.
    #[error("the server's answer is no JSON: is it Rowhouse?")]
    NotRowhouse,
    /// The server refuses.
    #[error(transparent)]
    Refused(#[from] Box<Refused>),
    /// The credential is for other organisations.
    #[error("the key is not for an organisation {0}")]
    Elsewhere(String),
    /// Nothing that can be seen is called so.
    #[error("there is nothing called {name} among the {kind} that the key can see")]
    Unknown {
        /// What was looked through.
        kind: &'static str,
        /// What was looked for.
        name: String,
    },
    /// More than one thing is called so.
    #[error("several {kind} are called {name}: name one by its id")]
    Several {
        /// What was looked through.
        kind: &'static str,
        /// What was looked for.
        name: String,
    },
}

impl Error {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => Some(&refused.code),
            _ => None,
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// A refusal, as the server words it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// The stable code, of docs/ERRORS.md; empty when the answer has none.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
    /// Which field, if it is about one.
    pub param: Option<String>,
    /// The request's id, for the operator.
    pub request_id: Option<String>,
}

impl Refused {
    /// What an answer says against a request.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let told = serde_json::from_slice(&answer.body).unwrap_or_default();
        let bare = || format!("the server answered {}", answer.status);
        Self::read(&told).unwrap_or_else(|| Self { message: bare(), ..Self::default() })
    }

    /// What an error in the form of the API says.
    #[must_use]
    pub fn read(told: &Value) -> Option<Self> {
        let text = |name: &str| told["error"][name].as_str().map(shown);
        let message = text("message")?;
        let code = text("code").unwrap_or_default();
        Some(Self { code, message, param: text("param"), request_id: text("request_id") })
    }

    /// What whoever was refused can do about it, if there is a usual way.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.code.as_str() {
            "unauthenticated" => Some("Is the key whole, of this server, and neither revoked nor ended?"),
            "forbidden" => Some(
                "A key does only what its scopes name, and what its maker may do: make one whose scopes name this too.",
            ),
            "stale" => Some("Look at it again first."),
            _ => None,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(param) = &self.param {
            write!(f, "{param}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        self.hint().map_or(Ok(()), |hint| write!(f, " {hint}"))
    }
}

impl std::error::Error for Refused {}

/// A text without signs that a terminal obeys: names, documents and their titles are somebody's.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_reads_as_sentences_and_a_terminal_obeys_none_of_it() {
        let told = json!({ "error": { "message": "You may not invite people\u{1b}[2J; you lack invitations.create.", "code": "forbidden" } });
        let refused = Refused::read(&told).expect("a refusal").to_string();
        assert!(
            refused.starts_with("You may not invite people[2J; you lack invitations.create. (forbidden) A key"),
            "{refused}"
        );
        let told =
            json!({ "error": { "message": "must be a mail address", "code": "invalid_field", "param": "email" } });
        let refused = Refused::read(&told).expect("a refusal").to_string();
        assert_eq!(refused, "email: must be a mail address (invalid_field)");
        let answer = Answer { status: StatusCode::BAD_GATEWAY, headers: http::HeaderMap::new(), body: "<html>".into() };
        assert_eq!(Refused::of(&answer).to_string(), "the server answered 502 Bad Gateway");
    }
}
