//! Holds what a model says against the passages that it was given: each sentence that names a passage must be supported by it.

use std::collections::BTreeSet;

use store::org::knowledge::threads::Citation;

use crate::outgoing::{self, Outgoing};
use crate::search::{Found, words};

/// Characters of a quotation.
const QUOTE: usize = 300;
/// A line of at most so many bytes is a heading, and answers nothing.
const TITLE: usize = 24;
/// Numbers that are written as words in one text and as digits in another.
const NUMBERS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// An answer whose every number points at a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Cited {
    /// The answer, without what is not supported and without what would be fetched.
    pub text: String,
    /// The passages it cites, each once, in the order of their numbers.
    pub citations: Vec<Citation>,
}

/// Checks an answer against the passages that it was given.
///
/// The number of a passage stays when there is such a passage, it has each number of the sentence, and it shares a telling word with
/// it. A sentence that cites, and of which no citation stays, goes. What carries data out, an image or a link that the passages do
/// not have, does not stay either.
#[must_use]
pub fn check(answer: &str, found: &[Found]) -> Cited {
    let mut checking = Checking::new(found);
    checking.push(answer);
    checking.end().1
}

/// Checks an answer while it comes, sentence by sentence, as [`check`] does with the whole.
#[derive(Debug)]
pub struct Checking<'a> {
    found: &'a [Found],
    outgoing: Outgoing,
    /// The beginning of a sentence whose end has not come.
    pending: String,
    kept: String,
    /// How much of what is kept was given already.
    given: usize,
    cited: BTreeSet<usize>,
}

impl<'a> Checking<'a> {
    /// Begins with nothing said.
    #[must_use]
    pub fn new(found: &'a [Found]) -> Self {
        let (outgoing, cited) = (Outgoing::new(found), BTreeSet::new());
        Self { found, outgoing, pending: String::new(), kept: String::new(), given: 0, cited }
    }

    /// The sentences that stay for certain, now that more has come. None are given before the first that is supported.
    pub fn push(&mut self, more: &str) -> String {
        // As some models write it.
        let more = self.outgoing.push(&more.replace('【', "[").replace('】', "]"));
        self.pending.push_str(&more);
        loop {
            let (sentence, rest) = self.pending.split_at(sentence_end(&self.pending));
            // The number of its passage may still come.
            if rest.is_empty() || (rest.starts_with('[') && !rest.contains(']')) {
                break;
            }
            checked(sentence, self.found, &mut self.cited, &mut self.kept);
            self.pending = rest.to_owned();
        }
        self.give()
    }

    /// The rest, and all of it; without citations nothing of it is an answer, and the rest is empty.
    #[must_use]
    pub fn end(mut self) -> (String, Cited) {
        let rest = self.outgoing.end();
        self.pending.push_str(&rest);
        while !self.pending.is_empty() {
            let (sentence, rest) = self.pending.split_at(sentence_end(&self.pending));
            checked(sentence, self.found, &mut self.cited, &mut self.kept);
            self.pending = rest.to_owned();
        }
        let rest = self.give().trim_end().to_owned();
        let text = self.kept.trim().to_owned();
        let numbered = |n: usize| Some(citation(n, self.found.get(n.checked_sub(1)?)?, &text));
        let citations = self.cited.into_iter().filter_map(numbered).collect();
        (rest, Cited { text, citations })
    }

    fn give(&mut self) -> String {
        if self.cited.is_empty() {
            return String::new();
        }
        let new = &self.kept[self.given..];
        let new = if self.given == 0 { new.trim_start() } else { new }.to_owned();
        self.given = self.kept.len();
        new
    }
}

/// Adds a sentence as far as it is supported.
fn checked(sentence: &str, found: &[Found], cited: &mut BTreeSet<usize>, text: &mut String) {
    let (mut bare, mut labels) = (String::with_capacity(sentence.len()), Vec::new());
    let mut rest = sentence;
    while let Some(at) = rest.find('[') {
        bare.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((numbers, length)) = label(rest) {
            labels.extend(numbers.into_iter().map(|n| (n, bare.len())));
            rest = &rest[length..];
        } else {
            bare.push('[');
            rest = &rest[1..];
        }
    }
    bare.push_str(rest);
    if labels.is_empty() {
        text.push_str(sentence);
        return;
    }
    let supported =
        |n: usize| n.checked_sub(1).and_then(|at| found.get(at)).is_some_and(|found| supports(found, &bare));
    labels.retain(|(n, _)| supported(*n));
    if labels.is_empty() {
        // The line ends where it ended.
        if sentence.ends_with('\n') {
            text.push('\n');
        }
        return;
    }
    let mut from = 0;
    for (n, at) in labels {
        text.push_str(&bare[from..at]);
        text.push_str(&format!("[{n}]"));
        cited.insert(n);
        from = at;
    }
    text.push_str(&bare[from..]);
}

