//! BM25: where each word stands is looked up, and what that tells is counted here, from what the asker sees alone.
//!
//! In files FTS5's index knows where words stand; on PostgreSQL each passage has its words as keyed hashes, cut by the same tokenizer. So
//! both engines give the same scores. FTS5's own `bm25` counts over all passages of the file, and looks up the length of each as it goes,
//! which takes a microsecond each.

use std::collections::HashMap;

use serde::Deserialize;

use super::chunks::Draft;
use super::passages::Passages;
use super::search::Hit;
use crate::Result;
use crate::cipher::Cipher;
use crate::org::Tx;
use crate::sql::{Json, Pair, terms};

/// How soon more of a word tells no more, and how much length counts: what FTS5 has.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// As often as this a word is counted in a passage, and as far from its beginning: as far as PostgreSQL knows places.
const MOST_TIMES: usize = 255;
const LAST_PLACE: u32 = 16_383;

/// A word that is asked for: its terms, and the word itself.
type Asked = (Vec<String>, String);

/// The passages of some collections that have one of the words and are let through, the best first. The words are free of
/// punctuation; one of several parts fits where these follow each other.
pub(super) async fn weigh(
    tx: &mut Tx,
    passages: &Passages,
    words: Vec<String>,
    collections: &[i64],
    lets_through: impl Fn(i64) -> bool,
    limit: usize,
) -> Result<Vec<Hit>> {
    let seen = passages.seen(collections);
    let mean = ratio(seen.total, u64::from(seen.count)).max(1.0);
    let mut asked: Vec<Asked> = terms::terms(&words)?.into_iter().zip(words).collect();
    asked.retain(|(terms, _)| !terms.is_empty());
    asked.sort();
    let different: Vec<&[Asked]> = asked.chunk_by(|left, right| left.0 == right.0).collect();
    let places = places(tx, &different, collections).await?;
    let mut scores = vec![0.0_f64; passages.len()];
    let mut fitting: Vec<usize> = Vec::new();
    for (same, numbers) in different.into_iter().zip(&places) {
        let having = seen.of(numbers);
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

/// For each of the words the passages that have it, by number: each as often as it stands there, or once where its parts follow each
/// other.
async fn places(tx: &mut Tx, asked: &[&[Asked]], collections: &[i64]) -> Result<Vec<Vec<i64>>> {
    let Some(cipher) = tx.transaction().cipher()? else {
        let mut places = Vec::with_capacity(asked.len());
        for same in asked {
            places.push(match &same[0] {
                (terms, _) if terms.len() == 1 => in_file(tx, &terms[0]).await?,
                // Quoted, so that nothing in it is an operator.
                (_, word) => following(tx, format!("\"{word}\"")).await?,
            });
        }
        return Ok(places);
    };
    let hashes: Vec<Vec<String>> =
        asked.iter().map(|same| same[0].0.iter().map(|term| cipher.word(term)).collect()).collect();
    let single: Vec<&str> = hashes.iter().filter(|hashes| hashes.len() == 1).map(|hashes| &*hashes[0]).collect();
    let mut found = if single.is_empty() { HashMap::new() } else { hashed(tx, &single, collections).await? };
    let mut places = Vec::with_capacity(asked.len());
    for hashes in &hashes {
        places.push(match &**hashes {
            [one] => found.remove(one).unwrap_or_default(),
            several => {
                let quoted: Vec<String> = several.iter().map(|hash| format!("'{hash}'")).collect();
                following(tx, quoted.join(" <-> ")).await?
            }
        });
    }
    Ok(places)
}

/// The passages of a file that have a term, each as often as it stands there.
async fn in_file(tx: &mut Tx, term: &str) -> Result<Vec<i64>> {
    // As one value: a row for each would take twice as long.
    let numbers: Json<Vec<i64>> = tx
        .sql(Pair {
            sqlite: "SELECT json_group_array(doc) FROM chunk_terms WHERE term = $1",
            postgres: "SELECT '[]' WHERE $1::text <> ''",
        })
        .bind(term)
        .one()
        .await?;
    let mut numbers = numbers.0;
    let (mut last, mut times) = (None, 0);
    numbers.retain(|number| {
        times = if last == Some(*number) { times + 1 } else { 1 };
        last = Some(*number);
        times <= MOST_TIMES
    });
    Ok(numbers)
}

#[derive(Deserialize)]
struct Row {
    hash: String,
    /// Numbers of passages, each with how often it stands there.
    found: Json<Vec<(i64, usize)>>,
}

/// The passages on PostgreSQL that have terms, given by their hashes, each as often as it stands there.
async fn hashed(tx: &mut Tx, hashes: &[&str], collections: &[i64]) -> Result<HashMap<String, Vec<i64>>> {
    let any: Vec<String> = hashes.iter().map(|hash| format!("'{hash}'")).collect();
    // All in one: each passage is looked at once.
    let rows: Vec<Row> = tx
        .sql(Pair {
            sqlite: "SELECT '' AS hash, '[]' AS found WHERE $1 = $2 AND $2 = $3",
            postgres: "SELECT u.lexeme AS hash, json_agg(json_build_array(c.number, cardinality(u.positions)) ORDER BY c.number)::text AS found
                FROM chunks c CROSS JOIN LATERAL unnest(c.words) u
                WHERE c.collection = ANY (SELECT jsonb_array_elements_text($3::jsonb)::bigint)
                  AND c.words @@ ($1::text)::tsquery AND u.lexeme = ANY (string_to_array($2, ' '))
                GROUP BY u.lexeme",
        })
        .bind(any.join(" | "))
        .bind(hashes.join(" "))
        .bind(Json(collections.to_vec()).text())
        .all()
        .await?;
    let each = |(number, times): (i64, usize)| std::iter::repeat_n(number, times.min(MOST_TIMES));
    Ok(rows.into_iter().map(|row| (row.hash, row.found.0.into_iter().flat_map(each).collect())).collect())
}

/// The passages in which the parts of a word follow each other, by number, each once.
async fn following(tx: &mut Tx, parts: String) -> Result<Vec<i64>> {
    let numbers: Json<Vec<i64>> = tx
        .sql(Pair {
            sqlite: "SELECT json_group_array(rowid) FROM chunk_words WHERE chunk_words MATCH $1",
            postgres: "SELECT COALESCE(json_agg(number ORDER BY number), '[]')::text FROM chunks WHERE words @@ ($1::text)::tsquery",
        })
        .bind(parts)
        .one()
        .await?;
    Ok(numbers.0)
}

/// For each of some passages what PostgreSQL keeps of its words: their hashes with their places as it writes them, and how many they are.
/// Nothing for a file, whose index sees to that itself.
pub(super) fn of(tx: &mut Tx, drafts: &[Draft]) -> Result<Vec<(String, i64)>> {
    let Some(cipher) = tx.transaction().cipher()? else { return Ok(Vec::new()) };
    let texts: Vec<[&str; 2]> = drafts.iter().map(|draft| [&*draft.heading, &*draft.text]).collect();
    let mut hashes = HashMap::new();
    let cut = terms::of_passages(&texts)?;
    Ok(cut.into_iter().map(|passage| written(&cipher, &mut hashes, &passage)).collect())
}

fn written(
    cipher: &Cipher,
    hashes: &mut HashMap<String, String>,
    [heading, text]: &[terms::Terms; 2],
) -> (String, i64) {
    let mut places: HashMap<&str, Vec<u32>> = HashMap::new();
    let begin = |terms: &terms::Terms| u32::try_from(terms.len()).unwrap_or(u32::MAX);
    // A place stays free between the two, so that nothing follows from one to the other.
    for (terms, before) in [(heading, 1), (text, begin(heading).saturating_add(2))] {
        for (term, place) in terms {
            let place = place.saturating_add(before);
            let of_term = places.entry(term).or_default();
            if place <= LAST_PLACE && of_term.len() < MOST_TIMES {
                of_term.push(place);
            }
        }
    }
    let mut words = String::new();
    for (term, places) in places.into_iter().filter(|(_, places)| !places.is_empty()) {
        let hash = hashes.entry(term.to_owned()).or_insert_with(|| cipher.word(term));
        let places: Vec<String> = places.iter().map(u32::to_string).collect();
        words.push_str(&format!("'{hash}':{} ", places.join(",")));
    }
    (words, i64::try_from(heading.len() + text.len()).unwrap_or(i64::MAX))
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
