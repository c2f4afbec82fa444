//! What may go wrong on the way out.

/// Why there is no answer, in words for the log. They tell of the network behind this server: whoever asked hears a sentence of the
/// asking side's own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The policy forbids it.
    #[error("refused: {0}")]
    Refused(String),
    /// The name of the host is not known.
    #[error("cannot look up {0}")]
    Resolve(String, #[source] std::io::Error),
    /// No address of the host takes a connection.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] std::io::Error),
    /// No connection within the time for it.
    #[error("no connection to {0} in time")]
    ConnectTimeout(String),
    /// The connection ended before the request went out: nothing of it was sent.
    #[error("the connection ended before the request was sent")]
    NotSent(#[source] hyper::Error),
    /// The connection broke after the request, or a part of it, was sent.
    #[error("the connection broke after the request was sent")]
    Broken(#[source] hyper::Error),
    /// No answer, or no further part of it, within the time for it.
    #[error("no answer in time: {0}")]
    Timeout(&'static str),
    /// The answer is larger than the caller takes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
}

impl Error {
    /// Whether the other side may have seen the request, so that it may have acted on it.
    #[must_use]
    pub fn sent(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Timeout(_) | Self::TooLarge(_))
    }

    /// Whether it took too long, rather than fail.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        matches!(self, Self::ConnectTimeout(_) | Self::Timeout(_))
    }
}
