//! A damaged or missing file stops its own organisation, with a clear error and an alarm; all others go on, and a file that was
//! restored serves again without a restart.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::OrgId;
use serde_json::json;
use store::Turn;
use store::deliveries::Departure;
use testing::{Client, TestHouse, Wish};

/// The file of an organisation.
pub(crate) fn file_of(house: &TestHouse, client: &Client) -> PathBuf {
    let hex = client.org.strip_prefix("org_").expect("an id");
    house.data().join("orgs").join(&hex[30..]).join(format!("{hex}.db"))
}

async fn make_team(client: &Client, name: &str) {
    client.post("/api/v1/teams", &json!({ "name": name })).await.expect(201);
}

/// Every request about the organisation is refused in the same way: no data, no mistake of ours.
async fn is_stopped(client: &Client) {
    let before = client.get("/api/v1/teams").await.expect(503);
    assert_eq!(before.code(), "organisation_unavailable");
    let written = client.post("/api/v1/teams", &json!({ "name": "Lost" })).await.expect(503);
    assert_eq!(written.code(), "organisation_unavailable");
    let answer = client.get("/api/v1/audit").await;
    assert!([404, 503].contains(&answer.status), "{}", answer.text);
}

async fn serves(client: &Client, team: &str) {
    let teams = client.get("/api/v1/teams").await.expect(200);
    assert!(teams.text.contains(team), "{}", teams.text);
}

type Harm = fn(&Path, &Path);

const HARMS: [(&str, Harm); 9] = [
    ("cut in half", |file, _| truncate(file, 2)),
    ("cut to a page", |file, _| open(file).set_len(4096).expect("cut")),
    ("cut to nothing", |file, _| open(file).set_len(0).expect("cut")),
    ("overwritten with zeros", |file, _| zeros(file, 0)),
    ("the last page overwritten with zeros", |file, _| zeros(file, length(file) - 4096)),
    ("one bit flipped in the middle", |file, _| flip(file)),
    ("gone", |file, _| std::fs::remove_file(file).expect("removed")),
    ("replaced by another organisation's", |file, other| {
        std::fs::copy(other, file).expect("copied");
    }),
    ("replaced by an empty one", |file, _| {
        std::fs::remove_file(file).expect("removed");
        std::fs::write(file, "").expect("written");
    }),
];

fn open(file: &Path) -> std::fs::File {
    std::fs::OpenOptions::new().read(true).write(true).open(file).expect("opened")
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).expect("there").len()
}

fn truncate(file: &Path, part: u64) {
    open(file).set_len(length(file) / part).expect("cut");
}

fn zeros(file: &Path, from: u64) {
    let count = usize::try_from(length(file) - from).expect("small");
    open(file).write_all_at(&vec![0; count], from).expect("written");
}

fn flip(file: &Path) {
    let (opened, middle) = (open(file), length(file) / 2);
    let mut byte = [0];
    opened.read_exact_at(&mut byte, middle).expect("read");
    opened.write_all_at(&[byte[0] ^ 4], middle).expect("written");
}

