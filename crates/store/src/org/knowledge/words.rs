//! BM25 on files: FTS5 says where each word stands, and what that tells is counted here, from what the asker sees alone.
//!
//! FTS5's own `bm25` counts over all passages of the file, and looks up the length of each as it goes, which takes a microsecond each.

use super::passages::Passages;
use super::search::Hit;
use crate::Result;
use crate::org::Tx;
use crate::sql::{Json, Pair, terms};

/// How soon more of a word tells no more, and how much length counts: what FTS5 has.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The passages of some collections that have one of the words and are let through, the best first. The words are free of
/// punctuation; one of several parts fits where these follow each other.
pub(super) async fn weigh(
    tx: &mut Tx,
    passages: &Passages,
    words: &[String],
    collections: &[i64],
    lets_through: impl Fn(i64) -> bool,
    limit: usize,
) -> Result<Vec<Hit>> {
    let seen = passages.seen(collections);
    let mean = ratio(seen.total, u64::from(seen.count)).max(1.0);
    let mut asked: Vec<(Vec<String>, &String)> = terms::terms(words)?.into_iter().zip(words).collect();
    asked.retain(|(terms, _)| !terms.is_empty());
    asked.sort();
    let mut scores = vec![0.0_f64; passages.len()];
    let mut fitting: Vec<usize> = Vec::new();
    for same in asked.chunk_by(|left, right| left.0 == right.0) {
        let numbers = match &same[0] {
            (terms, _) if terms.len() == 1 => places(tx, &terms[0]).await?,
            (_, word) => following(tx, word).await?,
        };
        let having = seen.of(&numbers);
        // Two words of one stem tell twice as much.
        let weight = rarity(having.len(), seen.count) * ratio(same.len() as u64, 1);
        for (at, times) in having {
            if scores[at] == 0.0 {
                fitting.push(at);
            }
            let (times, length) = (f64::from(times), f64::from(seen.length(at)));
            scores[at] += weight * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / mean));
        }
    }
    let mut hits: Vec<Hit> = fitting
        .into_iter()
        .map(|at| Hit { number: seen.number(at), score: scores[at] })
        .filter(|hit| lets_through(hit.number))
        .collect();
    let better = |left: &Hit, right: &Hit| right.score.total_cmp(&left.score).then(left.number.cmp(&right.number));
    if limit < hits.len() {
        hits.select_nth_unstable_by(limit, better);
        hits.truncate(limit);
    }
    hits.sort_unstable_by(better);
    Ok(hits)
}

/// The passages that have a term, by number, each as often as it stands there.
async fn places(tx: &mut Tx, term: &str) -> Result<Vec<i64>> {
    // As one value: a row for each would take twice as long.
    let numbers: Json<Vec<i64>> = tx
        .sql(Pair {
            sqlite: "SELECT json_group_array(doc) FROM chunk_terms WHERE term = $1",
            postgres: "SELECT '[]' WHERE $1::text <> ''",
        })
        .bind(term)
        .one()
        .await?;
    Ok(numbers.0)
}

/// The passages in which the parts of a word follow each other, by number, each once.
async fn following(tx: &mut Tx, word: &str) -> Result<Vec<i64>> {
    let numbers: Json<Vec<i64>> = tx
        .sql(Pair {
            sqlite: "SELECT json_group_array(rowid) FROM chunk_words WHERE chunk_words MATCH $1",
            postgres: "SELECT '[]' WHERE $1::text <> ''",
        })
        // Quoted, so that nothing in it is an operator.
        .bind(format!("\"{word}\""))
        .one()
        .await?;
    Ok(numbers.0)
}

/// How much a word tells that so many of all passages have, as FTS5 counts it.
fn rarity(passages: usize, all: u32) -> f64 {
    let (passages, all) = (ratio(passages as u64, 1), f64::from(all));
    ((all - passages + 0.5) / (passages + 0.5)).ln().max(1e-6)
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of words and passages")]
    let (part, whole) = (part as f64, whole as f64);
    if whole > 0.0 { part / whole } else { 0.0 }
}
