//! Answers a question with sentences out of the passages that stand in the conversation, and says that it is no language model.
//!
//! Where passages are labelled (`[1] …`), only labelled text counts and each sentence is followed by its label; else all text before
//! the question counts. Sentences are ranked by BM25 (Robertson and Zaragoza 2009) with the question's words.

use std::collections::{HashMap, HashSet};

use super::EXTRACTIVE;
use crate::dialect::{Chat, Part, Reply, Role, Stop};
use crate::usage::Usage;

/// Most bytes of passages that are read, from the end: a bound on work.
const MOST_TEXT: usize = 256 << 10;
/// Most sentences of an answer.
const MOST_SENTENCES: usize = 3;
/// What the words of its passage add to a sentence's score, and how near to the best one must be. Tried on the example documents.
const BESIDE: f64 = 0.3;
const CLOSE: f64 = 0.55;
/// A line of fewer words, without a mark in it, is a heading.
const HEADING: usize = 8;
/// BM25's usual constants.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Words too common to say what a question is about. The model is for English, as the embedded embeddings are.
const COMMON: [&str; 53] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "does", "for",
    "from", "had", "has", "have", "how", "i", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "that",
    "the", "their", "there", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will",
    "with", "you", "your", "tell",
];

struct Sentence<'a> {
    text: &'a str,
    label: Option<&'a str>,
    /// The line it stands in.
    line: usize,
    words: Vec<String>,
}

/// Composes the answer, of at most `max_output` words.
pub(crate) fn answer(chat: &Chat, max_output: u64) -> Reply {
    let (passages, question) = split(chat);
    let start = passages.len().saturating_sub(MOST_TEXT);
    let passages = &passages[passages.ceil_char_boundary(start)..];
    let sentences = sentences(passages);
    let text = match best(&sentences, &question) {
        found if !found.is_empty() => {
            let lines: Vec<String> = found.into_iter().map(quoted).collect();
            format!("From the passages (picked by shared words, not written by a language model):\n\n{}", lines.join("\n"))
        }
        _ if sentences.is_empty() => "No passages were given to answer from, and this model is no language model: it only quotes \
            what it is given."
            .into(),
        _ => "The passages say nothing that shares words with the question. This model is no language model: it only quotes what \
            it is given."
            .into(),
    };
    let most = usize::try_from(max_output).unwrap_or(usize::MAX);
    let (text, stop) = shortened(&text, most);
    let count = |text: &str| text.split_whitespace().count() as u64;
    let system: u64 = chat.system.iter().map(|text| count(text)).sum();
    let turns: u64 = chat.turns.iter().flat_map(|turn| &turn.parts).map(|part| count(&plain(part))).sum();
    let usage = Usage { input: system + turns, output: count(&text), ..Usage::default() };
    Reply { id: "extract_1".into(), model: EXTRACTIVE.into(), text, calls: Vec::new(), stop, usage: Some(usage) }
}

/// The text before the question, and the question: the last paragraph of what the user said last.
fn split(chat: &Chat) -> (String, String) {
    let mut passages: Vec<String> = chat.system.clone();
    let mut question = String::new();
    for turn in chat.turns.iter().filter(|turn| turn.role == Role::User) {
        for part in &turn.parts {
            let text = plain(part);
            match part {
                Part::Text(_) => passages.push(std::mem::replace(&mut question, text)),
                _ => passages.push(text),
            }
        }
    }
    let trimmed = question.trim_end();
    if let Some(at) = trimmed.rfind("\n\n").or_else(|| trimmed.rfind('\n')) {
        passages.push(trimmed[..at].to_owned());
        question = trimmed[at..].trim().to_owned();
    }
    (passages.join("\n"), question)
}

fn plain(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Result { parts, .. } => parts.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Part::Image(_) | Part::Call(_) => String::new(),
    }
}

fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let labelled = text.lines().any(|line| label(line).is_some());
    let mut current = None;
    let mut sentences = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let rest = match label(line) {
            Some((name, rest)) => {
                current = Some(name);
                rest
            }
            None => line,
        };
        if labelled && (current.is_none() || is_heading(rest)) {
            continue;
        }
        sentences.extend(in_line(rest).into_iter().map(|text| Sentence {
            text,
            label: current,
            line: number,
            words: words(text),
        }));
    }
    sentences.retain(|sentence| sentence.words.len() >= 3);
    sentences
}

/// Whether a line of a passage is a heading: short, and neither a sentence nor a row of a table. It asks what others answer.
fn is_heading(line: &str) -> bool {
    let line = line.trim_end();
    let part = |sign: char| matches!(sign, ':' | ';' | ',' | '.' | '!' | '?' | '。');
    !line.contains(part) && line.split_whitespace().count() < HEADING
}

