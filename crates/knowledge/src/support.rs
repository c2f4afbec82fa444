//! Which of the passages that were found can support an answer. A search always finds something; what only shares a common word with
//! the question, or is merely the nearest of what is far, answers nothing.

use std::collections::BTreeSet;

use crate::citing::{stem, stems};
use crate::search::{Found, words};

// Measured on the example documents with 13 questions that they answer and 10 that they do not (the tests `answers_good` of the server):
// the passage that answers had a cosine of 0.35 to 0.74, a price list's 0.22 and two of three telling words; the nearest passage to a
// question without an answer had 0.06 to 0.23 and at most a third of them. Another passage of the right document had up to 0.40.

/// A passage whose meaning is as near as this supports by that alone.
const NEAR: f64 = 0.46;
/// One whose meaning is at least this near supports when it has [`SOME`] of the question's words, too.
const RELATED: f64 = 0.30;
/// The share of the question's telling words that a related passage must have.
const SOME: f64 = 0.34;
/// The share that is enough while a passage has no vector yet, and of a passage that is not quite [`FAR`].
const MOST: f64 = 0.60;
/// A passage whose meaning is farther than this has the question's words by chance, a table's row aside that has a code.
const FAR: f64 = 0.15;
/// Words that say how something is asked, and nothing of what.
const ASKING: &[&str] = &[
    "may", "much", "many", "must", "should", "could", "would", "long", "get", "got", "give", "tell", "say", "said",
    "mean", "means", "please", "us", "any", "some", "also", "then", "than", "else", "happen", "happens", "take",
    "takes", "need", "needs", "use", "used", "know", "there", "here", "one", "next", "second", "first", "him", "her",
    "he", "she", "them", "those", "did", "am", "been", "but",
];
/// Words that point at what was said before.
const POINTING: &[&str] = &[
    "it", "its", "they", "them", "their", "that", "those", "these", "this", "he", "she", "one", "ones", "there", "same",
];
/// How a question begins that goes on from the one before.
const GOING_ON: &[&str] = &[
    "and ",
    "but ",
    "or ",
    "also ",
    "what about ",
    "how about ",
    "what else",
    "why?",
    "why not",
    "which of",
    "since when?",
    "until when?",
];
/// A question with at most so many telling words may lean on the one before.
const FEW: usize = 2;

/// The telling words of a question, in the form in which they are compared.
fn telling(question: &str) -> BTreeSet<String> {
    let words = words(question);
    words.iter().filter(|word| !ASKING.contains(&word.as_str())).map(|word| stem(word)).collect()
}

/// How much of a question's telling words a passage has, from 0 to 1, with its headings and the document's title.
fn share(asked: &BTreeSet<String>, found: &Found) -> f64 {
    if asked.is_empty() {
        return 0.0;
    }
    let all = stems(&format!("{}\n{}\n{}", found.document.title, found.chunk.heading, found.chunk.text));
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    count(asked.iter().filter(|word| all.contains(*word)).count()) / count(asked.len())
}

/// The passages that can support an answer to a question, in the order in which they were found.
#[must_use]
pub fn supporting(found: Vec<Found>, question: &str) -> Vec<Found> {
    let asked = telling(question);
    // What a name or a number stands for is answered by who has it.
    let exact: BTreeSet<&String> = asked.iter().filter(|word| is_exact(word)).collect();
    found
        .into_iter()
        .filter(|found| {
            let share = share(&asked, found);
            let exactly = !exact.is_empty() && {
                let all = stems(&found.chunk.text);
                exact.iter().all(|word| all.contains(*word))
            };
            match found.meaning {
                Some(meaning) => {
                    meaning >= NEAR
                        || (meaning >= RELATED && share >= SOME)
                        || (meaning >= FAR && share >= MOST && asked.len() > 1)
                        || (exactly && share >= SOME)
                }
                None => share >= MOST || (exactly && share >= SOME),
            }
        })
        .collect()
}

/// Whether a word is a code: letters and digits.
fn is_exact(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What to search for: the question, with the ones before it as far as it leans on them. The earlier questions come oldest first.
#[must_use]
pub fn sought(earlier: &[&str], question: &str) -> String {
    let mut parts = vec![question];
    for before in earlier.iter().rev() {
        if !leans(parts[0]) || parts.len() > 2 {
            break;
        }
        parts.insert(0, before);
    }
    parts.join(" ")
}

/// Whether a question leans on what was said before it.
fn leans(question: &str) -> bool {
    let lower = question.trim().to_lowercase();
    let mut all = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    GOING_ON.iter().any(|begin| lower.starts_with(begin))
        || all.any(|word| POINTING.contains(&word))
        || telling(question).len() < FEW
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::found;

    fn near(meaning: f64, text: &str) -> Found {
        Found { meaning: Some(meaning), ..found("Travel policy", text) }
    }

    #[test]
    fn what_is_far_supports_nothing() {
        let hotels = "In Oslo a night in a hotel may cost 210 euros.";
        let kept = |meaning, question: &str| supporting(vec![near(meaning, hotels)], question).len();
        assert_eq!(kept(0.7, "lodging expenses in Norway"), 1, "by its meaning alone");
        assert_eq!(kept(0.2, "What may I do, and how much?"), 0, "by common words");
        assert_eq!(kept(0.35, "What does a hotel in Oslo cost?"), 1);
        assert_eq!(kept(0.35, "Who is the director of the national theatre in Oslo?"), 0);
        assert_eq!(supporting(vec![found("Travel", hotels)], "Oslo hotel cost").len(), 1, "without a vector");
        assert_eq!(supporting(vec![found("Travel", hotels)], "Oslo opera programme tonight").len(), 0);
        assert_eq!(supporting(vec![near(0.1, "E27: battery low")], "What is E27?").len(), 1, "a code");
    }

    #[test]
    fn a_question_that_leans_is_sought_with_the_one_before() {
        let first = "How much may a hotel night in Oslo cost?";
        assert_eq!(sought(&[first], "And in Norway?"), format!("{first} And in Norway?"));
        assert_eq!(sought(&[first], "and for the second one?"), format!("{first} and for the second one?"));
        assert_eq!(sought(&[first, "And in Norway?"], "Why?"), format!("{first} And in Norway? Why?"));
        let other = "How many days of leave can I carry over?";
        assert_eq!(sought(&[first], other), other);
        assert_eq!(sought(&[], "And in Norway?"), "And in Norway?");
    }
}
