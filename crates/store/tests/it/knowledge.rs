//! What tests of what an organisation knows begin with: a collection, a document that can be found, a conversation.

use domain::text::{CollectionName, Description, ProjectName, TeamName};
use domain::{CollectionId, ProjectId, ThreadId};
use serde_json::json;
use store::audit::Event;
use store::org::knowledge;
use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::collections::{self, Collection, Reach};
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::passages::Passages;
use store::org::knowledge::search::{self, Hit};
use store::org::knowledge::threads::{Author, Citation, Message, Thread};
use store::org::knowledge::versions::{self, Version};
use store::org::projects::{self, Project};
use store::org::teams::{self, Team};
use store::{Json, Scope, Tx};
use testing::TestHouse;

pub(crate) async fn begin(house: &TestHouse, scope: &Scope) -> Tx {
    house.store().open(scope).begin().await.expect("begins")
}

pub(crate) async fn commit(mut tx: Tx) {
    let org = tx.org();
    tx.record(Event::new("knowledge.changed", org)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

pub(crate) fn collection(tx: &Tx, scope: &Scope, name: &str, project_id: Option<ProjectId>) -> Collection {
    Collection {
        id: tx.ambient().id(),
        number: 0,
        project_id,
        name: CollectionName::new(name).expect("a name"),
        description: Description::new("").expect("none"),
        access: Reach::Shared,
        made_by: scope.user(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        retain_days: None,
        due_at: None,
        within: None,
    }
}

/// Adds a collection and gives it with its number.
pub(crate) async fn add_collection(tx: &mut Tx, scope: &Scope, name: &str) -> Collection {
    let wanted = collection(tx, scope, name, None);
    collections::insert(tx, &wanted).await.expect("a collection");
    collections::get(tx, wanted.id).await.expect("it is there")
}

pub(crate) fn document(tx: &Tx, scope: &Scope, collection_id: CollectionId, title: &str) -> Document {
    Document {
        id: tx.ambient().id(),
        collection_id,
        title: title.into(),
        titled: false,
        name: format!("{title}.txt"),
        source: "upload".into(),
        kind: String::new(),
        tags: Json(Vec::new()),
        status: Status::Queued,
        fault: None,
        content_hash: format!("hash of {title}"),
        size: 7,
        latest: 1,
        shown: 0,
        passages: 0,
        embedded: 0,
        job_id: tx.ambient().id(),
        made_by: scope.user(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

pub(crate) fn first_version(document: &Document) -> Version {
    Version {
        document_id: document.id,
        number: 1,
        name: document.name.clone(),
        content_hash: document.content_hash.clone(),
        size: document.size,
        made_by: document.made_by,
        created_at: document.created_at,
    }
}

pub(crate) fn drafts(texts: &[&str]) -> Vec<Draft> {
    let draft =
        |text: &&str| Draft { heading: "Animals".into(), text: (*text).into(), page: Some(2), starts: 5, ends: 9 };
    texts.iter().map(draft).collect()
}

/// Adds a document that can be found.
pub(crate) async fn add_document(
    tx: &mut Tx,
    scope: &Scope,
    into: &Collection,
    title: &str,
    texts: &[&str],
) -> Document {
    let wanted = document(tx, scope, into.id, title);
    documents::insert(tx, &wanted).await.expect("a document");
    versions::insert(tx, &first_version(&wanted)).await.expect("a version");
    chunks::replace(tx, wanted.id, &drafts(texts)).await.expect("passages");
    let passages = i64::try_from(texts.len()).expect("few");
    assert!(documents::show(tx, wanted.id, 1, Some(title), "text", passages).await.expect("shown"));
    documents::get(tx, wanted.id).await.expect("it is there")
}

/// What words find, by what the transaction sees.
pub(crate) async fn hits(tx: &mut Tx, words: &[String], collections: &[i64], limit: usize) -> Vec<Hit> {
    let mut passages = Passages::default();
    passages.read_on(tx, 0).await.expect("read");
    let found = search::by_words(tx, &passages, words, collections, None, limit).await;
    found.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// The same passages with the same scores, but for the last digit, which the order of a sum decides.
pub(crate) fn alike(one: &[Hit], other: &[Hit]) -> bool {
    let same = |(one, other): (&Hit, &Hit)| one.number == other.number && (one.score - other.score).abs() < 1e-9;
    one.len() == other.len() && one.iter().zip(other).all(same)
}

pub(crate) async fn changes(tx: &mut Tx) -> i64 {
    knowledge::state(tx).await.expect("read").changes
}

/// The places of the passages that words find in one document's collections, the best first.
pub(crate) async fn found(tx: &mut Tx, words: &[&str], collections: &[i64]) -> Vec<i64> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let hits = hits(tx, &words, collections, 10).await;
    assert!(hits.iter().all(|hit| hit.score > 0.0), "{hits:?}");
    assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score), "{hits:?}");
    let mut places = Vec::new();
    for hit in hits {
        places.push(chunks::find(tx, hit.number).await.expect("looked").expect("there").place);
    }
    places
}

pub(crate) fn thread(tx: &Tx, scope: &Scope, title: &str, project_id: Option<ProjectId>) -> Thread {
    Thread {
        id: tx.ambient().id(),
        project_id,
        user_id: scope.user(),
        title: title.into(),
        access: Reach::Private,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

pub(crate) fn message(
    tx: &Tx,
    thread_id: ThreadId,
    author: Author,
    content: &str,
    citations: Vec<Citation>,
) -> Message {
    Message {
        id: tx.ambient().id(),
        thread_id,
        author,
        content: content.into(),
        citations: Json(citations),
        detail: Json(json!({ "model": "rowhouse/answers" })),
        rating: None,
        comment: None,
        correction: None,
        created_at: tx.now(),
    }
}

pub(crate) async fn add_project(tx: &mut Tx) -> ProjectId {
    let project = Project {
        id: tx.ambient().id(),
        name: ProjectName::new("Zoo").expect("a name"),
        description: Description::new("").expect("none"),
        open: false,
        archived_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    projects::insert(tx, &project).await.expect("a project");
    project.id
}

pub(crate) async fn add_team(tx: &mut Tx) -> Team {
    let team = Team {
        id: tx.ambient().id(),
        parent_id: None,
        name: TeamName::new("Keepers").expect("a name"),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    teams::insert(tx, &team).await.expect("a team");
    team
}

/// No place at all.
pub(crate) const NOWHERE: [i64; 0] = [];

pub(crate) const TEXTS: [&str; 6] = [
    "The fox runs through the forest; it kept running, ran and runs all day",
    "A run of bad luck at the tables of the old casino, as everybody there could see",
    "Bread is baked with flour and water and salt",
    "Café menu: coffee, tea and bread of yesterday, with a view over the whole harbour",
    "The server listens on example.com, port 8443; don't forget foo-bar_baz",
    "Nothing of it fits here, lorem ipsum dolor",
];