/// `[3] text`: the label and the text.
fn label(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let end = line.find(']')?;
    let name = line.get(..=end)?;
    let number = name.strip_prefix('[')?.strip_suffix(']')?;
    (!number.is_empty() && number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit()))
        .then(|| (name, &line[end + 1..]))
}

/// A sentence ends with a mark and a space behind it.
fn in_line(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut marked = false;
    for (at, letter) in line.char_indices() {
        if marked && letter.is_whitespace() {
            found.push(line[start..at].trim());
            start = at;
        }
        marked = matches!(letter, '.' | '!' | '?' | '。');
    }
    found.push(line[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    split.map(|word| stem(&word.to_lowercase())).collect()
}

/// "invoices" is found by "invoice", and "carried" by "carry".
fn stem(word: &str) -> String {
    let long = |stem: &&str, least: usize| stem.chars().count() >= least;
    let cut = [("ies", "y", 3), ("ied", "y", 3), ("ing", "", 4), ("ed", "", 4), ("s", "", 3)].iter().find_map(
        |(end, with, least)| {
            let stem =
                word.strip_suffix(end).filter(|stem| long(stem, *least) && !(*end == "s" && stem.ends_with('s')))?;
            Some(format!("{stem}{with}"))
        },
    );
    let cut = cut.unwrap_or_else(|| word.to_owned());
    match cut.strip_suffix('e').filter(|stem| long(stem, 3)) {
        Some(short) => short.to_owned(),
        None => cut,
    }
}

/// Whether a word is a code or a number: it is meant exactly.
fn is_exact(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The sentences that fit the question best, in the order in which they stand.
#[expect(clippy::cast_precision_loss, reason = "counts of words in a quarter of a megabyte")]
fn best<'a, 'b>(sentences: &'b [Sentence<'a>], question: &str) -> Vec<&'b Sentence<'a>> {
    let asked: HashSet<String> = words(question).into_iter().filter(|word| !COMMON.contains(&word.as_str())).collect();
    let mut holding: HashMap<&str, f64> = HashMap::new();
    for sentence in sentences {
        let distinct: HashSet<&str> = sentence.words.iter().map(String::as_str).collect();
        for word in distinct.into_iter().filter(|word| asked.contains(*word)) {
            *holding.entry(word).or_default() += 1.0;
        }
    }
    let all = sentences.len() as f64;
    let mean = sentences.iter().map(|sentence| sentence.words.len()).sum::<usize>() as f64 / all.max(1.0);
    let weight = |word: &str, times: f64, length: f64| {
        let within = holding.get(word).copied().unwrap_or(0.0);
        let rare = (1.0 + (all - within + 0.5) / (within + 0.5)).ln();
        rare * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / mean))
    };
    let times = |words: &[String], word: &str| words.iter().filter(|held| held.as_str() == word).count() as f64;
    let score = |sentence: &Sentence<'_>| {
        let length = sentence.words.len() as f64;
        holding.keys().map(|word| weight(word, times(&sentence.words, word), length)).sum::<f64>()
    };
    // A sentence stands for its passage, too: what the question names may stand in the sentence before.
    let mut beside: HashMap<&str, f64> = HashMap::new();
    for word in holding.keys() {
        let having: HashSet<&str> = sentences
            .iter()
            .filter(|sentence| sentence.words.iter().any(|held| held == word))
            .filter_map(|sentence| sentence.label)
            .collect();
        for label in having {
            *beside.entry(label).or_default() += weight(word, 1.0, mean);
        }
    }
    let scores: Vec<f64> = sentences
        .iter()
        .map(|sentence| match score(sentence) {
            own if own > 0.0 => own + BESIDE * sentence.label.and_then(|label| beside.get(label)).unwrap_or(&0.0),
            _ => 0.0,
        })
        .collect();
    let mut ranked: Vec<(usize, f64)> = scores.into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let top = ranked.first().map_or(0.0, |first| first.1);
    // What scores far below the best only shares a word by chance; and a code is not answered by what stands beside another.
    let exact: Vec<&str> = holding.keys().copied().filter(|word| is_exact(word)).collect();
    let best = ranked.first().map_or(0, |first| first.0);
    let meant = |at: usize| {
        exact.iter().all(|word| times(&sentences[at].words, word) > 0.0 || times(&sentences[best].words, word) <= 0.0)
    };
    let mut chosen: Vec<usize> = ranked
        .into_iter()
        .filter(|(at, score)| *score >= top * CLOSE && meant(*at))
        .take(MOST_SENTENCES)
        .map(|(at, _)| at)
        .collect();
    chosen.sort_unstable();
    // What to do often stands behind what it is about.
    if let [only] = chosen[..]
        && let Some(next) = sentences.get(only + 1)
        && next.label.is_some()
        && next.line == sentences[only].line
    {
        chosen.push(only + 1);
    }
    // Passages overlap: the same sentence is told once.
    let mut told = HashSet::new();
    chosen.into_iter().map(|at| &sentences[at]).filter(|sentence| told.insert(sentence.text)).collect()
}

