//! What searches keep in memory: whatever came and went, and in whatever order, they find what somebody finds who remembers nothing.

use domain::{CollectionId, DocumentId};
use embedding::{DIMENSIONS, Embedder};
use knowledge::search::{self, MOST, Wish};
use knowledge::{MODEL, Meaning, Memory};
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::search::Filter;
use store::org::knowledge::{collections, documents};
use store::{Scope, Tx};
use testing::{Client, TestHouse, both_stores};

const WORDS: [&str; 9] = ["red", "fox", "blue", "bird", "grey", "wolf", "long", "run", "runs"];
/// All passages together are fewer than a search looks at, so each search compares all of them.
const DOCUMENTS: usize = 12;
const PASSAGES: u64 = 6;

/// Chance that can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("small")
    }

    fn text(&mut self) -> String {
        let words: Vec<&str> = (0..=self.below(7)).map(|_| WORDS[self.index(WORDS.len())]).collect();
        words.join(" ")
    }

    fn texts(&mut self) -> Vec<String> {
        (0..=self.below(PASSAGES)).map(|_| self.text()).collect()
    }

    fn direction(&mut self) -> [f32; DIMENSIONS] {
        std::array::from_fn(|_| f32::from(u16::try_from(self.below(2001)).expect("small")) / 1000.0 - 1.0)
    }
}

/// An organisation whose documents come and go.
struct World<'a> {
    house: &'a TestHouse,
    who: &'a Client,
    scope: Scope,
    chance: Chance,
    collections: Vec<(CollectionId, i64)>,
    documents: Vec<(DocumentId, i64)>,
}

impl<'a> World<'a> {
    async fn new(house: &'a TestHouse, who: &'a Client, seed: u64) -> Self {
        let scope = house.scope(who).await;
        let mut world =
            Self { house, who, scope, chance: Chance(seed), collections: Vec::new(), documents: Vec::new() };
        for _ in 0..3 {
            world.collect().await;
        }
        world
    }

    async fn read(&self) -> Tx {
        self.house.store().open(&self.scope).read().await.expect("begins")
    }

    async fn begin(&self) -> Tx {
        self.house.store().open(&self.scope).begin().await.expect("begins")
    }

    async fn collect(&mut self) {
        let body = json!({ "name": format!("c{}", self.chance.below(1 << 30)), "access": "project" });
        let made = self.who.post("/api/v1/collections", &body).await.expect(201);
        let id: CollectionId = made.str("/id").parse().expect("an id");
        let number = collections::get(&mut self.read().await, id).await.expect("there").number;
        self.collections.push((id, number));
    }

    /// Lets something come, go, move, or get vectors.
    async fn change(&mut self) {
        let what = self.chance.below(11);
        if self.documents.is_empty() || (what < 4 && self.documents.len() < DOCUMENTS) {
            let (collection, number) = self.collections[self.chance.index(self.collections.len())];
            let texts = self.chance.texts();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let id = self.house.document(&self.scope, &collection.to_string(), "Some", &texts).await;
            self.documents.push((id, number));
            return;
        }
        let at = self.chance.index(self.documents.len());
        let (id, _) = self.documents[at];
        let mut tx = self.begin().await;
        match what {
            0..=6 => {
                // A batch, which may be cut off in the middle of a document.
                let some = i64::try_from(1 + self.chance.below(4)).expect("small");
                for chunk in chunks::without_vector(&mut tx, id, MODEL, some).await.expect("listed") {
                    let vector = knowledge::stored(&self.chance.direction(), chunk.number, chunk.collection);
                    assert!(chunks::embed(&mut tx, MODEL, &vector).await.expect("added"));
                }
                chunks::count_embedded(&mut tx, id, MODEL).await.expect("counted");
            }
            7 => {
                let draft = |text| Draft { heading: String::new(), text, page: None, starts: 0, ends: 1 };
                let drafts: Vec<Draft> = self.chance.texts().into_iter().map(draft).collect();
                chunks::replace(&mut tx, id, &drafts).await.expect("replaced");
            }
            8 => {
                documents::delete(&mut tx, id).await.expect("deleted");
                tx.record(Event::new("document.deleted", id)).await.expect("recorded");
                self.documents.swap_remove(at);
            }
            9 => {
                let (other, number) = self.collections[self.chance.index(self.collections.len())];
                let (document, to) = (documents::get(&mut tx, id).await, collections::get(&mut tx, other).await);
                documents::relocate(&mut tx, &document.expect("there"), &to.expect("there")).await.expect("moved");
                tx.record(Event::new("document.moved", id)).await.expect("recorded");
                self.documents[at] = (id, number);
            }
            _ => {
                let (gone, number) = self.collections.swap_remove(self.chance.index(self.collections.len()));
                collections::delete(&mut tx, gone).await.expect("deleted");
                tx.record(Event::new("collection.deleted", gone)).await.expect("recorded");
                self.documents.retain(|(_, other)| *other != number);
                tx.commit().await.expect("committed");
                return self.collect().await;
            }
        }
        tx.commit().await.expect("committed");
    }

    /// Searches as a transaction sees it, with what is remembered and without.
    async fn compare(&mut self, tx: &mut Tx, memory: &Memory) {
        let query = self.chance.text();
        let meaning = self.chance.direction();
        let meaning = (self.chance.below(4) > 0).then_some(&meaning);
        let mut numbers: Vec<i64> = self.collections.iter().map(|(_, number)| *number).collect();
        if self.chance.below(2) == 0 {
            numbers.truncate(1);
        }
        let remembered = found(tx, memory, &query, &numbers, meaning).await;
        assert_eq!(
            remembered,
            found(tx, &Memory::default(), &query, &numbers, meaning).await,
            "{query} in {numbers:?}"
        );
    }
}

