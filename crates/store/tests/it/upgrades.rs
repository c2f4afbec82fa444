//! A program with one more migration than the one that made the data: control, books and organisations come to the newer schema with
//! what is in them, organisations' files when they are next opened; and the older program touches nothing of it any more.

use store::ledger::holds;
use store::migrate::{CONTROL, LEDGER, Migration, Migrations, ORG};
use store::org::teams;
use store::schema::Part;
use store::{Engine, Scope, Store};
use testing::{Client, TestHouse, both_stores};

/// A column more, and a change of what is there that can be seen.
const IN_CONTROL: &str =
    "ALTER TABLE people ADD COLUMN nickname TEXT; UPDATE people SET nickname = name, name = name || ' the Second'";
const IN_ORG: &str =
    "ALTER TABLE teams ADD COLUMN colour TEXT; UPDATE teams SET colour = 'green', name = name || ', moved'";
const IN_LEDGER: &str =
    "ALTER TABLE holds ADD COLUMN note TEXT; UPDATE holds SET note = 'seen', model = model || ', renamed'";
/// It fails after it has changed something.
const BROKEN: &str = "UPDATE teams SET name = 'spoilt'; SELECT nonsense";

/// Some migrations and one more.
fn and(steps: &'static [Migration], text: &'static str) -> &'static [Migration] {
    let number = steps.last().map_or(0, |step| step.number) + 1;
    let next = Migration { number, name: "9999_next", sqlite: text, postgres: text };
    // A program's list lives as long as the program; a test's does, too.
    Box::leak(steps.iter().copied().chain([next]).collect())
}

fn next() -> Migrations {
    Migrations { control: and(CONTROL, IN_CONTROL), org: and(ORG, IN_ORG), ledger: and(LEDGER, IN_LEDGER) }
}

async fn start(house: &TestHouse, migrations: Migrations) -> store::Result<Store> {
    Store::start_with(house.settings(), house.store().ambient().clone(), migrations).await
}

/// Two organisations with something of everything.
async fn furnished(house: &TestHouse) -> [(Client, Scope); 2] {
    let one = async |name: &str| {
        let client = house.sign_up(name).await;
        let scope = house.scope(&client).await;
        house.furnish(&scope, "orchid").await;
        (client, scope)
    };
    [one("Ann").await, one("Bob").await]
}

async fn names_of_teams(store: &Store, scope: &Scope) -> store::Result<Vec<String>> {
    let mut tx = store.open(scope).read().await?;
    let mut names: Vec<String> =
        teams::list(&mut tx, None, 100).await?.into_iter().map(|team| team.name.to_string()).collect();
    names.sort();
    Ok(names)
}

async fn models_asked(store: &Store, scope: &Scope) -> Vec<String> {
    let mut tx = store.read_ledger(scope).await.expect("begun");
    let mut page = tx.page(scope).expect("its page");
    let held = holds::list(&mut page).await.expect("listed");
    held.into_iter().map(|(hold, _)| hold.purpose.model).collect()
}

/// Everything is of the newer schema, once.
async fn is_upgraded(store: &Store, client: &Client, scope: &Scope) {
    let profile = store.profile(client.user.parse().expect("an id")).await.expect("there");
    assert!(profile.name.to_string().ends_with("the Second") && !profile.name.to_string().contains("Second the"));
    assert_eq!(
        names_of_teams(store, scope).await.expect("read"),
        ["orchid engineering, moved", "orchid frontend, moved"]
    );
    assert_eq!(models_asked(store, scope).await, ["orchid model, renamed"]);
    let verified = store.verify_org(scope.org()).await.expect("walked");
    assert!(verified.entries > 0 && verified.fault.is_none(), "{verified:?}");
}