fn quoted(sentence: &Sentence<'_>) -> String {
    match sentence.label {
        Some(label) if !sentence.text.ends_with(label) => format!("{} {label}", sentence.text),
        _ => sentence.text.to_owned(),
    }
}

/// At most so many words.
fn shortened(text: &str, most: usize) -> (String, Stop) {
    let mut seen = 0;
    let mut within = false;
    for (at, letter) in text.char_indices() {
        let word = !letter.is_whitespace();
        if word && !within {
            if seen == most {
                return (text[..at].trim_end().to_owned(), Stop::Length);
            }
            seen += 1;
        }
        within = word;
    }
    (text.to_owned(), Stop::End)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    fn ask(body: &serde_json::Value) -> Reply {
        let chat = Chat::read(Dialect::OpenAi, body.to_string().as_bytes()).expect("a good request");
        answer(&chat, 200)
    }

    #[test]
    fn the_sentence_that_answers_is_quoted_with_its_label() {
        let reply = ask(&serde_json::json!({"messages": [
            {"role": "system", "content": "Answer when invoices are due.\n[1] Cats sleep a lot. They hunt at night.\n[2] Invoices are due after 30 days. Late ones cost interest."},
            {"role": "user", "content": "When is an invoice due?"},
        ]}));
        assert!(reply.text.contains("Invoices are due after 30 days. [2]"), "{}", reply.text);
        assert!(
            reply.text.contains("language model")
                && !reply.text.contains("Cats")
                && !reply.text.contains("Answer when")
        );
        assert_eq!(reply.stop, Stop::End);
    }

    #[test]
    fn a_heading_answers_nothing_and_what_stands_behind_a_sentence_goes_along() {
        let reply = ask(&serde_json::json!({"messages": [
            {"role": "system", "content": "[1] When invoices are due\n[1] An invoice is due after 30 days. Then a letter is sent. Nobody calls.\n[2] Code: E31; Due: never"},
            {"role": "user", "content": "When is an invoice due?"},
        ]}));
        let said: Vec<&str> = reply.text.lines().skip(2).collect();
        assert_eq!(said, ["An invoice is due after 30 days. [1]", "Then a letter is sent. [1]"]);
    }

    #[test]
    fn a_code_is_answered_by_what_has_it() {
        let reply = ask(&serde_json::json!({"messages": [
            {"role": "system", "content": "[1] Fault code: E12; Meaning: wind vane blocked\n[1] Fault code: E27; Meaning: battery low"},
            {"role": "user", "content": "What does fault code E27 mean?"},
        ]}));
        assert!(reply.text.contains("battery low [1]") && !reply.text.contains("vane"), "{}", reply.text);
    }

    #[test]
    fn passages_may_stand_before_the_question_without_labels() {
        let reply = ask(&serde_json::json!({"messages": [
            {"role": "user", "content": "The tower is 90 metres high. It was built in 1881.\n\nHow high is the tower?"},
        ]}));
        assert!(reply.text.contains("The tower is 90 metres high.") && !reply.text.contains("1881"), "{}", reply.text);
    }

    #[test]
    fn nothing_is_made_up() {
        let none = ask(&serde_json::json!({"messages": [{"role": "user", "content": "What is the meaning of life?"}]}));
        assert!(none.text.starts_with("No passages were given"));
        let other = ask(&serde_json::json!({"messages": [
            {"role": "system", "content": "[1] Cats sleep a lot."}, {"role": "user", "content": "Who won the election?"},
        ]}));
        assert!(other.text.starts_with("The passages say nothing"));
    }

    #[test]
    fn the_bound_of_the_output_holds() {
        let chat = Chat::read(Dialect::OpenAi, br#"{"messages":[{"role":"user","content":"Why?"}]}"#).expect("good");
        let reply = answer(&chat, 4);
        assert_eq!((reply.text.as_str(), reply.stop), ("No passages were given", Stop::Length));
        assert_eq!(reply.usage.map(|usage| usage.output), Some(4));
    }
}
