//! The house under test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::ambient::{Clock, ManualClock, Random};
use domain::prices::Prices;
use domain::{Ambient, Time};
use metering::rates::Sharing;
use server::background::Background;
use server::{App, Installation, Limits, Listed};
use store::blobs::BucketSettings;
use store::{Engine, Place, Settings, Store};
use tempfile::TempDir;
use tenancy::passwords::{Cost, Passwords};
use tenancy::{House, Rules};

use crate::chance::Chance;
use crate::client::Client;
use crate::postgres::Database;
use crate::shelf::Shelf;

/// How the house is to be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Whether mail addresses are verified before the first sign-in.
    pub verify_mail: bool,
    /// Its public address.
    pub public_url: String,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<String>,
    /// Other sites whose pages may call.
    pub origins: Vec<String>,
    /// How many organisations' files may be open at once.
    pub open_files: usize,
    /// The folder of the embedded data, when it is not to be a temporary one.
    pub data: Option<PathBuf>,
    /// The operator's price list.
    pub prices: Option<&'static str>,
    /// The port of a pooler that stands before PostgreSQL.
    pub pooler: Option<u16>,
    /// The installation's own providers of models, and where may be called: nothing on this machine, unless it says so.
    pub installation: Installation,
    /// Where rate limits are shared with other nodes.
    pub sharing: Option<Sharing>,
    /// The bucket of originals, when they are not to lie in the data folder.
    pub bucket: Option<BucketSettings>,
    /// The pages that the server carries; none, unless a test is about them.
    pub dashboard: server::Dashboard,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            verify_mail: false,
            public_url: "http://test".into(),
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            open_files: 64,
            data: None,
            prices: None,
            pooler: None,
            // Notion is where nobody answers: no test asks the real one.
            installation: Installation::default().with_notion("http://127.0.0.1:9").expect("an address"),
            sharing: None,
            bucket: None,
            dashboard: server::Dashboard::default(),
        }
    }
}

impl Wish {
    fn read_prices(&self) -> Prices {
        self.prices.map_or_else(Prices::builtin, |text| Prices::builtin().with(text).expect("good prices"))
    }
}

/// A whole Rowhouse, in process.
pub struct TestHouse {
    /// The application.
    pub app: App,
    /// The house behind it.
    pub house: House,
    /// The clock; it stands still until it is told to move.
    pub clock: Arc<ManualClock>,
    /// The randomness; a test can foresee it.
    pub chance: Arc<Chance>,
    /// A source of documents that says who reads them.
    pub shelf: Shelf,
    router: axum::Router,
    routes: Vec<Listed>,
    settings: Settings,
    data: PathBuf,
    _folder: TempDir,
    _background: Background,
    database: Option<Database>,
}

/// A key that is no secret, so that all tests can open the database template.
const MASTER_KEY: &str = "rowhouse-master-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

