//! How little an empty organisation takes, on the disk and in open files.

use std::time::Duration;

use testing::{TestHouse, Wish};

/// What a file takes on the disk, with all that belongs to it.
fn size_of(path: &std::path::Path) -> u64 {
    ["", "-wal", "-shm"]
        .iter()
        .filter_map(|suffix| std::fs::metadata(format!("{}{suffix}", path.display())).ok())
        .map(|found| std::os::unix::fs::MetadataExt::blocks(&found) * 512)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_organisation_takes_at_most_200_kib() {
    let house = TestHouse::sqlite_with(Wish { open_files: 1, ..Wish::default() }).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let [first, second] = [&ann, &bob].map(|client| {
        let hex = client.org.strip_prefix("org_").expect("an id");
        house.data().join("orgs").join(&hex[30..]).join(format!("{hex}.db"))
    });
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
