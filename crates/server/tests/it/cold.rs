//! Organisations that nobody uses: their files go into a bucket and come back with the first use, whole, once, and to nobody else.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use testing::process::files_below;
use testing::{Bucket, Client, TestHouse, Wish, alarms, metric};

use crate::answers::{bring, collection};
use crate::erasures::erase;

const DAY: Duration = Duration::from_hours(24);
const TEXT: &str = "# Berths\n\nA berth for one night costs twelve euros.\n";

async fn house(bucket: &Bucket) -> TestHouse {
    TestHouse::sqlite_with(Wish { bucket: Some(bucket.settings.clone()), ..Wish::default() }).await
}

/// Somebody with a document.
async fn somebody(house: &TestHouse, name: &str) -> Client {
    let who = house.sign_up(name).await;
    let place = collection(&who, "project").await;
    bring(&who, &place, "berths.md", TEXT).await;
    who
}

/// The file of somebody's organisation, and its stub.
fn places(house: &TestHouse, who: &Client) -> (PathBuf, PathBuf) {
    let hex = who.org.trim_start_matches("org_").replace('-', "");
    let file = house.data().join("orgs").join(&hex[30..]).join(format!("{hex}.db"));
    let stub = file.with_extension("cold");
    (file, stub)
}

/// Lets so many days go by, and files go that nobody used for half of them; says how many went.
async fn cool(house: &TestHouse, days: u32) -> usize {
    house.clock.advance(DAY * days);
    house.store().freeze_unused(house.clock_now() - DAY * (days / 2), 100).await.expect("looked")
}

/// The names of files of organisations in the bucket.
fn cold(bucket: &Bucket) -> Vec<String> {
    bucket.objects().into_iter().filter(|name| name.rsplit('.').next() == Some("cold")).collect()
}

async fn finds(who: &Client) -> bool {
    who.post("/api/v1/search", &json!({ "query": "berth euros" })).await.expect(200).text.contains("twelve")
}

