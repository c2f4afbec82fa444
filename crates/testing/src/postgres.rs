//! Databases for tests: one migrated template per schema, cloned for each test and dropped after it.

use domain::Ambient;
use store::{Place, Settings, Store};
use tokio_postgres::{Client, NoTls};

/// Where the server is; `make test` starts one and says so in this variable.
pub(crate) fn server() -> String {
    std::env::var("ROWHOUSE_TEST_POSTGRES_URL").expect(
        "ROWHOUSE_TEST_POSTGRES_URL is not set: run `make test`, or `scripts/services start` and `. .services/env`",
    )
}

/// A database of its own, removed when dropped.
#[derive(Debug)]
pub struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
}

impl Database {
    /// Clones the template, which is made first when there is none for this schema.
    pub(crate) async fn clone_template(key_file: &std::path::Path, ambient: &Ambient) -> Self {
        let admin = connect(&server()).await;
        let texts =
            store::schema::Part::ALL.iter().flat_map(|part| part.steps()).map(|step| step.postgres).collect::<String>();
        let hash = store::keys::sha256(texts + store::migrate::BOOTSTRAP);
        let template = hash[..8].iter().fold("rowhouse_template_".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        // Tests run in many processes: one makes the template, the others wait.
        admin.batch_execute("SELECT pg_advisory_lock(5410)").await.expect("the lock is given");
        let ready = admin
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&template])
            .await
            .expect("answered")
            .is_some();
        if !ready {
            let draft = format!("{template}_draft");
            admin.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).await.expect("dropped");
            admin.batch_execute(&format!("CREATE DATABASE {draft}")).await.expect("created");
            let url = in_database(&draft);
            let place = Place::Postgres { url, role_prefix: "rowhouse".into(), connections: 2 };
            let settings = Settings {
                place,
                master_key_file: key_file.to_owned(),
                audit_heads: key_file.with_file_name("audit-heads.jsonl"),
                blobs: key_file.with_file_name("blobs"),
                bucket: None,
                issuer: "http://test".into(),
            };
            drop(Store::start(&settings, ambient.clone()).await.expect("the template is migrated"));
            let rename = format!("ALTER DATABASE {draft} RENAME TO {template}");
            // The pools close their connections a moment after they are dropped.
            let mut renamed = admin.batch_execute(&rename).await;
            for _ in 0..50 {
                if renamed.is_ok() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                renamed = admin.batch_execute(&rename).await;
            }
            renamed.expect("renamed");
        }
        admin.batch_execute("SELECT pg_advisory_unlock(5410)").await.expect("unlocked");
        let database = Self::create(&admin, ambient, &format!("TEMPLATE {template}")).await;
        // What a migration changes of the database itself is not copied from a template.
        let revoke = format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database.name);
        admin.batch_execute(&revoke).await.expect("revoked");
        database
    }

    /// An empty one, for tests of what comes first.
    /// # Panics
    /// When there is no server.
    pub async fn empty(ambient: &Ambient) -> Self {
        Self::create(&connect(&server()).await, ambient, "").await
    }

    async fn create(admin: &Client, ambient: &Ambient, how: &str) -> Self {
        let random: [u8; 8] = ambient.bytes();
        let name = random.iter().fold("rowhouse_test_".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        admin.batch_execute(&format!("CREATE DATABASE {name} {how}")).await.expect("created");
        Self { url: in_database(&name), name }
    }

    /// A bare connection as its owner.
    /// # Panics
    /// When the server does not answer.
    pub async fn raw(&self) -> Client {
        connect(&self.url).await
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the names of its roles begin with, so that they go with it.
    #[must_use]
    pub fn role_prefix(&self) -> &str {
        &self.name
    }

    /// Where the data is, in roles of its own that go with it.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Postgres { url: self.url.clone(), role_prefix: self.name.clone(), connections: 4 }
    }

    /// Its address through a pooler on this machine.
    pub(crate) fn through(&self, port: u16) -> String {
        let (start, _) = self.url.split_once('@').expect("the address names a user");
        format!("{start}@127.0.0.1:{port}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let admin = connect(&server()).await;
                let _ = admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
                let roles = ["app", "control", "ops", "eraser"].map(|role| format!("{name}_{role}")).join(", ");
                let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {roles}")).await;
            });
        });
        let _ = dropping.join();
    }
}

/// The server's address with another database.
fn in_database(name: &str) -> String {
    let server = server();
    let (start, _) = server.rsplit_once('/').expect("the address names a database");
    format!("{start}/{name}")
}

/// A bare connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test server answers");
    tokio::spawn(connection);
    client
}
