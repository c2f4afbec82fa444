#![expect(clippy::print_stderr, reason = "how often it was killed, and in what, is worth knowing when it fails")]
//! `kill -9` while files of organisations go into the bucket and come back: afterwards each organisation answers with all its documents,
//! `rowhouse doctor` is content after each kill, and of what was on its way nothing is left. A server that starts wakes nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use store::Engine;
use testing::process::{files_below, send, send_keyed};
use testing::{Bucket, Piece, Server, Way};

use crate::kill_documents::{kill, roll, settled};
use crate::shop::{Owner, Shop, post};

/// Whose organisations' files move.
const NAMES: [&str; OWNERS] = ["Ann", "Bob", "Cleo", "Dora", "Emil", "Fay", "Gerda", "Hugo"];
const OWNERS: usize = 8;
/// Kills.
const KILLS: usize = 20;
/// People who use them meanwhile.
const WORKERS: usize = 2;
/// The same moments in each run.
const SEED: u64 = 0xC01D_2026;
/// How long ago a file was used that goes.
const LONG_AGO: Duration = Duration::from_hours(30 * 24);
/// However slow the machine is, what is waited for comes.
const LIMIT: Duration = Duration::from_mins(1);

/// Somebody, and where they put their documents.
struct Tenant {
    owner: Owner,
    place: String,
    /// A word that stands in all their documents, and in nobody else's.
    word: String,
    /// The documents that were acknowledged: their names and ids.
    seen: Mutex<BTreeMap<String, String>>,
}

impl Tenant {
    fn of(server: &Server, name: &str) -> Self {
        let owner = Shop::owner(server, name);
        let place = post(server, &owner.token, "/api/v1/collections", &json!({ "name": "Harbour" }));
        let word = format!("{}wharf", name.to_lowercase());
        Self { owner, place: place.str("/id").to_owned(), word, seen: Mutex::default() }
    }

    /// Brings a document. Whoever is killed, or is busy with bringing the file back, says nothing.
    fn brings(&self, address: &str, name: &str) {
        let path = format!("/api/v1/collections/{}/documents/text", self.place);
        let text = format!("At the {} a berth called {name} costs twelve euros.", self.word);
        let body = json!({ "title": name, "text": text });
        let Ok(reply) = send_keyed(address, "POST", &path, Some(&self.owner.token), Some(&body), Some(name)) else {
            return;
        };
        if reply.status == 503 {
            assert_eq!(reply.str("/error/code"), "busy", "{reply:?}");
            return;
        }
        assert_eq!(reply.status, 202, "{reply:?}");
        let id = reply.str("/document/id").to_owned();
        self.seen.lock().expect("nobody panics with it").insert(format!("{name}.txt"), id);
    }

    /// Looks for what they have, and says what came.
    fn searches(&self, address: &str) -> Option<String> {
        let body = json!({ "query": format!("a berth at the {}", self.word), "limit": 100 });
        let reply = send(address, "POST", "/api/v1/search", Some(&self.owner.token), Some(&body)).ok()?;
        if reply.status == 503 {
            assert_eq!(reply.str("/error/code"), "busy", "{reply:?}");
            return None;
        }
        assert_eq!(reply.status, 200, "{reply:?}");
        Some(reply.text)
    }

    /// The file of the organisation, and its stub.
    fn places(&self, shop: &Shop) -> (PathBuf, PathBuf) {
        let hex = self.owner.org.trim_start_matches("org_");
        let file = shop.path().join("data/orgs").join(&hex[30..]).join(format!("{hex}.db"));
        let stub = file.with_extension("cold");
        (file, stub)
    }

    fn is_cold(&self, shop: &Shop) -> bool {
        let (file, stub) = self.places(shop);
        !file.exists() && stub.exists()
    }
}

/// A shop whose originals and cold files lie in a bucket that is spoken to over an address.
fn with_bucket(bucket: &Bucket, address: &str) -> Shop {
    let shop = Shop::open(Engine::Sqlite);
    let settings = shop.path().join("rowhouse.toml");
    let known = std::fs::read_to_string(&settings).expect("settings");
    let (name, folder) = (&bucket.settings.name, &bucket.settings.folder);
    let more = format!(
        "s3_url = 's3://{name}/{folder}'\ns3_endpoint = 'http://{address}'\ns3_access_key = 'access'\n\
         s3_secret_key = 'secret-of-the-bucket'\ncold_after = 1\nopen_files = 4\n"
    );
    std::fs::write(&settings, known + &more).expect("written");
    shop
}

