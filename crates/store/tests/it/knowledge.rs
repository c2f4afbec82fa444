//! What an organisation knows, and the work that waits: each function of the store, on both engines, with another organisation beside
//! it that sees none of it.

use std::time::Duration;

use domain::role::Role;
use domain::text::{CollectionName, Description, ProjectName, TeamName};
use domain::{CollectionId, DocumentId, Id as _, ProjectId, ThreadId, TurnId, UserId};
use serde_bytes::ByteBuf;
use serde_json::json;
use store::audit::Event;
use store::control::jobs;
use store::org::knowledge;
use store::org::knowledge::chunks::{self, Draft, Vector};
use store::org::knowledge::collections::{self, Collection, Reach, Sharer, Subject};
use store::org::knowledge::documents::{self, Document, Fault, Status};
use store::org::knowledge::passages::Passages;
use store::org::knowledge::search::{self, Filter, Hit};
use store::org::knowledge::thread_shares;
use store::org::knowledge::threads::{self, Author, Citation, Message, Thread};
use store::org::knowledge::versions::{self, Version};
use store::org::members::{self, Member};
use store::org::projects::{self, Project};
use store::org::teams::{self, Team};
use store::{Error, Json, Origin, Scope, Turn, Tx};
use testing::{TestHouse, both_stores};

async fn begin(house: &TestHouse, scope: &Scope) -> Tx {
    house.store().open(scope).begin().await.expect("begins")
}

