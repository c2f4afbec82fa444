//! A bare connection in the tenants' role, as an attacker or a careless report would have it: without a tenant there is nothing to
//! see and nothing to write; with one, that one's rows alone.

use testing::TestHouse;
use tokio_postgres::Client;
use uuid::Uuid;

use domain::{Id as _, OrgId};

/// Two organisations with something in each table.
async fn two_furnished() -> (TestHouse, OrgId, OrgId) {
    let house = TestHouse::postgres().await;
    let mut orgs = Vec::new();
    for name in ["Ann", "Bob"] {
        let client = house.sign_up(name).await;
        let scope = house.scope(&client).await;
        house.furnish(&scope, name).await;
        orgs.push(scope.org());
    }
    (house, orgs[0], orgs[1])
}

async fn tables(owner: &Client) -> Vec<String> {
    let text =
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'org'::regnamespace AND relkind = 'r' ORDER BY 1";
    owner.query(text, &[]).await.expect("tables").iter().map(|row| row.get(0)).collect()
}

/// The columns that a row is written with: not those that PostgreSQL makes itself.
async fn columns(owner: &Client, table: &str) -> String {
    let text = format!(
        "SELECT string_agg(attname::text, ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = 'org.{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    );
    owner.query_one(&text, &[]).await.expect("columns").get(0)
}

async fn count(client: &Client, text: &str) -> i64 {
    client.query_one(text, &[]).await.unwrap_or_else(|error| panic!("{text}: {error:?}")).get(0)
}

/// What PostgreSQL says to a statement that must not work; the transaction goes on.
async fn refusal(client: &Client, text: &str) -> String {
    client.batch_execute("SAVEPOINT before").await.expect("saved");
    let error = client.batch_execute(text).await.expect_err(text);
    client.batch_execute("ROLLBACK TO before").await.expect("back");
    error.as_db_error().unwrap_or_else(|| panic!("{text}: {error:?}")).message().to_owned()
}

async fn enter(client: &Client, org: OrgId) {
    let text = format!("BEGIN; SELECT set_config('rowhouse.org', '{}', true)", org.uuid());
    client.batch_execute(&text).await.expect("begun");
}

/// Tables of which the role of the tenants may take nothing away.
const APPEND_ONLY: &[&str] = &["audit", "entries"];

#[tokio::test]
async fn without_a_tenant_there_is_nothing_to_see_and_nothing_to_write() {
    let (house, ann, _) = two_furnished().await;
    let (owner, app) = (house.raw().await, house.raw_as("rowhouse_app").await);
    let tables = tables(&owner).await;
    assert!(tables.len() >= 14, "{tables:?}");
    for phase in ["fresh", "after a transaction that had one"] {
        for table in &tables {
            // The owner is under the same wall; only a superuser, which the tests' owner is, sees across it.
            assert!(
                count(&owner, &format!("SELECT count(DISTINCT org_id) FROM org.{table}")).await >= 2,
                "{table} is empty"
            );
            assert_eq!(count(&app, &format!("SELECT count(*) FROM org.{table}")).await, 0, "{table}, {phase}");
            let columns = columns(&owner, table).await;
            app.batch_execute("BEGIN").await.expect("begun");
            for text in [
                format!(
                    "INSERT INTO org.{table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::org.{table}, '{{\"org_id\": \"{}\"}}')",
                    ann.uuid()
                ),
                format!("INSERT INTO org.{table} DEFAULT VALUES"),
            ] {
                let why = refusal(&app, &text).await;
                assert!(why.contains("row-level security") || why.contains("null value"), "{table}: {why}");
            }
            for text in [format!("DELETE FROM org.{table}"), format!("UPDATE org.{table} SET org_id = org_id")] {
                if APPEND_ONLY.contains(&table.as_str()) {
                    assert!(refusal(&app, &text).await.contains("permission denied"), "{text}");
                } else {
                    assert_eq!(app.execute(&text, &[]).await.expect("runs"), 0, "{text}, {phase}");
                }
            }
            app.batch_execute("ROLLBACK").await.expect("over");
        }
        enter(&app, ann).await;
        assert!(count(&app, "SELECT count(*) FROM org.teams").await > 0);
        app.batch_execute("COMMIT").await.expect("over");
    }
}

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_writes_no_others() {
    let (house, ann, bob) = two_furnished().await;
    let (owner, app) = (house.raw().await, house.raw_as("rowhouse_app").await);
    enter(&app, ann).await;
    for table in tables(&owner).await {
        let own = count(&owner, &format!("SELECT count(*) FROM org.{table} WHERE org_id = '{}'", ann.uuid())).await;
        assert_eq!(count(&app, &format!("SELECT count(*) FROM org.{table}")).await, own, "{table}");
        assert_eq!(count(&app, &format!("SELECT count(*) FROM org.{table} WHERE org_id = '{}'", bob.uuid())).await, 0);
        // A whole row of one's own, given to the other; under other keys, so that nothing but the wall stands against it.
        let columns = columns(&owner, &table).await;
        let copied = format!(
            "INSERT INTO org.{table} ({columns}) SELECT {columns} FROM
             (SELECT (jsonb_populate_record(r, '{{\"org_id\": \"{}\"}}')).* FROM org.{table} r LIMIT 1) copied",
            bob.uuid()
        );
        assert!(refusal(&app, &copied).await.contains("row-level security"), "{table}");
        if !APPEND_ONLY.contains(&table.as_str()) {
            let moved = format!("UPDATE org.{table} SET org_id = '{}'", bob.uuid());
            assert!(refusal(&app, &moved).await.contains("row-level security"), "{table}");
            let taken = format!("DELETE FROM org.{table} WHERE org_id = '{}'", bob.uuid());
            assert_eq!(app.execute(&taken, &[]).await.expect("runs"), 0, "{table}");
        }
    }
    app.batch_execute("ROLLBACK").await.expect("over");
}

#[tokio::test]
async fn a_child_of_anothers_parent_is_refused() {
    let (house, ann, bob) = two_furnished().await;
    let (owner, app) = (house.raw().await, house.raw_as("rowhouse_app").await);
    let id = async |table: &str| -> String {
        let text = format!("SELECT id::text FROM org.{table} WHERE org_id = '{}' ORDER BY id LIMIT 1", bob.uuid());
        owner.query_one(&text, &[]).await.expect("one").get(0)
    };
    let (team, project) = (id("teams").await, id("projects").await);
    enter(&app, ann).await;
    let any = Uuid::from_u128(7);
    for text in [
        format!(
            "INSERT INTO org.teams (id, parent_id, name, created_at, updated_at) VALUES ('{any}', '{team}', 'x', 0, 0)"
        ),
        format!("UPDATE org.teams SET parent_id = '{team}'"),
        format!(
            "INSERT INTO org.team_members (team_id, user_id, membership_id, role, created_at) VALUES ('{team}', '{any}', '{any}', 'owner', 0)"
        ),
        format!(
            "INSERT INTO org.project_members (project_id, user_id, membership_id, role, created_at) VALUES ('{project}', '{any}', '{any}', 'owner', 0)"
        ),
        format!(
            "INSERT INTO org.project_teams (project_id, team_id, role, created_at) SELECT '{project}', id, 'owner', 0 FROM org.teams"
        ),
        format!(
            "INSERT INTO org.project_teams (project_id, team_id, role, created_at) SELECT id, '{team}', 'owner', 0 FROM org.projects"
        ),
    ] {
        let why = refusal(&app, &text).await;
        assert!(why.contains("violates foreign key constraint"), "{text}: {why}");
    }
    app.batch_execute("ROLLBACK").await.expect("over");
}

#[tokio::test]
async fn a_tenants_setting_ends_with_its_transaction() {
    let (house, ann, _) = two_furnished().await;
    let app = house.raw_as("rowhouse_app").await;
    for end in ["COMMIT", "ROLLBACK"] {
        enter(&app, ann).await;
        app.batch_execute(end).await.expect("over");
        assert_eq!(count(&app, "SELECT length(current_setting('rowhouse.org', true))::bigint").await, 0, "after {end}");
        assert_eq!(count(&app, "SELECT count(*) FROM org.teams").await, 0, "after {end}");
    }
    // Nonsense in the setting is an error, never another's rows.
    app.batch_execute("BEGIN; SELECT set_config('rowhouse.org', 'nonsense', true)").await.expect("begun");
    assert!(app.query("SELECT count(*) FROM org.teams", &[]).await.is_err());
}

#[tokio::test]
async fn each_role_is_kept_out_of_the_other_side() {
    let (house, ..) = two_furnished().await;
    for (role, table) in
        [("rowhouse_app", "control.people"), ("rowhouse_control", "org.teams"), ("rowhouse_ops", "control.people")]
    {
        let client = house.raw_as(role).await;
        let error = client.query(&format!("SELECT count(*) FROM {table}"), &[]).await.expect_err(table);
        assert!(error.as_db_error().expect("refused").message().contains("permission denied"), "{role}: {error:?}");
    }
    // Nor does a role become another one.
    let app = house.raw_as("rowhouse_app").await;
    for text in [
        "SET ROLE postgres",
        "SET ROLE rowhouse_control",
        "SET SESSION AUTHORIZATION postgres",
        "SET row_security = off; SELECT * FROM org.teams",
    ] {
        app.batch_execute(text).await.expect_err(text);
    }
}