/// As if nobody had used an organisation for long.
fn age(path: &Path) {
    let file = std::fs::File::open(path).expect("it is there");
    let used = file.metadata().and_then(|about| about.modified()).expect("its time");
    file.set_modified(used - LONG_AGO).expect("noted");
}

fn files_of_organisations(shop: &Shop, ending: &str) -> Vec<PathBuf> {
    let mut found = files_below(&shop.path().join("data/orgs"));
    found.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    found
}

/// Whether an object is the file of an organisation.
fn is_cold(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "cold")
}

/// The files of organisations in the bucket.
fn cold(bucket: &Bucket) -> Vec<String> {
    bucket.objects().into_iter().filter(|name| is_cold(name)).collect()
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_kill_while_files_go_into_the_bucket_and_come_back_loses_nothing() {
    let Some(bucket) = Bucket::fresh() else { return };
    let shop = with_bucket(&bucket, &bucket.address);
    let server = shop.start();
    let tenants: Vec<Tenant> = NAMES.iter().map(|name| Tenant::of(&server, name)).collect();
    for tenant in &tenants {
        tenant.brings(&server.address, "first");
        settled(&server, &tenant.owner, &tenant.place);
    }
    assert_eq!(server.terminate().0, Some(0));
    let (mut dice, next) = (SEED, AtomicUsize::new(0));
    let (mut went, mut came, mut midway) = (0, 0, 0);
    for _ in 0..KILLS {
        let before: BTreeSet<usize> = (0..OWNERS).filter(|n| tenants[*n].is_cold(&shop)).collect();
        for file in files_of_organisations(&shop, "db") {
            age(&file);
        }
        // What is unused goes as soon as the server is there; others use some of it, now or a moment later.
        let server = shop.start();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                let (mut dice, tenants, next, over, address) =
                    (roll(&mut dice, u64::MAX >> 33), &tenants, &next, &over, &server.address);
                scope.spawn(move || {
                    while !over.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(roll(&mut dice, 300)));
                        let tenant = &tenants[usize::try_from(roll(&mut dice, OWNERS as u64)).expect("small")];
                        if roll(&mut dice, 4) == 0 {
                            tenant.brings(address, &format!("paper{}", next.fetch_add(1, Ordering::SeqCst)));
                        } else {
                            tenant.searches(address);
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(roll(&mut dice, 2_000)));
            kill(&server);
            over.store(true, Ordering::SeqCst);
        });
        drop(server);
        let after: BTreeSet<usize> = (0..OWNERS).filter(|n| tenants[*n].is_cold(&shop)).collect();
        went += after.difference(&before).count();
        came += before.difference(&after).count();
        let stubs = files_of_organisations(&shop, "cold").len();
        let on_its_way =
            files_of_organisations(&shop, "thaw").len() + files_of_organisations(&shop, "cold-draft").len();
        midway += usize::from(on_its_way > 0 || stubs != after.len() || cold(&bucket).len() != after.len());
        // An original that was brought when it was killed, and of which nothing is known, goes with the next start.
        let (_, text) = shop.doctor();
        let stray = |line: &str| line.ends_with(" originals belong to nothing") && !line.contains(';');
        assert!(!text.lines().any(|line| line.starts_with("FAIL") && !stray(line)), "{text}");
    }
    eprintln!("{KILLS} kills, {midway} in the middle of a move; {went} files went, {came} came back");
    assert!(went >= OWNERS && came >= OWNERS / 2 && midway > 0, "the kills met too little");

    let server = shop.start();
    let mut documents = 0;
    for tenant in &tenants {
        let all = settled(&server, &tenant.owner, &tenant.place);
        let seen = tenant.seen.lock().expect("nobody panics with it");
        for (name, id) in &*seen {
            let document = all.get(id).unwrap_or_else(|| panic!("{name} was acknowledged, and is gone"));
            assert_eq!((document["status"].as_str(), document["name"].as_str()), (Some("ready"), Some(name.as_str())));
        }
        documents += all.len();
        let mut names: Vec<&str> = all.values().filter_map(|document| document["name"].as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "none came twice");
        let found = tenant.searches(&server.address).expect("it answers");
        for id in all.keys() {
            assert!(found.contains(id), "{id} is not found: {found}");
        }
        for other in tenants.iter().filter(|other| other.word != tenant.word) {
            assert!(!found.contains(&other.word), "{found}");
        }
    }
    // All are back, and of the ways there and back nothing is left.
    wait_for("the bucket holds no file of an organisation any more", || cold(&bucket).is_empty());
    assert_eq!(files_of_organisations(&shop, "cold"), Vec::<PathBuf>::new());
    assert_eq!(server.terminate().0, Some(0));
    // Now that all are there, a start takes away what nothing needs.
    let server = shop.start();
    wait_for("each document has its original, and there is no other", || bucket.objects().len() == documents);
    assert_eq!(server.terminate().0, Some(0));
    let (whole, text) = shop.doctor();
    assert!(whole && text.contains(&format!("{OWNERS} are whole")) && !text.contains("are cold"), "{text}");
    let left: Vec<PathBuf> = files_below(&shop.path().join("data/orgs"));
    assert_eq!(left.len(), OWNERS, "files, and nothing beside them: {left:?}");
}

