//! From the settings to an open house.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use domain::Ambient;
use store::{Place, Store};
use tenancy::passwords::{Cost, Passwords};
use tenancy::{House, Rules};

use crate::settings::Settings;
use crate::{Outcome, because};

/// The data folder is this process's alone for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file gives the lock back")] Option<File>);

/// Takes the data folder for this process, making it first when there is none. A PostgreSQL database takes many servers.
pub(crate) fn lock(settings: &Settings) -> Outcome<Lock> {
    if settings.database_url.is_some() {
        return Ok(Lock(None));
    }
    let (folder, path) = (&settings.data, settings.data.join("lock"));
    let open = || -> std::io::Result<File> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)
    };
    let file =
        open().map_err(|error| because(format!("the data folder {} cannot be used: {error}", folder.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(Some(file))),
        Err(std::fs::TryLockError::WouldBlock) => Err(because(format!(
            "another rowhouse uses {}: stop it first, or choose another folder with --data",
            absolute(folder)
        ))),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(because(format!("{} cannot be locked: {error}", path.display())))
        }
    }
}

/// Whether there is nothing yet in the data folder.
pub(crate) fn is_empty(settings: &Settings) -> bool {
    settings.database_url.is_none() && !settings.data.join("control.db").exists()
}

/// Refuses when there is nothing to open. Only some commands may make a new house.
pub(crate) fn existing(settings: &Settings) -> Outcome {
    if is_empty(settings) {
        return Err(because(format!(
            "there is no data in {}: start with `rowhouse serve`, or name another folder with --data",
            absolute(&settings.data)
        )));
    }
    Ok(())
}

/// A path as people can use it from anywhere.
pub(crate) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().as_path().display().to_string()
}

/// Opens the store; makes it when there is none.
pub(crate) async fn store(settings: &Settings, issuer: String) -> Outcome<Store> {
    Ok(Store::start(&placed(settings, issuer)?, Ambient::system()).await?)
}

/// Opens the store, and makes what is around it anew.
pub(crate) async fn migrated(settings: &Settings, issuer: String) -> Outcome<Store> {
    Ok(Store::migrate(&placed(settings, issuer)?, Ambient::system()).await?)
}

/// What the store needs to know.
fn placed(settings: &Settings, issuer: String) -> Outcome<store::Settings> {
    let place = match &settings.database_url {
        Some(url) => Place::Postgres {
            url: url.0.clone(),
            role_prefix: settings.database_role_prefix.0.clone(),
            connections: settings.database_connections.0 as usize,
        },
        None => Place::Embedded {
            data: settings.data.clone(),
            open_files: settings.open_files.0 as usize,
            cache_kib: settings.cache_kib.0,
        },
    };
    let master_key_file = settings.master_key_path();
    let (audit_heads, blobs) = (settings.audit_heads_path(), settings.data.join("blobs"));
    let bucket = settings.bucket().map_err(because)?;
    Ok(store::Settings { place, master_key_file, audit_heads, blobs, bucket, issuer })
}

/// Opens the house around a store.
pub(crate) fn house(settings: &Settings, store: Store, public_url: &str) -> Outcome<House> {
    // One core fewer than there are: a storm of sign-ins must leave room for everybody else.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let slots = settings.password_slots.map_or(cores.saturating_sub(1).max(1), |slots| slots.0 as usize);
    let passwords = Passwords::new(Cost::default(), slots, store.ambient().clone())?;
    let rules = Rules {
        plans: settings.read_plans().map_err(because)?,
        feedback: settings.feedback.0,
        access_lifetime: std::time::Duration::from_mins(settings.access_token_minutes.0.into()),
        ..Rules::new(public_url, settings.verify_mail())
    };
    Ok(House::new(store, passwords, rules))
}