async fn commit(mut tx: Tx) {
    let org = tx.org();
    tx.record(Event::new("knowledge.changed", org)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

fn collection(tx: &Tx, scope: &Scope, name: &str, project_id: Option<ProjectId>) -> Collection {
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
    }
}

/// Adds a collection and gives it with its number.
async fn add_collection(tx: &mut Tx, scope: &Scope, name: &str) -> Collection {
    let wanted = collection(tx, scope, name, None);
    collections::insert(tx, &wanted).await.expect("a collection");
    collections::get(tx, wanted.id).await.expect("it is there")
}

fn document(tx: &Tx, scope: &Scope, collection_id: CollectionId, title: &str) -> Document {
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

fn first_version(document: &Document) -> Version {
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

fn drafts(texts: &[&str]) -> Vec<Draft> {
    let draft =
        |text: &&str| Draft { heading: "Animals".into(), text: (*text).into(), page: Some(2), starts: 5, ends: 9 };
    texts.iter().map(draft).collect()
}

/// Adds a document that can be found.
async fn add_document(tx: &mut Tx, scope: &Scope, into: &Collection, title: &str, texts: &[&str]) -> Document {
    let wanted = document(tx, scope, into.id, title);
    documents::insert(tx, &wanted).await.expect("a document");
    versions::insert(tx, &first_version(&wanted)).await.expect("a version");
    chunks::replace(tx, wanted.id, into.number, &drafts(texts)).await.expect("passages");
    let passages = i64::try_from(texts.len()).expect("few");
    assert!(documents::show(tx, wanted.id, 1, Some(title), "text", passages).await.expect("shown"));
    documents::get(tx, wanted.id).await.expect("it is there")
}

/// What words find, by what the transaction sees.
async fn hits(tx: &mut Tx, words: &[String], collections: &[i64], limit: usize) -> Vec<Hit> {
    let mut passages = Passages::default();
    passages.read_on(tx, 0).await.expect("read");
    let found = search::by_words(tx, &passages, words, collections, None, limit).await;
    found.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// The same passages with the same scores, but for the last digit, which the order of a sum decides.
fn alike(one: &[Hit], other: &[Hit]) -> bool {
    let same = |(one, other): (&Hit, &Hit)| one.number == other.number && (one.score - other.score).abs() < 1e-9;
    one.len() == other.len() && one.iter().zip(other).all(same)
}

async fn changes(tx: &mut Tx) -> i64 {
    knowledge::state(tx).await.expect("read").changes
}

/// The places of the passages that words find in one document's collections, the best first.
async fn found(tx: &mut Tx, words: &[&str], collections: &[i64]) -> Vec<i64> {
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

fn thread(tx: &Tx, scope: &Scope, title: &str, project_id: Option<ProjectId>) -> Thread {
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

fn message(tx: &Tx, thread_id: ThreadId, author: Author, content: &str, citations: Vec<Citation>) -> Message {
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

async fn add_project(tx: &mut Tx) -> ProjectId {
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

async fn add_team(tx: &mut Tx) -> Team {
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
const NOWHERE: [i64; 0] = [];

const TEXTS: [&str; 6] = [
    "The fox runs through the forest; it kept running, ran and runs all day",
    "A run of bad luck at the tables of the old casino, as everybody there could see",
    "Bread is baked with flour and water and salt",
    "Café menu: coffee, tea and bread of yesterday, with a view over the whole harbour",
    "The server listens on example.com, port 8443; don't forget foo-bar_baz",
    "Nothing of it fits here, lorem ipsum dolor",
];

both_stores! {
    async fn collections_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let project = add_project(&mut tx).await;
        let [first, second] = [add_collection(&mut tx, &scope, "first").await, add_collection(&mut tx, &scope, "second").await];
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!((first.name.as_str(), first.access, first.version, first.project_id), ("first", Reach::Shared, 1, None));
        let inside = collection(&tx, &scope, "in a project", Some(project));
        collections::insert(&mut tx, &inside).await.expect("a collection");
        let nowhere = collection(&tx, &scope, "nowhere", Some(tx.ambient().id()));
        assert!(matches!(collections::insert(&mut tx, &nowhere).await, Err(Error::NotFound("project"))));
        let ids = |list: Vec<Collection>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(collections::list(&mut tx, None, 2).await.expect("listed")), [first.id, second.id]);
        assert_eq!(ids(collections::list(&mut tx, Some(second.id), 2).await.expect("listed")), [inside.id]);

        house.clock.advance(Duration::from_secs(1));
        let renamed = Collection { name: CollectionName::new("other").expect("a name"), access: Reach::Private, ..first.clone() };
        collections::update(&mut tx, &renamed).await.expect("changed");
        assert!(matches!(collections::update(&mut tx, &renamed).await, Err(Error::Stale(_))));
        let read = collections::get(&mut tx, first.id).await.expect("there");
        assert_eq!((read.name.as_str(), read.access, read.version), ("other", Reach::Private, 2));
        assert!(read.updated_at > read.created_at);

        let before = changes(&mut tx).await;
        collections::delete(&mut tx, second.id).await.expect("deleted");
        assert_eq!(changes(&mut tx).await, before + 1);
        assert!(matches!(collections::delete(&mut tx, second.id).await, Err(Error::NotFound(_))));
        assert!(matches!(collections::get(&mut tx, second.id).await, Err(Error::NotFound(_))));
        let next = add_collection(&mut tx, &scope, "next").await;
        assert!(next.number > inside.number, "a number is never used again");
        projects::delete(&mut tx, project).await.expect("deleted");
        assert!(matches!(collections::get(&mut tx, inside.id).await, Err(Error::NotFound(_))), "it goes with its project");
        commit(tx).await;
    }

    async fn a_share_ends_with_the_stay_and_with_the_team(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let (scope, of_max) = (house.scope(&ann).await, house.scope(&max).await);
        let (user, stay) = (of_max.user(), of_max.membership());
        let mut tx = begin(&house, &scope).await;
        let team = add_team(&mut tx).await;
        let one = add_collection(&mut tx, &scope, "one").await;
        assert!(collections::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared"));
        assert!(!collections::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared already"));
        assert!(collections::share(&mut tx, one.id, Sharer::Team(team.id)).await.expect("shared"));
        let with = |shares: Vec<(Subject, _)>| shares.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
        let shares = collections::shares(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!(with(shares), [Subject::Team(team.id), Subject::User(user)]);
        let after = collections::shares(&mut tx, one.id, Some(Subject::Team(team.id)), 9).await.expect("listed");
        assert_eq!(with(after), [Subject::User(user)]);
        assert_eq!(with(collections::shares(&mut tx, one.id, None, 1).await.expect("listed")), [Subject::Team(team.id)]);
        let now = tx.now();
        assert_eq!(collections::shared_since(&mut tx, one.id, Subject::User(user)).await.expect("there"), now);
        assert!(matches!(collections::shared_since(&mut tx, one.id, Subject::User(scope.user())).await, Err(Error::NotFound(_))));
        assert_eq!(collections::shared(&mut tx, user, stay).await.expect("listed"), [one.id]);
        let later = tx.ambient().id();
        assert_eq!(collections::shared(&mut tx, user, later).await.expect("listed"), [], "in another stay, and not in the team");
        assert!(collections::share(&mut tx, one.id, Sharer::User(user, later)).await.expect("shared with the later stay"));
        assert_eq!(collections::shared(&mut tx, user, stay).await.expect("listed"), []);
        let member = Member { place_id: team.id, user_id: user, membership_id: stay, role: Role::MEMBER, created_at: now };
        members::put(&mut tx, &member).await.expect("in the team");
        assert_eq!(collections::shared(&mut tx, user, stay).await.expect("listed"), [one.id], "by the team");
        assert_eq!(collections::unshare_all(&mut tx, one.id).await.expect("ended"), 2);
        assert!(collections::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared"));
        assert!(collections::share(&mut tx, one.id, Sharer::Team(team.id)).await.expect("shared"));
        assert!(collections::unshare(&mut tx, one.id, Subject::User(user)).await.expect("ended"));
        assert!(!collections::unshare(&mut tx, one.id, Subject::User(user)).await.expect("there is none"));
        assert!(collections::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared"));
        commit(tx).await;
        let counted = house.store().count_of_person(scope.org(), user).await.expect("counted").expect("readable");
        assert_eq!(counted["shares"], 1);

        let mut tx = begin(&house, &scope).await;
        teams::delete(&mut tx, team.id).await.expect("deleted");
        assert_eq!(with(collections::shares(&mut tx, one.id, None, 9).await.expect("listed")), [Subject::User(user)]);
        commit(tx).await;
        let left = tenancy::members::leave(&house.house, user, scope.org(), &Origin::default()).await.expect("leaves");
        left.commit().await.expect("committed");
        house.store().deliver(scope.org()).await.expect("delivered");
        let mut tx = begin(&house, &scope).await;
        assert_eq!(with(collections::shares(&mut tx, one.id, None, 9).await.expect("listed")), []);
        drop(tx);
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }

    async fn a_shared_conversation_reaches_a_stay_and_a_team_and_ends_with_them(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let (scope, of_max) = (house.scope(&ann).await, house.scope(&max).await);
        let (user, stay) = (of_max.user(), of_max.membership());
        let mut tx = begin(&house, &scope).await;
        let team = add_team(&mut tx).await;
        let (one, other) = (thread(&tx, &scope, "one", None), thread(&tx, &scope, "other", None));
        for thread in [&one, &other] {
            threads::insert(&mut tx, thread).await.expect("a conversation");
        }
        assert!(thread_shares::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared"));
        assert!(!thread_shares::share(&mut tx, one.id, Sharer::User(user, stay)).await.expect("shared already"));
        assert!(thread_shares::share(&mut tx, one.id, Sharer::Team(team.id)).await.expect("shared"));
        let with = |shares: Vec<(Subject, _)>| shares.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
        let all = thread_shares::list(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!(with(all), [Subject::Team(team.id), Subject::User(user)]);
        let after = thread_shares::list(&mut tx, one.id, Some(Subject::Team(team.id)), 9).await.expect("listed");
        assert_eq!(with(after), [Subject::User(user)]);
        assert_eq!(with(thread_shares::list(&mut tx, other.id, None, 9).await.expect("listed")), []);
        assert_eq!(thread_shares::since(&mut tx, one.id, Subject::User(user)).await.expect("there"), tx.now());
        assert_eq!(thread_shares::reaching(&mut tx, user, stay).await.expect("listed"), [one.id]);
        let later = tx.ambient().id();
        assert_eq!(thread_shares::reaching(&mut tx, user, later).await.expect("listed"), [], "in another stay, and not in the team");
        assert!(thread_shares::share(&mut tx, one.id, Sharer::User(user, later)).await.expect("shared with the later stay"));
        assert_eq!(thread_shares::reaching(&mut tx, user, stay).await.expect("listed"), []);
        let now = tx.now();
        let member = Member { place_id: team.id, user_id: user, membership_id: stay, role: Role::MEMBER, created_at: now };
        members::put(&mut tx, &member).await.expect("in the team");
        assert_eq!(thread_shares::reaching(&mut tx, user, stay).await.expect("listed"), [one.id], "by the team");
        assert_eq!(thread_shares::end_all(&mut tx, one.id).await.expect("ended"), 2);
        for thread in [&one, &other] {
            assert!(thread_shares::share(&mut tx, thread.id, Sharer::User(user, stay)).await.expect("shared"));
            assert!(thread_shares::share(&mut tx, thread.id, Sharer::Team(team.id)).await.expect("shared"));
        }
        assert!(thread_shares::unshare(&mut tx, other.id, Subject::User(user)).await.expect("ended"));
        assert!(!thread_shares::unshare(&mut tx, other.id, Subject::User(user)).await.expect("there is none"));
        commit(tx).await;
        let counted = house.store().count_of_person(scope.org(), user).await.expect("counted").expect("readable");
        assert_eq!(counted["thread_shares"], 1);

        let mut tx = begin(&house, &scope).await;
        teams::delete(&mut tx, team.id).await.expect("deleted");
        assert_eq!(with(thread_shares::list(&mut tx, one.id, None, 9).await.expect("listed")), [Subject::User(user)]);
        assert_eq!(with(thread_shares::list(&mut tx, other.id, None, 9).await.expect("listed")), []);
        assert!(thread_shares::share(&mut tx, other.id, Sharer::User(user, stay)).await.expect("shared"));
        threads::delete(&mut tx, other.id).await.expect("deleted");
        assert_eq!(thread_shares::reaching(&mut tx, user, stay).await.expect("listed"), [one.id], "a share goes with the conversation");
        commit(tx).await;
        let left = tenancy::members::leave(&house.house, user, scope.org(), &Origin::default()).await.expect("leaves");
        left.commit().await.expect("committed");
        house.store().deliver(scope.org()).await.expect("delivered");
        let mut tx = begin(&house, &scope).await;
        assert_eq!(with(thread_shares::list(&mut tx, one.id, None, 9).await.expect("listed")), []);
        drop(tx);
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }

    async fn documents_and_their_versions_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = Document { tags: Json(vec!["red".into()]), ..document(&tx, &scope, here.id, "one") };
        let two = document(&tx, &scope, here.id, "two");
        for document in [&one, &two] {
            documents::insert(&mut tx, document).await.expect("a document");
            versions::insert(&mut tx, &first_version(document)).await.expect("a version");
        }
        let nowhere = document(&tx, &scope, tx.ambient().id(), "nowhere");
        assert!(matches!(documents::insert(&mut tx, &nowhere).await, Err(Error::NotFound("collection"))));
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.tags.0.as_slice(), read.latest, read.shown), (Status::Queued, ["red".to_owned()].as_slice(), 1, 0));
        let ids = |list: Vec<Document>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(documents::list(&mut tx, here.id, None, 1).await.expect("listed")), [one.id]);
        assert_eq!(ids(documents::list(&mut tx, here.id, Some(one.id), 5).await.expect("listed")), [two.id]);
        assert_eq!(ids(documents::list(&mut tx, there.id, None, 5).await.expect("listed")), []);
        assert_eq!(documents::same(&mut tx, here.id, "hash of two").await.expect("looked"), Some(two.id));
        assert_eq!(documents::same(&mut tx, there.id, "hash of two").await.expect("looked"), None);

        documents::update(&mut tx, &Document { title: "first".into(), tags: Json(vec!["blue".into()]), ..read.clone() }).await.expect("changed");
        assert!(matches!(documents::update(&mut tx, &read).await, Err(Error::Stale(_))));
        let fault = Json(Fault { code: "torn".into(), message: "Half of it is missing.".into() });
        assert!(documents::progress(&mut tx, one.id, 1, Status::Failed, Some(&fault)).await.expect("noted"));
        assert!(!documents::progress(&mut tx, one.id, 2, Status::Ready, None).await.expect("another version"));
        let read = documents::find(&mut tx, one.id).await.expect("looked").expect("there");
        assert_eq!((read.title.as_str(), read.status, read.fault.clone()), ("first", Status::Failed, Some(fault)));

        let renewed = Document { name: "new.txt".into(), content_hash: "another hash".into(), size: 9, ..read.clone() };
        documents::renew(&mut tx, &renewed).await.expect("renewed");
        assert!(matches!(documents::renew(&mut tx, &renewed).await, Err(Error::Stale(_))), "it was changed since");
        let second = Version { number: 2, content_hash: "another hash".into(), size: 9, ..first_version(&one) };
        versions::insert(&mut tx, &second).await.expect("a version");
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.fault, read.latest, read.size, read.name.as_str()), (Status::Queued, None, 2, 9, "new.txt"));
        assert!(!documents::show(&mut tx, one.id, 1, Some("old"), "text", 3).await.expect("a newer one came"));
        assert!(documents::show(&mut tx, one.id, 2, Some("new"), "text", 3).await.expect("shown"));
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.shown, read.passages, read.title.as_str(), read.kind.as_str()), (Status::Ready, 2, 3, "new", "text"));

        let given = Document { title: "given".into(), titled: true, ..read.clone() };
        documents::update(&mut tx, &given).await.expect("changed");
        assert!(documents::show(&mut tx, one.id, 2, Some("its own"), "text", 3).await.expect("shown"));
        assert_eq!(documents::get(&mut tx, one.id).await.expect("there").title, "given", "a person's title stays");
        assert!(documents::progress(&mut tx, one.id, 2, Status::Failed, None).await.expect("noted"));
        let job = tx.ambient().id();
        documents::retry(&mut tx, one.id, job).await.expect("again");
        let again = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((again.status, again.latest, again.job_id), (Status::Queued, 2, job));
        assert!(documents::show(&mut tx, one.id, 2, None, "text", 3).await.expect("shown"));

        let numbers = |list: Vec<Version>| list.into_iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(versions::list(&mut tx, one.id, None, 5).await.expect("listed")), [2, 1]);
        assert_eq!(numbers(versions::list(&mut tx, one.id, Some(2), 5).await.expect("listed")), [1]);
        assert_eq!(versions::get(&mut tx, one.id, 2).await.expect("there").size, 9);
        assert!(matches!(versions::get(&mut tx, one.id, 3).await, Err(Error::NotFound(_))));
        assert_eq!(versions::content(&mut tx, one.id, 2).await.expect("looked"), None);
        versions::keep_content(&mut tx, one.id, 2, vec![1, 2, 3]).await.expect("kept");
        assert_eq!(versions::content(&mut tx, one.id, 2).await.expect("looked"), Some(vec![1, 2, 3]));
        assert_eq!(versions::content(&mut tx, one.id, 3).await.expect("looked"), None);
        let mut originals = versions::originals(&mut tx, one.id).await.expect("listed");
        originals.sort();
        assert_eq!(originals, ["another hash", "hash of one"]);
        assert_eq!(documents::totals(&mut tx).await.expect("counted"), (2, 7 + 9 + 7));
        // The same original again costs nothing.
        let again = Document { content_hash: "hash of two".into(), ..document(&tx, &scope, there.id, "again") };
        documents::insert(&mut tx, &again).await.expect("a document");
        versions::insert(&mut tx, &first_version(&again)).await.expect("a version");
        assert_eq!(documents::totals(&mut tx).await.expect("counted"), (3, 7 + 9 + 7));
        documents::delete(&mut tx, two.id).await.expect("deleted");
        assert!(!versions::unused(&mut tx, "hash of two").await.expect("looked"), "another document has it");
        documents::delete(&mut tx, again.id).await.expect("deleted");
        assert!(versions::unused(&mut tx, "hash of two").await.expect("looked"));
        assert!(matches!(documents::delete(&mut tx, two.id).await, Err(Error::NotFound(_))));
        assert!(documents::find(&mut tx, two.id).await.expect("looked").is_none());
        commit(tx).await;
    }

    async fn passages_and_vectors_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        let one = add_document(&mut tx, &scope, &here, "one", &["red", "green", "blue"]).await;
        let all = chunks::list(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!(all.iter().map(|chunk| (chunk.place, chunk.text.as_str())).collect::<Vec<_>>(), [(0, "red"), (1, "green"), (2, "blue")]);
        let [first, second, third] = [&all[0], &all[1], &all[2]];
        assert_eq!((first.document_id, first.collection, first.page, first.starts, first.ends), (one.id, here.number, Some(2), 5, 9));
        assert_eq!(chunks::list(&mut tx, one.id, Some(0), 1).await.expect("listed"), std::slice::from_ref(second));
        assert_eq!(chunks::get(&mut tx, third.id).await.expect("there"), *third);
        assert_eq!(chunks::find(&mut tx, third.number).await.expect("looked"), Some(third.clone()));

        let vector = |chunk: i64| Vector { chunk, collection: here.number, scale: 7_874_016, value: ByteBuf::from(vec![1, 0xff, 0x80]) };
        assert!(chunks::embed(&mut tx, "mini", &vector(first.number)).await.expect("added"));
        assert!(!chunks::embed(&mut tx, "mini", &vector(first.number)).await.expect("it has one"));
        assert!(chunks::embed(&mut tx, "maxi", &vector(first.number)).await.expect("of another model"));
        assert!(!chunks::embed(&mut tx, "mini", &vector(first.number + 1000)).await.expect("no such passage"));
        let without = chunks::without_vector(&mut tx, one.id, "mini", 9).await.expect("listed");
        assert_eq!(without, [second.clone(), third.clone()]);
        assert!(chunks::embed(&mut tx, "mini", &vector(third.number)).await.expect("added"));
        let before = changes(&mut tx).await;
        chunks::count_embedded(&mut tx, one.id, "mini").await.expect("counted");
        assert_eq!(changes(&mut tx).await, before + 1);
        assert_eq!(documents::get(&mut tx, one.id).await.expect("there").embedded, 2);
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), [vector(first.number), vector(third.number)]);
        assert_eq!(chunks::vectors(&mut tx, "mini", first.number + 1, i64::MAX, 1).await.expect("listed"), [vector(third.number)]);
        assert_eq!(chunks::vectors(&mut tx, "none", 0, i64::MAX, 9).await.expect("listed"), []);

        chunks::replace(&mut tx, one.id, here.number, &drafts(&["yellow"])).await.expect("replaced");
        let fresh = chunks::list(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!((fresh.len(), fresh[0].text.as_str()), (1, "yellow"));
        assert!(fresh[0].number > third.number, "a number is never used again");
        assert!(matches!(chunks::get(&mut tx, third.id).await, Err(Error::NotFound(_))));
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), []);
        assert_eq!(found(&mut tx, &["blue"], &[here.number]).await, NOWHERE);
        assert_eq!(found(&mut tx, &["yellow"], &[here.number]).await, [0]);
        chunks::replace(&mut tx, one.id, here.number, &[]).await.expect("emptied");
        assert_eq!(chunks::list(&mut tx, one.id, None, 9).await.expect("listed"), []);
        commit(tx).await;
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }

    async fn both_engines_find_the_same_words_in_the_same_order(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        add_document(&mut tx, &scope, &here, "one", &TEXTS).await;
        commit(tx).await;
        let mut tx = house.store().open(&scope).read().await.expect("begins");
        let here = [here.number];
        for (words, places) in [
            (&["running"][..], &[0, 1][..]),
            (&["RUN"], &[0, 1]),
            (&["bread", "flour"], &[2, 3]),
            (&["harbour", "bread"], &[3, 2]),
            (&["cafe"], &[3]),
            (&["CAFÉ"], &[3]),
            (&["example"], &[4]),
            (&["example.com"], &[4]),
            (&["com.example"], &[]),
            (&["8443"], &[4]),
            (&["foo"], &[4]),
            (&["foo-bar"], &[4]),
            (&["don't"], &[4]),
            (&["nowhere"], &[]),
            // What is in half of them tells little, but is found.
            (&["the", "forest"], &[0, 1, 4, 3]),
            (&["lorem", "nowhere"], &[5]),
        ] {
            assert_eq!(found(&mut tx, words, &here).await, places, "{words:?}");
        }
        assert_eq!(found(&mut tx, &["animals"], &here).await.len(), 6, "in the heading");
        assert_eq!(found(&mut tx, &["bread"], &[there.number]).await, NOWHERE);
        assert_eq!(found(&mut tx, &["bread"], &[]).await, NOWHERE);
        assert_eq!(found(&mut tx, &[], &here).await, NOWHERE);
        assert_eq!(hits(&mut tx, &["run".into()], &here, 1).await.len(), 1);
    }

    async fn a_score_tells_nothing_of_passages_that_are_not_seen(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let mine = add_collection(&mut tx, &scope, "mine").await;
        // All of one length: the mean length of passages is that of the organisation.
        let texts = ["red fox runs home", "blue fox sits down", "red bird sings loud", "grey wolf howls long", "pink pig eats corn"];
        add_document(&mut tx, &scope, &mine, "one", &texts).await;
        let words = ["red", "wolf", "fox"].map(String::from);
        let before = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(before.len(), 4);
        let theirs = add_collection(&mut tx, &scope, "theirs").await;
        let secret = ["red cars drive fast", "red boats float past", "red trains pass by", "one wolf sleeps here"];
        add_document(&mut tx, &scope, &theirs, "two", &secret).await;
        let after = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(after.len(), before.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.number, after.number);
            assert!((before.score - after.score).abs() < 1e-9, "{before:?} became {after:?}");
        }
        let both = hits(&mut tx, &words, &[mine.number, theirs.number], 10).await;
        assert!(both.iter().any(|hit| before.iter().any(|one| one.number == hit.number && (one.score - hit.score).abs() > 0.01)), "what is seen counts");
        commit(tx).await;
    }

    /// Nor does the mean length of passages, and what a filter leaves out is left out, but counts.
    async fn what_is_left_out_is_not_given_and_what_is_not_seen_does_not_count(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let mine = add_collection(&mut tx, &scope, "mine").await;
        let texts = ["red fox", "red fox runs home over the hill", "the red red wolf", "a pig", "a cow", "a hen", "a cat", "a dog", "an ant"];
        add_document(&mut tx, &scope, &mine, "one", &texts).await;
        let words = ["red", "wolf"].map(String::from);
        let before = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(before.len(), 3);
        let theirs = add_collection(&mut tx, &scope, "theirs").await;
        let long = "many other words than theirs that go on and on ".repeat(40);
        add_document(&mut tx, &scope, &theirs, "two", &[&*long, "red", "wolf"]).await;
        let after = hits(&mut tx, &words, &[mine.number], 10).await;
        assert!(alike(&after, &before), "{before:?} became {after:?}");
        let mut passages = Passages::default();
        passages.read_on(&mut tx, 0).await.expect("read");
        assert_eq!((passages.len(), passages.has(before[0].number), passages.has(9999)), (12, true, false));
        let mut only = [before[1].number, before[2].number];
        only.sort_unstable();
        let found = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&only), 10).await.expect("found");
        assert!(alike(&found, &before[1..]), "{found:?}");
        let found = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&only), 1).await.expect("found");
        assert!(alike(&found, &before[1..2]), "{found:?}");
        let none = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&[]), 10).await.expect("found");
        assert_eq!(none, []);
        // What goes is let go, and only that.
        let two = documents::list(&mut tx, theirs.id, None, 9).await.expect("listed").remove(0);
        let state = knowledge::state(&mut tx).await.expect("read");
        documents::delete(&mut tx, two.id).await.expect("deleted");
        let after = knowledge::state(&mut tx).await.expect("read");
        assert_eq!((after.changes, after.losses, after.numbers), (state.changes + 1, state.losses + 1, state.numbers));
        let had = passages.numbers().to_vec();
        passages.let_go(&mut tx).await.expect("read");
        assert_eq!(passages.numbers(), &had[..9]);
        commit(tx).await;
    }

    async fn nothing_in_the_words_is_an_operator(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        add_document(&mut tx, &scope, &here, "one", &TEXTS).await;
        let here = [here.number];
        for word in [
            "", " ", "\"", "\"\"", "*", "-", "^", "(", ")", "{", "a:", "heading:x", "NEAR(x y)", "' OR 1=1 --", "\\", "%", "\u{0}", "\u{1}",
            "<->", "!", "|", "&", ":*", "\u{301}", "日本", "🦊", "-fox", "NOT", "AND", "OR", "$1", "é\"OR\"",
        ] {
            let _ = found(&mut tx, &[word], &here).await;
            assert_eq!(found(&mut tx, &[word, "flour"], &here).await.iter().filter(|place| **place == 2).count(), 1, "{word:?}");
        }
        assert_eq!(found(&mut tx, &["-fox"], &here).await, [0], "no exclusion");
        assert_eq!(found(&mut tx, &["flou*"], &here).await, NOWHERE, "no beginning of a word");
        assert_eq!(found(&mut tx, &["fl\u{0}our"], &here).await, NOWHERE);
        let many: Vec<String> = (0..2000).map(|number| format!("word{number}")).chain(["flour".into()]).collect();
        assert_eq!(hits(&mut tx, &many, &here, 10).await.len(), 1);
    }

    async fn filters_let_through_what_fits_all_of_them(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = add_document(&mut tx, &scope, &here, "one", &["red"]).await;
        documents::update(&mut tx, &Document { tags: Json(vec!["a".into(), "b\"c".into()]), ..one }).await.expect("tagged");
        house.clock.advance(Duration::from_mins(1));
        let middle = tx.now();
        let two = Document { source: "text".into(), ..document(&tx, &scope, here.id, "two") };
        documents::insert(&mut tx, &two).await.expect("a document");
        chunks::replace(&mut tx, two.id, here.number, &drafts(&["green", "blue"])).await.expect("passages");
        documents::show(&mut tx, two.id, 1, Some("two"), "pdf", 2).await.expect("shown");
        add_document(&mut tx, &scope, &there, "three", &["black"]).await;
        let both = [here.number, there.number];
        let none = Filter::default;
        let all = search::filtered(&mut tx, &none(), &both).await.expect("found");
        assert_eq!(all.len(), 4);
        let [red, green, blue, black] = [all[0], all[1], all[2], all[3]];
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (filter, collections, expected) in [
            (none(), &[here.number][..], &[red, green, blue][..]),
            (none(), &[], &[]),
            (Filter { kinds: texts(&["pdf"]), ..none() }, &both, &[green, blue]),
            (Filter { kinds: texts(&["pdf", "text"]), ..none() }, &both, &[red, green, blue, black]),
            (Filter { sources: texts(&["text"]), ..none() }, &both, &[green, blue]),
            (Filter { sources: texts(&["text"]), kinds: texts(&["text"]), ..none() }, &both, &[]),
            (Filter { tags: texts(&["a"]), ..none() }, &both, &[red]),
            (Filter { tags: texts(&["b\"c", "a"]), ..none() }, &both, &[red]),
            (Filter { tags: texts(&["a", "c"]), ..none() }, &both, &[]),
            (Filter { since: Some(middle), ..none() }, &both, &[green, blue, black]),
            (Filter { until: Some(middle), ..none() }, &both, &[red]),
            (Filter { since: Some(middle), until: Some(middle), ..none() }, &both, &[]),
        ] {
            assert_eq!(search::filtered(&mut tx, &filter, collections).await.expect("found"), expected, "{filter:?} in {collections:?}");
        }
    }

    async fn conversations_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let project = add_project(&mut tx).await;
        let [one, two] = [thread(&tx, &scope, "one", Some(project)), thread(&tx, &scope, "two", None)];
        for thread in [&one, &two] {
            threads::insert(&mut tx, thread).await.expect("a conversation");
        }
        let nowhere = thread(&tx, &scope, "nowhere", Some(tx.ambient().id()));
        assert!(matches!(threads::insert(&mut tx, &nowhere).await, Err(Error::NotFound("project"))));
        let ids = |list: Vec<Thread>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(threads::of_person(&mut tx, scope.user(), None, 9).await.expect("listed")), [two.id, one.id]);
        assert_eq!(ids(threads::of_person(&mut tx, scope.user(), Some(two.id), 9).await.expect("listed")), [one.id]);
        let stranger: UserId = tx.ambient().id();
        assert_eq!(ids(threads::of_person(&mut tx, stranger, None, 9).await.expect("listed")), []);
        threads::update(&mut tx, &Thread { title: "first".into(), access: Reach::Project, ..one.clone() }).await.expect("changed");
        assert!(matches!(threads::update(&mut tx, &one).await, Err(Error::Stale(_))));
        let read = threads::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.title.as_str(), read.access, read.version, read.project_id), ("first", Reach::Project, 2, Some(project)));

        let shelf = add_collection(&mut tx, &scope, "shelf").await;
        let zoo = add_document(&mut tx, &scope, &shelf, "Zoo", &["The fox runs"]).await;
        let citation = Citation {
            n: 1,
            document_id: zoo.id,
            version: 1,
            chunk_id: tx.ambient().id(),
            title: "Zoo".into(),
            quote: "The fox runs".into(),
            page: None,
            heading: "Animals".into(),
            starts: 0,
            ends: 12,
        };
        let asked = message(&tx, one.id, Author::User, "Where is the fox?", Vec::new());
        let answered = message(&tx, one.id, Author::Assistant, "In the forest [1].", vec![citation.clone()]);
        threads::say(&mut tx, &asked).await.expect("said");
        house.clock.advance(Duration::from_secs(5));
        let later = Message { created_at: tx.now(), ..answered.clone() };
        threads::say(&mut tx, &later).await.expect("said");
        assert_eq!(threads::get(&mut tx, one.id).await.expect("there").updated_at, tx.now(), "when something was last said");
        let said = |list: Vec<Message>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(said(threads::messages(&mut tx, one.id, None, 9).await.expect("listed")), [asked.id, answered.id]);
        assert_eq!(said(threads::messages(&mut tx, one.id, Some(asked.id), 9).await.expect("listed")), [answered.id]);
        assert_eq!(said(threads::latest(&mut tx, one.id, 1).await.expect("listed")), [answered.id]);
        threads::rate(&mut tx, answered.id, Some(-1), Some("not there"), Some("In the zoo.")).await.expect("rated");
        let read = threads::message(&mut tx, one.id, answered.id).await.expect("there");
        assert_eq!((read.author, read.citations.0, read.detail.0["model"].as_str()), (Author::Assistant, vec![citation], Some("rowhouse/answers")));
        assert_eq!((read.rating, read.comment.as_deref(), read.correction.as_deref()), (Some(-1), Some("not there"), Some("In the zoo.")));
        assert!(matches!(threads::message(&mut tx, two.id, answered.id).await, Err(Error::NotFound(_))), "of another conversation");
        threads::delete(&mut tx, two.id).await.expect("deleted");
        assert!(matches!(threads::delete(&mut tx, two.id).await, Err(Error::NotFound(_))));
        projects::delete(&mut tx, project).await.expect("deleted");
        assert!(matches!(threads::get(&mut tx, one.id).await, Err(Error::NotFound(_))), "it goes with its project");
        assert_eq!(said(threads::messages(&mut tx, one.id, None, 9).await.expect("listed")), []);
        commit(tx).await;
    }

    /// Whatever it goes with: a deletion leaves no word, vector or passage.
    async fn what_is_deleted_is_found_no_more(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let project = add_project(&mut tx).await;
        let inside = collection(&tx, &scope, "in a project", Some(project));
        collections::insert(&mut tx, &inside).await.expect("a collection");
        let inside = collections::get(&mut tx, inside.id).await.expect("there");
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = add_document(&mut tx, &scope, &here, "one", &["xylozephyr one"]).await;
        add_document(&mut tx, &scope, &here, "kept", &["kept xylophone"]).await;
        add_document(&mut tx, &scope, &there, "two", &["xylozephyr two"]).await;
        add_document(&mut tx, &scope, &inside, "three", &["xylozephyr three"]).await;
        for chunk in search::filtered(&mut tx, &Filter::default(), &[here.number, there.number, inside.number]).await.expect("found") {
            let collection = chunks::find(&mut tx, chunk).await.expect("looked").expect("there").collection;
            let vector = Vector { chunk, collection, scale: 1, value: ByteBuf::from(vec![1]) };
            assert!(chunks::embed(&mut tx, "mini", &vector).await.expect("added"));
        }
        commit(tx).await;
        let all = [here.number, there.number, inside.number];
        let org = scope.org();
        for (left, step) in [(3, "at first"), (2, "document"), (1, "collection"), (0, "project")] {
            let mut tx = begin(&house, &scope).await;
            let before = changes(&mut tx).await;
            match step {
                "document" => documents::delete(&mut tx, one.id).await.expect("deleted"),
                "collection" => collections::delete(&mut tx, there.id).await.expect("deleted"),
                "project" => projects::delete(&mut tx, project).await.expect("deleted"),
                _ => {}
            }
            assert_eq!(changes(&mut tx).await, before + i64::from(step != "at first"), "{step}");
            commit(tx).await;
            let mut tx = house.store().open(&scope).read().await.expect("begins");
            assert_eq!(found(&mut tx, &["xylozephyr"], &all).await.len(), left, "{step}");
            assert_eq!(found(&mut tx, &["kept"], &all).await.len(), 1, "{step}");
            assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed").len(), left + 1, "{step}");
            drop(tx);
            assert_eq!(house.store().org_faults(org).await.expect("looked"), Vec::<String>::new(), "{step}");
        }
    }

    async fn another_organisation_sees_and_changes_nothing_of_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (scope, foreign) = (house.scope(&ann).await, house.scope(&bob).await);
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        let team = add_team(&mut tx).await;
        collections::share(&mut tx, here.id, Sharer::Team(team.id)).await.expect("shared");
        let one = add_document(&mut tx, &scope, &here, "one", &["secret fox"]).await;
        versions::keep_content(&mut tx, one.id, 1, vec![1]).await.expect("kept");
        let chunk = chunks::list(&mut tx, one.id, None, 1).await.expect("listed").remove(0);
        let vector = Vector { chunk: chunk.number, collection: here.number, scale: 1, value: ByteBuf::from(vec![1]) };
        assert!(chunks::embed(&mut tx, "mini", &vector).await.expect("added"));
        let talk = thread(&tx, &scope, "talk", None);
        threads::insert(&mut tx, &talk).await.expect("a conversation");
        let with = Sharer::User(scope.user(), scope.membership());
        assert!(thread_shares::share(&mut tx, talk.id, with).await.expect("shared"));
        let said = message(&tx, talk.id, Author::User, "secret?", Vec::new());
        threads::say(&mut tx, &said).await.expect("said");
        commit(tx).await;

        let mut tx = begin(&house, &foreign).await;
        assert_eq!(changes(&mut tx).await, 0);
        assert!(collections::list(&mut tx, None, 9).await.expect("listed").is_empty());
        assert!(matches!(collections::get(&mut tx, here.id).await, Err(Error::NotFound(_))));
        assert!(collections::shares(&mut tx, here.id, None, 9).await.expect("listed").is_empty());
        assert!(collections::shared(&mut tx, scope.user(), scope.membership()).await.expect("listed").is_empty());
        assert!(thread_shares::list(&mut tx, talk.id, None, 9).await.expect("listed").is_empty());
        assert!(thread_shares::reaching(&mut tx, scope.user(), scope.membership()).await.expect("listed").is_empty());
        assert!(documents::list(&mut tx, here.id, None, 9).await.expect("listed").is_empty());
        assert!(documents::find(&mut tx, one.id).await.expect("looked").is_none());
        assert_eq!(documents::same(&mut tx, here.id, &one.content_hash).await.expect("looked"), None);
        assert_eq!(documents::totals(&mut tx).await.expect("counted"), (0, 0));
        assert!(versions::list(&mut tx, one.id, None, 9).await.expect("listed").is_empty());
        assert!(matches!(versions::get(&mut tx, one.id, 1).await, Err(Error::NotFound(_))));
        assert_eq!(versions::content(&mut tx, one.id, 1).await.expect("looked"), None);
        assert!(versions::originals(&mut tx, one.id).await.expect("listed").is_empty());
        assert!(versions::unused(&mut tx, &one.content_hash).await.expect("looked"), "not even that somebody has it");
        assert!(chunks::list(&mut tx, one.id, None, 9).await.expect("listed").is_empty());
        assert!(matches!(chunks::get(&mut tx, chunk.id).await, Err(Error::NotFound(_))));
        assert_eq!(chunks::find(&mut tx, chunk.number).await.expect("looked"), None);
        assert!(chunks::without_vector(&mut tx, one.id, "other", 9).await.expect("listed").is_empty());
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), []);
        assert!(threads::of_person(&mut tx, scope.user(), None, 9).await.expect("listed").is_empty());
        assert!(matches!(threads::get(&mut tx, talk.id).await, Err(Error::NotFound(_))));
        assert!(threads::messages(&mut tx, talk.id, None, 9).await.expect("listed").is_empty());
        assert!(threads::latest(&mut tx, talk.id, 9).await.expect("listed").is_empty());
        assert!(matches!(threads::message(&mut tx, talk.id, said.id).await, Err(Error::NotFound(_))));
        // Numbers are each organisation's own: with the same ones, only its own passages are found, and scored by nothing else.
        let own = add_collection(&mut tx, &foreign, "own").await;
        assert_eq!(own.number, here.number);
        assert_eq!(found(&mut tx, &["secret"], &[here.number]).await, NOWHERE);
        assert_eq!(search::filtered(&mut tx, &Filter::default(), &[here.number]).await.expect("found"), Vec::<i64>::new());

        assert!(matches!(collections::update(&mut tx, &here).await, Err(Error::Stale(_))));
        assert!(matches!(collections::delete(&mut tx, here.id).await, Err(Error::NotFound(_))));
        assert!(!collections::unshare(&mut tx, here.id, Subject::Team(team.id)).await.expect("none"));
        let intruder = document(&tx, &foreign, here.id, "intruder");
        assert!(matches!(documents::insert(&mut tx, &intruder).await, Err(Error::NotFound(_))));
        assert!(matches!(documents::update(&mut tx, &one).await, Err(Error::Stale(_))));
        assert!(matches!(documents::renew(&mut tx, &one).await, Err(Error::Stale(_))));
        documents::retry(&mut tx, one.id, one.job_id).await.expect("nothing to do");
        assert!(!documents::progress(&mut tx, one.id, 1, Status::Failed, None).await.expect("nothing to do"));
        assert!(!documents::show(&mut tx, one.id, 1, Some("x"), "x", 0).await.expect("nothing to do"));
        versions::keep_content(&mut tx, one.id, 1, vec![9]).await.expect("nothing to do");
        chunks::replace(&mut tx, one.id, here.number, &[]).await.expect("nothing to do");
        chunks::count_embedded(&mut tx, one.id, "mini").await.expect("nothing to do");
        assert!(!chunks::embed(&mut tx, "other", &vector).await.expect("nothing to do"));
        assert!(matches!(documents::delete(&mut tx, one.id).await, Err(Error::NotFound(_))));
        assert!(matches!(threads::update(&mut tx, &talk).await, Err(Error::Stale(_))));
        threads::rate(&mut tx, said.id, Some(1), None, None).await.expect("nothing to do");
        assert!(matches!(threads::delete(&mut tx, talk.id).await, Err(Error::NotFound(_))));
        commit(tx).await;
        for attempt in ["document", "share", "message"] {
            let mut tx = begin(&house, &foreign).await;
            let refused = match attempt {
                "document" => chunks::replace(&mut tx, one.id, here.number, &drafts(&["planted"])).await,
                "share" => collections::share(&mut tx, here.id, Sharer::Team(team.id)).await.map(|_| ()),
                _ => threads::say(&mut tx, &Message { id: TurnId::from_uuid(uuid::Uuid::from_u128(7)), ..said.clone() }).await,
            };
            assert!(matches!(refused, Err(Error::Refused(_))), "{attempt}: {refused:?}");
        }

        let mut tx = house.store().open(&scope).read().await.expect("begins");
        assert_eq!(found(&mut tx, &["secret"], &[here.number]).await, [0]);
        assert_eq!(documents::get(&mut tx, one.id).await.expect("there").version, one.version);
        assert_eq!(versions::content(&mut tx, one.id, 1).await.expect("looked"), Some(vec![1]));
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), [vector]);
        assert_eq!(threads::message(&mut tx, talk.id, said.id).await.expect("there").rating, None);
        assert_eq!(collections::shares(&mut tx, here.id, None, 9).await.expect("listed").len(), 1);
    }

    async fn jobs_are_claimed_in_turns(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let [of_ann, of_bob] = [house.scope(&ann).await, house.scope(&bob).await];
        let ambient = house.store().ambient().clone();
        let documents: [DocumentId; 4] = [ambient.id(), ambient.id(), ambient.id(), ambient.id()];
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        for (at, (scope, document)) in [(&of_ann, documents[0]), (&of_ann, documents[1]), (&of_ann, documents[2]), (&of_bob, documents[3])].into_iter().enumerate() {
            let due = house.clock_now() + Duration::from_millis(at as u64);
            jobs::queue(&mut tx, scope.org(), "read", document, scope.user(), due).await.expect("queued");
        }
        tx.commit().await.expect("committed");
        let lease = Duration::from_mins(1);
        let claim = async |kind: &str| {
            let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
            let job = jobs::claim(&mut tx, kind, lease).await.expect("asked");
            tx.commit().await.expect("committed");
            job
        };
        assert_eq!(claim("read").await.expect("the first").document(), documents[0], "the others are not due");
        house.clock.advance(Duration::from_millis(10));
        assert!(claim("other").await.is_none());
        let of_bobs = claim("read").await.expect("one");
        assert_eq!((of_bobs.document(), of_bobs.org(), of_bobs.user(), of_bobs.attempts()), (documents[3], of_bob.org(), of_bob.user(), 1), "Ann has one under way");
        assert_eq!(claim("read").await.expect("one").document(), documents[1]);
        assert_eq!(claim("read").await.expect("one").document(), documents[2]);
        assert!(claim("read").await.is_none(), "all are under way");
        let entered = house.store().enter_for(&of_bobs).await.expect("entered");
        assert_eq!((entered.org(), entered.actor().on_behalf_of()), (of_bob.org(), Some(of_bob.user())));

        // A lease that ran out gives it to another; the first one's word counts no more.
        house.clock.advance(lease / 2);
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        assert!(jobs::prolong(&mut tx, &of_bobs, lease).await.expect("prolonged"));
        tx.commit().await.expect("committed");
        house.clock.advance(lease / 2);
        let again = claim("read").await.expect("one of Ann's");
        assert_eq!((again.org(), again.attempts()), (of_ann.org(), 2), "Bob's was prolonged");
        house.clock.advance(lease / 2);
        let taken = loop {
            let next = claim("read").await.expect("Bob's comes");
            if next.org() == of_bob.org() {
                break next;
            }
        };
        assert_eq!((taken.id(), taken.attempts()), (of_bobs.id(), 2));
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        assert!(!jobs::prolong(&mut tx, &of_bobs, lease).await.expect("somebody else has it"));
        jobs::done(&mut tx, &of_bobs).await.expect("nothing to do");
        jobs::later(&mut tx, &of_bobs, house.clock_now()).await.expect("nothing to do");
        tx.commit().await.expect("committed");
        while let Some(job) = claim("read").await {
            assert_eq!(job.org(), of_ann.org(), "Bob's is under way still");
        }

        // Put back until later.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::later(&mut tx, &taken, house.clock_now() + Duration::from_secs(5)).await.expect("put back");
        tx.commit().await.expect("committed");
        assert!(claim("read").await.is_none());
        house.clock.advance(Duration::from_secs(5));
        let third = claim("read").await.expect("it is due");
        assert_eq!((third.id(), third.attempts()), (of_bobs.id(), 3));

        // Queued anew while it is under way: what is going on is of yesterday.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        let same = jobs::queue(&mut tx, of_bob.org(), "read", documents[3], of_bob.user(), house.clock_now()).await.expect("queued");
        assert_eq!(same, third.id());
        jobs::done(&mut tx, &third).await.expect("nothing to do");
        assert!(!jobs::prolong(&mut tx, &third, lease).await.expect("it was queued anew"));
        tx.commit().await.expect("committed");
        let fresh = claim("read").await.expect("it is there");
        assert_eq!((fresh.id(), fresh.attempts()), (third.id(), 1));
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::done(&mut tx, &fresh).await.expect("done");
        tx.commit().await.expect("committed");
        house.clock.advance(lease * 3);
        let mut left = Vec::new();
        while let Some(job) = claim("read").await {
            left.push(job.org());
        }
        assert_eq!(left, [of_ann.org(); 3], "Bob's is done");
        assert_eq!(house.store().control_faults().await.expect("looked"), Vec::<String>::new());
    }
}

