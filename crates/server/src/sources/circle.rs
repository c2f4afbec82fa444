//! Who reads what a round brings: an item with readers of its own goes into the circle of these, and what was brought of it goes there
//! before its content is asked for.

use std::collections::BTreeMap;

use connectors::source::{Item, Readers};
use domain::CollectionId;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::{circles, documents, sources};

use super::round::{Round, UNNAMED, name};
use crate::http::error::Result;

impl Round<'_> {
    /// Writes down who is in the groups of the source.
    pub(super) async fn regroup(&self, groups: &BTreeMap<String, Vec<String>>) -> Result<()> {
        let mut tx = self.app.house.store.open(&self.scope).begin().await?;
        // It may have been taken away meanwhile.
        sources::get(&mut tx, self.source.id).await?;
        if circles::regroup(&mut tx, self.source.id, groups).await? {
            tx.record(Event::new("source.regrouped", self.source.id).detail(self.detail())).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Into which collection an item goes, and what is known of it there.
    pub(super) async fn place(
        &self,
        item: &Item,
        known: Option<sources::Item>,
    ) -> Result<(CollectionId, Option<sources::Item>)> {
        let into = match &item.readers {
            Readers::Collection => self.collection.clone(),
            Readers::Only { people, groups } => {
                let mut tx = self.app.house.store.open(&self.scope).begin().await?;
                sources::get(&mut tx, self.source.id).await?;
                let (circle, made) =
                    circles::of(&mut tx, &self.source, &self.collection, &circles::Readers::new(people, groups))
                        .await?;
                if made {
                    tx.record(Event::new("collection.created", circle.id).after(&circle).detail(self.detail())).await?;
                    tx.commit().await?;
                }
                circle
            }
        };
        let Some(known) = known else { return Ok((into.id, None)) };
        let mut tx = self.app.house.store.open(&self.scope).begin().await?;
        let Some(before) = documents::find(&mut tx, known.document_id).await? else { return Ok((into.id, None)) };
        if before.collection_id == into.id {
            return Ok((into.id, Some(known)));
        }
        let brought = self.may_have_brought(&before);
        if !brought || sources::is_another(&mut tx, before.id, self.source.id, &item.key).await? {
            // It stays with whoever brought it by hand, or where its other item is, by whose name it is called as soon as that is seen;
            // this one is brought anew.
            sources::part(&mut tx, self.source.id, &item.key).await?;
            if brought && before.name == name(&item.key) {
                documents::rename(&mut tx, &before, UNNAMED).await?;
                let after = documents::get(&mut tx, before.id).await?;
                let event = Event::new("document.updated", before.id).before(&before).after(&after);
                tx.record(event.detail(self.detail())).await?;
            }
            tx.commit().await?;
            return Ok((into.id, None));
        }
        documents::relocate(&mut tx, &before, &into).await?;
        let after = documents::get(&mut tx, before.id).await?;
        tx.record(Event::new("document.moved", before.id).before(&before).after(&after).detail(self.detail())).await?;
        tx.commit().await?;
        Ok((into.id, Some(known)))
    }

    /// Takes away the circles in which nothing is left.
    pub(super) async fn tidy(&self) -> Result<()> {
        let mut tx = self.app.house.store.open(&self.scope).begin().await?;
        circles::tidy(&mut tx, self.source.id).await?;
        Ok(tx.commit().await?)
    }

    fn detail(&self) -> serde_json::Value {
        json!({ "collection": self.source.collection_id, "source": self.source.id })
    }
}
