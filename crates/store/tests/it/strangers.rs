//! Another organisation beside what one knows: it sees and changes nothing of it.

use domain::{Id as _, TurnId};
use serde_bytes::ByteBuf;
use store::Error;
use store::org::knowledge::chunks::{self, Vector};
use store::org::knowledge::collections;
use store::org::knowledge::documents::{self, Status};
use store::org::knowledge::search::{self, Filter};
use store::org::knowledge::shares::{self, Shared, Sharer, Subject};
use store::org::knowledge::threads::{self, Author, Message};
use store::org::knowledge::versions;
use testing::both_stores;

use crate::knowledge::{
    NOWHERE, add_collection, add_document, add_team, begin, changes, commit, document, drafts, found, message, thread,
};

both_stores! {
    async fn another_organisation_sees_and_changes_nothing_of_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (scope, foreign) = (house.scope(&ann).await, house.scope(&bob).await);
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        let team = add_team(&mut tx).await;
        shares::share(&mut tx, Shared::Collection(here.id), Sharer::Team(team.id)).await.expect("shared");
        let one = add_document(&mut tx, &scope, &here, "one", &["secret fox"]).await;
        versions::keep_content(&mut tx, one.id, 1, vec![1]).await.expect("kept");
        let chunk = chunks::list(&mut tx, one.id, None, 1).await.expect("listed").remove(0);
        let vector = Vector { chunk: chunk.number, collection: here.number, scale: 1, value: ByteBuf::from(vec![1]) };
        assert!(chunks::embed(&mut tx, "mini", &vector).await.expect("added"));
        let talk = thread(&tx, &scope, "talk", None);
        threads::insert(&mut tx, &talk).await.expect("a conversation");
        let with = Sharer::User(scope.user(), scope.membership());
        assert!(shares::share(&mut tx, Shared::Thread(talk.id), with).await.expect("shared"));
        let said = message(&tx, talk.id, Author::User, "secret?", Vec::new());
        threads::say(&mut tx, &said).await.expect("said");
        commit(tx).await;

        let mut tx = begin(&house, &foreign).await;
        assert_eq!(changes(&mut tx).await, 0);
        assert!(collections::list(&mut tx, None, 9).await.expect("listed").is_empty());
        assert!(matches!(collections::get(&mut tx, here.id).await, Err(Error::NotFound(_))));
        assert!(shares::list(&mut tx, Shared::Collection(here.id), None, 9).await.expect("listed").is_empty());
        assert!(shares::collections(&mut tx, scope.user(), scope.membership()).await.expect("listed").is_empty());
        assert!(shares::list(&mut tx, Shared::Thread(talk.id), None, 9).await.expect("listed").is_empty());
        assert!(shares::threads(&mut tx, scope.user(), scope.membership()).await.expect("listed").is_empty());
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
        assert!(!shares::unshare(&mut tx, Shared::Collection(here.id), Subject::Team(team.id)).await.expect("none"));
        let intruder = document(&tx, &foreign, here.id, "intruder");
        assert!(matches!(documents::insert(&mut tx, &intruder).await, Err(Error::NotFound(_))));
        assert!(matches!(documents::update(&mut tx, &one).await, Err(Error::Stale(_))));
        assert!(matches!(documents::renew(&mut tx, &one).await, Err(Error::Stale(_))));
        documents::retry(&mut tx, one.id, one.job_id).await.expect("nothing to do");
        assert!(!documents::progress(&mut tx, one.id, 1, Status::Failed, None).await.expect("nothing to do"));
        assert!(!documents::show(&mut tx, one.id, 1, Some("x"), "x", 0).await.expect("nothing to do"));
        versions::keep_content(&mut tx, one.id, 1, vec![9]).await.expect("nothing to do");
        assert!(matches!(documents::relocate(&mut tx, &one, &own).await, Err(Error::Stale(_))));
        assert!(matches!(chunks::replace(&mut tx, one.id, &drafts(&["planted"])).await, Err(Error::NotFound(_))));
        chunks::count_embedded(&mut tx, one.id, "mini").await.expect("nothing to do");
        assert!(!chunks::embed(&mut tx, "other", &vector).await.expect("nothing to do"));
        assert!(matches!(documents::delete(&mut tx, one.id).await, Err(Error::NotFound(_))));
        assert!(matches!(threads::update(&mut tx, &talk).await, Err(Error::Stale(_))));
        threads::rate(&mut tx, said.id, Some(1), None, None).await.expect("nothing to do");
        assert!(matches!(threads::delete(&mut tx, talk.id).await, Err(Error::NotFound(_))));
        commit(tx).await;
        for attempt in ["share", "message"] {
            let mut tx = begin(&house, &foreign).await;
            let refused = match attempt {
                "share" => shares::share(&mut tx, Shared::Collection(here.id), Sharer::Team(team.id)).await.map(|_| ()),
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
        assert_eq!(shares::list(&mut tx, Shared::Collection(here.id), None, 9).await.expect("listed").len(), 1);
    }
}
