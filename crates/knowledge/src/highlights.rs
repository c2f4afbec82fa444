//! Where the words of a question stand in a passage.

use std::collections::BTreeSet;

use crate::citing::stem;
use crate::search::words;

/// Places that are given of one passage.
const MOST: usize = 64;

/// The places of a question's telling words in a text, in order, each as its first byte and the byte behind it. Forms of a word count
/// as the word.
#[must_use]
pub fn highlights(question: &str, text: &str) -> Vec<(usize, usize)> {
    let wanted: BTreeSet<String> = words(question).iter().map(|word| stem(word)).collect();
    let mut found = Vec::new();
    let mut from = None;
    let ends = text.char_indices().map(|(at, letter)| (at, letter.is_alphanumeric())).chain([(text.len(), false)]);
    for (at, inside) in ends {
        match (inside, from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                from = None;
                if wanted.contains(&stem(&text[start..at].to_lowercase())) {
                    found.push((start, at));
                }
            }
            _ => {}
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_question_are_found_in_all_their_forms() {
        let text = "Über die Nights: a night may COST 210 euros; costs carried.";
        let told: Vec<&str> =
            highlights("How much may a night cost to carry, über?", text).iter().map(|(a, b)| &text[*a..*b]).collect();
        assert_eq!(told, ["Über", "Nights", "night", "may", "COST", "costs", "carried"]);
        assert!(highlights("?", text).is_empty());
        assert_eq!(highlights("word", &"word ".repeat(1000)).len(), MOST);
    }
}