/// The passages that are found, with their scores to nine places.
async fn found(
    tx: &mut Tx,
    memory: &Memory,
    query: &str,
    collections: &[i64],
    meaning: Option<&[f32; DIMENSIONS]>,
) -> Vec<(i64, String)> {
    let wish = Wish { query, collections, filter: &Filter::default(), limit: MOST };
    let meaning = meaning.map(|vector| Meaning { model: MODEL, vector });
    let found = search::search(tx, memory, &wish, meaning).await.expect("searched");
    let rounded = |score: Option<f64>| score.map(|score| format!("{score:.9}"));
    found.iter().map(|one| (one.chunk.number, format!("{:?} {:?}", rounded(one.words), rounded(one.meaning)))).collect()
}

both_stores! {
    async fn whatever_comes_and_goes_memory_is_what_is_there(house) {
        let ann = house.sign_up("Ann").await;
        for seed in [11, 12, 13] {
            let memory = Memory::default();
            let mut world = World::new(&house, &ann, seed).await;
            for _ in 0..40 {
                for _ in 0..world.chance.below(3) {
                    world.change().await;
                }
                let mut tx = world.read().await;
                world.compare(&mut tx, &memory).await;
                if world.chance.below(5) == 0 {
                    // A transaction that began before a change, and searches after one that saw it.
                    world.change().await;
                    let mut later = world.read().await;
                    world.compare(&mut later, &memory).await;
                    world.compare(&mut tx, &memory).await;
                    world.compare(&mut later, &memory).await;
                }
            }
            let mut tx = world.read().await;
            let (numbers, direction): (Vec<i64>, _) = (world.collections.iter().map(|one| one.1).collect(), world.chance.direction());
            let all = found(&mut tx, &memory, &WORDS.join(" "), &numbers, Some(&direction)).await;
            assert!(all.len() > 10 && all.iter().any(|(_, scores)| scores.contains("Some") && scores.contains("None")), "{all:?}");
        }
    }

    async fn nobody_finds_what_another_organisation_made_memory_keep(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let memory = Memory::default();
        let (mut anns, mut bobs) = (World::new(&house, &ann, 1).await, World::new(&house, &bob, 2).await);
        assert_eq!(anns.collections[0].1, bobs.collections[0].1, "each counts for itself");
        for _ in 0..12 {
            anns.change().await;
            bobs.change().await;
            let (mut one, mut other) = (anns.read().await, bobs.read().await);
            anns.compare(&mut one, &memory).await;
            bobs.compare(&mut other, &memory).await;
            anns.compare(&mut one, &memory).await;
        }
    }

    /// Beside writers, and all at once at a memory that knows nothing yet.
    async fn searches_at_once_each_see_their_own_moment(house) {
        let ann = house.sign_up("Ann").await;
        let memory = Memory::default();
        let mut world = World::new(&house, &ann, 21).await;
        for _ in 0..12 {
            world.change().await;
        }
        let (scope, numbers): (_, Vec<i64>) = (world.scope.clone(), world.collections.iter().map(|one| one.1).collect());
        let searching: Vec<_> = (0..3)
            .map(|seed| {
                let (store, scope, memory, numbers) = (house.store().clone(), scope.clone(), memory.clone(), numbers.clone());
                tokio::spawn(async move {
                    let direction = Chance(seed).direction();
                    for _ in 0..15 {
                        let mut tx = store.open(&scope).read().await.expect("begins");
                        let remembered = found(&mut tx, &memory, "red fox runs", &numbers, Some(&direction)).await;
                        assert_eq!(remembered, found(&mut tx, &Memory::default(), "red fox runs", &numbers, Some(&direction)).await);
                    }
                })
            })
            .collect();
        for _ in 0..15 {
            world.change().await;
        }
        for one in searching {
            one.await.expect("the same each time");
        }
    }

    /// The meaning of its query is long in coming: what was taken away meanwhile is not found, nor is anything else held up.
    async fn a_search_that_waits_for_its_meaning_finds_what_is_there_then(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "name": "Shelf", "access": "project" });
        let shelf = ann.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned();
        let scope = house.scope(&ann).await;
        let gone = house.document(&scope, &shelf, "Gone", &["The red fox."]).await;
        house.document(&scope, &shelf, "Kept", &["The red bird."]).await;
        let (path, body) = ("/api/v1/search", json!({ "query": "red" }));
        assert_eq!(ann.post(path, &body).await.expect(200).json["results"].as_array().expect("a list").len(), 2);
        // Some seconds of work that came before.
        let long = "many words that take a while to read ".repeat(40);
        let mut before: Vec<_> = (0..200).map(|_| Box::pin(Embedder::shared().query(&long))).collect();
        let waiting = tokio::spawn({
            let ann = ann.clone();
            async move { ann.post(path, &body).await }
        });
        // Five of them are done: it waits behind all of them, or is still to come.
        for one in before.drain(..5) {
            one.await.expect("embedded");
        }
        ann.delete(&format!("/api/v1/documents/{gone}")).await.expect(204);
        for one in before {
            one.await.expect("embedded");
        }
        let told = waiting.await.expect("answered").expect(200);
        let titles: Vec<_> = told.json["results"].as_array().expect("a list").iter().map(|one| one["title"].clone()).collect();
        assert_eq!(titles, ["Kept"]);
    }
}
