//! How little an empty organisation takes, on the disk and in open files.

use std::time::{Duration, UNIX_EPOCH};

use store::Scope;
use testing::{Client, TestHouse, Wish};

/// What a file takes on the disk, with all that belongs to it.
fn size_of(path: &std::path::Path) -> u64 {
    ["", "-wal", "-shm"]
        .iter()
        .filter_map(|suffix| std::fs::metadata(format!("{}{suffix}", path.display())).ok())
        .map(|found| std::os::unix::fs::MetadataExt::blocks(&found) * 512)
        .sum()
}

/// Where an organisation's file is.
fn file_of(house: &TestHouse, client: &Client) -> std::path::PathBuf {
    let hex = client.org.strip_prefix("org_").expect("an id");
    house.data().join("orgs").join(&hex[30..]).join(format!("{hex}.db"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_organisation_takes_at_most_200_kib() {
    let house = TestHouse::sqlite_with(Wish { open_files: 1, ..Wish::default() }).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let [first, second] = [&ann, &bob].map(|client| file_of(&house, client));
    for client in [&ann, &bob] {
        let org = client.org.parse().expect("an id");
        house.store().deliver(org).await.expect("its first entries are written");
    }
    let (closed, open) = (size_of(&first), size_of(&second));
    eprintln!("an empty organisation takes {} KiB closed, {} KiB open", closed / 1024, open / 1024);
    assert!(closed <= 200 * 1024, "{closed} bytes closed");
    assert!(open <= 400 * 1024, "{open} bytes open, with its log");
    for beside in ["-wal", "-shm"] {
        let path = format!("{}{beside}", first.display());
        assert!(!std::path::Path::new(&path).exists(), "closed, it is one file: {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_nobody_uses_is_closed_and_opens_again() {
    let house = TestHouse::sqlite().await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    for client in [&ann, &bob] {
        house.store().deliver(client.org.parse().expect("an id")).await.expect("its first entries are written");
    }
    let began = house.clock_now();
    assert_eq!(house.store().close_idle_files(began).await.expect("asked"), 0, "both were used just now");
    assert_eq!(house.store().open_files(), 2);
    house.clock.advance(Duration::from_mins(2));
    bob.get("/api/v1/teams").await.expect(200);
    let running = house.store().open(&house.scope(&ann).await).read().await.expect("begins");
    house.clock.advance(Duration::from_mins(2));
    let since = house.clock_now() - Duration::from_mins(1);
    assert_eq!(house.store().close_idle_files(since).await.expect("closed"), 1, "Ann's is in use, though for long");
    assert_eq!(house.store().open_files(), 1);
    drop(running);
    assert_eq!(house.store().close_idle_files(since).await.expect("closed"), 1);
    assert_eq!(house.store().open_files(), 0);
    bob.get("/api/v1/teams").await.expect(200);
    ann.get("/api/v1/teams").await.expect(200);
}

/// Nobody takes a file for unused that was only read for long, and then closed to make room for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_makes_room_says_when_it_was_last_used() {
    let house = TestHouse::sqlite_with(Wish { open_files: 1, ..Wish::default() }).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    for client in [&ann, &bob] {
        house.store().deliver(client.org.parse().expect("an id")).await.expect("its first entries are written");
    }
    let (anns, bobs) = (house.scope(&ann).await, house.scope(&bob).await);
    let look = async |scope: &Scope| drop(house.store().open(scope).read().await.expect("begins"));
    look(&anns).await;
    house.clock.advance(Duration::from_mins(5));
    look(&anns).await;
    let used_at = house.clock_now();
    look(&bobs).await;
    let written = std::fs::metadata(file_of(&house, &ann)).and_then(|about| about.modified()).expect("it is there");
    let written = written.duration_since(UNIX_EPOCH).expect("a good time").as_micros();
    assert_eq!(i64::try_from(written).expect("a time"), used_at.micros());
    assert!(house.store().open_files() <= 1);
}
