//! What is new in an organisation, for as long as somebody listens: one reader per organisation and node, however many listen, whichever
//! node wrote.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::OrgId;
use store::{Scope, Store};
use tokio::sync::broadcast;

use super::error::{Problem, Result};

/// Reads what is new in one organisation.
pub(crate) trait Reader: Send + Sized + 'static {
    /// What listeners are given, one by one.
    type News: Send + Sync + 'static;
    /// What is listened to, as words that follow "this organisation's".
    const WHAT: &'static str;
    /// How often it looks.
    const PAUSE: Duration;
    /// News that wait for a listener who is slow.
    const WAITING: usize;
    /// How many listen in one organisation, on one node.
    const LISTENERS: usize;

    /// Begins with what is there by now, which is no news.
    fn begin(store: &Store, scope: &Scope) -> impl Future<Output = store::Result<Self>> + Send;

    /// What is new since the last look.
    fn look(&mut self, store: &Store, scope: &Scope) -> impl Future<Output = store::Result<Vec<Self::News>>> + Send;
}

type Sender<R> = broadcast::Sender<Arc<<R as Reader>::News>>;
/// What a listener hears.
pub(crate) type Heard<R> = broadcast::Receiver<Arc<<R as Reader>::News>>;

/// All organisations' feeds. Cheap to clone.
pub(crate) struct Feeds<R: Reader>(Arc<Mutex<HashMap<OrgId, Sender<R>>>>);

impl<R: Reader> Clone for Feeds<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Reader> Default for Feeds<R> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<R: Reader> Feeds<R> {
    /// Listens to the scope's organisation from now on.
    /// # Errors
    /// 429 when too many do.
    pub(crate) async fn listen(&self, store: &Store, scope: &Scope) -> Result<Heard<R>> {
        if let Some(heard) = self.join(scope.org())? {
            return Ok(heard);
        }
        let reader = R::begin(store, scope).await?;
        let (sender, heard) = broadcast::channel(R::WAITING);
        {
            let mut feeds = self.all();
            if let Some(other) = feeds.get(&scope.org()) {
                return Ok(other.subscribe());
            }
            feeds.insert(scope.org(), sender.clone());
        }
        tokio::spawn(self.clone().read(store.clone(), scope.clone(), reader, sender));
        Ok(heard)
    }

    fn join(&self, org: OrgId) -> Result<Option<Heard<R>>> {
        let feeds = self.all();
        let Some(sender) = feeds.get(&org) else { return Ok(None) };
        if sender.receiver_count() >= R::LISTENERS {
            let why = format!("{} listen to this organisation's {} already.", R::LISTENERS, R::WHAT);
            return Err(Problem::new("rate_limited", why).retry_after(10));
        }
        Ok(Some(sender.subscribe()))
    }

    async fn read(self, store: Store, scope: Scope, mut reader: R, sender: Sender<R>) {
        while !self.end_if_alone(scope.org(), &sender) {
            tokio::time::sleep(R::PAUSE).await;
            match reader.look(&store, &scope).await {
                Ok(news) => news.into_iter().for_each(|one| drop(sender.send(Arc::new(one)))),
                Err(error) => {
                    tracing::warn!(org = %scope.org(), %error, what = R::WHAT, "nothing could be read for who listens");
                }
            }
        }
    }

    /// Ends a feed that nobody listens to; whoever comes now begins another.
    fn end_if_alone(&self, org: OrgId, sender: &Sender<R>) -> bool {
        let mut feeds = self.all();
        let alone = sender.receiver_count() == 0;
        if alone {
            feeds.remove(&org);
        }
        alone
    }

    fn all(&self) -> MutexGuard<'_, HashMap<OrgId, Sender<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