/// FTS5's own `bm25` over the same texts, where all of them are seen.
#[tokio::test]
async fn who_sees_everything_is_given_the_scores_of_fts5() {
    let house = TestHouse::sqlite().await;
    let ann = house.sign_up("Ann").await;
    let scope = house.scope(&ann).await;
    let vocabulary = ["red", "fox", "runs", "running", "home", "the", "wolf", "café", "bird's", "a", "x-ray", "long"];
    let texts: Vec<String> = (0..150_usize)
        .map(|n| (0..=n * 7 % 41).map(|k| vocabulary[(n * n + k * k * 3 + n * k) % 12]).collect::<Vec<_>>().join(" "))
        .collect();
    let mut tx = begin(&house, &scope).await;
    let here = add_collection(&mut tx, &scope, "here").await;
    add_document(&mut tx, &scope, &here, "one", &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    commit(tx).await;
    let plain = rusqlite::Connection::open_in_memory().expect("opens");
    plain
        .execute_batch(
            "CREATE VIRTUAL TABLE f USING fts5 (heading, text, tokenize = 'porter unicode61 remove_diacritics 2')",
        )
        .expect("made");
    for (place, text) in (0_i64..).zip(&texts) {
        plain.execute("INSERT INTO f (rowid, heading, text) VALUES (?1, 'Animals', ?2)", (place, text)).expect("added");
    }
    let mut tx = house.store().open(&scope).read().await.expect("begins");
    for words in
        [&["red"][..], &["fox", "wolf"], &["run", "running", "home"], &["the", "cafe", "bird's"], &["animals", "x-ray"]]
    {
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace(['\'', '-'], " "))).collect();
        let mut all = plain
            .prepare("SELECT rowid, -bm25(f, 1.0, 1.0) FROM f WHERE f MATCH ?1 ORDER BY 2 DESC, 1")
            .expect("prepares");
        let rows = all.query_map([quoted.join(" OR ")], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?)));
        let expected: Vec<(i64, f64)> = rows.expect("runs").collect::<Result<_, _>>().expect("rows");
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let mut given = Vec::new();
        for hit in hits(&mut tx, &words, &[here.number], 1000).await {
            given.push((chunks::find(&mut tx, hit.number).await.expect("looked").expect("there").place, hit.score));
        }
        let told = |list: &[(i64, f64)], place: i64| list.iter().find(|one| one.0 == place).map(|one| one.1);
        assert_eq!(given.len(), expected.len(), "{words:?}");
        for (place, theirs) in &expected {
            let ours = told(&given, *place).expect("found, too");
            // Parts of a word that follow each other are counted once in a passage, there each time.
            let is_exact = words.iter().all(|word| word.chars().all(char::is_alphanumeric));
            assert!(!is_exact || (ours - theirs).abs() < 1e-9, "{words:?} at {place}: {ours} is not {theirs}");
        }
    }
}

