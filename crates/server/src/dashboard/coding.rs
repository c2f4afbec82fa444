//! Which of the forms in which a file is kept a client can read.

use std::borrow::Cow;
use std::io::Read;

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};

use super::File;

/// A file in a form that a client reads.
pub(super) struct Coded {
    pub(super) coding: Option<&'static str>,
    pub(super) bytes: Cow<'static, [u8]>,
}

impl File {
    /// The smallest form that the client says it reads.
    pub(super) fn coded(&self, headers: &HeaderMap) -> Coded {
        if let Some(bytes) = self.brotli.filter(|_| reads(headers, "br")) {
            return Coded { coding: Some("br"), bytes: bytes.into() };
        }
        match (self.gzip, self.plain) {
            (Some(bytes), _) if reads(headers, "gzip") => Coded { coding: Some("gzip"), bytes: bytes.into() },
            (_, Some(bytes)) => Coded { coding: None, bytes: bytes.into() },
            (Some(bytes), None) => Coded { coding: None, bytes: unpacked(bytes).into() },
            (None, None) => Coded { coding: None, bytes: Cow::Borrowed(&[]) },
        }
    }
}

/// Whether `Accept-Encoding` names a coding, and does not name it to refuse it.
fn reads(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|named| {
        let (name, weight) = named.split_once(';').unwrap_or((named, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case(coding) && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// What was compressed when the program was built, so it is whole and no larger than it was then.
fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match flate2::read::GzDecoder::new(gzip).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(error) => {
            tracing::error!(%error, "a file of the dashboard is damaged in the program");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_read_when_it_is_named_and_not_refused() {
        let accepting =
            |value: &'static str| HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        for (header, expected) in [
            ("gzip, deflate, br", true),
            ("BR;q=0.1", true),
            ("br;q=0", false),
            ("br; q=0.0, gzip", false),
            ("br;q=nothing", false),
            ("brotli", false),
            ("", false),
        ] {
            assert_eq!(reads(&accepting(header), "br"), expected, "{header}");
        }
        assert!(!reads(&HeaderMap::new(), "gzip"));
    }
}