impl TestHouse {
    /// On encrypted files.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(Wish::default()).await
    }

    /// On PostgreSQL.
    pub async fn postgres() -> Self {
        Self::postgres_with(Wish::default()).await
    }

    /// On encrypted files, with wishes.
    pub async fn sqlite_with(wish: Wish) -> Self {
        Self::build(Engine::Sqlite, wish).await
    }

    /// On PostgreSQL, with wishes.
    pub async fn postgres_with(wish: Wish) -> Self {
        Self::build(Engine::Postgres, wish).await
    }

    async fn build(engine: Engine, wish: Wish) -> Self {
        crate::alarms::listen();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let master_key_file = folder.path().join("keys/master.key");
        std::fs::create_dir(folder.path().join("keys")).expect("made");
        std::fs::write(&master_key_file, MASTER_KEY).expect("written");
        let start: Time = "2026-11-22T10:00:00Z".parse().expect("a good time");
        let clock = Arc::new(ManualClock::at(start));
        let chance = Arc::new(Chance::default());
        let ambient = Ambient::new(clock.clone() as Arc<dyn Clock>, chance.clone() as Arc<dyn Random>);
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Database::clone_template(&master_key_file, &ambient).await),
        };
        let prices = wish.read_prices();
        let data = wish.data.unwrap_or_else(|| folder.path().join("data"));
        let place = match &database {
            None => Place::Embedded { data: data.clone(), open_files: wish.open_files, cache_kib: 512 },
            Some(database) => {
                let url = wish.pooler.map_or_else(|| database.url.clone(), |port| database.through(port));
                Place::Postgres { url, role_prefix: "rowhouse".into(), connections: 8 }
            }
        };
        let audit_heads = folder.path().join("keys/audit-heads.jsonl");
        let blobs = data.join("blobs");
        let (bucket, issuer) = (wish.bucket, wish.public_url.clone());
        let settings = Settings { place, master_key_file, audit_heads, blobs, bucket, issuer };
        let store = Store::start(&settings, ambient.clone()).await.expect("the store starts");
        // The cheapest cost that argon2 takes: what hashing costs is measured elsewhere.
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 2, ambient).expect("a good cost");
        let house = House::new(store, passwords, Rules::new(&wish.public_url, wish.verify_mail));
        // The table of all routes is one long row of denials, and this limit runs on the real clock.
        let denials = std::num::NonZeroU32::new(1_000_000).expect("a million is not 0");
        let limits =
            Limits { trusted_proxies: wish.trusted_proxies, origins: wish.origins, denials, ..Limits::default() };
        let books = metering::Settings::default();
        let shelf = Shelf::default();
        let app = App::with(house.clone(), limits, prices, books, wish.sharing)
            .serving(wish.installation)
            .reading(crate::process::readers())
            .connecting(Arc::new(shelf.clone()))
            .showing(wish.dashboard);
        let (router, listed) = server::router(&app);
        let peer: SocketAddr = "192.0.2.10:4711".parse().expect("an address");
        let router = server::listen::in_process(router, peer);
        let background = server::background::start(&app);
        Self {
            app,
            house,
            clock,
            chance,
            shelf,
            router,
            routes: listed,
            settings,
            data,
            _folder: folder,
            _background: background,
            database,
        }
    }

    /// Which engine it stands on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.house.store.engine()
    }

    /// The storage.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.house.store
    }

    /// All routes.
    #[must_use]
    pub fn routes(&self) -> &[Listed] {
        &self.routes
    }

    /// What the clock shows.
    #[must_use]
    pub fn clock_now(&self) -> Time {
        self.clock.now()
    }

    /// The same storage, opened once more: as another node does; on PostgreSQL, or when the first one is at rest.
    /// # Panics
    /// When it cannot be opened.
    pub async fn another_store(&self) -> Store {
        Store::start(&self.settings, self.store().ambient().clone()).await.expect("the store starts")
    }

    /// Somebody without a credential at another node on the same storage, which runs no background work.
    /// # Panics
    /// When the storage cannot be opened.
    pub async fn another_node(&self) -> Client {
        self.another_node_with(Wish::default()).await
    }

    /// The same, with wishes for what it calls and counts.
    /// # Panics
    /// When the storage cannot be opened.
    pub async fn another_node_with(&self, wish: Wish) -> Client {
        let ambient = self.store().ambient().clone();
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 1, ambient).expect("a good cost");
        let rules = Rules::new(&self.settings.issuer, false);
        let house = House::new(self.another_store().await, passwords, rules);
        let books = metering::Settings::default();
        let app = App::with(house, Limits::default(), wish.read_prices(), books, wish.sharing);
        let (router, _) = server::router(&app.serving(wish.installation));
        let peer: SocketAddr = "192.0.2.10:4712".parse().expect("an address");
        Client::new(server::listen::in_process(router, peer))
    }

    /// What the storage was opened with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The folder of the embedded data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// The name of the database; on PostgreSQL.
    /// # Panics
    /// When the house stands on files.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database.as_ref().expect("a PostgreSQL house").name
    }

    /// A bare connection to the database as its owner; on PostgreSQL.
    pub async fn raw(&self) -> tokio_postgres::Client {
        crate::postgres::connect(&self.database.as_ref().expect("a PostgreSQL house").url).await
    }

    /// A bare connection to the database in a role; on PostgreSQL.
    pub async fn raw_as(&self, role: &str) -> tokio_postgres::Client {
        let url = &self.database.as_ref().expect("a PostgreSQL house").url;
        crate::postgres::connect(&url.replace("postgres://postgres@", &format!("postgres://{role}@"))).await
    }

    /// Somebody without a credential.
    #[must_use]
    pub fn visitor(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// Opens the door to programs: the address at which they can ask until the test ends, such as `http://127.0.0.1:41234`.
    /// # Panics
    /// When there is no free port.
    pub async fn open(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (router, unattended) = (self.router.clone(), self.app.unattended().clone());
        tokio::spawn(async move {
            server::listen::serve(listener, router, &unattended, std::future::pending(), Duration::ZERO).await
        });
        format!("http://{address}")
    }

    /// Signs a new person up, who owns a personal organisation, and gives their client.
    pub async fn sign_up(&self, name: &str) -> Client {
        let body = serde_json::json!({
            "email": format!("{}@example.com", name.to_lowercase()),
            "password": PASSWORD,
            "name": name,
            "organization_name": format!("{name}'s house"),
        });
        let answer = self.visitor().post("/api/v1/auth/signup", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let text =
            |pointer: &str| answer.json.pointer(pointer).and_then(|v| v.as_str()).expect("in the answer").to_owned();
        Client {
            token: Some(text("/access_token")),
            refresh: text("/refresh_token"),
            email: text("/user/email"),
            user: text("/user/id"),
            org: text("/organization/id"),
            ..self.visitor()
        }
    }

    /// Somebody who has signed up by mail and verified the address, with the password of everybody; gives their client.
    /// # Panics
    /// When one of the steps fails.
    pub async fn verified(&self, email: &str) -> Client {
        let body = serde_json::json!({ "email": email, "password": PASSWORD, "name": "Somebody" });
        let _ = self.visitor().post("/api/v1/auth/signup", &body).await.expect(202);
        let token = self.mailed_token(email, "Verify your mail address").await;
        let verify = serde_json::json!({ "token": token });
        let answer = self.visitor().post("/api/v1/auth/verify", &verify).await.expect(200);
        self.visitor().with_tokens(&answer)
    }

    /// The same person with a session of its own; with the headers of the client given.
    /// # Panics
    /// When they are not let in.
    pub async fn signed_in_again(&self, client: &Client) -> Client {
        let body = serde_json::json!({ "email": client.email, "password": PASSWORD });
        let answer = client.with_token(None).post("/api/v1/auth/login", &body).await.expect(200);
        client.with_tokens(&answer)
    }

    /// The same session with fresh tokens.
    /// # Panics
    /// When they are not given.
    pub async fn refreshed(&self, client: &Client) -> Client {
        let body = serde_json::json!({ "refresh_token": client.refresh });
        let answer = self.visitor().post("/api/v1/auth/refresh", &body).await.expect(200);
        client.with_tokens(&answer)
    }
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "wet paint on the porch";
