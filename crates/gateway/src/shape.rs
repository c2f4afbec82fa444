//! How much JSON holds, counted in its bytes before anything is built of them.
//!
//! What goes through as it came needs no bound but its size. Where a body becomes a [`Value`], seven bytes (`{"":0},`) can take 700:
//! there the values count, and not the bytes.

use std::fmt::{self, Formatter};
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::{RequestError, UpstreamError};

/// The most names and values of a body that becomes a [`Value`].
///
/// A message has 5 to 20 of them and a tool with 20 described fields has 250, so 2,000 messages with 400 such tools pass, and more
/// fits into no model's context: there are about two tokens for each. The worst take 320 bytes each, which is 64 MB in all.
pub const MOST_NODES: usize = 200_000;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// The deepest nesting.
    pub depth: usize,
    /// The marks that names and values stand behind, `{`, `[`, `,` and `:`: at least as many as both together, less one.
    pub nodes: usize,
}

/// Counts in one pass and builds nothing. Of what is no JSON it counts at least as much as a parser reads before it refuses.
#[must_use]
pub fn of(bytes: &[u8]) -> Shape {
    let mut shape = Shape::default();
    let (mut now, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = text_end(bytes, at),
            b'{' | b'[' => {
                shape.nodes += 1;
                now += 1;
                shape.depth = shape.depth.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            b',' | b':' => shape.nodes += 1,
            _ => {}
        }
    }
    shape
}

/// The place behind a text of which something from `at` on is left.
fn text_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        // What is escaped ends nothing.
        at += 2;
    }
    bytes.len()
}

/// Refuses a body that holds too much to be built.
/// # Errors
/// [`RequestError`] about the whole body.
pub fn bounded(body: &[u8]) -> Result<(), RequestError> {
    if of(body).nodes <= MOST_NODES {
        return Ok(());
    }
    let rule = "names and values, which is too many where it must be put into other words";
    Err(RequestError::body(format!("the body holds more than {MOST_NODES} {rule}")))
}

/// A request's body, to be put into other words.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, RequestError> {
    bounded(body)?;
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(RequestError::body("the body must be a JSON object")),
        Err(_) => Err(RequestError::body("the body is not JSON")),
    }
}

/// A whole answer, to be put into other words.
/// # Errors
/// [`UpstreamError`] when it holds too much to be built, or is no JSON.
pub fn answer(body: &[u8]) -> Result<Value, UpstreamError> {
    if of(body).nodes > MOST_NODES {
        return Err(too_much());
    }
    serde_json::from_slice(body).map_err(|_| UpstreamError::not_an_answer("no JSON"))
}

/// What is said of an answer that holds too much to be built.
pub(crate) fn too_much() -> UpstreamError {
    UpstreamError::not_an_answer(&format!("more than {MOST_NODES} names and values"))
}

/// Reads a list of at most so many, or `null`, where an answer is looked into and not built: three bytes of a list without end take up to
/// a hundred in memory.
pub(crate) fn few<'de, const MOST: usize, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    struct Few<T, const MOST: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Few<T, MOST> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST}")
        }

        fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
            from.deserialize_seq(self)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut read = Vec::new();
            while let Some(one) = list.next_element()? {
                if read.len() == MOST {
                    return Err(de::Error::invalid_length(MOST + 1, &self));
                }
                read.push(one);
            }
            Ok(Some(read))
        }
    }

    from.deserialize_option(Few::<T, MOST>(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_up_to_its_bound() {
        #[derive(Deserialize)]
        struct Holds {
            #[serde(default, deserialize_with = "few::<3, _, _>")]
            list: Option<Vec<u8>>,
        }
        let read = |text: &str| serde_json::from_str::<Holds>(text).map(|holds| holds.list);
        assert_eq!(read("{}").expect("read"), None);
        assert_eq!(read(r#"{"list":null}"#).expect("read"), None);
        assert_eq!(read(r#"{"list":[1,2,3]}"#).expect("read"), Some(vec![1, 2, 3]));
        let refused = read(r#"{"list":[1,2,3,4]}"#).expect_err("too many").to_string();
        assert!(refused.contains("a list of at most 3"), "{refused}");
        assert!(read(r#"{"list":7}"#).is_err());
    }

    fn counts(text: &str) -> (usize, usize) {
        let Shape { depth, nodes } = of(text.as_bytes());
        (depth, nodes)
    }

    #[test]
    fn each_name_and_each_value_stands_behind_a_mark() {
        assert_eq!(counts("7"), (0, 0));
        assert_eq!(counts("[]"), (1, 1));
        assert_eq!(counts("[1, 2, 3]"), (1, 3));
        assert_eq!(counts(r#"{"a": 1, "b": [true, null]}"#), (2, 6));
        assert_eq!(counts("[[[]], []]"), (3, 5));
        // What is no JSON is counted all the same.
        assert_eq!(counts("]]]["), (1, 1));
        assert_eq!(counts(r#"["a"#), (1, 1));
        assert_eq!(counts(r#"["a\"#), (1, 1));
    }

    #[test]
    fn marks_in_texts_do_not_count() {
        assert_eq!(counts(r#"["{[,:]}"]"#), (1, 1));
        assert_eq!(counts(r#"["\"{", "\\", {"\\\"[": ","}]"#), (2, 5));
        let text = format!("{{\"a\":\"{}\"}}", "{[,:]}".repeat(MOST_NODES));
        assert_eq!(object(text.as_bytes()).expect("one name and one value").len(), 1);
    }

    #[test]
    fn a_body_of_too_much_is_refused_as_a_whole() {
        let list = |values: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(values - 1));
        // Besides the values there are the marks of the object, the name and the list, of which the list's stands for the first value.
        assert!(object(list(MOST_NODES - 2).as_bytes()).is_ok() && answer(list(MOST_NODES - 2).as_bytes()).is_ok());
        let refused = object(list(MOST_NODES - 1).as_bytes()).expect_err("too much");
        assert!(refused.param.is_none() && refused.message.contains("200000"), "{refused:?}");
        assert!(answer(list(MOST_NODES - 1).as_bytes()).is_err());
        assert_eq!(object(b"[]").expect_err("a list").message, "the body must be a JSON object");
        assert_eq!(object(b"{").expect_err("half of one").message, "the body is not JSON");
    }
}
