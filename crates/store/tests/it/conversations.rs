//! Conversations, what is said in them, and with whom they are shared.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::UserId;
use domain::role::Role;
use store::idempotency::FORGOTTEN;
use store::org::knowledge::collections::{self, Reach};
use store::org::knowledge::documents;
use store::org::knowledge::shares::{self, Shared, Sharer, Subject};
use store::org::knowledge::threads::{self, Author, Citation, Message, Thread};
use store::org::members::{self, Member};
use store::org::projects;
use store::org::teams;
use store::{Error, Origin, Recall};
use testing::both_stores;

use crate::knowledge::{add_collection, add_document, add_project, add_team, begin, commit, message, thread};

both_stores! {
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
        assert!(shares::share(&mut tx, Shared::Thread(one.id), Sharer::User(user, stay)).await.expect("shared"));
        assert!(!shares::share(&mut tx, Shared::Thread(one.id), Sharer::User(user, stay)).await.expect("shared already"));
        assert!(shares::share(&mut tx, Shared::Thread(one.id), Sharer::Team(team.id)).await.expect("shared"));
        let with = |shares: Vec<(Subject, _)>| shares.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
        let all = shares::list(&mut tx, Shared::Thread(one.id), None, 9).await.expect("listed");
        assert_eq!(with(all), [Subject::Team(team.id), Subject::User(user)]);
        let after = shares::list(&mut tx, Shared::Thread(one.id), Some(Subject::Team(team.id)), 9).await.expect("listed");
        assert_eq!(with(after), [Subject::User(user)]);
        assert_eq!(with(shares::list(&mut tx, Shared::Thread(other.id), None, 9).await.expect("listed")), []);
        assert_eq!(shares::since(&mut tx, Shared::Thread(one.id), Subject::User(user)).await.expect("there"), tx.now());
        assert_eq!(shares::threads(&mut tx, user, stay).await.expect("listed"), [one.id]);
        let later = tx.ambient().id();
        assert_eq!(shares::threads(&mut tx, user, later).await.expect("listed"), [], "in another stay, and not in the team");
        assert!(shares::share(&mut tx, Shared::Thread(one.id), Sharer::User(user, later)).await.expect("shared with the later stay"));
        assert_eq!(shares::threads(&mut tx, user, stay).await.expect("listed"), []);
        let now = tx.now();
        let member = Member { place_id: team.id, user_id: user, membership_id: stay, role: Role::MEMBER, created_at: now };
        members::put(&mut tx, &member).await.expect("in the team");
        assert_eq!(shares::threads(&mut tx, user, stay).await.expect("listed"), [one.id], "by the team");
        assert_eq!(shares::collections(&mut tx, user, stay).await.expect("listed"), [], "it is no collection");
        assert_eq!(shares::end_all(&mut tx, Shared::Thread(one.id)).await.expect("ended"), 2);
        for thread in [&one, &other] {
            assert!(shares::share(&mut tx, Shared::Thread(thread.id), Sharer::User(user, stay)).await.expect("shared"));
            assert!(shares::share(&mut tx, Shared::Thread(thread.id), Sharer::Team(team.id)).await.expect("shared"));
        }
        assert!(shares::unshare(&mut tx, Shared::Thread(other.id), Subject::User(user)).await.expect("ended"));
        assert!(!shares::unshare(&mut tx, Shared::Thread(other.id), Subject::User(user)).await.expect("there is none"));
        commit(tx).await;
        let counted = house.store().count_of_person(scope.org(), user).await.expect("counted");
        assert_eq!(counted["shares"], 1);

        let mut tx = begin(&house, &scope).await;
        teams::delete(&mut tx, team.id).await.expect("deleted");
        assert_eq!(with(shares::list(&mut tx, Shared::Thread(one.id), None, 9).await.expect("listed")), [Subject::User(user)]);
        assert_eq!(with(shares::list(&mut tx, Shared::Thread(other.id), None, 9).await.expect("listed")), []);
        assert!(shares::share(&mut tx, Shared::Thread(other.id), Sharer::User(user, stay)).await.expect("shared"));
        threads::delete(&mut tx, other.id).await.expect("deleted");
        assert_eq!(shares::threads(&mut tx, user, stay).await.expect("listed"), [one.id], "a share goes with the conversation");
        commit(tx).await;
        let left = tenancy::members::leave(&house.house, user, scope.org(), &Origin::default()).await.expect("leaves");
        left.commit().await.expect("committed");
        house.store().deliver(scope.org()).await.expect("delivered");
        let mut tx = begin(&house, &scope).await;
        assert_eq!(with(shares::list(&mut tx, Shared::Thread(one.id), None, 9).await.expect("listed")), []);
        drop(tx);
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }

    async fn an_answer_that_is_kept_goes_with_the_first_document_that_it_tells_of(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (scope, foreign) = (house.scope(&ann).await, house.scope(&bob).await);
        let mut tx = begin(&house, &scope).await;
        let [shelf, cellar] = [add_collection(&mut tx, &scope, "shelf").await, add_collection(&mut tx, &scope, "cellar").await];
        let fox = add_document(&mut tx, &scope, &shelf, "Fox", &["The fox runs"]).await.id;
        let owl = add_document(&mut tx, &scope, &shelf, "Owl", &["The owl calls"]).await.id;
        let bat = add_document(&mut tx, &scope, &cellar, "Bat", &["The bat sleeps"]).await.id;
        let never = tx.ambient().id();
        let words = || b"the words of an answer".to_vec();
        let kept = [[fox].into(), [fox, owl].into(), [owl, bat].into(), BTreeSet::new(), [owl, never].into()];
        let scopes: [[u8; 32]; 5] = std::array::from_fn(|_| tx.ambient().bytes());
        for (scope, documents) in scopes.iter().zip(&kept) {
            tx.remember(*scope, [7; 32], 201, words(), documents).await.expect("kept");
        }
        commit(tx).await;
        // Of another organisation, under the same key, about documents that are not there.
        let mut tx = begin(&house, &foreign).await;
        tx.remember(scopes[0], [7; 32], 201, words(), &BTreeSet::new()).await.expect("kept");
        commit(tx).await;
        let states = async || {
            let mut states = Vec::new();
            for one in &scopes {
                let found = house.store().recall(Recall::Org(&scope), *one, domain::Time::from_micros(0)).await.expect("looked").expect("there");
                assert_eq!(found.request, [7; 32], "that it was done is known");
                assert_eq!(found.status == FORGOTTEN, found.response.is_empty());
                states.push(!found.response.is_empty());
            }
            states
        };
        assert_eq!(states().await, [true, true, true, true, false], "one went before its answer was kept");
        let mut tx = begin(&house, &scope).await;
        documents::delete(&mut tx, fox).await.expect("deleted");
        commit(tx).await;
        assert_eq!(states().await, [false, false, true, true, false]);
        let mut tx = begin(&house, &scope).await;
        collections::delete(&mut tx, cellar.id).await.expect("deleted");
        commit(tx).await;
        assert_eq!(states().await, [false, false, false, true, false]);
        let theirs = house.store().recall(Recall::Org(&foreign), scopes[0], domain::Time::from_micros(0)).await.expect("looked");
        assert_eq!(theirs.expect("there").response, words());
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
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
}
