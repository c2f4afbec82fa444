//! Originals in a bucket, at a real server that speaks S3: sealed there as on a disk, whole or not at all, and gone with what they are of.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use store::blobs::BucketSettings;
use store::org::knowledge::originals;
use store::{Engine, Place, Scope, Store};
use testing::{Answer, Bucket, Client, Piece, TestHouse, Way, Wish};
use tokio::task::JoinHandle;

use crate::erasures::erase;

/// More than goes up in one piece, and no multiple of anything.
const LARGE: usize = (5 << 20) + 12_345;

async fn house(engine: Engine, bucket: BucketSettings) -> TestHouse {
    let wish = Wish { bucket: Some(bucket), ..Wish::default() };
    match engine {
        Engine::Sqlite => TestHouse::sqlite_with(wish).await,
        Engine::Postgres => TestHouse::postgres_with(wish).await,
    }
}

macro_rules! on_both_with_a_bucket {
    ($($name:ident: $test:path;)+) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $test(store::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $test(store::Engine::Postgres).await;
            }
        })+
    };
}

on_both_with_a_bucket! {
    an_original_lies_sealed_in_the_bucket_and_nowhere_else: super::sealed;
    what_is_damaged_or_gone_in_the_bucket_is_said: super::damaged;
    what_belongs_to_nothing_is_taken_out_of_the_bucket: super::orphans;
    who_comes_while_much_is_taken_out_waits_for_a_turn_and_not_for_all: super::long_sweep;
    an_erased_organisation_has_nothing_in_the_bucket: super::erased;
}

async fn collection(who: &Client) -> String {
    who.post("/api/v1/collections", &json!({ "name": "Handbook" })).await.expect(201).str("/id").to_owned()
}

async fn send(who: &Client, collection: &str, name: &str, bytes: &[u8]) -> Answer {
    who.upload(&format!("/api/v1/collections/{collection}/documents"), name, bytes).await
}

async fn bring(who: &Client, collection: &str, name: &str, bytes: &[u8]) -> String {
    let sent = send(who, collection, name, bytes).await.expect(202);
    format!("/api/v1/documents/{}", sent.str("/document/id"))
}

/// So many bytes that are no text, so that nobody spends time on reading them.
fn long(size: usize) -> String {
    let mut text = "\0".repeat(16);
    text.extend((0..=size / 10).map(|n| format!("line {n:05}\n")));
    text.truncate(size);
    text
}

fn on_this_disk(house: &TestHouse) -> usize {
    testing::process::files_below(&house.settings().blobs).len()
}

async fn faults(house: &TestHouse, who: &Client) -> Vec<String> {
    house.store().knowledge_faults(who.org.parse().expect("an id")).await.expect("looked")
}

async fn sealed(engine: Engine) {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(engine, bucket.settings.clone()).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let (place, bobs) = (collection(&ann).await, collection(&bob).await);
    let (small, large) = (long(5_000), long(LARGE));
    let one = bring(&ann, &place, "small.bin", small.as_bytes()).await;
    let two = bring(&ann, &place, "large.bin", large.as_bytes()).await;
    bring(&bob, &bobs, "small.bin", small.as_bytes()).await;
    let objects = bucket.objects();
    assert_eq!((objects.len(), bucket.uploads().len(), on_this_disk(&house)), (3, 0, 0), "{objects:?}");
    let under = |who: &Client| {
        let hex = who.org.trim_start_matches("org_").replace('-', "");
        format!("of/rowhouse/{}/{hex}/", &hex[30..])
    };
    assert_eq!(objects.iter().filter(|name| name.starts_with(&under(&ann))).count(), 2, "{objects:?}");
    assert_eq!(objects.iter().filter(|name| name.starts_with(&under(&bob))).count(), 1, "{objects:?}");
    let mut sizes = Vec::new();
    for name in &objects {
        let bytes = bucket.get(name);
        assert!(!bytes.windows(6).any(|six| six == b"line 0"), "{name} is sealed");
        sizes.push(bytes.len());
    }
    sizes.sort_unstable();
    let sealed = |size: usize| 16 + size + size.div_ceil(store::blobs::PART) * 28;
    assert_eq!(sizes, [sealed(5_000), sealed(5_000), sealed(LARGE)]);
    // It comes back, whole and in parts.
    assert!(ann.get(&format!("{one}/original")).await.expect(200).text == small);
    assert!(ann.get(&format!("{two}/original")).await.expect(200).text == large);
    let part = ann.with("range", "bytes=5000000-5000009").get(&format!("{two}/original")).await.expect(206);
    assert_eq!(part.text, large[5_000_000..5_000_010]);
    // The same file once more is kept once.
    let again = send(&ann, &place, "again.bin", small.as_bytes()).await.expect(202);
    assert_eq!(format!("/api/v1/documents/{}", again.str("/document/id")), one);
    assert_eq!(bucket.objects().len(), 3);
    // What is read into words comes from there, too.
    let text = bring(&ann, &place, "travel.md", b"# Travel\n\nA hotel night in Oslo may cost up to 210 euros.\n").await;
    crate::answers::settled(&ann, text.rsplit('/').next().expect("an id")).await;
    assert!(ann.post("/api/v1/search", &json!({ "query": "hotel night" })).await.expect(200).text.contains("Oslo"));
    assert_eq!(faults(&house, &ann).await, Vec::<String>::new());
    // A deleted document takes its original with it, and no other.
    let there = bucket.objects().len();
    ann.delete(&two).await.expect(204);
    assert_eq!((bucket.objects().len(), faults(&house, &ann).await.len()), (there - 1, 0));
    assert!(ann.get(&format!("{one}/original")).await.expect(200).text == small);
}

