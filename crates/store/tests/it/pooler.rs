//! Behind a transaction pooler each transaction may run on another server connection: nothing may be kept on one between two of
//! them. Skipped, and said so, where there is no `pgbouncer`.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::text::TeamName;
use store::audit::Event;
use store::org::audits;
use store::org::teams::{self, Team};
use store::{Scope, Store};
use testing::{TestHouse, Wish};

struct Pooler {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let usual = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    usual.into_iter().map(PathBuf::from).find(|path| path.exists())
}

impl Pooler {
    /// Three server connections for each user, so that our eight share them.
    async fn start() -> Option<Self> {
        let program = program()?;
        let server = std::env::var("ROWHOUSE_TEST_POSTGRES_URL").expect("the tests' server");
        let server: tokio_postgres::Config = server.parse().expect("an address");
        let server_port = server.get_ports().first().copied().unwrap_or(5432);
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let (users, settings) = (folder.path().join("users.txt"), folder.path().join("pgbouncer.ini"));
        let mut names = String::new();
        for user in ["postgres", "rowhouse_app", "rowhouse_control", "rowhouse_ops", "rowhouse_eraser"] {
            let _ = writeln!(names, "\"{user}\" \"\"");
        }
        std::fs::write(&users, names).expect("written");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n",
            users.display()
        );
        std::fs::write(&settings, text).expect("written");
        for (path, mode) in [(folder.path(), 0o755), (&users, 0o644), (&settings, 0o644)] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("readable");
        }
        let mut command = Command::new(program);
        // It refuses to run as root.
        if std::fs::metadata(folder.path()).expect("our own").uid() == 0 {
            command.args(["-u", "nobody"]);
        }
        let process =
            command.arg("-q").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let pooler = Self { process, port, _folder: folder };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(pooler);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("pgbouncer does not listen");
    }
}

async fn write_and_read(store: &Store, scope: &Scope, word: &str, number: usize) {
    let mut tx = store.open(scope).begin().await.expect("begins");
    let now = tx.now();
    let team = Team {
        id: store.ambient().id(),
        parent_id: None,
        name: TeamName::new(&format!("{word} {number}")).expect("a name"),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    teams::insert(&mut tx, &team).await.expect("written");
    tx.record(Event::new("team.created", team.id).after(&team)).await.expect("recorded");
    tx.commit().await.expect("committed");
    let mut tx = store.open(scope).read().await.expect("begins");
    let seen = teams::list(&mut tx, None, 1000).await.expect("listed");
    assert!(seen.iter().any(|other| other.id == team.id), "{word} {number} is gone");
    assert!(seen.iter().all(|team| team.name.as_str().starts_with(word)), "{word} sees another's: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_organisations_work_behind_a_transaction_pooler() {
    let Some(pooler) = Pooler::start().await else {
        eprintln!("skipped: there is no pgbouncer");
        return;
    };
    let house = TestHouse::postgres_with(Wish { pooler: Some(pooler.port), ..Wish::default() }).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let scopes = [(house.scope(&ann).await, "Ann"), (house.scope(&bob).await, "Bob")];
    let mut running = tokio::task::JoinSet::new();
    for number in 0..100 {
        let (scope, word) = scopes[number % 2].clone();
        let (store, client) = (house.store().clone(), [&ann, &bob][number % 2].clone());
        running.spawn(async move {
            // Some go away half way: what they left is rolled back before the pooler gives the connection to others.
            if number % 5 == 0 {
                let patience = Duration::from_millis(number as u64 / 5);
                let _ = tokio::time::timeout(patience, write_and_read(&store, &scope, word, number)).await;
            } else {
                write_and_read(&store, &scope, word, number).await;
                client.get("/api/v1/auth/me").await.expect(200);
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.expect("works");
    }
    for (scope, _) in &scopes {
        let mut tx = house.store().open(scope).read().await.expect("begins");
        assert_eq!(audits::verify(&mut tx, &[]).await.expect("walked").fault, None);
    }
    // What belongs to a role comes with each connection, whoever opens it.
    let url = format!("postgres://rowhouse_app@127.0.0.1:{}/{}", pooler.port, house.database());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    for (name, value) in [
        ("search_path", "org"),
        ("statement_timeout", "15s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("rowhouse.org", ""),
    ] {
        let messages =
            client.simple_query(&format!("SELECT coalesce(current_setting('{name}', true), '')")).await.expect("asked");
        let shown = messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        assert_eq!(shown, Some(value), "{name}");
    }
}

/// A second node starts through the pooler while the first is at work: what is prepared under a name on a connection that others
/// share would fail here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_start_behind_a_transaction_pooler() {
    let Some(pooler) = Pooler::start().await else {
        eprintln!("skipped: there is no pgbouncer");
        return;
    };
    let house = TestHouse::postgres_with(Wish { pooler: Some(pooler.port), ..Wish::default() }).await;
    let ann = house.sign_up("Ann").await;
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (settings, ambient) = (house.settings().clone(), house.store().ambient().clone());
        starting.spawn(async move { Store::start(&settings, ambient).await });
    }
    while let Some(started) = starting.join_next().await {
        started.expect("runs").expect("starts");
        ann.get("/api/v1/auth/me").await.expect(200);
    }
}