/// Two organisations, of which one file at a time may be open: using one closes the other's.
async fn closing_house() -> (TestHouse, Client, Client) {
    let house = TestHouse::sqlite_with(Wish { open_files: 1, ..Wish::default() }).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    make_team(&ann, "Ann's team").await;
    make_team(&bob, "Bob's team").await;
    (house, ann, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_file_that_was_damaged_stops_its_organisation_alone() {
    let (house, ann, bob) = closing_house().await;
    let (file, other) = (file_of(&house, &ann), file_of(&house, &bob));
    for (harm, damage) in HARMS {
        serves(&bob, "Bob's team").await;
        let copy = std::fs::read(&file).expect("a copy");
        let (alarms, counted) = (testing::alarms(&ann.org).len(), testing::metric("rowhouse_alarms_total"));
        damage(&file, &other);
        is_stopped(&ann).await;
        serves(&bob, "Bob's team").await;
        is_stopped(&ann).await;
        let raised = testing::alarms(&ann.org);
        assert!(raised.len() > alarms, "{harm}: no alarm");
        assert!(raised.len() <= alarms + 2, "{harm}: one alarm is enough, not {:?}", &raised[alarms..]);
        assert!(raised.iter().all(|alarm| !alarm.contains(&bob.org)), "{harm}: {raised:?}");
        assert!(testing::metric("rowhouse_alarms_total") > counted, "{harm}: not counted");
        std::fs::write(&file, copy).expect("restored");
        serves(&ann, "Ann's team").await;
        make_team(&ann, &format!("after it was {harm}")).await;
        eprintln!("{harm}: {}", raised.last().expect("an alarm"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_file_that_is_damaged_is_noticed() {
    for (harm, damage) in HARMS {
        let house = TestHouse::sqlite().await;
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        make_team(&ann, "Ann's team").await;
        make_team(&bob, "Bob's team").await;
        let (file, other) = (file_of(&house, &ann), file_of(&house, &bob));
        let backup = backup(&house, &ann);
        damage(&file, &other);
        if harm.starts_with("one bit") || harm.contains("overwritten") || harm.contains("another") {
            // What was overwritten in place shows when it is read: pages in the cache are still the good ones.
            for _ in 0..20 {
                let answer = ann.get("/api/v1/teams").await;
                assert!([200, 503].contains(&answer.status), "{harm}: {}", answer.text);
                assert!(answer.status == 503 || answer.text.contains("Ann's team"), "{harm}: {}", answer.text);
            }
        } else {
            is_stopped(&ann).await;
            assert!(!testing::alarms(&ann.org).is_empty(), "{harm}: no alarm");
        }
        serves(&bob, "Bob's team").await;
        restore(&file, &backup);
        serves(&ann, "Ann's team").await;
        make_team(&ann, "Later").await;
    }
}

/// A copy as an operator would take it: of the file with all that its log holds.
fn backup(house: &TestHouse, client: &Client) -> PathBuf {
    let copy = house.data().with_file_name(format!("{}.backup", client.org));
    let file = file_of(house, client);
    for suffix in ["", "-wal"] {
        let from = PathBuf::from(format!("{}{suffix}", file.display()));
        std::fs::copy(&from, format!("{}{suffix}", copy.display())).expect("copied");
    }
    copy
}

/// Puts a copy in the place of a file under a new inode, as `mv` and backup programs do.
fn restore(file: &Path, backup: &Path) {
    for suffix in ["-shm", "-wal", ""] {
        let path = |file: &Path| PathBuf::from(format!("{}{suffix}", file.display()));
        let _ = std::fs::remove_file(path(file));
        let _ = std::fs::copy(path(backup), path(file));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_delivered_is_passed_by_page_after_page() {
    let (house, ann, bob) = closing_house().await;
    let cyd = house.sign_up("Cyd").await;
    let mut orgs: [OrgId; 2] = [&ann, &bob].map(|client| client.org.parse().expect("an id"));
    for org in orgs {
        house.store().deliver(org).await.expect("delivered");
    }
    make_team(&cyd, "Cyd's team").await;
    for client in [&ann, &bob] {
        std::fs::remove_file(file_of(&house, client)).expect("removed");
    }
    let ambient = house.store().ambient();
    let of_cyd: OrgId = cyd.org.parse().expect("an id");
    let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
    for org in [orgs[0], orgs[1], of_cyd] {
        let departure = Departure { user: ambient.id(), membership: ambient.id() };
        tx.depart(org, &departure).await.expect("queued");
    }
    tx.commit().await.expect("committed");
    let delivered = async {
        while house.store().awaiting_delivery(None, 100).await.expect("listed").contains(&of_cyd) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), delivered).await.expect("those of others are");
    orgs.sort();
    let page = async |after: Option<OrgId>| house.store().awaiting_delivery(after, 1).await.expect("listed");
    assert_eq!(page(None).await, [orgs[0]]);
    assert_eq!(page(Some(orgs[0])).await, [orgs[1]]);
    assert!(page(Some(orgs[1])).await.is_empty());
}
