//! The house that is killed: where it stands, who is in it from the start, and organisations whose time is over.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ambient::{Clock, ManualClock, Random};
use domain::email::Email;
use domain::password::NewPassword;
use domain::text::{OrgName, PersonName};
use domain::{Ambient, OrgId};
use serde_json::json;
use store::audit::Event;
use store::control::{erasures, organisations};
use store::{Actor, Engine, Origin, Place, Settings, Store, Turn};
use tempfile::TempDir;
use tenancy::passwords::{Cost, Passwords};
use tenancy::signup::{self, Newcomer, SignedUp};
use tenancy::{House, Rules, erasure, login, operator};
use testing::process::send;
use testing::{Chance, Database, Server};
use tokio::runtime::Runtime;

use crate::BINARY;

/// The password of everybody.
pub(super) const PASSWORD: &str = "wet paint on the porch";

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Somebody {
    pub(super) token: String,
    pub(super) email: String,
    pub(super) user: String,
    pub(super) org: OrgId,
}

/// The house, and what the test knows of it.
pub(super) struct World {
    folder: TempDir,
    /// Access tokens are issued by the address, so it stays the same.
    pub(super) port: u16,
    runtime: Runtime,
    database: Option<Database>,
    plans: String,
    people: usize,
    /// The owner of the organisation in which most happens.
    pub(super) owner: Somebody,
    /// The token of an operator.
    pub(super) operator: String,
    /// Organisations that nobody can enter any more, for the server to erase.
    erasing: Vec<OrgId>,
    /// Organisations whose time to be restored is over.
    due: Vec<OrgId>,
}

