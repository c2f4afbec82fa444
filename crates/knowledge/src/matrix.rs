//! Many vectors side by side: 8 bits a dimension with a scale each, searched one by one, so nothing near is ever missed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::num::NonZero;
use std::sync::Arc;

use embedding::DIMENSIONS;
use fearless_simd::Level;
use serde_bytes::ByteBuf;
use store::org::knowledge::chunks::Vector;

use crate::dot::dots;

/// Rows whose sums are taken at once: they stay in a core's own cache.
const BLOCK: usize = 256;
/// Rows from which on a scan is worth a thread of its own.
const SHARE: usize = 150_000;
/// Threads of a scan at most.
const MOST_THREADS: usize = 4;

/// The vectors of passages, with the collection of each. They lie in parts that never change, so a copy shares them; what is added is
/// a part of its own, and small ones are put together.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    parts: Vec<Arc<Part>>,
}

/// Vectors side by side.
#[derive(Debug, Default)]
pub(crate) struct Part {
    chunks: Vec<i64>,
    collections: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
}

impl Part {
    fn with_room(rows: usize) -> Self {
        Self {
            chunks: Vec::with_capacity(rows),
            collections: Vec::with_capacity(rows),
            scales: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows * DIMENSIONS),
        }
    }

    fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Adds a vector, if it is one of this model's.
    pub(crate) fn push(&mut self, vector: &Vector) {
        if vector.value.len() != DIMENSIONS {
            return;
        }
        self.chunks.push(vector.chunk);
        self.collections.push(vector.collection);
        #[expect(clippy::cast_precision_loss, reason = "a scale has six digits")]
        self.scales.push(vector.scale as f32 / 1e9);
        self.values.extend(vector.value.iter().map(|byte| byte.cast_signed()));
    }

    /// Gives back what growing took in advance.
    fn settle(&mut self) {
        self.chunks.shrink_to_fit();
        self.collections.shrink_to_fit();
        self.scales.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// Adds those of another part that are wanted.
    fn take(&mut self, other: &Self, is_wanted: impl Fn(i64) -> bool) {
        for (at, chunk) in other.chunks.iter().enumerate().filter(|(_, chunk)| is_wanted(**chunk)) {
            self.chunks.push(*chunk);
            self.collections.push(other.collections[at]);
            self.scales.push(other.scales[at]);
            self.values.extend_from_slice(&other.values[at * DIMENSIONS..(at + 1) * DIMENSIONS]);
        }
    }
}

impl Matrix {
    /// Adds vectors; one of another size is none of this model's, and is left out.
    pub fn extend(&mut self, vectors: &[Vector]) {
        let mut part = Part::with_room(vectors.len());
        for vector in vectors {
            part.push(vector);
        }
        self.add(part);
    }

    /// Adds a part.
    pub(crate) fn add(&mut self, mut part: Part) {
        part.settle();
        // So each is more than twice as long as the next: there are few, and each vector is copied seldom.
        while let Some(last) = self.parts.pop_if(|last| last.len() <= 2 * part.len()) {
            let mut both = Part::with_room(last.len() + part.len());
            both.take(&last, |_| true);
            both.take(&part, |_| true);
            part = both;
        }
        if part.len() > 0 {
            self.parts.push(Arc::new(part));
        }
    }

    /// Keeps the vectors of the passages that are still there.
    pub(crate) fn retain(&mut self, is_there: impl Fn(i64) -> bool) {
        for part in &mut self.parts {
            let kept = part.chunks.iter().filter(|chunk| is_there(**chunk)).count();
            if kept < part.len() {
                let mut rest = Part::with_room(kept);
                rest.take(part, &is_there);
                *part = Arc::new(rest);
            }
        }
        self.parts.retain(|part| part.len() > 0);
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * (DIMENSIONS + 8 + 8 + 4)
    }

