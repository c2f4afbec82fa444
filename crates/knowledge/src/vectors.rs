//! Vectors in memory, of the organisations that searched last.

use std::sync::Arc;

use domain::OrgId;
use store::org::knowledge::chunks;
use store::{Result, Tx};

use crate::matrix::Matrix;

/// The model that gives the vectors.
pub const MODEL: &str = embedding::MODEL;
/// Vectors that are read from the store at once.
const PAGE: i64 = 4096;
/// Bytes that vectors of all organisations take in memory at most: those of some 1.3 million passages. An organisation with more is
/// read anew for each of its searches.
const MEMORY: u64 = 512 << 20;

/// The vectors of one organisation, as they were after some count of changes.
#[derive(Debug)]
struct Known {
    changes: i64,
    matrix: Arc<Matrix>,
}

/// The vectors of the organisations that searched last. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vectors(moka::sync::Cache<OrgId, Arc<Known>>);

impl Default for Vectors {
    fn default() -> Self {
        let weigh = |_: &OrgId, known: &Arc<Known>| u32::try_from(known.matrix.bytes()).unwrap_or(u32::MAX);
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
            return Ok(known.matrix.clone());
        }
        let matrix = Arc::new(read(tx).await?);
        // One that is newer than this transaction stays.
        if known.is_none_or(|known| known.changes < changes) {
            self.0.insert(org, Arc::new(Known { changes, matrix: matrix.clone() }));
        }
        Ok(matrix)
    }
}

async fn read(tx: &mut Tx) -> Result<Matrix> {
    let mut matrix = Matrix::default();
    let mut after = i64::MIN;
    loop {
        let page = chunks::vectors(tx, MODEL, after, PAGE).await?;
        for vector in &page {
            matrix.push(vector);
        }
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => after = last.chunk,
            _ => break,
        }
    }
    matrix.settle();
    Ok(matrix)
}
