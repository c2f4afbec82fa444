//! Which passages there are, for whoever keeps that in memory. A passage never changes and its number is never used again: what comes
//! has higher numbers, and all else that can happen is that one goes.

use serde::Deserialize;
use serde_bytes::ByteBuf;

use crate::Result;
use crate::org::Tx;
use crate::sql::{Json, Pair};

/// Passages that are read at once.
const PAGE: usize = 4096;

/// Passages by number, each with its collection and its length. 16 bytes a passage.
#[derive(Debug, Clone, Default)]
pub struct Passages {
    numbers: Vec<i64>,
    /// Which of `collections` each is in.
    places: Vec<u32>,
    /// Words.
    lengths: Vec<u32>,
    collections: Vec<i64>,
}

#[derive(Deserialize)]
struct Row {
    number: i64,
    collection: i64,
    /// How many words each column has, as FTS5 writes numbers in a file. Nothing on PostgreSQL.
    sizes: ByteBuf,
    /// How many words it has, on PostgreSQL. None in a file.
    length: u32,
}

impl Passages {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Their numbers, the lowest first.
    #[must_use]
    pub fn numbers(&self) -> &[i64] {
        &self.numbers
    }

    /// Whether there is one with this number.
    #[must_use]
    pub fn has(&self, number: i64) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// The bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.numbers.capacity() * 8 + (self.places.capacity() + self.lengths.capacity()) * 4
    }

    /// Reads those that came after the passage with this number.
    /// # Errors
    /// As the database.
    pub async fn read_on(&mut self, tx: &mut Tx, after: i64) -> Result<()> {
        let mut after = after;
        loop {
            let rows: Vec<Row> = tx
                .sql(Pair {
                    sqlite: "SELECT chunks.number AS number, chunks.collection AS collection, chunk_words_docsize.sz AS sizes, 0 AS length
                        FROM chunks INDEXED BY chunks_collection CROSS JOIN chunk_words_docsize ON chunk_words_docsize.id = chunks.number
                        WHERE chunks.number > $1 ORDER BY chunks.number LIMIT $2",
                    postgres: "SELECT number, collection, ''::bytea AS sizes, length FROM chunks
                        WHERE number > $1 ORDER BY number LIMIT $2",
                })
                .bind(after)
                .bind(i64::try_from(PAGE).unwrap_or(i64::MAX))
                .all()
                .await?;
            for row in &rows {
                let place = self.collections.iter().rposition(|collection| *collection == row.collection);
                let place = place.unwrap_or_else(|| {
                    self.collections.push(row.collection);
                    self.collections.len() - 1
                });
                self.numbers.push(row.number);
                self.places.push(u32::try_from(place).unwrap_or(u32::MAX));
                self.lengths.push(row.length + length(&row.sizes));
            }
            match rows.last() {
                Some(last) if rows.len() >= PAGE => after = last.number,
                _ => return Ok(()),
            }
        }
    }

    /// Lets go of those that are there no more.
    /// # Errors
    /// As the database.
    pub async fn let_go(&mut self, tx: &mut Tx) -> Result<()> {
        // As one value: a row for each would take ten times as long.
        let there: Json<Vec<i64>> = tx
            .sql(Pair {
                sqlite: "SELECT json_group_array(number) FROM (SELECT number FROM chunks INDEXED BY chunks_collection ORDER BY number)",
                postgres: "SELECT COALESCE(json_agg(number ORDER BY number), '[]')::text FROM chunks",
            })
            .one()
            .await?;
        let mut there = there.0.into_iter().peekable();
        let mut kept = 0;
        for at in 0..self.numbers.len() {
            while there.next_if(|number| *number < self.numbers[at]).is_some() {}
            if there.peek() == Some(&self.numbers[at]) {
                self.numbers[kept] = self.numbers[at];
                self.places[kept] = self.places[at];
                self.lengths[kept] = self.lengths[at];
                kept += 1;
            }
        }
        self.numbers.truncate(kept);
        self.places.truncate(kept);
        self.lengths.truncate(kept);
        Ok(())
    }

    /// Those that are in some collections.
    pub(super) fn seen(&self, collections: &[i64]) -> Seen<'_> {
        let places: Vec<bool> = self.collections.iter().map(|place| collections.contains(place)).collect();
        let lengths = self.places.iter().zip(&self.lengths).filter(|(place, _)| places[**place as usize]);
        let (count, total) =
            lengths.fold((0_u32, 0_u64), |(count, total), (_, length)| (count + 1, total + u64::from(*length)));
        Seen { passages: self, places, count, total }
    }
}

