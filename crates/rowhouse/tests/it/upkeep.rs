//! What the store says about its own health.

use store::Engine;
use store::schema::{Part, hash_of_sql};
use testing::process::{self, files_below};
use testing::{Database, TestHouse, both_stores};

use crate::{BINARY, written};

both_stores! {
    async fn a_healthy_house_has_no_faults(house) {
        let ada = house.sign_up("Ada").await;
        let org = ada.org.parse().expect("an id");
        assert_eq!(house.store().control_faults().await.expect("checked"), Vec::<String>::new());
        assert_eq!(house.store().org_faults(org).await.expect("checked"), Vec::<String>::new());
        assert!(!house.store().is_untouched().await.expect("asked"));
    }

    async fn commands_work_on_both_engines(house) {
        tenancy::demo::build(&house.house).await.expect("made");
        let folder = tempfile::tempdir().expect("a folder");
        let only_mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&house.settings().master_key_file, only_mine).expect("set");
        let (data, key) = (house.data().display().to_string(), house.settings().master_key_file.display().to_string());
        for command in [&["doctor"][..], &["demo", "--verify"], &["audit", "verify"], &["erasure", "list"], &["erasure", "verify"], &["migrate"], &["keys", "rotate-master"], &["doctor"], &["keys", "rotate-master"], &["doctor"]] {
            let mut arguments = command.to_vec();
            arguments.extend(["--data", &data, "--master-key-file", &key]);
            if let store::Place::Postgres { url, .. } = &house.settings().place {
                arguments.extend(["--database-url", url]);
            }
            let output = process::run(BINARY, folder.path(), &arguments);
            assert!(output.status.success(), "{command:?}: {}", written(&output));
        }
    }

    async fn a_breach_in_a_wall_is_found(house) {
        if house.engine() != Engine::Postgres {
            return;
        }
        house.raw().await.batch_execute("CREATE TABLE org.bare (id uuid)").await.expect("made");
        let faults = house.store().control_faults().await.expect("checked");
        assert_eq!(faults[0], "the table org.bare stands outside the tenant wall");
        assert!(faults[1].starts_with("the schema `org` has the hash") && faults.len() == 2, "{faults:?}");
    }

    async fn migrating_wakes_nobody_when_nothing_is_to_be_done(house) {
        house.sign_up("Ada").await;
        house.sign_up("Bob").await;
        let first = house.store().migrate_organisations().await.expect("done");
        assert_eq!(first.opened, if house.engine() == Engine::Sqlite { 2 } else { 0 });
        let second = house.store().migrate_organisations().await.expect("done");
        assert_eq!((second.opened, second.stragglers.len()), (0, 0));
    }

    async fn a_damaged_organisation_is_named_and_the_others_go_on(house) {
        if house.engine() != Engine::Sqlite {
            return;
        }
        let ada = house.sign_up("Ada").await;
        let bob = house.sign_up("Bob").await;
        let store = store::Store::start(house.settings(), domain::Ambient::system()).await.expect("opens");
        let name = ada.org.trim_start_matches("org_");
        for file in files_below(&house.data().join("orgs")) {
            let text = file.display().to_string();
            if text.contains(name) && file.extension().is_some_and(|extension| extension == "db") {
                std::fs::write(&file, vec![7; 8192]).expect("written");
            } else if text.contains(name) {
                std::fs::remove_file(&file).expect("removed");
            }
        }
        let migrated = store.migrate_organisations().await.expect("done");
        assert_eq!(migrated.opened, 1);
        assert_eq!(migrated.stragglers.len(), 1);
        assert_eq!(migrated.stragglers[0].0.to_string(), ada.org);
        assert!(store.org_faults(ada.org.parse().expect("an id")).await.is_err());
        assert!(store.org_faults(bob.org.parse().expect("an id")).await.expect("checked").is_empty());
        // A straggler is tried again the next time.
        assert_eq!(store.migrate_organisations().await.expect("done").stragglers.len(), 1);
    }
}

/// The command, the server and plain SQL that somebody feeds to the database themselves make one schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_made_by_hand_is_the_one_that_the_command_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let hashes = Part::ALL.map(|part| part.expected().expect("made"));
    let told = |output: &std::process::Output| {
        assert!(output.status.success(), "{}", written(output));
        assert!(hashes.iter().all(|hash| written(output).contains(hash)), "{}", written(output));
    };
    let made = process::run(BINARY, folder.path(), &["demo"]);
    assert!(made.status.success(), "{}", written(&made));
    told(&process::run(BINARY, folder.path(), &["migrate"]));
    told(&process::run(BINARY, folder.path(), &["doctor"]));

    let printed = process::run(BINARY, folder.path(), &["migrate", "--print", "sqlite"]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let parts: Vec<String> = printed.split("-- sqlite, ").skip(1).map(|part| format!("-- {part}")).collect();
    let made: Vec<String> = parts.iter().map(|text| hash_of_sql(text).expect("made")).collect();
    assert_eq!(made, hashes);

    let house = TestHouse::postgres().await;
    let database = Database::empty(house.store().ambient()).await;
    let prefix = ["--database-role-prefix", database.role_prefix()];
    let printed = process::run(BINARY, folder.path(), &[&["migrate", "--print", "postgres"][..], &prefix].concat());
    let owner = database.raw().await;
    owner.batch_execute(&String::from_utf8(printed.stdout).expect("text")).await.expect("fed");
    let elsewhere = tempfile::tempdir().expect("a folder");
    for command in ["migrate", "doctor", "migrate"] {
        let arguments = [&[command, "--database-url", database.url()][..], &prefix].concat();
        told(&process::run(BINARY, elsewhere.path(), &arguments));
    }
    // Restored on another server: roles of these names are there at best.
    let at_roles = async |change: &str| {
        for role in ["app", "control", "ops", "eraser"] {
            let text = format!("ALTER ROLE {}_{role} {change}", database.role_prefix());
            owner.batch_execute(&text).await.expect("changed");
        }
    };
    for (change, command) in [("NOLOGIN PASSWORD NULL", "doctor"), ("PASSWORD NULL", "migrate")] {
        at_roles(change).await;
        let arguments = [&[command, "--database-url", database.url()][..], &prefix].concat();
        told(&process::run(BINARY, elsewhere.path(), &arguments));
        let able = "SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL AND rolname LIKE $1";
        let able = owner.query_one(able, &[&format!("{}\\_%", database.role_prefix())]).await.expect("asked");
        assert_eq!(able.get::<_, i64>(0), 4, "{command}");
    }
    owner.batch_execute("ALTER TABLE org.teams ADD COLUMN more text").await.expect("changed");
    let arguments = [&["doctor", "--database-url", database.url()][..], &prefix].concat();
    let wrong = process::run(BINARY, elsewhere.path(), &arguments);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(written(&wrong).contains("the schema `org` has the hash"), "{}", written(&wrong));
}