async fn damaged(engine: Engine) {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(engine, bucket.settings.clone()).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    let text = long(2 * store::blobs::PART + 99);
    let document = bring(&ann, &place, "file.bin", text.as_bytes()).await;
    let name = bucket.objects().remove(0);
    let good = bucket.get(&name);
    let mut flipped = good.clone();
    flipped[store::blobs::PART + 500] ^= 1;
    let id = document.rsplit('/').next().expect("an id");
    for harm in [Some(&flipped[..]), Some(&good[..good.len() - 1]), Some(&good[..7]), None] {
        match harm {
            Some(bytes) => bucket.put(&name, bytes),
            None => bucket.delete(&name),
        }
        let told = testing::alarms(id).len();
        assert_eq!(ann.get(&format!("{document}/original")).await.expect(503).code(), "original_lost");
        assert_eq!(testing::alarms(id).len(), told + 1);
    }
    assert_eq!(faults(&house, &ann).await, ["1 originals are missing"]);
    bucket.put(&name, &good);
    assert!(ann.get(&format!("{document}/original")).await.expect(200).text == text);
    assert_eq!(faults(&house, &ann).await, Vec::<String>::new());
    bucket.put(&format!("{}/stray", name.rsplit_once('/').expect("a folder").0), b"stray");
    assert_eq!(faults(&house, &ann).await, ["1 originals belong to nothing"]);
}

/// A way to the server that breaks when something stands in what is sent, as long as it is told to.
struct Flaky {
    address: SocketAddr,
    broken: Arc<AtomicBool>,
    breaks: Arc<AtomicUsize>,
}

impl Flaky {
    fn to(server: &str, on: &'static str) -> Self {
        Self::with(server, on, Piece::Breaks)
    }

    /// One that says nothing instead, and stays.
    fn mute(server: &str, on: &'static str) -> Self {
        Self::with(server, on, Piece::Vanishes)
    }

