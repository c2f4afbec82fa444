//! How little an empty organisation takes.

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
    assert_eq!(
        std::fs::read_dir(first.parent().expect("a folder")).expect("listed").count(),
        1,
        "closed, it is one file"
    );
}
