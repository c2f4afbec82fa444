//! A source of documents that says who reads each of them: what a connector is held to, without a service behind it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use connectors::source::{Answer, Connectors, Error, Fetched, Item, Listing, PAGE, Readers, Source};
use serde_json::{Value, json};

/// How the shelf is known to whoever sets up a source.
pub const ADDRESS: &str = "https://shelf.example/";

/// Something on the shelf.
#[derive(Debug, Clone)]
struct Paper {
    text: String,
    readers: Readers,
    /// Whether it cannot be fetched for now.
    stuck: bool,
}

#[derive(Debug, Default)]
struct Inside {
    papers: BTreeMap<String, Paper>,
    groups: BTreeMap<String, Vec<String>>,
    fetched: usize,
}

/// The shelf. Cheap to clone; each is the same.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Mutex<Inside>>);

/// These people alone, and who is in these groups.
#[must_use]
pub fn only(people: &[&str], groups: &[&str]) -> Readers {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Readers::Only { people: owned(people), groups: owned(groups) }
}

impl Shelf {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is sent to set up a source of it.
    #[must_use]
    pub fn source() -> Value {
        json!({ "sitemap": ADDRESS, "name": "Shelf" })
    }

    /// Puts something there, or in the place of what was there.
    pub fn put(&self, key: &str, text: &str, readers: Readers) {
        self.inside().papers.insert(key.into(), Paper { text: text.into(), readers, stuck: false });
    }

    /// Changes who reads something, and whether it can be fetched; its text stays.
    /// # Panics
    /// When it is not there.
    pub fn reads(&self, key: &str, readers: Readers, stuck: bool) {
        let mut inside = self.inside();
        let paper = inside.papers.get_mut(key).expect("it is on the shelf");
        (paper.readers, paper.stuck) = (readers, stuck);
    }

    /// Takes something away.
    pub fn take(&self, key: &str) {
        self.inside().papers.remove(key);
    }

    /// Says who is in a group from now on.
    pub fn group(&self, name: &str, people: &[&str]) {
        self.inside().groups.insert(name.into(), people.iter().map(|text| (*text).to_owned()).collect());
    }

    /// How often something was fetched that had changed.
    #[must_use]
    pub fn fetched(&self) -> usize {
        self.inside().fetched
    }
}

impl Connectors for Shelf {
    fn open(&self, settings: &Value) -> Option<Box<dyn Source>> {
        (*settings == json!({ "sitemap": ADDRESS })).then(|| Box::new(self.clone()) as Box<dyn Source>)
    }
}

impl Source for Shelf {
    fn changed<'a>(&'a self, since: Option<&'a str>) -> Answer<'a, Listing> {
        let inside = self.inside();
        let after = |key: &&String| since.is_none_or(|since| key.as_str() > since);
        let keys: Vec<String> = inside.papers.keys().filter(after).take(PAGE).cloned().collect();
        let more = keys.len() == PAGE;
        let cursor = keys.last().cloned().filter(|_| more);
        let items = keys.into_iter().map(|key| Item { readers: inside.papers[&key].readers.clone(), key }).collect();
        Box::pin(async move { Ok(Listing { items, gone: Vec::new(), cursor, more, whole: true }) })
    }

    fn fetch<'a>(&'a self, key: &'a str, mark: Option<&'a str>) -> Answer<'a, Fetched> {
        let mut inside = self.inside();
        let found = match inside.papers.get(key).cloned() {
            None => Ok(Fetched::Gone),
            Some(paper) if paper.stuck => Err(Error::Failed("It is stuck.".into())),
            Some(paper) if mark == Some(paper.text.as_str()) => Ok(Fetched::Unchanged),
            Some(paper) => {
                inside.fetched += 1;
                Ok(Fetched::Content { bytes: paper.text.clone().into(), mark: Some(paper.text) })
            }
        };
        Box::pin(async move { found })
    }

    fn remembers(&self) -> bool {
        false
    }

    fn groups(&self) -> Answer<'_, BTreeMap<String, Vec<String>>> {
        let groups = self.inside().groups.clone();
        Box::pin(async move { Ok(groups) })
    }
}
