//! `rowhouse doctor`: is everything as it must be? Each check stands alone, so that one that fails hides no other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::OrgId;
use store::control::organisations;
use store::schema::Part;
use store::{Engine, SignedHeads, Store};

use super::audit::told;
use super::demo;
use crate::output::Report;
use crate::settings::Settings;
use crate::{Outcome, because, open};

pub(crate) fn doctor(settings: &Settings, as_json: bool) -> Outcome {
    open::existing(settings)?;
    let mut report = Report::default();
    let key = settings.master_key_path();
    report.note("master key", private(&key, 0o600));
    if settings.database_url.is_none() {
        report.note("data folder", private(&settings.data, 0o700));
        report.faults("files in it", &open_files(&settings.data));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(because)?;
    runtime.block_on(async {
        let address = settings.public_address(settings.listen);
        match open::store(settings, address.clone()).await {
            Ok(store) => {
                report.note("house key", Ok("opens with the master key".into()));
                if let Err(failed) = examine(&store, &mut report).await {
                    report.note("the rest", Err(failed.to_string()));
                }
                let house = open::house(settings, store, &address)?;
                report.note("demo world", demo::kept_in(settings, &house).await);
            }
            Err(crate::Failed::Because(text)) => report.note("house key", Err(text)),
            Err(other) => return Err(other),
        }
        if let Some(sharing) = settings.sharing().map_err(because)? {
            report.note("redis_url", sharing.probe().await);
        }
        report.finish(as_json)
    })
}

async fn examine(store: &Store, report: &mut Report) -> store::Result<()> {
    for part in Part::ALL {
        let hash = store.schema_hash(part).await?;
        report.note(format!("schema `{}`", part.as_str()), Ok(format!("{}, hash {hash}", part.newest())));
    }
    let what = match store.engine() {
        Engine::Sqlite => "control database: pages, indexes, references, schema",
        Engine::Postgres => "database: roles, tenant walls, references, schema",
    };
    report.faults(what, &store.control_faults().await?);
    if store.engine() == Engine::Postgres {
        let vector = store.vector_extension().await?;
        report.note("pgvector", Ok(vector.unwrap_or_else(|| "not installed; nothing needs it".into())));
    }
    report.note("audit chain of the installation", told(store.verify_house().await));
    let signed = store.signed_heads().await?;
    let (mut whole, mut cold, mut after) = (0_usize, 0_usize, None);
    loop {
        let mut tx = store.read_control().await?;
        let page = organisations::list(&mut tx, after, 1000).await?;
        drop(tx);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for organisation in page.iter().filter(|organisation| organisation.status.is_whole()) {
            let org = organisation.id;
            // One that lies in the bucket is left there.
            if let Some(faults) = store.cold_faults(org).await? {
                cold += 1;
                if !faults.is_empty() {
                    report.note(org.to_string(), Err(faults.join("; ")));
                }
                continue;
            }
            // Where the doctor comes often nothing would ever become cold, if that were a use of it.
            let mut found = None;
            store.keep_house(org, async { found = Some(look_at(store, org, &signed).await) }).await?;
            match found {
                None => cold += 1,
                Some(faults) if faults.is_empty() => whole += 1,
                Some(faults) => report.note(org.to_string(), Err(faults.join("; "))),
            }
        }
    }
    report.note("organisations: store, schema, references, documents, audit chain", Ok(format!("{whole} are whole")));
    if cold > 0 {
        report.note("organisations in the bucket", Ok(format!("{cold} are cold; they were looked at, not opened")));
    }
    let counts = store.counts().await?;
    report.note("people", Ok(counts.people.to_string()));
    let halves = if counts.unfinished == 0 { String::new() } else { format!(", {} half made", counts.unfinished) };
    report.note("organisations", Ok(format!("{}{halves}", counts.organisations)));
    report.note("changes on their way", Ok(counts.deliveries.to_string()));
    report.note("mails", Ok(format!("{} waiting, {} given up", counts.mails_waiting, counts.mails_failed)));
    Ok(())
}

/// What is wrong with an organisation's store; with its audit chain only when nothing else is.
async fn look_at(store: &Store, org: OrgId, signed: &SignedHeads) -> Vec<String> {
    let mut faults = store.org_faults(org).await.unwrap_or_else(|error| vec![error.to_string()]);
    if faults.is_empty() {
        faults = store.knowledge_faults(org).await.unwrap_or_else(|error| vec![error.to_string()]);
    }
    if faults.is_empty() {
        faults.extend(told(store.verify_org_with(org, signed).await).err());
    }
    faults
}

/// Whether a file or folder is its owner's alone.
fn private(path: &Path, wanted: u32) -> Result<String, String> {
    let shown = open::absolute(path);
    let about = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & !wanted == 0 {
        Ok(format!("{shown}, {mode:04o}"))
    } else {
        Err(format!("{shown} has the rights {mode:04o}: run chmod {wanted:04o} {shown}"))
    }
}

/// Files in the data folder that others could read; the first few.
fn open_files(folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            faults.push(format!("{} cannot be read", folder.display()));
            continue;
        };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            faults.extend(private(&path, wanted).err());
            if path.is_dir() {
                folders.push(path);
            }
        }
        if faults.len() > 5 {
            break;
        }
    }
    faults
}
