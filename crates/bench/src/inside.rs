//! Measured in process: making organisations, opening closed ones, checking keys.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use domain::Ambient;
use domain::api_key::{self, Mode};
use domain::text::{OrgName, PersonName};
use store::blobs::BucketSettings;
use store::control::api_keys::{self, ApiKey};
use store::org::teams;
use store::{Actor, Credential, Json, Origin, Place, Settings, Store, Turn};
use tenancy::passwords::{Cost, Passwords};
use tenancy::signup::{self, Newcomer, SignedUp};
use tenancy::{House, Rules, orgs};

use crate::report::{Report, percentile};

/// A house on encrypted files in a folder. Passwords cost next to nothing: what they cost is not what is measured.
pub(crate) async fn embedded(folder: &Path, open_files: usize) -> anyhow::Result<House> {
    embedded_with(folder, open_files, None).await
}

/// The same, with a bucket.
pub(crate) async fn embedded_with(
    folder: &Path,
    open_files: usize,
    bucket: Option<BucketSettings>,
) -> anyhow::Result<House> {
    let ambient = Ambient::system();
    let place = Place::Embedded { data: folder.join("data"), open_files, cache_kib: 2048 };
    let settings = Settings {
        place,
        master_key_file: folder.join("keys/master.key"),
        audit_heads: folder.join("keys/audit-heads.jsonl"),
        blobs: folder.join("data/blobs"),
        bucket,
        issuer: "http://127.0.0.1".into(),
    };
    let store = Store::start(&settings, ambient.clone()).await?;
    let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 2, ambient)?;
    Ok(House::new(store, passwords, Rules::new("http://127.0.0.1", false)))
}

/// Signs the n-th person up.
pub(crate) async fn sign_up(house: &House, n: usize) -> anyhow::Result<SignedUp> {
    let newcomer = Newcomer {
        email: format!("person{n}@example.com").parse()?,
        password: domain::password::NewPassword::new("wet paint on the porch".into())?,
        name: PersonName::new(&format!("Person {n}"))?,
        organisation: None,
    };
    Ok(signup::immediately(house, newcomer, &Origin::default()).await?)
}

/// How long the disk takes to make one small write durable, in milliseconds: the limit for everything that commits.
fn flush(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let mut file = File::create(folder.join("flush"))?;
    (0..200)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[7; 4096])?;
            file.sync_all()?;
            Ok(began.elapsed().as_secs_f64() * 1e3)
        })
        .collect()
}

/// All of it.
pub(crate) async fn store(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    report.section("In process, embedded engine");
    let mut flushes = flush(folder.path())?;
    let one_flush = percentile(&mut flushes, 0.5);
    report.note("one flush of the disk, p50", &format!("{one_flush:.2} ms"));

    // 16 open files for 300 organisations: taking turns, each is closed when its turn comes.
    let house = embedded(folder.path(), 16).await?;
    let first = sign_up(&house, 0).await?;
    let mut made = Vec::new();
    for n in 0..300 {
        let began = Instant::now();
        let mut tx = house.store.begin_control(Turn::Free).await?;
        let name = OrgName::new(&format!("Organisation {n}"))?;
        let organisation = orgs::insert(&house, &mut tx, first.person.id, name, false, &Origin::default()).await?;
        tx.commit().await?;
        orgs::finish(&house, organisation.id).await?;
        made.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let p99 = percentile(&mut made, 0.99);
    report.below("create an organisation, p99", "ms", p99, 250.0);
    report.note("  ... p50, in flushes of this disk", &format!("{:.1} x", percentile(&mut made, 0.5) / one_flush));

    let mut people = Vec::new();
    for n in 1..200 {
        people.push(sign_up(&house, n).await?);
    }
    let mut scopes = Vec::new();
    for person in &people {
        let principal = house.store.authenticate(Credential::Bearer(&person.tokens.access), &Origin::default()).await?;
        scopes.push(house.store.enter(&principal, Some(person.organisation.id), None, Origin::default()).await?);
    }
    let mut opened = Vec::new();
    for _ in 0..3 {
        for scope in &scopes {
            let began = Instant::now();
            let mut tx = house.store.open(scope).read().await?;
            teams::list(&mut tx, None, 10).await?;
            opened.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    report.below("open a closed organisation and query it, p99", "ms", percentile(&mut opened, 0.99), 15.0);
    report.note("  ... p50", &format!("{:.2} ms", percentile(&mut opened, 0.5)));

    key_check(&house, &first, report).await
}

async fn key_check(house: &House, owner: &SignedUp, report: &mut Report) -> anyhow::Result<()> {
    let ambient = house.store.ambient();
    let presented = api_key::generate(ambient, Mode::Live);
    let principal = house.store.authenticate(Credential::Bearer(&owner.tokens.access), &Origin::default()).await?;
    let scope = house.store.enter(&principal, Some(owner.organisation.id), None, Origin::default()).await?;
    let key = ApiKey {
        id: ambient.id(),
        org_id: scope.org(),
        project_id: None,
        user_id: owner.person.id,
        membership_id: scope.membership(),
        public_id: presented.public_id().to_string(),
        mode: presented.mode().to_string(),
        name: domain::text::KeyName::new("bench")?,
        last4: presented.last4(),
        scopes: Json(vec!["org.read".into()]),
        addresses: Json(Vec::new()),
        rate_per_minute: None,
        calls_per_day: None,
        budget_micros: None,
        currency: None,
        created_at: ambient.now(),
        expires_at: None,
        seen_at: None,
        revoked_at: None,
        replaced_by: None,
        made_by_key: None,
        version: 1,
    };
    let mut tx = house.store.begin_control(Turn::Free).await?;
    api_keys::insert(&mut tx, &key, &presented).await?;
    let event = store::audit::Event::new("api_key.created", key.id);
    tx.record(scope.org(), &Actor::Person(owner.person.id), &Origin::default(), event).await?;
    tx.commit().await?;
    let text = presented.expose();
    let mut checks = Vec::new();
    for _ in 0..100_000 {
        let began = Instant::now();
        house.store.authenticate(Credential::Bearer(&text), &Origin::default()).await?;
        checks.push(began.elapsed().as_secs_f64() * 1e6);
    }
    report.below("check an API key, p99", "us", percentile(&mut checks, 0.99), 50.0);
    report.note("  ... p50", &format!("{:.2} us", percentile(&mut checks, 0.5)));
    Ok(())
}
