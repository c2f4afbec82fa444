//! A new master key: everything that was wrapped under the old one is wrapped anew, then the old one goes.
//!
//! It can be stopped at any point and run again. As long as the file holds more than one key, a rotation is under way, and all
//! keys in it unwrap; the old ones are dropped only when nothing is wrapped under them any more.

use std::sync::PoisonError;

use domain::OrgId;
use serde::Deserialize;

use crate::audit::Event;
use crate::control::{ControlTx, installation};
use crate::keys::{HOUSE, place_of, write_private};
use crate::scope::{Actor, Origin};
use crate::setup::{hex, unhex};
use crate::sql::after_id;
use crate::{Backend, Error, Result, Store, Turn};

/// How far a rotation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Organisations whose key was wrapped anew in this run.
    pub rewrapped: usize,
    /// Whether the old master keys are gone.
    pub done: bool,
}

/// Organisations in one transaction.
const BATCH: i64 = 100;

#[derive(Deserialize)]
struct Wrapped {
    id: OrgId,
    wrapped_key: Vec<u8>,
}

impl Store {
    /// Replaces the master key; at most `most` organisations are rewrapped, then it stops half way and can be run again.
    ///
    /// No server may run on this data meanwhile: it would go on to wrap under the old key.
    /// # Errors
    /// As the databases and the disk. Whatever failed, all data can still be opened with the keys in the file.
    pub async fn rotate_master(&self, most: usize) -> Result<Rotation> {
        {
            let mut master = self.0.master.write().unwrap_or_else(PoisonError::into_inner);
            if master.count() == 1 {
                master.add(&self.0.ambient)?;
            }
        }
        self.rewrap_house().await?;
        let mut rewrapped = 0;
        let mut after = None;
        loop {
            let mut tx = self.begin_control(Turn::Free).await?;
            let page = wrapped_keys(&mut tx, after, BATCH).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for Wrapped { id, wrapped_key } in page {
                let Some(wrapped_key) = self.rewrap(&place_of(id), &wrapped_key)? else { continue };
                if rewrapped == most {
                    tx.commit().await?;
                    return Ok(Rotation { rewrapped, done: false });
                }
                tx.sql("UPDATE organisations SET wrapped_key = $2 WHERE id = $1")
                    .bind(id)
                    .bind(wrapped_key)
                    .unaudited("the rotation as a whole is recorded at its end")
                    .run()
                    .await?;
                rewrapped += 1;
            }
            tx.commit().await?;
        }
        let mut tx = self.begin_control(Turn::Free).await?;
        let event = Event::new("keys.master_rotated", "master key");
        tx.record_house(&Actor::System, &Origin::default(), event).await?;
        tx.commit().await?;
        self.0.master.write().unwrap_or_else(PoisonError::into_inner).keep_newest()?;
        Ok(Rotation { rewrapped, done: true })
    }

    /// The same key wrapped under the newest master key; none when it is that already.
    fn rewrap(&self, place: &str, wrapped: &[u8]) -> Result<Option<Vec<u8>>> {
        let master = self.0.master.read().unwrap_or_else(PoisonError::into_inner);
        if master.is_newest(wrapped) {
            return Ok(None);
        }
        let key = master.unwrap(place, wrapped)?;
        Ok(Some(master.wrap(&self.0.ambient, place, &key)))
    }

    async fn rewrap_house(&self) -> Result<()> {
        if let Backend::Embedded { house_file, .. } = &self.0.backend {
            let wrapped = std::fs::read(house_file)
                .map_err(|error| Error::Setup(format!("{} cannot be read: {error}", house_file.display())))?;
            return match self.rewrap(HOUSE, &wrapped)? {
                Some(wrapped) => write_private(house_file, &wrapped),
                None => Ok(()),
            };
        }
        let mut tx = self.begin_control(Turn::Free).await?;
        let wrapped = installation::find(&mut tx, "house_key").await?.ok_or_else(|| Error::bug("no house key"))?;
        if let Some(wrapped) = self.rewrap(HOUSE, &unhex(&wrapped)?)? {
            installation::set(&mut tx, "house_key", &hex(&wrapped)).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

async fn wrapped_keys(tx: &mut ControlTx, after: Option<OrgId>, limit: i64) -> Result<Vec<Wrapped>> {
    tx.sql("SELECT id, wrapped_key FROM organisations WHERE id > $1 AND length(wrapped_key) > 0 ORDER BY id LIMIT $2")
        .bind(after_id(after))
        .bind(limit)
        .all()
        .await
}