/// The file without its encryption: after the deletion of a document none of its words is in any byte of it, nor in its log.
#[test]
fn no_byte_of_a_deleted_document_stays_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plain.db");
    let file = rusqlite::Connection::open(&path).expect("opens");
    // As the store opens each file, but for the key.
    file.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON").expect("set");
    for step in store::migrate::ORG {
        file.execute_batch(step.sqlite).expect("made");
    }
    let holds = |word: &str| -> bool {
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("moved");
        let wal = std::fs::read(folder.path().join("plain.db-wal")).unwrap_or_default();
        let bytes = [std::fs::read(&path).expect("read"), wal].concat();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    };
    let add = |document: u8, words: &dyn Fn(i64) -> String| {
        let id = format!("x'{document:032x}'");
        file.execute_batch(&format!(
            "INSERT INTO documents VALUES ({id}, x'01', 'title{document}', 0, 'n', 'upload', 'text', '[]', 'ready', NULL, 'h', 1, 1, 1, 1, 0, x'03', x'02', 1, 0, 0);
             INSERT INTO versions VALUES ({id}, 1, 'n', 'h', 1, CAST('content{document} {}' AS BLOB), x'02', 0);",
            words(0)
        ))
        .expect("added");
        for place in 0..200_i64 {
            let number = i64::from(document) * 1000 + place;
            let text = format!(
                "INSERT INTO chunks VALUES ({number}, x'{number:032x}', {id}, 1, {place}, 'head', '{}', NULL, 0, 1)",
                words(place)
            );
            file.execute(&text, []).expect(&text);
        }
    };
    file.execute_batch("INSERT INTO collections VALUES (x'01', 1, NULL, 'c', '', 'private', x'02', 1, 0, 0)")
        .expect("added");
    add(1, &|place| format!("kept words everyplace and number{place}"));
    add(2, &|place| format!("xylozephyr quixotic{place}rune words everyplace and number{place}"));
    add(3, &|place| format!("zebra{place} words everyplace number{place}"));
    for word in ["xylozephyr", "quixotic7rune", "title2", "content2"] {
        assert!(holds(word), "{word} is not there at first");
    }
    file.execute_batch(
        "DELETE FROM documents WHERE title = 'title2'; INSERT INTO chunk_words (chunk_words) VALUES ('optimize')",
    )
    .expect("deleted");
    for word in ["xylozephyr", "quixotic", "title2", "content2"] {
        assert!(!holds(word), "{word} is still there");
    }
    assert!(holds("title1") && holds("title3"));
    let count = |word: &str| -> i64 {
        file.query_row("SELECT count(*) FROM chunk_words WHERE chunk_words MATCH ?1", [word], |row| row.get(0))
            .expect("found")
    };
    assert_eq!((count("everyplace"), count("xylozephyr"), count("zebra7"), count("number7")), (400, 0, 1, 2));
    file.execute_batch("INSERT INTO chunk_words (chunk_words, rank) VALUES ('integrity-check', 1)").expect("whole");
    file.execute_batch("DELETE FROM collections; INSERT INTO chunk_words (chunk_words) VALUES ('optimize')")
        .expect("deleted");
    // Names of columns, such as `title`, stay in the schema.
    for word in ["kept", "zebra", "everyplac", "title1", "content3", "number7"] {
        assert!(!holds(word), "{word} is still there");
    }
    let left: i64 = file.query_row("SELECT count(*) FROM chunk_words_docsize", [], |row| row.get(0)).expect("counted");
    assert_eq!(left, 0, "the deletion of a collection reaches the index of words");
}