/// Waits until nothing of what moved is left in the bucket.
async fn settled(house: &TestHouse, bucket: &Bucket) {
    let gone = async {
        while !(cold(bucket).is_empty() && stubs(house).is_empty()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it settles");
}

/// The stubs of all organisations that are cold.
fn stubs(house: &TestHouse) -> Vec<PathBuf> {
    let mut found = files_below(&house.data().join("orgs"));
    found.retain(|path| path.extension().is_some_and(|ending| ending == "cold"));
    found
}

async fn noted(olga: &Client, org: &str) -> bool {
    let shown = olga.get(&format!("/api/v1/operator/orgs/{org}")).await.expect(200).json;
    let listed = olga.get("/api/v1/operator/orgs").await.expect(200).json;
    let listed = listed["data"].as_array().expect("a list").iter().find(|one| one["id"] == *org).expect("listed");
    assert_eq!((&shown["cold_since"], &shown["cold_bytes"]), (&listed["cold_since"], &listed["cold_bytes"]));
    shown["cold_since"].is_string()
}

async fn is_whole(house: &TestHouse, who: &Client) {
    let org = who.org.parse().expect("an id");
    assert_eq!(house.store().org_faults(org).await.expect("looked"), Vec::<String>::new());
    assert_eq!(house.store().knowledge_faults(org).await.expect("looked"), Vec::<String>::new());
    assert_eq!(house.store().verify_org(org).await.expect("verified").fault, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_nobody_uses_goes_and_comes_back_with_the_first_use() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let (ann, bob) = (somebody(&house, "Ann").await, somebody(&house, "Bob").await);
    let (file, stub) = places(&house, &ann);
    let bytes = std::fs::metadata(&file).expect("it is there").len();
    assert_eq!(house.store().freeze_unused(house.clock_now() - DAY, 100).await.expect("looked"), 0, "all are in use");
    house.clock.advance(DAY * 20);
    let bob = house.signed_in_again(&bob).await;
    assert!(finds(&bob).await);
    house.clock.advance(DAY * 5);
    assert!(house.store().freeze_unused(house.clock_now() - DAY * 10, 100).await.expect("looked") >= 1);
    assert!(!file.exists() && stub.exists() && places(&house, &bob).0.exists(), "Bob used his");
    let org = ann.org.parse().expect("an id");
    assert_eq!(stubs(&house), std::slice::from_ref(&stub));
    assert_eq!(
        house.store().cold_faults(org).await.expect("looked"),
        Some(Vec::new()),
        "it is there, and was not woken"
    );
    let hex = ann.org.trim_start_matches("org_").replace('-', "");
    let name = cold(&bucket).into_iter().find(|name| name.contains(&hex)).expect("its object");
    assert!(bucket.get(&name).len() as u64 > bytes, "all of it, sealed once more");
    let olga = house.operator("Olga").await;
    assert!(noted(&olga, &ann.org).await && !noted(&olga, &bob.org).await);
    assert!(!file.exists(), "an operator who looks at it wakes nobody");
    // The first use brings it back, to many at once.
    let before = metric("rowhouse_thaws_total");
    let ann = house.signed_in_again(&ann).await;
    let found = join_all((0..10).map(|_| finds(&ann))).await;
    assert!(found.into_iter().all(|found| found));
    assert!((metric("rowhouse_thaws_total") - before - 1.0).abs() < 0.1, "once");
    assert!(metric("rowhouse_thaw_seconds_count") >= 1.0 && metric("rowhouse_freezes_total") >= 1.0);
    assert!(file.exists() && !stub.exists());
    is_whole(&house, &ann).await;
    let gone = async {
        while cold(&bucket).iter().any(|name| name.contains(&hex)) || noted(&olga, &ann.org).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the object goes");
    // And once more.
    let place = collection(&ann, "project").await;
    bring(&ann, &place, "more.md", "# Cranes\n\nThe crane lifts forty tonnes.\n").await;
    assert!(cool(&house, 40).await >= 2);
    let ann = house.signed_in_again(&ann).await;
    assert!(finds(&ann).await);
    is_whole(&house, &ann).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_had_stops_its_organisation_and_nobody_else() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let (ann, bob) = (somebody(&house, "Ann").await, somebody(&house, "Bob").await);
    assert_eq!(cool(&house, 40).await, 2);
    let own = |who: &Client| {
        let hex = who.org.trim_start_matches("org_").replace('-', "");
        cold(&bucket).into_iter().find(move |name| name.contains(&hex)).expect("its object")
    };
    let (name, bobs) = (own(&ann), own(&bob));
    let (good, other) = (bucket.get(&name), bucket.get(&bobs));
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let ann = house.signed_in_again(&ann).await;
    for (harm, what) in [
        (None, "not in the bucket"),
        (Some(&flipped[..]), "does not open"),
        (Some(&good[..good.len() - 1]), "does not open"),
        (Some(&other[..]), "does not open"),
    ] {
        match harm {
            Some(bytes) => bucket.put(&name, bytes),
            None => bucket.delete(&name),
        }
        // It is believed for a moment that it cannot be had as before.
        let told = async {
            while !alarms(&ann.org).last().is_some_and(|alarm| alarm.contains(what)) {
                assert_eq!(ann.get("/api/v1/collections").await.expect(503).code(), "organisation_unavailable");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.unwrap_or_else(|_| panic!("told: {what}"));
        assert!(!places(&house, &ann).0.exists(), "nothing half");
    }
    assert_eq!(alarms(&ann.org).len(), 2, "each state is told once: {:?}", alarms(&ann.org));
    let org = ann.org.parse().expect("an id");
    bucket.put(&name, &good[..good.len() - 1]);
    assert_eq!(house.store().cold_faults(org).await.expect("looked").map(|faults| faults.len()), Some(1));
    let bob = house.signed_in_again(&bob).await;
    assert!(finds(&bob).await, "others go on");
    bucket.put(&name, &good);
    let back = async {
        while ann.get("/api/v1/collections").await.status == 503 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), back).await.expect("it serves again");
    assert!(finds(&ann).await);
    is_whole(&house, &ann).await;
    assert!(
        std::fs::read_dir(places(&house, &ann).0.parent().expect("a folder")).expect("listed").count() <= 3,
        "no drafts"
    );
}

/// What a server that was killed leaves at each step, put there by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_crash_leaves_there_is_one_truth() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let ann = somebody(&house, "Ann").await;
    let (file, stub) = places(&house, &ann);
    let mut ann = ann;
    // Whether the stub is there, whether the object is, and whether the next thing that happens is somebody's use or the round.
    for (with_stub, with_object, is_used) in [
        (true, true, true),
        (true, false, true),
        (false, true, true),
        (false, true, false),
        (false, false, false),
        (true, true, false),
    ] {
        let case = format!("stub {with_stub}, object {with_object}, used {is_used}");
        house.clock.advance(DAY * 40);
        house.store().close_idle_files(house.clock_now()).await.expect("closed");
        let held = std::fs::read(&file).expect("it is there");
        assert_eq!(house.store().freeze_unused(house.clock_now() - DAY * 20, 10).await.expect("looked"), 1, "{case}");
        assert!(!file.exists() && stub.exists());
        std::fs::write(&file, &held).expect("put back");
        if !with_stub {
            std::fs::remove_file(&stub).expect("removed");
        }
        if !with_object {
            bucket.delete(&cold(&bucket)[0]);
        }
        std::fs::write(file.with_extension("0011.thaw"), b"half").expect("left");
        if is_used {
            ann = house.signed_in_again(&ann).await;
            assert!(finds(&ann).await, "{case}");
        }
        house.store().settle_moves().await.expect("settled");
        if with_stub && !is_used {
            // Of a file that nobody used: it goes once more.
            assert!(file.exists() && stub.exists());
            ann = house.signed_in_again(&ann).await;
        }
        ann = house.signed_in_again(&ann).await;
        assert!(finds(&ann).await, "{case}");
        house.store().settle_moves().await.expect("settled");
        settled(&house, &bucket).await;
        assert!(file.exists() && !stub.exists(), "{case}");
        is_whole(&house, &ann).await;
    }
    // A file that was lost after it came back is lost, and no older one takes its place.
    house.store().close_idle_files(house.clock_now() + DAY).await.expect("closed");
    std::fs::remove_file(&file).expect("lost");
    assert_eq!(ann.get("/api/v1/collections").await.expect(503).code(), "organisation_unavailable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_organisation_that_was_cold_leaves_nothing() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let (ann, bob) = (somebody(&house, "Ann").await, somebody(&house, "Bob").await);
    ann.delete(&format!("/api/v1/orgs/{}?confirm=Ann's%20house", ann.org)).await.expect(200);
    let (file, stub) = places(&house, &ann);
    house.clock.advance(DAY * 20);
    // What is on its way to the two is delivered meanwhile, which is a use.
    let gone = async {
        while file.exists() || places(&house, &bob).0.exists() {
            house.store().freeze_unused(house.clock_now() + DAY, 10).await.expect("looked");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("both go");
    std::fs::write(file.with_extension("0011.thaw"), b"half").expect("left");
    erase(&house).await;
    let org = ann.org.parse().expect("an id");
    assert_eq!(house.store().remains(org).await.expect("looked"), Vec::<String>::new());
    assert!(!file.exists() && !stub.exists());
    let hex = ann.org.trim_start_matches("org_").replace('-', "");
    assert!(!bucket.objects().iter().any(|name| name.contains(&hex)));
    let bob = house.signed_in_again(&bob).await;
    assert!(finds(&bob).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_wakes_a_cold_organisation() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let ann = somebody(&house, "Ann").await;
    let place =
        ann.get("/api/v1/collections").await.expect(200).json["data"][0]["id"].as_str().expect("an id").to_owned();
    ann.patch(&format!("/api/v1/collections/{place}"), &json!({ "retain_days": 30 })).await.expect(200);
    // A day after it was set the rule is looked at for the first time.
    house.store().close_idle_files(house.clock_now() + DAY).await.expect("closed");
    house.clock.advance(DAY * 2);
    house.store().wake_workers();
    let (file, _) = places(&house, &ann);
    let looked = async {
        while house.store().open_files() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        house.clock.advance(DAY * 18);
        while house.store().freeze_unused(house.clock_now() - DAY * 10, 10).await.expect("looked") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looked).await.expect("it was looked at, and the file went");
    assert!(!file.exists());
    house.clock.advance(DAY * 11);
    house.store().wake_workers();
    let woken = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), woken).await.expect("the rule wakes it");
    let ann = house.signed_in_again(&ann).await;
    let gone = async {
        while finds(&ann).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("and is followed");
}

/// Keeping house is no use: who is cold sleeps on, and who is not becomes cold as if nobody had looked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeping_house_wakes_nobody_and_keeps_nobody_awake() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let (ann, bob) = (somebody(&house, "Ann").await, somebody(&house, "Bob").await);
    house.store().close_idle_files(house.clock_now() + DAY).await.expect("closed");
    house.clock.advance(DAY * 40);
    let looks = async |who: &Client| {
        let org = who.org.parse().expect("an id");
        let mut looked = false;
        let look = async {
            let scope = house.store().serve(org).await.expect("served");
            looked = house.store().open(&scope).read().await.is_ok();
        };
        house.store().keep_house(org, look).await.expect("kept");
        looked
    };
    assert!(looks(&ann).await);
    let since = house.clock_now() - DAY * 20;
    // A worker that looks at one of them just now makes it wait for the next round.
    let mut frozen = 0;
    for _ in 0..100 {
        frozen += house.store().freeze_unused(since, 10).await.expect("looked");
        if frozen == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(frozen, 2, "it was no use");
    assert!(!looks(&ann).await && !places(&house, &ann).0.exists(), "she sleeps on");
    // Who is there meanwhile uses it all the same.
    let bob = house.signed_in_again(&bob).await;
    assert!(finds(&bob).await && looks(&bob).await);
    assert_eq!(house.store().freeze_unused(since, 10).await.expect("looked"), 0);
    let ann = house.signed_in_again(&ann).await;
    assert!(finds(&ann).await);
    is_whole(&house, &ann).await;
}

/// Somebody writes while the file goes, again and again: it stays or comes back, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_while_the_file_goes_loses_nothing() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(&bucket).await;
    let ann = somebody(&house, "Ann").await;
    let mut went = 0;
    for n in 0..15 {
        // All is unused for whoever looks from so far ahead.
        let since = house.clock_now() + DAY * 400;
        let body = json!({ "name": format!("C{n}") });
        let (made, moved) =
            tokio::join!(ann.post("/api/v1/collections", &body), house.store().freeze_unused(since, 10));
        made.expect(201);
        went += moved.expect("looked");
    }
    let listed = ann.get("/api/v1/collections").await.expect(200).json["data"].as_array().map(Vec::len);
    assert_eq!(listed, Some(16), "it went {went} times");
    is_whole(&house, &ann).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_rows_stay_where_they_are() {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = TestHouse::postgres_with(Wish { bucket: Some(bucket.settings.clone()), ..Wish::default() }).await;
    let ann = somebody(&house, "Ann").await;
    assert_eq!(cool(&house, 40).await, 0);
    assert!(cold(&bucket).is_empty());
    let ann = house.signed_in_again(&ann).await;
    assert!(finds(&ann).await);
}