#[test]
fn a_server_that_starts_leaves_cold_organisations_asleep() {
    let Some(bucket) = Bucket::fresh() else { return };
    let way = Overheard::to(&bucket.address);
    let shop = with_bucket(&bucket, &way.address);
    let server = shop.start();
    let tenants = ["Ann", "Bob", "Cleo"].map(|name| Tenant::of(&server, name));
    for tenant in &tenants {
        tenant.brings(&server.address, "first");
        settled(&server, &tenant.owner, &tenant.place);
    }
    assert_eq!(server.terminate().0, Some(0));
    let sleepers = &tenants[..2];
    for tenant in sleepers {
        age(&tenant.places(&shop).0);
    }
    let server = shop.start();
    wait_for("both are cold", || sleepers.iter().all(|tenant| tenant.is_cold(&shop)));
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(cold(&bucket).len(), 2);

    // The third goes as soon as the server that starts has looked through all of them.
    age(&tenants[2].places(&shop).0);
    way.asked.lock().expect("nobody panics with it").clear();
    let server = shop.start();
    wait_for("the third is cold, too", || tenants[2].is_cold(&shop));
    let open = server.send("GET", "/readyz", None, None).expect("answered");
    assert_eq!(open.status, 200, "{open:?}");
    let awake = || -> Vec<&str> {
        tenants.iter().filter(|tenant| !tenant.is_cold(&shop)).map(|tenant| tenant.word.as_str()).collect()
    };
    assert_eq!(awake(), Vec::<&str>::new());
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(way.fetched(), Vec::<String>::new(), "nothing was brought back");
    let (whole, text) = shop.doctor();
    assert!(whole && text.contains("3 are cold"), "{text}");
    assert_eq!(awake(), Vec::<&str>::new());

    // Whoever comes wakes their own, and nobody else's. The doctor looked at the beginnings of all.
    way.asked.lock().expect("nobody panics with it").clear();
    let server = shop.start();
    let found = tenants[0].searches(&server.address).expect("it answers");
    assert!(found.contains("annwharf") && !found.contains("bobwharf"), "{found}");
    let hex = tenants[0].owner.org.trim_start_matches("org_");
    let fetched = way.fetched();
    assert!(!fetched.is_empty() && fetched.iter().all(|path| path.contains(hex)), "{fetched:?}");
    assert_eq!(awake(), ["annwharf"]);
    assert_eq!(server.terminate().0, Some(0));
}

/// What is asked for on a way to the bucket.
struct Overheard {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Overheard {
    fn to(bucket: &str) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = asked.clone();
        let way = Way::to(bucket, move |bytes| {
            // A head comes in one piece, or begins with one that says enough.
            let begun = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).into_owned();
            if let Some(path) = begun.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()) {
                heard.lock().expect("nobody panics with it").push(path.to_owned());
            }
            Piece::Passes
        });
        Self { address: way.address.to_string(), asked }
    }

    /// Files of organisations that were asked for.
    fn fetched(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("nobody panics with it");
        asked.iter().filter(|path| path.split('?').next().is_some_and(is_cold)).cloned().collect()
    }
}