impl World {
    pub(super) fn new(engine: Engine, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // More than the plan of a newcomer includes.
        let plans = folder.path().join("plans.toml");
        let wide = include_str!("../../../../domain/data/plans.toml")
            .replace("teams = 50\n", "teams = 5_000\n")
            .replace("seats = 3\n", "seats = 900\n")
            .replace("api_keys = 50\n", "api_keys = 900\n");
        std::fs::write(&plans, wide).expect("written");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(runtime.block_on(Database::empty(&Ambient::system()))),
        };
        let nobody = Somebody { token: String::new(), email: String::new(), user: String::new(), org: first_org() };
        let mut world = Self {
            folder,
            port,
            runtime,
            database,
            plans: plans.to_str().expect("a plain path").to_owned(),
            people: 0,
            owner: nobody,
            operator: String::new(),
            erasing: Vec::new(),
            due: Vec::new(),
        };
        // The first start makes keys and schemas.
        assert_eq!(Server::start(BINARY, world.folder(), port, &world.arguments()).terminate().0, Some(0));
        world.owner = world.sign_up();
        world.operator = world.runtime.block_on(async {
            let house = world.house(Ambient::system()).await;
            let (email, name) = (Email::new("olga@example.com"), PersonName::new("Olga"));
            let password = NewPassword::new(PASSWORD.into()).expect("a good password");
            let olga = operator::create(&house, email.expect("an address"), name.expect("a name"), password).await;
            let olga = olga.expect("made");
            login::start_tokens(&house, &olga, None, &Origin::default()).await.expect("signed in").access
        });
        world
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server is told.
    pub(super) fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["--plans", &self.plans];
        arguments.extend(self.place_arguments());
        arguments
    }

    /// A command with what tells it where the data is.
    pub(super) fn command<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let mut command = words.to_vec();
        command.extend(self.place_arguments());
        command
    }

    fn place_arguments(&self) -> Vec<&str> {
        self.database.as_ref().map_or_else(Vec::new, |database| {
            let (url, prefix) = (database.url(), database.role_prefix());
            vec!["--database-url", url, "--database-role-prefix", prefix, "--database-connections", "6"]
        })
    }

    /// The house, opened by the test itself, at a time of its choice. Hashes of passwords are cheap here.
    async fn house(&self, ambient: Ambient) -> House {
        let data = self.folder().join("data");
        let place = match &self.database {
            None => Place::Embedded { data, open_files: 8, cache_kib: 512 },
            Some(database) => database.place(),
        };
        let settings = Settings {
            place,
            master_key_file: self.folder().join("keys/master.key"),
            audit_heads: self.folder().join("keys/audit-heads.jsonl"),
            blobs: self.folder().join("data/blobs"),
            bucket: None,
            issuer: format!("http://127.0.0.1:{}", self.port),
        };
        let store = Store::start(&settings, ambient.clone()).await.expect("opens");
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 1, ambient).expect("a good cost");
        House::new(store, passwords, Rules::new(&settings.issuer, false))
    }

    /// Does something with the house while no server runs.
    pub(super) fn open<T>(&self, work: impl AsyncFnOnce(&House) -> T) -> T {
        self.runtime.block_on(async { work(&self.house(Ambient::system()).await).await })
    }

    /// Somebody new, who is signed in.
    pub(super) fn sign_up(&mut self) -> Somebody {
        self.sign_up_all(1).pop().expect("one")
    }

    /// As many new people, who are signed in.
    pub(super) fn sign_up_all(&mut self, count: usize) -> Vec<Somebody> {
        let first = self.people;
        self.people += count;
        self.open(async |house| {
            let mut people = Vec::new();
            for number in first..first + count {
                let made = sign_up(house, number).await;
                people.push(Somebody {
                    token: made.tokens.access,
                    email: made.person.email.as_str().to_owned(),
                    user: made.person.id.to_string(),
                    org: made.organisation.id,
                });
            }
            people
        })
    }

    /// Lets the time of some organisations be over: of some the erasing has begun, and the server does the rest at once; of one it
    /// has not.
    pub(super) fn condemn(&mut self) {
        let now = Ambient::system().now();
        let first = self.people;
        self.people += 4;
        let (erasing, due) = self.runtime.block_on(async {
            // It was closed a month and a day ago.
            let clock = Arc::new(ManualClock::at(now - 31 * DAY - TEN_MINUTES));
            let chance = Arc::new(Chance::default());
            let house = self.house(Ambient::new(clock.clone() as Arc<dyn Clock>, chance as Arc<dyn Random>)).await;
            let mut orgs = Vec::new();
            for number in first..first + 3 {
                orgs.push(close(&house, sign_up(&house, number).await).await);
            }
            clock.advance(31 * DAY);
            // Those that an earlier server did not come to may well be erased here.
            erasure::organisations(&house).await.expect("begun");
            let mut tx = house.store.read_control().await.expect("read");
            for org in &orgs {
                assert!(
                    organisations::find(&mut tx, *org).await.expect("found").is_some(),
                    "{org} is not erased at once"
                );
            }
            drop(tx);
            let clock = Arc::new(ManualClock::at(now - 31 * DAY));
            let chance = Arc::new(Chance::default());
            let house = self.house(Ambient::new(clock as Arc<dyn Clock>, chance as Arc<dyn Random>)).await;
            (orgs, close(&house, sign_up(&house, first + 3).await).await)
        });
        self.erasing.extend(erasing);
        self.due.push(due);
    }

    /// Waits until the server has erased what it can by now.
    pub(super) fn wait_for_erasures(&self, address: &str) {
        let began = Instant::now();
        loop {
            let left: Vec<_> = self.erasing.iter().filter(|org| !self.is_erased(address, org)).collect();
            if left.is_empty() {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "not erased: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_erased(&self, address: &str, org: &OrgId) -> bool {
        let path = format!("/api/v1/operator/orgs/{org}");
        send(address, "GET", &path, Some(&self.operator), None).expect("answered").status == 404
    }

    /// Does what the server would do a minute later.
    pub(super) fn erase_the_rest(&self) {
        self.runtime.block_on(async {
            let clock = Arc::new(ManualClock::at(Ambient::system().now() + TEN_MINUTES));
            let chance = Arc::new(Chance::default());
            let house = self.house(Ambient::new(clock as Arc<dyn Clock>, chance as Arc<dyn Random>)).await;
            erasure::organisations(&house).await.expect("erased");
            erasure::organisations(&house).await.expect("nothing left");
        });
    }

    /// Each organisation whose time was over has one receipt, and all of them are complete.
    pub(super) fn check_receipts(&self) {
        let mut expected: Vec<String> = self.erasing.iter().chain(&self.due).map(ToString::to_string).collect();
        expected.sort();
        let receipts = self.open(async |house| {
            let mut tx = house.store.read_control().await.expect("begun");
            erasures::list(&mut tx, None, 1000).await.expect("listed")
        });
        let mut found: Vec<String> = receipts.iter().map(|receipt| receipt.subject.clone()).collect();
        found.sort();
        assert_eq!(found, expected);
        for receipt in receipts {
            assert!(receipt.erased_at.is_some() && receipt.signature.is_some(), "{receipt:?}");
        }
    }
}

const DAY: Duration = Duration::from_hours(24);
const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Stands there until somebody has signed up.
fn first_org() -> OrgId {
    Ambient::system().id()
}

async fn sign_up(house: &House, number: usize) -> SignedUp {
    let newcomer = Newcomer {
        email: Email::new(&format!("p{number}@example.com")).expect("an address"),
        password: NewPassword::new(PASSWORD.into()).expect("a good password"),
        name: PersonName::new("Somebody").expect("a name"),
        organisation: Some(OrgName::new("House").expect("a name")),
    };
    // Without an address it comes from the installation itself, and is not counted.
    signup::immediately(house, newcomer, &Origin::default()).await.expect("signed up")
}

/// Closes somebody's organisation, as its owner would.
async fn close(house: &House, somebody: SignedUp) -> OrgId {
    let org = somebody.organisation.id;
    let mut tx = house.store.begin_control(Turn::Org(org)).await.expect("begun");
    let before = organisations::get(&mut tx, org).await.expect("there");
    let closes_at = house.store.ambient().now() + tenancy::orgs::GRACE;
    organisations::close(&mut tx, &before, closes_at, somebody.person.id).await.expect("closed");
    let event = Event::new("organisation.closing", org).detail(json!({ "closes_at": closes_at }));
    tx.record(org, &Actor::Person(somebody.person.id), &Origin::default(), event).await.expect("recorded");
    tx.commit().await.expect("committed");
    house.settle(org).await;
    org
}
