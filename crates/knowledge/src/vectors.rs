//! Vectors in memory: 8 bits a dimension with a scale each, searched one by one, so nothing near is ever missed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use domain::OrgId;
use serde_bytes::ByteBuf;
use store::org::knowledge::chunks::{self, Vector};
use store::{Result, Tx};

/// The model that gives the vectors.
pub const MODEL: &str = embedding::MODEL;
/// Vectors that are read from the store at once.
const PAGE: i64 = 4096;
/// Bytes that vectors of all organisations take in memory at most.
const MEMORY: u64 = 256 << 20;

/// The vectors of one organisation, as they were after some count of changes.
#[derive(Debug)]
pub(crate) struct Matrix {
    changes: i64,
    chunks: Vec<i64>,
    collections: Vec<i64>,
    scales: Vec<f32>,
    values: Vec<i8>,
}

/// The vectors of the organisations that searched last. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vectors(moka::sync::Cache<OrgId, Arc<Matrix>>);

impl Default for Vectors {
    fn default() -> Self {
        let weigh = |_: &OrgId, matrix: &Arc<Matrix>| u32::try_from(matrix.bytes()).unwrap_or(u32::MAX);
        Self(moka::sync::Cache::builder().max_capacity(MEMORY).weigher(weigh).build())
    }
}

impl Vectors {
    /// The vectors as the transaction sees them.
    pub(crate) async fn of(&self, tx: &mut Tx) -> Result<Arc<Matrix>> {
        let (org, changes) = (tx.org(), store::org::knowledge::changes(tx).await?);
        let known = self.0.get(&org);
        if let Some(known) = &known
            && known.changes == changes
        {
            return Ok(known.clone());
        }
        let matrix = Arc::new(Matrix::read(tx, changes).await?);
        // One that is newer than this transaction stays.
        if known.is_none_or(|known| known.changes < changes) {
            self.0.insert(org, matrix.clone());
        }
        Ok(matrix)
    }
}

impl Matrix {
    async fn read(tx: &mut Tx, changes: i64) -> Result<Self> {
        let mut matrix =
            Self { changes, chunks: Vec::new(), collections: Vec::new(), scales: Vec::new(), values: Vec::new() };
        loop {
            let after = matrix.chunks.last().copied().unwrap_or(i64::MIN);
            let page = chunks::vectors(tx, MODEL, after, PAGE).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            for vector in &page {
                matrix.push(vector);
            }
            if is_last {
                return Ok(matrix);
            }
        }
    }

    fn push(&mut self, vector: &Vector) {
        if vector.value.len() != embedding::DIMENSIONS {
            return;
        }
        self.chunks.push(vector.chunk);
        self.collections.push(vector.collection);
        #[expect(clippy::cast_precision_loss, reason = "a scale has six digits")]
        self.scales.push(vector.scale as f32 / 1e9);
        self.values.extend(vector.value.iter().map(|byte| byte.cast_signed()));
    }

    fn bytes(&self) -> usize {
        self.values.len() + self.chunks.len() * (8 + 8 + 4)
    }

    /// How many passages have a vector.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// The nearest passages that are let through, the nearest first, each with its cosine. Takes some 20 ns a passage.
    pub(crate) fn nearest(
        &self,
        query: &[f32; embedding::DIMENSIONS],
        lets_through: impl Fn(i64, i64) -> bool,
        count: usize,
    ) -> Vec<(i64, f64)> {
        let (scale, query) = quantise(query);
        let mut best: BinaryHeap<Near> = BinaryHeap::with_capacity(count + 1);
        for (at, value) in self.values.chunks_exact(embedding::DIMENSIONS).enumerate() {
            if !lets_through(self.chunks[at], self.collections[at]) {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "at most 384 times 127 squared")]
            let cosine = dot(&query, value) as f32 * self.scales[at] * scale;
            best.push(Near { cosine, chunk: self.chunks[at] });
            if best.len() > count {
                best.pop();
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

/// The sum of products. Sixteen at a time, which the compiler turns into what the processor has.
fn dot(left: &[i8], right: &[i8]) -> i32 {
    let products = |left: &[i8], right: &[i8]| -> i32 {
        left.iter().zip(right).map(|(left, right)| i32::from(i16::from(*left) * i16::from(*right))).sum()
    };
    left.chunks_exact(16).zip(right.chunks_exact(16)).map(|(left, right)| products(left, right)).sum()
}

/// Dimensions of 8 bits, and what each is multiplied by.
fn quantise(vector: &[f32; embedding::DIMENSIONS]) -> (f32, Vec<i8>) {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
    let values = vector.iter().map(|value| (value / scale).round() as i8).collect();
    (scale, values)
}

/// A vector as it is stored.
pub(crate) fn stored(vector: &[f32; embedding::DIMENSIONS], chunk: i64, collection: i64) -> Vector {
    let (scale, values) = quantise(vector);
    let value = ByteBuf::from(values.into_iter().map(i8::cast_unsigned).collect::<Vec<u8>>());
    #[expect(clippy::cast_possible_truncation, reason = "below a billionth nothing counts")]
    Vector { chunk, collection, scale: (f64::from(scale) * 1e9).round() as i64, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seed: u64) -> [f32; embedding::DIMENSIONS] {
        let mut state = seed;
        let mut vector = [0.0_f32; embedding::DIMENSIONS];
        for value in &mut vector {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *value = f32::from(u16::try_from(state >> 48).expect("16 bits")) / 65536.0 - 0.5;
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.map(|value| value / length)
    }

    #[test]
    fn the_nearest_are_those_of_exact_arithmetic_but_for_rounding() {
        let all: Vec<_> = (0..500).map(unit).collect();
        let mut matrix = Matrix { changes: 0, chunks: vec![], collections: vec![], scales: vec![], values: vec![] };
        for (number, vector) in (0..).zip(&all) {
            matrix.push(&stored(vector, number, number % 2));
        }
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
}
