//! Vectors of models whose size is another than the embedded one's: as in [`crate::Matrix`], 8 bits a dimension with a scale each,
//! searched one by one. The loop does not know the size when it is compiled, so it takes some more time a number.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde_bytes::ByteBuf;
use store::org::knowledge::chunks::Vector;

/// The vectors of passages, with the collection of each.
#[derive(Debug, Default)]
pub(crate) struct Wide {
    size: usize,
    chunks: Vec<i64>,
    collections: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
}

impl Wide {
    /// For vectors of so many numbers.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    /// Adds a vector; one of another size is none of this model's, and is left out.
    pub(crate) fn push(&mut self, vector: &Vector) {
        if vector.value.len() != self.size {
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

    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The nearest passages that are let through, the nearest first, each with its cosine.
    pub(crate) fn nearest(
        &self,
        query: &[f32],
        lets_through: impl Fn(i64, i64) -> bool,
        count: usize,
    ) -> Vec<(i64, f64)> {
        if query.len() != self.size || self.size == 0 || count == 0 {
            return Vec::new();
        }
        let (scale, query) = quantised(query);
        let mut best: BinaryHeap<Near> = BinaryHeap::with_capacity(count + 1);
        for (at, row) in self.values.chunks_exact(self.size).enumerate() {
            let sum: i32 = query.iter().zip(row).map(|(left, right)| i32::from(*left) * i32::from(*right)).sum();
            #[expect(clippy::cast_precision_loss, reason = "at most 4096 times 128 squared")]
            let cosine = sum as f32 * self.scales[at] * scale;
            let is_near = best.len() < count || best.peek().is_some_and(|worst| cosine >= worst.cosine);
            if is_near && lets_through(self.chunks[at], self.collections[at]) {
                best.push(Near { cosine, chunk: self.chunks[at] });
                if best.len() > count {
                    best.pop();
                }
            }
        }
        best.into_sorted_vec().into_iter().map(|near| (near.chunk, f64::from(near.cosine))).collect()
    }
}

/// Ordered so that the farthest is the greatest.
#[derive(PartialEq)]
struct Near {
    cosine: f32,
    chunk: i64,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.chunk.cmp(&other.chunk))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A vector in 8 bits a number, and what each is multiplied by.
fn quantised(vector: &[f32]) -> (f32, Vec<i8>) {
    let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
    let values = vector.iter().map(|value| (value / scale).round() as i8).collect();
    (scale, values)
}

/// A vector of any size as it is stored.
#[must_use]
pub(crate) fn stored(vector: &[f32], chunk: i64, collection: i64) -> Vector {
    let (scale, values) = quantised(vector);
    let value = ByteBuf::from(values.into_iter().map(i8::cast_unsigned).collect::<Vec<_>>());
    #[expect(clippy::cast_possible_truncation, reason = "below a billionth nothing counts")]
    Vector { chunk, collection, scale: (f64::from(scale) * 1e9).round() as i64, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(vectors: &[[f32; 3]]) -> Wide {
        let mut wide = Wide::new(3);
        for (number, vector) in (0..).zip(vectors) {
            wide.push(&stored(vector, number, number % 2));
        }
        wide
    }

    #[test]
    fn the_nearest_come_first_as_far_as_they_are_let_through() {
        let wide = wide(&[[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 1.0, 0.0], [0.6, 0.0, 0.8], [-1.0, 0.0, 0.0]]);
        let chunks = |count, of: Option<i64>| {
            let found = wide.nearest(&[1.0, 0.0, 0.0], |_, collection| of.is_none_or(|of| of == collection), count);
            found.into_iter().map(|(chunk, _)| chunk).collect::<Vec<_>>()
        };
        assert_eq!(chunks(3, None), [0, 1, 3]);
        assert_eq!(chunks(9, Some(1)), [1, 3]);
        assert_eq!(chunks(0, None), Vec::<i64>::new());
        let cosine = wide.nearest(&[1.0, 0.0, 0.0], |chunk, _| chunk == 1, 1)[0].1;
        assert!((cosine - 0.8).abs() < 0.01, "{cosine}");
    }

    #[test]
    fn vectors_of_another_size_are_none_of_its() {
        let mut wide = wide(&[[1.0, 0.0, 0.0]]);
        wide.push(&stored(&[1.0, 0.0], 7, 0));
        assert_eq!(wide.len(), 1);
        assert!(wide.nearest(&[1.0, 0.0], |_, _| true, 5).is_empty());
        assert!(Wide::new(3).nearest(&[1.0, 0.0, 0.0], |_, _| true, 5).is_empty());
    }
}
