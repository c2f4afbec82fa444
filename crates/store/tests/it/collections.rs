//! Collections, and with whom they are shared.

use std::time::Duration;

use domain::role::Role;
use domain::text::CollectionName;
use store::org::knowledge::collections::{self, Collection, Reach};
use store::org::knowledge::shares::{self, Shared, Sharer, Subject};
use store::org::members::{self, Member};
use store::org::projects;
use store::org::teams;
use store::{Error, Origin};
use testing::both_stores;

use crate::knowledge::{add_collection, add_project, add_team, begin, changes, collection, commit};

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
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::User(user, stay)).await.expect("shared"));
        assert!(!shares::share(&mut tx, Shared::Collection(one.id), Sharer::User(user, stay)).await.expect("shared already"));
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::Team(team.id)).await.expect("shared"));
        let with = |shares: Vec<(Subject, _)>| shares.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
        let all = shares::list(&mut tx, Shared::Collection(one.id), None, 9).await.expect("listed");
        assert_eq!(with(all), [Subject::Team(team.id), Subject::User(user)]);
        let after = shares::list(&mut tx, Shared::Collection(one.id), Some(Subject::Team(team.id)), 9).await.expect("listed");
        assert_eq!(with(after), [Subject::User(user)]);
        assert_eq!(with(shares::list(&mut tx, Shared::Collection(one.id), None, 1).await.expect("listed")), [Subject::Team(team.id)]);
        let now = tx.now();
        assert_eq!(shares::since(&mut tx, Shared::Collection(one.id), Subject::User(user)).await.expect("there"), now);
        assert!(matches!(shares::since(&mut tx, Shared::Collection(one.id), Subject::User(scope.user())).await, Err(Error::NotFound(_))));
        assert_eq!(shares::collections(&mut tx, user, stay).await.expect("listed"), [one.id]);
        let later = tx.ambient().id();
        assert_eq!(shares::collections(&mut tx, user, later).await.expect("listed"), [], "in another stay, and not in the team");
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::User(user, later)).await.expect("shared with the later stay"));
        assert_eq!(shares::collections(&mut tx, user, stay).await.expect("listed"), []);
        let member = Member { place_id: team.id, user_id: user, membership_id: stay, role: Role::MEMBER, created_at: now };
        members::put(&mut tx, &member).await.expect("in the team");
        assert_eq!(shares::collections(&mut tx, user, stay).await.expect("listed"), [one.id], "by the team");
        assert_eq!(shares::threads(&mut tx, user, stay).await.expect("listed"), [], "it is no conversation");
        assert_eq!(shares::end_all(&mut tx, Shared::Collection(one.id)).await.expect("ended"), 2);
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::User(user, stay)).await.expect("shared"));
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::Team(team.id)).await.expect("shared"));
        assert!(shares::unshare(&mut tx, Shared::Collection(one.id), Subject::User(user)).await.expect("ended"));
        assert!(!shares::unshare(&mut tx, Shared::Collection(one.id), Subject::User(user)).await.expect("there is none"));
        assert!(shares::share(&mut tx, Shared::Collection(one.id), Sharer::User(user, stay)).await.expect("shared"));
        commit(tx).await;
        let counted = house.store().count_of_person(scope.org(), user).await.expect("counted");
        assert_eq!(counted["shares"], 1);

        let mut tx = begin(&house, &scope).await;
        teams::delete(&mut tx, team.id).await.expect("deleted");
        assert_eq!(with(shares::list(&mut tx, Shared::Collection(one.id), None, 9).await.expect("listed")), [Subject::User(user)]);
        commit(tx).await;
        let left = tenancy::members::leave(&house.house, user, scope.org(), &Origin::default()).await.expect("leaves");
        left.commit().await.expect("committed");
        house.store().deliver(scope.org()).await.expect("delivered");
        let mut tx = begin(&house, &scope).await;
        assert_eq!(with(shares::list(&mut tx, Shared::Collection(one.id), None, 9).await.expect("listed")), []);
        drop(tx);
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }
}