/// Where the first sentence ends, with the numbers of passages and the blanks behind it.
fn sentence_end(text: &str) -> usize {
    for (at, sign) in text.char_indices() {
        if sign == '\n' {
            return at + 1;
        }
        if !matches!(sign, '.' | '!' | '?' | '。' | '！' | '？') {
            continue;
        }
        let mut end = at + sign.len_utf8();
        let marked = end;
        end += text[end..].len() - text[end..].trim_start_matches(['"', '\'', ')', '*', '_', '”', '’']).len();
        loop {
            let blank = text[end..].len() - text[end..].trim_start_matches(' ').len();
            match label(&text[end + blank..]) {
                Some((_, length)) => end += blank + length,
                None => break,
            }
        }
        let blanks = text[end..].len() - text[end..].trim_start().len();
        if blanks > 0 || end == text.len() || end > marked || !sign.is_ascii() {
            return end + blanks;
        }
    }
    text.len()
}

/// `[12]…` or `[1, 2]…`: the numbers, and how many bytes that has.
pub(crate) fn label(text: &str) -> Option<(Vec<usize>, usize)> {
    let end = text.strip_prefix('[')?.find(']')? + 1;
    let number = |part: &str| {
        let digits = part.trim();
        let short = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if short { digits.parse().ok() } else { None }
    };
    Some((text[1..end].split(',').map(number).collect::<Option<Vec<usize>>>()?, end + 1))
}

/// Whether a passage says what a sentence says, as far as words tell.
fn supports(found: &Found, sentence: &str) -> bool {
    let all = stems(&format!("{}\n{}\n{}", found.document.title, found.chunk.heading, found.chunk.text));
    let sentence_words = words(sentence);
    let number = |word: &String| word.bytes().any(|byte| byte.is_ascii_digit());
    let numbers_hold = sentence_words.iter().filter(|word| number(word)).all(|word| all.contains(&stem(word)));
    numbers_hold && sentence_words.iter().any(|word| all.contains(&stem(word)))
}

/// All words of a text, in the form in which they are compared.
pub(crate) fn stems(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| stem(&word.to_lowercase())).collect()
}

/// A word in the form in which it is compared: "carried" and "carry" are the same, "five" and "5" too.
pub(crate) fn stem(word: &str) -> String {
    if let Some(number) = NUMBERS.iter().position(|name| *name == word) {
        return number.to_string();
    }
    let endings = [("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")];
    let cut = endings.iter().find_map(|(end, with)| {
        let stem = word.strip_suffix(end).filter(|stem| stem.chars().count() >= 3)?;
        Some(format!("{stem}{with}"))
    });
    let cut = cut.unwrap_or_else(|| word.to_owned());
    match cut.strip_suffix('e') {
        Some(short) if short.chars().count() >= 3 => short.to_owned(),
        _ => cut,
    }
}

/// An answer that quotes the nearest passage, for want of words that it shares with the question. Its beginning says what it is about.
#[must_use]
pub fn nearest(found: &[Found]) -> Cited {
    let line = |text: &str| text.lines().map(str::trim).filter(|line| line.len() > TITLE).map(str::to_owned).next();
    let Some((first, line)) = found.first().and_then(|first| Some((first, line(&first.chunk.text)?))) else {
        return Cited { text: String::new(), citations: Vec::new() };
    };
    let text = outgoing::harmless(&format!("The nearest passage says:\n\n{line} [1]"), found);
    let citations = vec![citation(1, first, &line)];
    Cited { text, citations }
}