    /// How many passages have a vector.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The nearest passages that are let through, the nearest first, each with its cosine.
    ///
    /// Who is let through is asked only of what is near enough to be among them, so the question may be slow.
    pub fn nearest(
        &self,
        query: &[f32; DIMENSIONS],
        lets_through: impl Fn(i64, i64) -> bool + Sync,
        count: usize,
    ) -> Vec<(i64, f64)> {
        let (scale, query) = quantise(query);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = (self.len() / SHARE).clamp(1, cores.min(MOST_THREADS));
        let scan = |from: usize, to: usize| self.scan(&query, scale, &lets_through, count, from, to);
        let mut best = if threads == 1 {
            scan(0, self.len())
        } else {
            let share = self.len().div_ceil(threads);
            std::thread::scope(|scope| {
                let others: Vec<_> = (1..threads)
                    .map(|n| (n * share, ((n + 1) * share).min(self.len())))
                    .map(|(from, to)| (from, to, scope.spawn(move || scan(from, to))))
                    .collect();
                let mut best = scan(0, share);
                for (from, to, other) in others {
                    best.extend(other.join().unwrap_or_else(|_| scan(from, to)));
                }
                best
            })
        };
        best.sort_unstable();
        best.truncate(count);
        best.into_iter().map(|near| (near.chunk, f64::from(near.cosine))).collect()
    }

    /// The nearest of the rows from one to another, counted through all parts, in no order.
    fn scan(
        &self,
        query: &[i8; DIMENSIONS],
        scale: f32,
        lets_through: &impl Fn(i64, i64) -> bool,
        count: usize,
        from: usize,
        to: usize,
    ) -> Vec<Near> {
        let level = Level::new();
        let mut best: BinaryHeap<Near> = BinaryHeap::with_capacity(count + 1);
        let mut sums = [0_i32; BLOCK];
        let mut before = 0;
        for part in &self.parts {
            let rows = |row: usize| row.clamp(before, before + part.len()) - before;
            let (mut begin, to) = (rows(from), rows(to));
            before += part.len();
            while begin < to && count > 0 {
                let end = (begin + BLOCK).min(to);
                let sums = &mut sums[..end - begin];
                dots(level, query, &part.values[begin * DIMENSIONS..end * DIMENSIONS], sums);
                for (at, sum) in (begin..end).zip(&*sums) {
                    #[expect(clippy::cast_precision_loss, reason = "at most 384 times 128 squared")]
                    let cosine = *sum as f32 * part.scales[at] * scale;
                    let is_near = best.len() < count || best.peek().is_some_and(|worst| cosine >= worst.cosine);
                    if is_near && lets_through(part.chunks[at], part.collections[at]) {
                        best.push(Near { cosine, chunk: part.chunks[at] });
                        if best.len() > count {
                            best.pop();
                        }
                    }
                }
                begin = end;
            }
        }
        best.into_vec()
    }
}

/// Ordered so that the farthest is the greatest.
#[derive(PartialEq)]
struct Near {
    cosine: f32,
    chunk: i64,
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.chunk.cmp(&other.chunk))
    }
}

/// Dimensions of 8 bits, and what each is multiplied by.
fn quantise(vector: &[f32; DIMENSIONS]) -> (f32, [i8; DIMENSIONS]) {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
    let values = vector.map(|value| (value / scale).round() as i8);
    (scale, values)
}

