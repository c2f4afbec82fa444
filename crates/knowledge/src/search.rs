//! Search: by words and by meaning at once, among what the asker sees.
//!
//! Both kinds of search give scores that mean nothing beside each other. Each list is brought to 0..1 between its worst and its best,
//! and the two are added. What only one of them found counts there alone.

use std::collections::{BTreeMap, HashSet};

use domain::{ChunkId, DocumentId};
use store::Tx;
use store::org::knowledge::chunks::{self, Chunk};
use store::org::knowledge::documents::{self, Document};
use store::org::knowledge::search::{self, Filter};

use crate::known::{Known, Memory};
use crate::meaning::{Meaning, WideVectors};

/// How much the words count; the meaning has the rest. On the train queries of `SciFact` all from 0.4 to 0.7 do within a hundredth of
/// the best (docs/BENCHMARKS.md has the table).
const WORDS: f64 = 0.5;
/// Passages that each kind of search gives to the mix.
const EACH: usize = 100;
/// Words of a query that are looked for at most.
const MOST_WORDS: usize = 64;
/// The most passages that a search gives.
pub const MOST: usize = 100;

/// Words too common to find anything by.
const COMMON: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "had", "has", "have",
    "how", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "so", "that", "the",
    "their", "there", "these", "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who",
    "why", "will", "with", "you", "your",
];

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The words of the asker.
    pub query: &'a str,
    /// The numbers of the collections that the asker sees and means.
    pub collections: &'a [i64],
    /// Which documents in them.
    pub filter: &'a Filter,
    /// How many passages, at most [`MOST`].
    pub limit: usize,
}

/// A passage that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The passage.
    pub chunk: Chunk,
    /// Its document.
    pub document: Document,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// How well its words fit, by BM25; none when they do not.
    pub words: Option<f64>,
    /// How near its meaning is, as a cosine; none when it is not among the nearest, or has no vector yet.
    pub meaning: Option<f64>,
}

impl Found {
    /// The passage's id.
    #[must_use]
    pub fn id(&self) -> (DocumentId, ChunkId) {
        (self.document.id, self.chunk.id)
    }
}

/// The passages that fit best, the best first; all of it read in one transaction.
/// # Errors
/// As the database.
pub async fn search(
    tx: &mut Tx,
    memory: &Memory,
    wish: &Wish<'_>,
    meaning: Option<Meaning<'_>>,
) -> store::Result<Vec<Found>> {
    look_up(tx, memory, wish).await?.found(tx, meaning).await
}

/// A search of which the meaning is still missing: nothing of it depends on that, so it may be reckoned meanwhile.
#[derive(Debug)]
pub struct Halfway {
    known: Known,
    wide: WideVectors,
    collections: HashSet<i64>,
    /// The passages of the documents that the filter lets through, by number; none when it lets all through.
    filtered: Option<Vec<i64>>,
    by_words: Vec<(i64, f64)>,
    limit: usize,
}

/// Searches by words, and looks up what a search by meaning needs.
/// # Errors
/// As the database.
pub async fn look_up(tx: &mut Tx, memory: &Memory, wish: &Wish<'_>) -> store::Result<Halfway> {
    let collections: HashSet<i64> = wish.collections.iter().copied().collect();
    let limit = wish.limit.min(MOST);
    if collections.is_empty() {
        return Ok(Halfway {
            known: Known::default(),
            wide: memory.wide.clone(),
            collections,
            filtered: None,
            by_words: Vec::new(),
            limit,
        });
    }
    let known = memory.of(tx).await?;
    let filtered =
        if wish.filter.is_empty() { None } else { Some(search::filtered(tx, wish.filter, wish.collections).await?) };
    let (words, only) = (words(wish.query), filtered.as_deref());
    let by_words = search::by_words(tx, &known.passages, &words, wish.collections, only, EACH).await?;
    let by_words = by_words.into_iter().map(|hit| (hit.number, hit.score)).collect();
    Ok(Halfway { known, wide: memory.wide.clone(), collections, filtered, by_words, limit })
}

impl Halfway {
    /// The passages that fit best, the best first, read in the transaction of the first half. Without a meaning words alone count.
    /// # Errors
    /// As the database.
    pub async fn found(self, tx: &mut Tx, meaning: Option<Meaning<'_>>) -> store::Result<Vec<Found>> {
        let Self { known, wide, collections, filtered, by_words, limit } = self;
        let may = |chunk: i64| filtered.as_ref().is_none_or(|filtered| filtered.binary_search(&chunk).is_ok());
        let seen = |chunk: i64, collection: i64| collections.contains(&collection) && may(chunk);
        let by_meaning = match meaning {
            None => Vec::new(),
            Some(meaning) => meaning.nearest(tx, &known.matrix, &wide, seen, EACH).await?,
        };
        let mut found = Vec::new();
        for (number, score) in mixed(&by_words, &by_meaning) {
            if found.len() >= limit {
                break;
            }
            let Some(chunk) = chunks::find(tx, number).await? else { continue };
            let Some(document) = documents::find(tx, chunk.document_id).await? else { continue };
            let of = |list: &[(i64, f64)]| list.iter().find(|(other, _)| *other == number).map(|(_, score)| *score);
            found.push(Found { words: of(&by_words), meaning: of(&by_meaning), chunk, document, score });
        }
        Ok(found)
    }
}

/// Both lists as one, the best first.
fn mixed(by_words: &[(i64, f64)], by_meaning: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut scores: BTreeMap<i64, f64> = BTreeMap::new();
    let weights = if by_meaning.is_empty() { (1.0, 0.0) } else { (WORDS, 1.0 - WORDS) };
    for (list, weight) in [(by_words, weights.0), (by_meaning, weights.1)] {
        let best = list.iter().map(|(_, score)| *score).fold(f64::MIN, f64::max);
        let worst = list.iter().map(|(_, score)| *score).fold(f64::MAX, f64::min);
        for (number, score) in list {
            let part = if best > worst { (score - worst) / (best - worst) } else { 1.0 };
            *scores.entry(*number).or_default() += weight * part;
        }
    }
    let mut mixed: Vec<_> = scores.into_iter().collect();
    mixed.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    mixed
}

/// The words of a query that are worth looking for.
#[must_use]
pub fn words(query: &str) -> Vec<String> {
    let split = |query: &str| -> Vec<String> {
        query
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let all = split(query);
    let telling: Vec<String> = all.iter().filter(|word| !COMMON.contains(&word.as_str())).cloned().collect();
    let mut words = if telling.is_empty() { all } else { telling };
    let mut seen = HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.truncate(MOST_WORDS);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_find_comes_first() {
        let mixed = mixed(&[(1, 9.0), (2, 8.0), (3, 1.0)], &[(2, 0.9), (4, 0.8), (5, 0.1)]);
        assert_eq!(mixed[0].0, 2);
        assert_eq!(mixed.len(), 5);
    }

    #[test]
    fn without_vectors_the_words_decide() {
        assert_eq!(mixed(&[(7, 3.0), (1, 2.0)], &[]), [(7, 1.0), (1, 0.0)]);
        assert_eq!(mixed(&[(7, 3.0)], &[]), [(7, 1.0)]);
    }

    #[test]
    fn words_are_bare_and_telling() {
        assert_eq!(words("What is \"the\" refund-policy OR (NEAR)?"), ["refund", "policy", "near"]);
        assert_eq!(words("to be or not to be"), ["to", "be", "or", "not"]);
        assert!(words("?!").is_empty());
    }
}
