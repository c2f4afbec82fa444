//! Several nodes that start at once on an empty database make it once, and agree on its keys.

use store::control::installation;
use store::{Place, Settings, Store, Turn};
use testing::{Database, TestHouse};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_on_an_empty_database_agree() {
    let other = TestHouse::postgres().await;
    let ambient = other.store().ambient().clone();
    let database = Database::empty(&ambient).await;
    let settings = Settings { place: database.place(), ..other.settings().clone() };
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (settings, ambient) = (settings.clone(), ambient.clone());
        starting.spawn(async move { Store::start(&settings, ambient).await });
    }
    let mut nodes = Vec::new();
    while let Some(started) = starting.join_next().await {
        nodes.push(started.expect("runs").expect("starts"));
    }
    let sealed = nodes[0].seal("somewhere", b"something");
    for (number, node) in nodes.iter().enumerate() {
        assert_eq!(node.unseal("somewhere", &sealed).expect("the same house key"), b"something");
        let mut tx = node.begin_control(Turn::Free).await.expect("begins");
        installation::set(&mut tx, "node", &number.to_string()).await.expect("written");
        tx.commit().await.expect("committed");
    }
    // Starting again changes nothing.
    let again = Store::start(&settings, ambient).await.expect("starts");
    let mut tx = again.read_control().await.expect("begins");
    assert_eq!(installation::find(&mut tx, "node").await.expect("read").as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_database_is_refused_in_words() {
    let house = TestHouse::postgres().await;
    let insert =
        "INSERT INTO control.migrations (part, number, name, hash, at) VALUES ('org', 9999, '9999_later', '', 0)";
    house.raw().await.batch_execute(insert).await.expect("written");
    let refusal = Store::start(house.settings(), house.store().ambient().clone()).await.expect_err("it is newer");
    assert_eq!(refusal.to_string(), "the database is of a newer schema than this program; use a newer rowhouse");
}

/// Roles belong to the whole server, and no lock reaches from one database into another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_that_share_roles_can_be_migrated_at_once() {
    let other = TestHouse::postgres().await;
    let ambient = other.store().ambient().clone();
    let mut databases = Vec::new();
    for _ in 0..4 {
        databases.push(Database::empty(&ambient).await);
    }
    let prefix = databases[0].role_prefix().to_owned();
    let mut starting = tokio::task::JoinSet::new();
    for database in &databases {
        let place = Place::Postgres { url: database.url().to_owned(), role_prefix: prefix.clone(), connections: 2 };
        let (settings, ambient) = (Settings { place, ..other.settings().clone() }, ambient.clone());
        starting.spawn(async move { Store::start(&settings, ambient).await.map(drop) });
    }
    while let Some(started) = starting.join_next().await {
        started.expect("runs").expect("starts");
    }
    for database in &databases {
        let asked = "SELECT count(*) FROM pg_roles WHERE rolname LIKE $1 AND has_database_privilege(oid, current_database(), 'TEMPORARY')";
        let row = database.raw().await.query_one(asked, &[&format!("{prefix}\\_%")]).await.expect("asked");
        assert_eq!(row.get::<_, i64>(0), 0, "no role makes temporary tables");
    }
    // The one whose name the roles bear goes last, and takes them along.
    databases.reverse();
}
