//! What a source of documents elsewhere is asked: what changed, what an item says, what is gone, and who may see it.
//!
//! A source is asked in rounds. A round is one or more pages of [`Listing`]; each is asked for with the cursor of the one before, which
//! is kept, so a round that was cut off goes on where it was. A source that knows what changed gives a cursor with its last page, too:
//! the next round begins there.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// Items on one page of a listing, at most.
pub const PAGE: usize = 20;

/// Who may see an item where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Whoever may see the collection into which it is brought.
    Collection,
    /// Of those, the people with these mail addresses, and those in these groups of the source, alone.
    Only {
        /// Mail addresses.
        people: Vec<String>,
        /// Names of groups, as [`Source::groups`] has them.
        groups: Vec<String>,
    },
}

/// Something that a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is known by, for as long as it is there: an address, an id.
    pub key: String,
    /// Who may see it.
    pub readers: Readers,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// What is there and may have changed, at most [`PAGE`].
    pub items: Vec<Item>,
    /// The keys of what is not there any more, as far as the source tells.
    pub gone: Vec<String>,
    /// Where to go on: in this round when there is `more`, else in the next one.
    pub cursor: Option<String>,
    /// Whether this round goes on.
    pub more: bool,
    /// Whether the round names all that there is: what it does not name is gone.
    pub whole: bool,
}

/// What an item is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// As it was when it had this mark.
    Unchanged,
    /// It is not there any more.
    Gone,
    /// This.
    Content {
        /// Its bytes: a file.
        bytes: Bytes,
        /// By which the source knows later whether it changed.
        mark: Option<String>,
    },
}

/// Why a source gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It asks to be left alone for so long.
    #[error("it asks to come again later")]
    Later(Duration),
    /// It cannot be asked, or gave no answer. The words are for whoever set the source up.
    #[error("{0}")]
    Failed(String),
}

/// An answer of a source that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A source of documents.
pub trait Source: Send + Sync {
    /// What changed since a cursor; everything without one.
    fn changed<'a>(&'a self, since: Option<&'a str>) -> Answer<'a, Listing>;

    /// What an item is now. `mark` is what came with it last.
    fn fetch<'a>(&'a self, key: &'a str, mark: Option<&'a str>) -> Answer<'a, Fetched>;

    /// Whether it knows what changed since an earlier round. One that does not is asked for everything in each, wherever a round that
    /// failed half way left its cursor.
    fn remembers(&self) -> bool {
        true
    }

    /// The groups that its items name, by name, each with the mail addresses of all who are in it. Asked before each round. None, unless a
    /// source has some.
    fn groups(&self) -> Answer<'_, BTreeMap<String, Vec<String>>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }
}

/// Sources by their settings.
pub trait Connectors: Send + Sync + std::fmt::Debug {
    /// The source with these settings, when they are of a kind that this knows.
    fn open(&self, settings: &serde_json::Value) -> Option<Box<dyn Source>>;
}
