//! How many listen to the documents of each organisation, on this node: each looks at the rows twice a second, so their number is
//! bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::OrgId;

use crate::http::error::{Problem, Result};

/// How many listen in one organisation, on one node.
const MOST: usize = 32;

/// All organisations' listeners. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<HashMap<OrgId, usize>>>);

/// A place among them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Listeners, OrgId);

impl Listeners {
    /// Takes a place.
    /// # Errors
    /// 429 when there is none.
    pub(super) fn join(&self, org: OrgId) -> Result<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(org).or_default();
        if *here >= MOST {
            let why = format!("{MOST} listen to this organisation's documents already.");
            return Err(Problem::new("rate_limited", why).retry_after(10));
        }
        *here += 1;
        Ok(Place(self.clone(), org))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = all.get_mut(&self.1) {
            *here -= 1;
            if *here == 0 {
                all.remove(&self.1);
            }
        }
    }
}