    fn with(server: &str, on: &'static str, harm: Piece) -> Self {
        let (broken, breaks) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (is_broken, counted) = (broken.clone(), breaks.clone());
        let way = Way::to(server, move |bytes| {
            let said = bytes.windows(on.len()).any(|some| some == on.as_bytes());
            if said && is_broken.load(Ordering::SeqCst) {
                counted.fetch_add(1, Ordering::SeqCst);
                return harm;
            }
            Piece::Passes
        });
        Self { address: way.address, broken, breaks }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_original_that_cannot_go_up_is_no_document() {
    let Some(bucket) = Bucket::fresh() else { return };
    let flaky = Flaky::to(&bucket.address, "partNumber=2");
    let house = house(Engine::Sqlite, bucket.over(&flaky.address.to_string())).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    let large = long(LARGE);
    let refused = send(&ann, &place, "large.bin", large.as_bytes()).await.expect(503);
    assert_eq!(refused.code(), "busy");
    assert!(flaky.breaks.load(Ordering::SeqCst) > 1, "it was tried more than once");
    assert_eq!(
        (bucket.objects(), bucket.uploads(), on_this_disk(&house)),
        (Vec::new(), Vec::new(), 0),
        "nothing is left"
    );
    let listed = ann.get(&format!("/api/v1/collections/{place}/documents")).await.expect(200);
    assert_eq!(listed.json["data"], json!([]));
    // Small ones go up in one, and the large one once the way is whole again.
    bring(&ann, &place, "small.bin", long(5_000).as_bytes()).await;
    flaky.broken.store(false, Ordering::SeqCst);
    let document = bring(&ann, &place, "large.bin", large.as_bytes()).await;
    assert!(ann.get(&format!("{document}/original")).await.expect(200).text == large);
    assert_eq!((bucket.objects().len(), bucket.uploads().len()), (2, 0));
}

/// A bucket that takes what it is told and does not answer holds nobody up for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_does_not_answer_holds_up_no_turn() {
    let Some(bucket) = Bucket::fresh() else { return };
    let mute = Flaky::mute(&bucket.address, "?delete");
    let house = house(Engine::Sqlite, bucket.over(&mute.address.to_string())).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    let document = bring(&ann, &place, "small.bin", long(5_000).as_bytes()).await;
    let began = std::time::Instant::now();
    let rename = format!("/api/v1/collections/{place}");
    let name = json!({ "name": "Other" });
    let (gone, renamed) = tokio::join!(ann.delete(&document), ann.patch(&rename, &name));
    assert_eq!((gone.status, renamed.status), (204, 200));
    assert!(mute.breaks.load(Ordering::SeqCst) > 0, "it was asked");
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(bucket.objects().len(), 1, "the original stays, sealed");
    mute.broken.store(false, Ordering::SeqCst);
    originals::sweep(house.store(), &house.scope(&ann).await).await;
    assert_eq!(bucket.objects().len(), 0);
}

async fn orphans(engine: Engine) {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(engine, bucket.settings.clone()).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    bring(&ann, &place, "kept.bin", long(5_000).as_bytes()).await;
    let kept = bucket.objects();
    let folder = kept[0].rsplit_once('/').expect("a folder").0.to_owned();
    // What a server that was killed leaves: an original that no row names, and an upload that goes on no more, with its note.
    let (stray, going_up) = (format!("{folder}/stray"), format!("{folder}/deadbeef"));
    bucket.put(&stray, b"stray");
    bucket.put(&format!("{going_up}.0011.upload"), bucket.begin_upload(&going_up).as_bytes());
    let elsewhere = "of/another/house".to_owned();
    bucket.put(&elsewhere, b"not ours");
    let with = |house: &TestHouse| house.store().clone();
    let store = with(&house);
    let orgs = tokio::task::spawn_blocking(move || store.with_blobs()).await.expect("ended").expect("listed");
    assert_eq!(orgs, [ann.org.parse().expect("an id")]);
    let scope = house.scope(&ann).await;
    originals::sweep(house.store(), &scope).await;
    let mut expected = vec![kept[0].clone(), format!("{going_up}.0011.upload"), elsewhere.clone()];
    let mut left = bucket.objects();
    expected.sort();
    left.sort();
    assert_eq!((left, bucket.uploads().len()), (expected, 1), "an upload of just now goes on");
    assert_eq!(faults(&house, &ann).await, Vec::<String>::new());
    house.clock.advance(Duration::from_hours(24 * 400));
    let ann = house.signed_in_again(&ann).await;
    assert_eq!(faults(&house, &ann).await, ["1 originals belong to nothing"]);
    originals::sweep(house.store(), &house.scope(&ann).await).await;
    let mut left = bucket.objects();
    left.sort();
    assert_eq!((left, bucket.uploads()), (vec![elsewhere, kept[0].clone()], Vec::new()));
}

/// A way to the bucket on which each removal takes a tenth of a second; and how many there were.
fn slow(bucket: &Bucket) -> (Way, Arc<AtomicUsize>) {
    let removals = Arc::new(AtomicUsize::new(0));
    let counted = removals.clone();
    let way = Way::to(&bucket.address, move |bytes| {
        if bytes.windows(7).any(|some| some == b"?delete") {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
        }
        Piece::Passes
    });
    (way, removals)
}

/// Begins to take out what belongs to nothing, of which there is as much as told and which stands before all originals in a list; waits for
/// the first removal.
async fn begin_sweeping(
    store: &Store,
    scope: &Scope,
    bucket: &Bucket,
    strays: usize,
    removals: &AtomicUsize,
) -> JoinHandle<()> {
    let folder = bucket.objects()[0].rsplit_once('/').expect("a folder").0.to_owned();
    for n in 0..strays {
        bucket.put(&format!("{folder}/-{n:02}"), b"stray");
    }
    let before = removals.load(Ordering::SeqCst);
    let (store, scope) = (store.clone(), scope.clone());
    let sweeping = tokio::spawn(async move { originals::sweep(&store, &scope).await });
    let begun = async {
        while removals.load(Ordering::SeqCst) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), begun).await.expect("something is taken out");
    sweeping
}

async fn long_sweep(engine: Engine) {
    let Some(bucket) = Bucket::fresh() else { return };
    let (way, removals) = slow(&bucket);
    let house = house(engine, bucket.over(&way.address.to_string())).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    bring(&ann, &place, "kept.bin", long(5_000).as_bytes()).await;
    let kept = bucket.objects();
    let scope = house.scope(&ann).await;
    let sweeping = begin_sweeping(house.store(), &scope, &bucket, 40, &removals).await;
    ann.patch(&format!("/api/v1/collections/{place}"), &json!({ "name": "Other" })).await.expect(200);
    assert!(bucket.objects().len() > kept.len(), "it came in between");
    sweeping.await.expect("ended");
    assert_eq!(bucket.objects(), kept);
}