/// A vector as it is stored.
#[must_use]
pub fn stored(vector: &[f32; DIMENSIONS], chunk: i64, collection: i64) -> Vector {
    let (scale, values) = quantise(vector);
    let value = ByteBuf::from(values.map(i8::cast_unsigned));
    #[expect(clippy::cast_possible_truncation, reason = "below a billionth nothing counts")]
    Vector { chunk, collection, scale: (f64::from(scale) * 1e9).round() as i64, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seed: u64) -> [f32; DIMENSIONS] {
        let mut state = seed;
        let mut vector = [0.0_f32; DIMENSIONS];
        for value in &mut vector {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *value = f32::from(u16::try_from(state >> 48).expect("16 bits")) / 65536.0 - 0.5;
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.map(|value| value / length)
    }

    fn matrix(vectors: &[[f32; DIMENSIONS]]) -> Matrix {
        let mut matrix = Matrix::default();
        matrix.extend(&rows(vectors));
        matrix
    }

    fn rows(vectors: &[[f32; DIMENSIONS]]) -> Vec<Vector> {
        (0..).zip(vectors).map(|(number, vector)| stored(vector, number, number % 2)).collect()
    }

    #[test]
    fn the_nearest_are_those_of_exact_arithmetic_but_for_rounding() {
        let all: Vec<_> = (0..500).map(unit).collect();
        let matrix = matrix(&all);
        let query = unit(1_000_000);
        let cosine = |vector: &[f32; 384]| vector.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
        let found = matrix.nearest(&query, |_, collection| collection == 1, 10);
        assert_eq!(found.len(), 10);
        let mut exact: Vec<_> = (0_i64..).zip(&all).filter(|(number, _)| number % 2 == 1).collect();
        exact.sort_by(|a, b| cosine(b.1).total_cmp(&cosine(a.1)));
        for ((chunk, near), (_, vector)) in found.iter().zip(&exact) {
            assert_eq!(chunk % 2, 1, "of another collection");
            let off = (*near - f64::from(cosine(vector))).abs();
            assert!(off < 0.01, "off by {off}");
        }
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "the nearest first");
    }

    #[test]
    fn parts_that_are_scanned_apart_give_what_one_scan_gives() {
        let matrix = matrix(&(0..1000).map(unit).collect::<Vec<_>>());
        let (scale, query) = quantise(&unit(7_000_000));
        let odd = |_: i64, collection: i64| collection == 1;
        let sorted = |mut found: Vec<Near>| {
            found.sort_unstable();
            found.truncate(20);
            found.iter().map(|near| near.chunk).collect::<Vec<_>>()
        };
        let whole = sorted(matrix.scan(&query, scale, &odd, 20, 0, 1000));
        let mut parts = matrix.scan(&query, scale, &odd, 20, 0, 301);
        parts.extend(matrix.scan(&query, scale, &odd, 20, 301, 1000));
        assert_eq!(whole.len(), 20);
        assert_eq!(sorted(parts), whole);
    }

    #[test]
    fn what_comes_and_goes_bit_by_bit_is_found_as_at_once() {
        let all: Vec<_> = (0..700).map(unit).collect();
        let whole = matrix(&all);
        let mut grown = Matrix::default();
        let mut rest = &*rows(&all);
        for step in [1, 1, 16, 3, 200, 0, 16, 16, 16, 90, 300, 41] {
            let (some, others) = rest.split_at(step);
            grown.extend(some);
            rest = others;
        }
        assert!(rest.is_empty());
        assert_eq!(grown.len(), 700);
        assert!(grown.parts.windows(2).all(|pair| pair[0].len() > 2 * pair[1].len()), "few parts");
        let query = unit(9_000_000);
        assert_eq!(grown.nearest(&query, |_, _| true, 700), whole.nearest(&query, |_, _| true, 700));
        let before = grown.clone();
        grown.retain(|chunk| chunk % 3 == 0);
        assert_eq!(grown.len(), 234);
        assert_eq!(grown.nearest(&query, |_, _| true, 700), whole.nearest(&query, |chunk, _| chunk % 3 == 0, 700));
        assert_eq!(before.len(), 700, "a copy stays what it was");
        grown.retain(|_| false);
        assert!(grown.is_empty());
        let none = Vector { value: ByteBuf::from(vec![1]), ..stored(&all[0], 1, 1) };
        grown.extend(&[none]);
        assert!(grown.is_empty(), "of another model");
    }

    #[test]
    fn there_may_be_nothing_to_find() {
        let all: Vec<_> = (0..300).map(unit).collect();
        assert!(Matrix::default().nearest(&all[0], |_, _| true, 10).is_empty());
        assert!(matrix(&all).nearest(&all[0], |_, _| false, 10).is_empty());
        assert!(matrix(&all).nearest(&all[0], |_, _| true, 0).is_empty());
        assert_eq!(matrix(&all).nearest(&all[5], |_, _| true, 1000).len(), 300);
        assert_eq!(matrix(&all).nearest(&all[5], |_, _| true, 1)[0].0, 5);
    }
}
