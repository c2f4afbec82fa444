//! What a question means, and which passages are near: by the model whose vectors answer, of whatever size.

use std::sync::Arc;

use domain::OrgId;
use embedding::DIMENSIONS;
use store::org::knowledge::chunks;
use store::{Result, Tx};

use crate::known::MODEL;
use crate::matrix::Matrix;
use crate::wide::Wide;

/// Vectors that are read from the store at once.
const PAGE: i64 = 1024;
/// Bytes that vectors of other models than the embedded one take in memory at most. An organisation with more is read anew for each
/// of its searches.
const MEMORY: u64 = 256 << 20;

/// A question as a model sees it.
#[derive(Debug, Clone, Copy)]
pub struct Meaning<'a> {
    /// The model, as it stands on vectors.
    pub model: &'a str,
    /// The direction, of length 1.
    pub vector: &'a [f32],
}

/// The vectors of one organisation, as they were after some count of changes.
#[derive(Debug)]
struct Known {
    changes: i64,
    model: String,
    wide: Arc<Wide>,
}

/// The vectors of organisations that chose another model, of those that searched last.
#[derive(Clone, Debug)]
pub(crate) struct WideVectors(moka::sync::Cache<OrgId, Arc<Known>>);

impl Default for WideVectors {
    fn default() -> Self {
        let weigh = |_: &OrgId, known: &Arc<Known>| u32::try_from(known.wide.bytes()).unwrap_or(u32::MAX);
        Self(moka::sync::Cache::builder().max_capacity(MEMORY).weigher(weigh).build())
    }
}

impl WideVectors {
    async fn of(&self, tx: &mut Tx, meaning: &Meaning<'_>) -> Result<Arc<Wide>> {
        let (org, changes) = (tx.org(), store::org::knowledge::state(tx).await?.changes);
        let known = self.0.get(&org);
        if let Some(known) = &known
            && known.changes == changes
            && known.model == meaning.model
        {
            return Ok(known.wide.clone());
        }
        let wide = Arc::new(read(tx, meaning).await?);
        // One that is newer than this transaction stays.
        if known.is_none_or(|known| known.changes < changes) {
            self.0.insert(org, Arc::new(Known { changes, model: meaning.model.to_owned(), wide: wide.clone() }));
        }
        Ok(wide)
    }
}

async fn read(tx: &mut Tx, meaning: &Meaning<'_>) -> Result<Wide> {
    let mut wide = Wide::new(meaning.vector.len());
    let mut from = i64::MIN;
    loop {
        let page = chunks::vectors(tx, meaning.model, from, i64::MAX, PAGE).await?;
        for vector in &page {
            wide.push(vector);
        }
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => from = last.chunk + 1,
            _ => return Ok(wide),
        }
    }
}

impl Meaning<'_> {
    /// The nearest passages that are let through, the nearest first, each with its cosine: among those of the model inside, or of another.
    pub(crate) async fn nearest(
        &self,
        tx: &mut Tx,
        inside: &Matrix,
        wide: &WideVectors,
        lets_through: impl Fn(i64, i64) -> bool + Sync,
        count: usize,
    ) -> Result<Vec<(i64, f64)>> {
        let measured = |number: usize| {
            metrics::histogram!("rowhouse_search_vectors").record(f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
        };
        if let Ok(query) = <&[f32; DIMENSIONS]>::try_from(self.vector)
            && self.model == MODEL
        {
            measured(inside.len());
            return Ok(inside.nearest(query, lets_through, count));
        }
        let wide = wide.of(tx, self).await?;
        measured(wide.len());
        Ok(wide.nearest(self.vector, lets_through, count))
    }
}