/// The passage with this number, as an answer cites it.
fn citation(n: usize, found: &Found, answer: &str) -> Citation {
    Citation {
        n: u32::try_from(n).unwrap_or(u32::MAX),
        document_id: found.document.id,
        version: found.document.shown,
        chunk_id: found.chunk.id,
        title: found.document.title.clone(),
        quote: quote(&found.chunk.text, answer),
        page: found.chunk.page,
        heading: found.chunk.heading.clone(),
        starts: found.chunk.starts,
        ends: found.chunk.ends,
    }
}

/// The part of a passage that an answer is from: from the first sentence of which it has nearly all words, else from the one of which it
/// has most, as far as there is room.
fn quote(passage: &str, answer: &str) -> String {
    let wanted: BTreeSet<String> = words(answer).iter().map(|word| stem(word)).collect();
    let mut best = (0, 0);
    let mut start = 0;
    while start < passage.len() {
        let end = start + sentence_end(&passage[start..]);
        let all = words(&passage[start..end]);
        let shared = all.iter().filter(|word| wanted.contains(&stem(word))).count();
        if shared > best.0 {
            best = (shared, start);
        }
        if shared > 1 && shared * 5 >= all.len() * 4 {
            best = (shared, start);
            break;
        }
        start = end;
    }
    let text = passage[best.1..].trim();
    let mut quote: String = text.chars().take(QUOTE).collect();
    if quote.len() < text.len() {
        quote.push('…');
    }
    quote
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::found;

    fn passages() -> Vec<Found> {
        vec![
            found("Hotels", "A night may cost 165 euros in Norway. In Oslo it may cost 210 euros."),
            found("Faults", "E27 means that the battery is below 3.1 V."),
        ]
    }

    #[test]
    fn a_number_stays_where_the_passage_says_it() {
        let cited = check("A night in Oslo costs 210 euros [1]. The battery is below 3.1 V. [2]", &passages());
        assert_eq!(cited.text, "A night in Oslo costs 210 euros [1]. The battery is below 3.1 V. [2]");
        let quotes: Vec<&str> = cited.citations.iter().map(|one| one.quote.as_str()).collect();
        assert_eq!(quotes, ["In Oslo it may cost 210 euros.", "E27 means that the battery is below 3.1 V."]);
    }

    #[test]
    fn a_sentence_that_is_not_supported_goes() {
        for (answer, kept) in [
            ("It costs 999 euros [1]. In Oslo 210 euros [1].", "In Oslo 210 euros [1]."),
            ("The moon is cheese [2]. The battery is low [2].", "The battery is low [2]."),
            ("The battery is low [1][2].", "The battery is low [2]."),
            ("The battery is low [1, 2].", "The battery is low [2]."),
            ("The battery is low【2】.", "The battery is low[2]."),
            ("The battery is low [7].", ""),
            ("Sorry. The battery is low [0] [2]", "Sorry. The battery is low  [2]"),
        ] {
            assert_eq!(check(answer, &passages()).text, kept, "{answer}");
        }
        assert!(check("I do not know from your documents.", &passages()).citations.is_empty());
    }

    #[test]
    fn it_comes_to_the_same_sentence_by_sentence() {
        let answer = "So it is. A night in Oslo costs 210 euros [1]. The moon is cheese [2]. The battery is below 3.1 V. [2] Done.";
        let (whole, letters) = (check(answer, &passages()), answer.chars().collect::<Vec<_>>());
        for size in 1..9 {
            let found = passages();
            let mut checking = Checking::new(&found);
            let mut given = String::new();
            for piece in letters.chunks(size) {
                given.push_str(&checking.push(&piece.iter().collect::<String>()));
                assert!(
                    given.is_empty() || given.starts_with("So it is. A night in Oslo costs 210 euros [1]."),
                    "{given}"
                );
            }
            let (rest, cited) = checking.end();
            assert_eq!((format!("{given}{rest}"), &cited), (whole.text.clone(), &whole), "cut to {size}");
        }
        let found = passages();
        let mut checking = Checking::new(&found);
        assert_eq!(
            (checking.push("The moon is cheese. It is round. "), checking.end().0),
            (String::new(), String::new())
        );
    }

    #[test]
    fn words_are_compared_by_their_stems() {
        for (one, other) in [("carried", "carry"), ("approves", "approved"), ("five", "5"), ("nights", "night")] {
            assert_eq!(stem(one), stem(other));
        }
        assert_ne!(stem("e27"), stem("e31"));
    }
}