both_stores! {
    async fn a_newer_program_brings_all_data_along(house) {
        let [(ann, anns), (bob, bobs)] = furnished(&house).await;
        let newer = start(&house, next()).await.expect("starts");
        assert_eq!(newer.open_files(), 0, "nobody was woken");
        is_upgraded(&newer, &ann, &anns).await;
        if house.engine() == Engine::Sqlite {
            assert_eq!(newer.open_files(), 1, "the other one sleeps on");
        }
        for part in [Part::Control, Part::Ledger, Part::Org] {
            let found = if part == Part::Org { newer.org_schema_hash(anns.org()).await } else { newer.schema_hash(part).await };
            assert_ne!(found.expect("read"), part.expected().expect("made"), "{part:?} has a column more");
        }
        // The next start finds nothing to do. The other organisation is opened by a program that knows it well, much later.
        drop(newer);
        let later = start(&house, next()).await.expect("starts");
        is_upgraded(&later, &bob, &bobs).await;
        is_upgraded(&later, &ann, &anns).await;
    }

    async fn all_organisations_are_brought_along_at_once_when_asked_for(house) {
        let [(ann, anns), (bob, bobs)] = furnished(&house).await;
        assert_eq!(house.store().migrate_organisations().await.expect("done").stragglers.len(), 0);
        let newer = start(&house, next()).await.expect("starts");
        let migrated = newer.migrate_organisations().await.expect("done");
        assert_eq!(migrated.opened, if house.engine() == Engine::Sqlite { 2 } else { 0 }, "{migrated:?}");
        assert_eq!(newer.migrate_organisations().await.expect("done").opened, 0);
        is_upgraded(&newer, &ann, &anns).await;
        is_upgraded(&newer, &bob, &bobs).await;
    }

    async fn an_older_program_refuses_what_a_newer_one_made(house) {
        let [(ann, anns), _] = furnished(&house).await;
        is_upgraded(&start(&house, next()).await.expect("starts"), &ann, &anns).await;
        let refused = start(&house, Migrations::KNOWN).await.expect_err("it is newer").to_string();
        assert!(refused.contains("newer") && refused.ends_with("use a newer rowhouse"), "{refused}");
        is_upgraded(&start(&house, next()).await.expect("starts"), &ann, &anns).await;
    }

    async fn an_organisation_of_a_newer_schema_is_refused_alone(house) {
        if house.engine() == Engine::Postgres {
            return;
        }
        let [(_, anns), (_, bobs)] = furnished(&house).await;
        let newer = Migrations { org: and(ORG, IN_ORG), ..Migrations::KNOWN };
        names_of_teams(&start(&house, newer).await.expect("starts"), &anns).await.expect("brought along");
        let older = start(&house, Migrations::KNOWN).await.expect("control is as it knows it");
        let refused = names_of_teams(&older, &anns).await.expect_err("it is newer").to_string();
        let newest = ORG.last().expect("there are some").number;
        let why = format!("the data is of schema {}, this program knows up to {newest}; use a newer rowhouse", newest + 1);
        assert!(refused.contains(&why), "{refused}");
        assert_eq!(names_of_teams(&older, &bobs).await.expect("read"), ["orchid engineering", "orchid frontend"]);
        let again = names_of_teams(&start(&house, newer).await.expect("starts"), &anns).await.expect("read");
        assert_eq!(again, ["orchid engineering, moved", "orchid frontend, moved"], "it was not touched");
    }

    async fn a_migration_that_fails_changes_nothing(house) {
        let [(ann, anns), _] = furnished(&house).await;
        let broken = Migrations { org: and(ORG, BROKEN), ..next() };
        let failed = match start(&house, broken).await {
            // On PostgreSQL all parts are brought along together, or none is.
            Err(error) => error,
            Ok(store) => names_of_teams(&store, &anns).await.expect_err("it fails"),
        };
        assert!(!failed.to_string().is_empty());
        if house.engine() == Engine::Postgres {
            let before = start(&house, Migrations::KNOWN).await.expect("nothing was changed");
            assert_eq!(names_of_teams(&before, &anns).await.expect("read"), ["orchid engineering", "orchid frontend"]);
        }
        is_upgraded(&start(&house, next()).await.expect("starts"), &ann, &anns).await;
    }
}
