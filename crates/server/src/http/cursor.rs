//! Cursors of lists: what they hold is signed and bound to the list, the organisation, the caller and the filters.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::Time;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Store;

use super::error::{Problem, Result};
use super::reply::Page;

/// How long a cursor can be used.
const LIFETIME: Duration = Duration::from_hours(24);
/// The longest page.
pub(crate) const MOST: u32 = 200;
/// The page when none is asked for.
const USUAL: u32 = 50;

#[derive(Serialize, Deserialize)]
struct Content<K> {
    after: K,
    until: i64,
}

/// What a list's cursors are bound to, as text: the list, who asks where, and the filters.
pub(crate) struct Bound<'a> {
    pub(crate) store: &'a Store,
    pub(crate) to: String,
}

impl Bound<'_> {
    /// A cursor that goes on after a key.
    pub(crate) fn write(&self, after: &impl Serialize) -> String {
        let until = (self.store.ambient().now() + LIFETIME).micros();
        let content = serde_json::to_vec(&Content { after, until }).unwrap_or_default();
        let mac = self.mac(&content);
        B64.encode([&mac[..16], &content].concat())
    }

    /// The key after which a cursor goes on.
    pub(crate) fn read<K: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<K>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let bad = || Problem {
            param: Some("cursor".into()),
            ..Problem::new("invalid_cursor", "The cursor is not valid here; start the list anew.")
        };
        let bytes = B64.decode(cursor).map_err(|_| bad())?;
        let (mac, content) = bytes.split_at_checked(16).ok_or_else(bad)?;
        // Both are fingerprints of the same length; a comparison of hashes of them tells nothing about where they differ.
        if store::keys::sha256(mac) != store::keys::sha256(&self.mac(content)[..16]) {
            return Err(bad());
        }
        let content: Content<K> = serde_json::from_slice(content).map_err(|_| bad())?;
        if Time::from_micros(content.until) < self.store.ambient().now() {
            return Err(bad());
        }
        Ok(Some(content.after))
    }

    /// Makes one page out of up to `limit + 1` rows.
    pub(crate) fn page<T, K: Serialize>(&self, mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| self.write(&key(last)));
        Page { data: rows, next_cursor }
    }

    fn mac(&self, content: &[u8]) -> [u8; 32] {
        let parts = [self.to.as_bytes(), &[0], content].concat();
        self.store.fingerprint("cursor", &parts)
    }
}

/// Which page of a list without filters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// At most so many; 50 when left out, 200 at the most.
    pub(crate) limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// The length of a page that was asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<i64> {
    match asked {
        None => Ok(USUAL.into()),
        Some(n) if (1..=MOST).contains(&n) => Ok(n.into()),
        Some(_) => Err(Problem::field("limit", format!("must be 1 to {MOST}"))),
    }
}
