//! A file that is known by its name comes into a collection, by itself or again: it is a new document, a new version of the one of its
//! name, or nothing new. For what comes in the background: the files of an archive, and what sources have.

use domain::{CollectionId, DocumentId, SourceId, UserId};
use knowledge::intake;
use store::audit::Event;
use store::blobs::Written;
use store::control::jobs;
use store::org::knowledge::documents::{self as rows, Document, Status};
use store::org::knowledge::imports::Outcome;
use store::org::knowledge::sources;
use store::org::knowledge::versions::{self, Version};
use store::{Json, Scope, Store, Turn, Tx};

use super::arrive::newest;
use super::receive::{Desk, came_between, visible};
use crate::http::error::Result;

/// A file whose bytes lie sealed on the disk.
pub(crate) struct Brought<'a> {
    pub(crate) collection: CollectionId,
    /// What it is known by when it comes again.
    pub(crate) name: &'a str,
    /// What it is called until its content says so.
    pub(crate) title: &'a str,
    /// Where it came from: `upload`, `web`.
    pub(crate) source: &'a str,
    pub(crate) tags: Json<Vec<String>>,
    pub(crate) written: &'a Written,
    /// Who asked for it.
    pub(crate) user: UserId,
    /// Whether they may change what others added there, and do so with this.
    pub(crate) manages: bool,
    /// The item that it is, where a source has it.
    pub(crate) item: Option<Item<'a>>,
}

/// An item of a source.
pub(crate) struct Item<'a> {
    pub(crate) source: SourceId,
    pub(crate) key: &'a str,
    /// The document that it was until now, in the same collection.
    pub(crate) was: Option<DocumentId>,
}

impl Brought<'_> {
    /// The document that a file is, if there is one: the one that its item was, or of its name, or else with its content. One that is
    /// another's becomes no new version of it.
    async fn known(&self, tx: &mut Tx) -> store::Result<Option<Document>> {
        let was = self.item.as_ref().and_then(|item| item.was);
        for id in [was, rows::named(tx, self.collection, self.name, self.user).await?].into_iter().flatten() {
            let Some(document) = rows::find(tx, id).await? else { continue };
            if document.content_hash == self.written.hash || !self.is_anothers(tx, &document).await? {
                return Ok(Some(document));
            }
        }
        match rows::same(tx, self.collection, &self.written.hash).await? {
            Some(id) => rows::find(tx, id).await,
            None => Ok(None),
        }
    }

    /// Whether a document is not to be changed by this: it is not the item's alone, for somebody brought it by hand, or it is another
    /// item, too; or, where there is no item, somebody else added it, and whoever asked may not change that.
    async fn is_anothers(&self, tx: &mut Tx, document: &Document) -> store::Result<bool> {
        let added = document.made_by == self.user;
        match &self.item {
            // By hand pages come from the web, too: what somebody else added may be one that they fetched.
            Some(_) if document.source != self.source || !added => Ok(true),
            Some(item) => sources::is_another(tx, document.id, item.source, item.key).await,
            None => Ok(!added && !self.manages),
        }
    }

    /// Brings it, in a transaction that is still open: whoever asked notes in it what became of the file, and commits.
    pub(crate) async fn bring(&self, store: &Store, scope: &Scope, desk: &Desk) -> Result<(Tx, Outcome, DocumentId)> {
        let org = store.open(scope);
        let hash = &self.written.hash;
        let mut tx = org.read().await?;
        let before = self.known(&mut tx).await?;
        drop(tx);
        if let Some(before) = before.as_ref().filter(|before| is_same(before, hash)) {
            let mut tx = org.begin().await?;
            let still = rows::find(&mut tx, before.id).await?.is_some_and(|now| is_same(&now, hash));
            if !still {
                return Err(came_between());
            }
            rows::freshen(&mut tx, before.id).await?;
            return Ok((tx, Outcome::Unchanged, before.id));
        }
        let (id, now) =
            (before.as_ref().map_or_else(|| store.ambient().id(), |before| before.id), store.ambient().now());
        // Queued before it is committed: nothing is ever committed that nobody comes for.
        let mut tx = store.begin_control(Turn::Org(scope.org())).await?;
        let job = jobs::queue(&mut tx, scope.org(), intake::READ, id, self.user, now).await?;
        tx.commit().await?;
        let mut tx = org.begin().await?;
        // Somebody may have brought it meanwhile, or another item may have become the same document.
        if self.known(&mut tx).await?.map(|now| now.id) != before.as_ref().map(|before| before.id) {
            return Err(came_between());
        }
        // In its turn, which begins with the first statement: whoever takes originals away looks in theirs what is needed.
        desk.require(hash).await?;
        let size = i64::try_from(self.written.size).unwrap_or(i64::MAX);
        let fresh = Document {
            id,
            collection_id: self.collection,
            title: visible(self.title).unwrap_or_else(|| self.name.to_owned()),
            titled: false,
            name: self.name.to_owned(),
            source: self.source.into(),
            kind: String::new(),
            tags: self.tags.clone(),
            status: Status::Queued,
            fault: None,
            content_hash: hash.clone(),
            size,
            latest: 1,
            shown: 0,
            passages: 0,
            embedded: 0,
            job_id: job,
            made_by: self.user,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let Some(before) = before else {
            rows::insert(&mut tx, &fresh).await?;
            versions::insert(&mut tx, &newest(&fresh)).await?;
            desk.room.require(&mut tx, true).await?;
            tx.record(Event::new("document.created", id).after(&fresh)).await?;
            return Ok((tx, Outcome::Added, id));
        };
        if before.content_hash == *hash {
            // It could not be read, and comes again.
            rows::retry(&mut tx, id, job).await?;
        } else {
            let Document { name, content_hash, source, .. } = fresh;
            let renewed = Document { name, content_hash, source, size, job_id: job, ..before.clone() };
            rows::renew(&mut tx, &renewed).await?;
        }
        let after = rows::get(&mut tx, id).await?;
        if after.latest != before.latest {
            versions::insert(&mut tx, &Version { made_by: self.user, ..newest(&after) }).await?;
            desk.room.require(&mut tx, false).await?;
        }
        tx.record(Event::new("document.replaced", id).before(&before).after(&after)).await?;
        Ok((tx, Outcome::Changed, id))
    }
}

/// Whether a document has this content, and it could be read or still may be.
fn is_same(document: &Document, hash: &str) -> bool {
    document.content_hash == hash && document.status != Status::Failed
}