/// What is needed again between being found and being removed is not removed, not even when the turn takes longer than the database waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_comes_again_while_it_is_taken_out_stays() {
    let Some(bucket) = Bucket::fresh() else { return };
    let (way, removals) = slow(&bucket);
    let house = house(Engine::Postgres, bucket.over(&way.address.to_string())).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    let text = long(5_000);
    let document = bring(&ann, &place, "again.bin", text.as_bytes()).await;
    let name = bucket.objects().remove(0);
    let sealed = bucket.get(&name);
    ann.delete(&document).await.expect(204);
    bucket.put(&name, &sealed);
    // Ten seconds otherwise: a turn in which nothing is said for so long is ended.
    let hasty = "SET idle_in_transaction_session_timeout = '2s'";
    let hasty = format!("ALTER ROLE rowhouse_app IN DATABASE {} {hasty}", house.database());
    house.raw().await.batch_execute(&hasty).await.expect("set");
    let (store, scope) = (house.another_store().await, house.scope(&ann).await);
    let sweeping = begin_sweeping(&store, &scope, &bucket, 30, &removals).await;
    let again = async {
        loop {
            let sent = send(&ann, &place, "again.bin", text.as_bytes()).await;
            if sent.status != 503 {
                return sent.expect(202);
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(20), again).await.expect("it comes in");
    sweeping.await.expect("ended");
    let document = format!("/api/v1/documents/{}", again.str("/document/id"));
    assert!(ann.get(&format!("{document}/original")).await.expect(200).text == text);
    assert_eq!(faults(&house, &ann).await.iter().filter(|fault| fault.contains("missing")).count(), 0);
}

async fn erased(engine: Engine) {
    let Some(bucket) = Bucket::fresh() else { return };
    let house = house(engine, bucket.settings.clone()).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    for who in [&ann, &bob] {
        let place = collection(who).await;
        bring(who, &place, "small.bin", long(5_000).as_bytes()).await;
    }
    let hex = ann.org.trim_start_matches("org_").to_owned();
    let folder = bucket.objects().into_iter().find(|name| name.contains(&hex)).expect("hers");
    let folder = folder.rsplit_once('/').expect("a folder").0.to_owned();
    let going_up = format!("{folder}/deadbeef");
    bucket.put(&format!("{going_up}.0011.upload"), bucket.begin_upload(&going_up).as_bytes());
    ann.delete(&format!("/api/v1/orgs/{}?confirm=Ann's%20house", ann.org)).await.expect(200);
    erase(&house).await;
    let left = bucket.objects();
    assert!(left.len() == 1 && !left[0].contains(&hex) && bucket.uploads().is_empty(), "{left:?}");
    let org = ann.org.parse().expect("an id");
    assert_eq!(house.store().remains(org).await.expect("looked"), Vec::<String>::new());
    // A receipt that says more than is true is found out.
    bucket.put(&format!("{folder}/back"), b"back");
    assert_eq!(house.store().remains(org).await.expect("looked"), ["1 originals"]);
}

/// A server that sends whoever asks elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_sends_nobody_elsewhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    let there = elsewhere.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    std::thread::spawn(move || {
        for _ in elsewhere.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = listener.local_addr().expect("an address");
    let redirected = Arc::new(AtomicUsize::new(0));
    let counted = redirected.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut bytes = vec![0; 64 << 10];
            if matches!(stream.read(&mut bytes), Ok(1..)) {
                counted.fetch_add(1, Ordering::SeqCst);
                let to = format!("location: http://{there}/bucket/of/rowhouse\r\n");
                let _ = stream.write_all(
                    format!("HTTP/1.1 307 Elsewhere\r\n{to}content-length: 0\r\nconnection: close\r\n\r\n").as_bytes(),
                );
            }
        }
    });
    let settings = BucketSettings {
        name: "bucket".into(),
        folder: String::new(),
        endpoint: format!("http://{here}"),
        region: "us-east-1".into(),
        access_key: "access".into(),
        secret_key: "secret-of-the-bucket".to_owned().into(),
        path_style: true,
    };
    let house = house(Engine::Sqlite, settings).await;
    assert!(matches!(house.settings().place, Place::Embedded { .. }));
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann).await;
    send(&ann, &place, "small.bin", long(5_000).as_bytes()).await.expect(503);
    assert!(redirected.load(Ordering::SeqCst) > 0);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody was asked elsewhere");
    assert!(!format!("{:?}", house.settings()).contains("secret-of-the-bucket"));
}
