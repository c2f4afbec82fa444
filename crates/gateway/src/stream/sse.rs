//! Server-sent events, as far as models use them (WHATWG HTML, section 9.2).

use std::borrow::Cow;

/// The length of the first whole event, with the blank line that ends it; none if its end has not come. Lines end in LF or CRLF;
/// nobody sends the lone CR that the standard also allows.
pub(crate) fn event_end(bytes: &[u8]) -> Option<usize> {
    event_end_beyond(bytes, 0)
}

/// The same, when it is known that no event ends within the first `searched` bytes by themselves: they are not searched again.
pub(crate) fn event_end_beyond(bytes: &[u8], searched: usize) -> Option<usize> {
    // A line break and a CR at their end may be the beginning of a blank line; what stands before is decided.
    let mut from = searched.saturating_sub(2);
    loop {
        let end = from + memchr::memchr(b'\n', &bytes[from..])? + 1;
        match bytes.get(end..)? {
            [b'\n', ..] => return Some(end + 1),
            [b'\r', b'\n', ..] => return Some(end + 2),
            // A blank line at the very beginning is an event of its own, an empty one.
            _ if matches!(&bytes[..end], b"\n" | b"\r\n") => return Some(end),
            _ => from = end,
        }
    }
}

/// A whole event: its name and its data.
pub(crate) struct Event<'a> {
    pub(crate) name: Option<&'a [u8]>,
    /// Without any data it is a comment or a blank line, and means nothing.
    pub(crate) data: Option<Cow<'a, [u8]>>,
}

impl<'a> Event<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut event = Self { name: None, data: None };
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(data) = field(line, b"data:") {
                event.data = Some(match event.data.take() {
                    None => Cow::Borrowed(data),
                    Some(before) => {
                        let mut all = before.into_owned();
                        all.push(b'\n');
                        all.extend_from_slice(data);
                        Cow::Owned(all)
                    }
                });
            } else if let Some(name) = field(line, b"event:") {
                event.name = Some(name);
            }
        }
        event
    }
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read<'a> = (Option<&'a [u8]>, Option<Vec<u8>>);

    fn all(mut bytes: &[u8]) -> (Vec<Read<'_>>, usize) {
        let mut events = Vec::new();
        while let Some(length) = event_end(bytes) {
            let event = Event::read(&bytes[..length]);
            events.push((event.name, event.data.map(Cow::into_owned)));
            bytes = &bytes[length..];
        }
        (events, bytes.len())
    }

    #[test]
    fn events_end_at_blank_lines() {
        let (events, rest) = all(b"data: a\n\nevent: e\r\ndata:b\r\n\r\n: note\n\ndata: c\n");
        let data = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(events, [(None, data("a")), (Some(&b"e"[..]), data("b")), (None, None)]);
        assert_eq!(rest, 8);
    }

    #[test]
    fn going_on_finds_what_beginning_anew_would() {
        for n in 0..3_usize.pow(8) {
            let bytes: Vec<u8> = (0..8).map(|at| b"a\r\n"[n / 3_usize.pow(at) % 3]).collect();
            let whole = event_end(&bytes);
            for searched in (0..=bytes.len()).filter(|searched| event_end(&bytes[..*searched]).is_none()) {
                assert_eq!(event_end_beyond(&bytes, searched), whole, "{bytes:?} after {searched}");
            }
        }
        // And what was searched is not looked at: there is an end in it, against what is said.
        assert_eq!(event_end_beyond(b"data: a\n\ndata: b\n\n", 12), Some(18));
    }

    #[test]
    fn data_of_several_lines_is_joined() {
        assert_eq!(all(b"data: {\ndata: }\n\n").0, [(None, Some(b"{\n}".to_vec()))]);
    }

    #[test]
    fn blank_lines_between_events_mean_nothing() {
        let (events, rest) = all(b"\n\r\n\ndata: a\n\n\n");
        assert_eq!(events.iter().filter(|event| event.1.is_some()).count(), 1);
        assert!(rest <= 1);
    }
}
