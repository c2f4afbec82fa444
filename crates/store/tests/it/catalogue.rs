//! The wall on PostgreSQL, read from the catalogue: a table of the organisations' schema that lacks any of the rules fails here.

use testing::TestHouse;
use tokio_postgres::Client;

/// What a query complains of, one text a row; there must be none.
async fn nothing(client: &Client, rule: &str, text: &str) {
    let rows = client.query(text, &[]).await.unwrap_or_else(|error| panic!("{rule}: {error:?}"));
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(found.is_empty(), "{rule}: {found:?}");
}

/// The tables of the organisations' schema, as `t`.
const TENANT_TABLES: &str = "(SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'org' AND c.relkind IN ('r', 'p', 'f')) t";

async fn check(owner: &Client) {
    let count: i64 =
        owner.query_one(&format!("SELECT count(*) FROM {TENANT_TABLES}"), &[]).await.expect("counted").get(0);
    assert!(count >= 14, "only {count} tables are seen");
    let rules = [
        ("org_id is a uuid that is always there, and the transaction's by default", format!(
            "SELECT t.relname::text FROM {TENANT_TABLES} WHERE t.relkind <> 'r' OR NOT EXISTS (
               SELECT 1 FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
               WHERE a.attrelid = t.oid AND a.attname = 'org_id' AND a.atttypid = 'uuid'::regtype AND a.attnotnull
                 AND pg_get_expr(d.adbin, d.adrelid) IN ('org.current_org()', 'current_org()'))")),
        ("each table has a primary key", format!(
            "SELECT t.relname::text FROM {TENANT_TABLES} WHERE NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = t.oid AND x.indisprimary)")),
        ("each key and each index starts with org_id", format!(
            "SELECT x.indexrelid::regclass::text FROM {TENANT_TABLES} JOIN pg_index x ON x.indrelid = t.oid
             WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = x.indkey[0] AND a.attname = 'org_id')")),
        ("each foreign key starts with org_id on both ends and stays in the schema", format!(
            "SELECT k.conname::text FROM {TENANT_TABLES} JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
             WHERE cardinality(k.conkey) < 2
                OR NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1] AND a.attname = 'org_id')
                OR NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = k.confkey[1] AND a.attname = 'org_id')
                OR NOT EXISTS (SELECT 1 FROM pg_class o WHERE o.oid = k.confrelid AND o.relnamespace = t.relnamespace)")),
        ("row security is on and forced", format!(
            "SELECT t.relname::text FROM {TENANT_TABLES} WHERE NOT (t.relrowsecurity AND t.relforcerowsecurity)")),
        ("one policy, for everybody and everything, reading and writing by the transaction's organisation", format!(
            "SELECT t.relname::text FROM {TENANT_TABLES} WHERE (SELECT count(*) FROM pg_policy p WHERE p.polrelid = t.oid) <> 1
               OR NOT EXISTS (
                 SELECT 1 FROM pg_policy p WHERE p.polrelid = t.oid AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{{0}}'
                   AND regexp_replace(pg_get_expr(p.polqual, t.oid), '\\s+', ' ', 'g') = '(org_id = ( SELECT org.current_org() AS current_org))'
                   AND pg_get_expr(p.polwithcheck, t.oid) = pg_get_expr(p.polqual, t.oid))")),
        ("the roles own nothing", "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
             WHERE r.rolname IN ('rowhouse_app', 'rowhouse_control', 'rowhouse_ops', 'rowhouse_eraser')".into()),
        ("the roles have no powers", "SELECT rolname::text FROM pg_roles WHERE rolname IN ('rowhouse_app', 'rowhouse_control', 'rowhouse_ops', 'rowhouse_eraser')
             AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit)".into()),
        ("the roles are members of none and have no members but superusers", "SELECT m.member::regrole::text || ' in ' || m.roleid::regrole::text
             FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE NOT r.rolsuper
               AND (m.member::regrole::text LIKE 'rowhouse\\_%' OR m.roleid::regrole::text LIKE 'rowhouse\\_%')".into()),
        ("nobody may empty tables, refer to them or hang triggers on them", "SELECT r.rolname || ' on ' || c.oid::regclass::text
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('org', 'control') AND c.relkind = 'r'
             CROSS JOIN pg_roles r WHERE r.rolname IN ('rowhouse_app', 'rowhouse_control', 'rowhouse_ops', 'rowhouse_eraser')
               AND has_table_privilege(r.oid, c.oid, 'TRUNCATE, REFERENCES, TRIGGER')".into()),
        ("nobody may make anything", "SELECT r.rolname || ' in ' || n.nspname FROM pg_namespace n CROSS JOIN pg_roles r
             WHERE n.nspname IN ('org', 'control', 'public') AND r.rolname IN ('rowhouse_app', 'rowhouse_control', 'rowhouse_ops', 'rowhouse_eraser')
               AND has_schema_privilege(r.oid, n.oid, 'CREATE')".into()),
        ("the audit log and the ledger are append-only", "SELECT 'org.audit' WHERE has_table_privilege('rowhouse_app', 'org.audit', 'UPDATE, DELETE')
             UNION ALL SELECT 'org.entries' WHERE has_table_privilege('rowhouse_app', 'org.entries', 'UPDATE, DELETE')
             UNION ALL SELECT 'control.audit' WHERE has_table_privilege('rowhouse_control', 'control.audit', 'UPDATE, DELETE')".into()),
        ("each of the two roles sees its own side only", "SELECT r.rolname || ' sees ' || c.oid::regclass::text
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
             JOIN pg_roles r ON (r.rolname, n.nspname) IN (('rowhouse_app', 'control'), ('rowhouse_control', 'org'), ('rowhouse_ops', 'control'), ('rowhouse_eraser', 'control'))
             WHERE CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE')
                        ELSE has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
                          OR has_table_privilege(r.oid, c.oid, 'DELETE') END
               AND NOT (r.rolname = 'rowhouse_ops' AND c.relname = 'migrations')".into()),
        ("operators' connections change nothing", "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('org', 'control') AND c.relkind = 'r' AND has_table_privilege('rowhouse_ops', c.oid, 'INSERT, UPDATE, DELETE')".into()),
        ("the eraser takes away and changes nothing", "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'org' AND c.relkind = 'r' AND (has_any_column_privilege('rowhouse_eraser', c.oid, 'INSERT, UPDATE')
               OR NOT has_table_privilege('rowhouse_eraser', c.oid, 'DELETE'))".into()),
        ("views run with the rights of who asks", "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('org', 'control') AND c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)".into()),
        ("no materialised views, no rules, no triggers of our own, no sequences that tenants share",
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'org' AND c.relkind IN ('m', 'S')
             UNION ALL SELECT r.rulename::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('org', 'control') AND c.relkind = 'r'
             UNION ALL SELECT g.tgname::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('org', 'control') AND NOT g.tgisinternal".into()),
        ("no function runs with its owner's rights", "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prosecdef".into()),
        ("nobody makes temporary tables", "SELECT r.rolname::text FROM pg_roles r WHERE r.rolname IN ('rowhouse_app', 'rowhouse_control', 'rowhouse_ops')
             AND has_database_privilege(r.oid, current_database(), 'TEMPORARY')".into()),
        ("only the owner may raise walls", "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN pg_roles r
             WHERE n.nspname IN ('org', 'control') AND p.proname <> 'current_org' AND r.rolname LIKE 'rowhouse\\_%'
               AND has_function_privilege(r.oid, p.oid, 'EXECUTE')".into()),
    ];
    for (rule, text) in rules {
        nothing(owner, rule, &text).await;
    }
}

#[tokio::test]
async fn every_table_of_the_organisations_stands_behind_the_wall() {
    let house = TestHouse::postgres().await;
    check(&house.raw().await).await;
}

/// The test must be able to fail: each change takes one stone out of the wall.
#[tokio::test]
async fn a_missing_stone_is_seen() {
    let house = TestHouse::postgres().await;
    let owner = house.raw().await;
    check(&owner).await;
    for change in [
        "CREATE TABLE org.bare (id uuid PRIMARY KEY)",
        "CREATE INDEX bare ON org.teams (name)",
        "ALTER TABLE org.teams NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE org.teams DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY second ON org.teams USING (true)",
        "DROP POLICY tenant ON org.teams; CREATE POLICY tenant ON org.teams USING (org_id = (SELECT org.current_org())) WITH CHECK (true)",
        "ALTER TABLE org.projects ADD UNIQUE (id); ALTER TABLE org.entries ADD FOREIGN KEY (project_id) REFERENCES org.projects (id)",
        "ALTER TABLE org.teams OWNER TO rowhouse_app",
        "GRANT TRUNCATE ON org.teams TO rowhouse_app",
        "GRANT CREATE ON SCHEMA org TO rowhouse_app",
        "GRANT UPDATE ON org.audit TO rowhouse_app",
        "GRANT UPDATE ON control.audit TO rowhouse_control",
        "GRANT SELECT ON org.teams TO rowhouse_control",
        "GRANT SELECT (email) ON control.people TO rowhouse_app",
        "GRANT INSERT ON org.teams TO rowhouse_ops",
        "GRANT UPDATE ON org.audit TO rowhouse_eraser",
        "REVOKE DELETE ON org.teams FROM rowhouse_eraser",
        "CREATE VIEW org.all_teams AS SELECT * FROM org.teams",
        "CREATE MATERIALIZED VIEW org.all_teams AS SELECT * FROM org.teams",
        "CREATE FUNCTION org.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM org.teams'",
        "ALTER TABLE org.teams ALTER org_id DROP DEFAULT",
        "GRANT EXECUTE ON FUNCTION org.protect(text) TO rowhouse_app",
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$",
    ] {
        owner.batch_execute("BEGIN").await.expect("begun");
        owner.batch_execute(change).await.expect(change);
        let verdict = std::panic::AssertUnwindSafe(check(&owner));
        let seen = futures_util::FutureExt::catch_unwind(verdict).await.is_err();
        assert!(seen, "nobody saw: {change}");
        owner.batch_execute("ROLLBACK").await.expect("rolled back");
    }
}