/// Passages, as far as somebody sees them.
pub(super) struct Seen<'a> {
    passages: &'a Passages,
    places: Vec<bool>,
    /// How many are seen.
    pub(super) count: u32,
    /// The words that these have together.
    pub(super) total: u64,
}

impl Seen<'_> {
    /// Where the passages with these numbers stand, as far as they are seen, and how often each is named. The numbers are sorted.
    pub(super) fn of(&self, numbers: &[i64]) -> Vec<(usize, u32)> {
        let mut found: Vec<(usize, u32)> = Vec::new();
        let mut from = 0;
        for named in numbers.chunk_by(|left, right| left == right) {
            let (number, rest) = (named[0], &self.passages.numbers[from..]);
            let Some(first) = rest.first() else { break };
            // Numbers are whole and grow: it is no further off in the list than in number.
            let furthest = usize::try_from(number.saturating_sub(*first).saturating_add(1)).unwrap_or(0);
            from += rest[..furthest.min(rest.len())].partition_point(|other| *other < number);
            let is_there = self.passages.numbers.get(from) == Some(&number);
            if is_there && self.places[self.passages.places[from] as usize] {
                found.push((from, u32::try_from(named.len()).unwrap_or(u32::MAX)));
            }
        }
        found
    }

    /// The number of the passage that stands there.
    pub(super) fn number(&self, at: usize) -> i64 {
        self.passages.numbers[at]
    }

    /// How many words it has.
    pub(super) fn length(&self, at: usize) -> u32 {
        self.passages.lengths[at]
    }
}

/// The sum of numbers as FTS5 writes them: seven bits a byte, the highest first, the eighth on all bytes but the last.
fn length(sizes: &[u8]) -> u32 {
    let (mut sum, mut number) = (0_u32, 0_u32);
    for byte in sizes {
        number = (number << 7) | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            sum = sum.saturating_add(number);
            number = 0;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages() -> Passages {
        Passages {
            numbers: vec![2, 3, 9, 10, 400],
            places: vec![0, 1, 0, 1, 0],
            lengths: vec![5, 6, 7, 8, 9],
            collections: vec![70, 80],
        }
    }

    #[test]
    fn what_is_seen_is_found_and_counted() {
        let passages = passages();
        let seen = passages.seen(&[70, 99]);
        assert_eq!((seen.count, seen.total), (3, 21));
        assert_eq!(seen.of(&[1, 2, 3, 3, 9, 9, 9, 11, 400, 401]), [(0, 1), (2, 3), (4, 1)]);
        assert_eq!(seen.of(&[]), []);
        assert_eq!(seen.of(&[1, 4, 500]), []);
        assert_eq!(passages.seen(&[]).of(&[2, 3]), []);
        assert_eq!(passages.seen(&[70, 80]).of(&[10, 400]), [(3, 1), (4, 1)]);
    }

    #[test]
    fn lengths_are_read_as_they_are_written() {
        assert_eq!(length(&[]), 0);
        assert_eq!(length(&[4, 130 - 128]), 6);
        assert_eq!(length(&[0x81, 0x00, 3]), 131);
        assert_eq!(length(&[0x81, 0x80, 0x00, 0x7f]), 16384 + 127);
    }
}
