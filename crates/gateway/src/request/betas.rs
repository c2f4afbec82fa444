//! Features that Anthropic has on trial, which clients turn on by a header.

use super::{ClientRequest, Operation};

/// How the names of those begin that a client may turn on; a date follows (docs.anthropic.com, read 2026-10). They change no price, and
/// the provider runs nothing for them. All others are left out, since nothing is held for what they do: a longer context and faster
/// answers cost more, and files, code and servers of tools are read or run over there.
const OPEN: [&str; 6] = [
    "computer-use-",
    "context-management-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "output-128k-",
    "token-efficient-tools-",
];
/// The most of them in one request.
const MOST: usize = 16;

impl ClientRequest {
    /// Notes what the client turns on, as its `anthropic-beta` says with commas between; what it may not is left out.
    #[must_use]
    pub fn with_betas(mut self, header: &str) -> Self {
        if self.operation == Operation::Messages {
            let open = header.split(',').map(str::trim).filter(|beta| is_open(beta)).take(MOST);
            self.betas = open.collect::<Vec<_>>().join(",");
        }
        self
    }

    /// What goes on to an upstream of the same dialect, with commas between; empty for nothing.
    pub(crate) fn betas(&self) -> &str {
        &self.betas
    }
}

fn is_open(beta: &str) -> bool {
    const DATE: usize = "2026-10-01".len();
    let of_a_date = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    let dated = |rest: &str| rest.len() == DATE && rest.bytes().all(of_a_date);
    OPEN.iter().any(|open| beta.strip_prefix(*open).is_some_and(dated))
}
