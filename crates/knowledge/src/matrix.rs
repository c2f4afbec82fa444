//! Many vectors side by side: 8 bits a dimension with a scale each, searched one by one, so nothing near is ever missed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::num::NonZero;

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

/// The vectors of passages, with the collection of each.
#[derive(Debug, Default)]
pub struct Matrix {
    chunks: Vec<i64>,
    collections: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
}

impl Matrix {
    /// Adds a vector; one of another size is none of this model's, and is left out.
    pub fn push(&mut self, vector: &Vector) {
        if vector.value.len() != DIMENSIONS {
            return;
        }
        self.chunks.push(vector.chunk);
        self.collections.push(vector.collection);
        #[expect(clippy::cast_precision_loss, reason = "a scale has six digits")]
        self.scales.push(vector.scale as f32 / 1e9);
        self.values.extend(vector.value.iter().map(|byte| byte.cast_signed()));
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() + self.chunks.capacity() * (8 + 8 + 4)
    }

    /// Gives back what growing took in advance.
    pub(crate) fn settle(&mut self) {
        self.chunks.shrink_to_fit();
        self.collections.shrink_to_fit();
        self.scales.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// How many passages have a vector.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
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

    /// The nearest of some rows, in no order.
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
        let mut begin = from;
        while begin < to && count > 0 {
            let end = (begin + BLOCK).min(to);
            let sums = &mut sums[..end - begin];
            dots(level, query, &self.values[begin * DIMENSIONS..end * DIMENSIONS], sums);
            for (at, sum) in (begin..end).zip(&*sums) {
                #[expect(clippy::cast_precision_loss, reason = "at most 384 times 128 squared")]
                let cosine = *sum as f32 * self.scales[at] * scale;
                let is_near = best.len() < count || best.peek().is_some_and(|worst| cosine >= worst.cosine);
                if is_near && lets_through(self.chunks[at], self.collections[at]) {
                    best.push(Near { cosine, chunk: self.chunks[at] });
                    if best.len() > count {
                        best.pop();
                    }
                }
            }
            begin = end;
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
        for (number, vector) in (0..).zip(vectors) {
            matrix.push(&stored(vector, number, number % 2));
        }
        matrix
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
    fn there_may_be_nothing_to_find() {
        let all: Vec<_> = (0..300).map(unit).collect();
        assert!(Matrix::default().nearest(&all[0], |_, _| true, 10).is_empty());
        assert!(matrix(&all).nearest(&all[0], |_, _| false, 10).is_empty());
        assert!(matrix(&all).nearest(&all[0], |_, _| true, 0).is_empty());
        assert_eq!(matrix(&all).nearest(&all[5], |_, _| true, 1000).len(), 300);
        assert_eq!(matrix(&all).nearest(&all[5], |_, _| true, 1)[0].0, 5);
    }
}
