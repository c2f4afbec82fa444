//! Opening the storage of an installation: the master key, the house key, both engines.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use domain::Ambient;

use crate::blobs::{Bucket, BucketSettings};
use crate::cold::Cold;
use crate::files::Files;
use crate::keys::{HOUSE, MasterKeys, Secret, make_private_folder, wrapped_by, write_private};
use crate::ledger::HoldLog;
use crate::migrate::{self, Migrations, Roles};
use crate::org::quota_alerts::Warnings;
use crate::sql::{postgres, sqlite};
use crate::{Backend, Error, Inner, Result, Shares, Store, authority, heads, tokens};

/// Where the data is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a folder of this machine.
    Embedded {
        /// The folder.
        data: PathBuf,
        /// How many organisations' files may be open at once.
        open_files: usize,
        /// Page cache per connection of an organisation's file, in KiB.
        cache_kib: u32,
    },
    /// In a PostgreSQL database.
    Postgres {
        /// Its address, with a user who may create roles and schemas.
        url: String,
        /// What the names of the four roles begin with.
        role_prefix: String,
        /// Connections for tenant transactions; half as many again are for the control schema.
        connections: usize,
    },
}

/// What the store needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data is.
    pub place: Place,
    /// Where the master key is; never inside the data folder.
    pub master_key_file: PathBuf,
    /// Where the signed heads of the audit chains go; never inside the data folder.
    pub audit_heads: PathBuf,
    /// The folder of the originals that people brought; shared by all nodes, unless there is a bucket.
    pub blobs: PathBuf,
    /// The bucket of the originals, if they are to be in one; on their way in they are in the folder.
    pub bucket: Option<BucketSettings>,
    /// Who issues access tokens: the public address of the installation.
    pub issuer: String,
}

impl Store {
    /// Opens the storage and brings its schema up to date; makes it, with a new master key, when there is none.
    /// # Errors
    /// [`Error::Setup`] says in words what does not fit.
    pub async fn start(settings: &Settings, ambient: Ambient) -> Result<Self> {
        Self::start_with(settings, ambient, Migrations::KNOWN).await
    }

    /// As [`Store::start`], and on PostgreSQL makes the roles, their passwords and rights anew, whatever is there: in a database that was
    /// restored on another server they may be another installation's.
    /// # Errors
    /// As [`Store::start`].
    pub async fn migrate(settings: &Settings, ambient: Ambient) -> Result<Self> {
        Self::open_place(settings, ambient, Migrations::KNOWN, true).await
    }

    /// As [`Store::start`], as a program that knows other migrations: for tests of what a later one will do.
    /// # Errors
    /// As [`Store::start`].
    pub async fn start_with(settings: &Settings, ambient: Ambient, migrations: Migrations) -> Result<Self> {
        Self::open_place(settings, ambient, migrations, false).await
    }

    async fn open_place(settings: &Settings, ambient: Ambient, migrations: Migrations, anew: bool) -> Result<Self> {
        let store = match &settings.place {
            Place::Embedded { data, open_files, cache_kib } => {
                let (data, settings) = (data.clone(), settings.clone());
                let (open_files, cache_kib) = (*open_files, *cache_kib);
                tokio::task::spawn_blocking(move || {
                    embedded(&data, &settings, open_files, cache_kib, migrations, ambient)
                })
                .await
                .map_err(|error| Error::bug(error.to_string()))??
            }
            Place::Postgres { url, role_prefix, connections } => {
                let roles = Roles::with_prefix(role_prefix)?;
                match database(url, &roles, *connections, settings, migrations, ambient.clone(), anew).await {
                    // Another node was faster in setting up an empty database: its house key counts.
                    Err(Error::Busy(_)) => {
                        database(url, &roles, *connections, settings, migrations, ambient, anew).await?
                    }
                    other => other?,
                }
            }
        };
        let bucket = settings.bucket.as_ref().map(Bucket::open).transpose()?.map(Arc::new);
        Ok(Self(Arc::new(Inner { bucket, ..store })))
    }
}

/// Lists the key under which a new installation is wrapped.
const FIRST_KEY_SQLITE: &str = "INSERT INTO master_keys (number, name, created_at)
     SELECT 1, ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM master_keys)";

fn embedded(
    data: &Path,
    settings: &Settings,
    open_files: usize,
    cache_kib: u32,
    migrations: Migrations,
    ambient: Ambient,
) -> Result<Inner> {
    let setup =
        |error: std::io::Error| Error::Setup(format!("{} cannot be used as the data folder: {error}", data.display()));
    make_private_folder(data).map_err(setup)?;
    let data = data.canonicalize().map_err(setup)?;
    let house_file = data.join("house.key");
    let fresh = !house_file.exists();
    if fresh && data.join("control.db").exists() {
        return Err(Error::Setup(format!(
            "{} is missing, so the data cannot be opened; restore it from a backup",
            house_file.display()
        )));
    }
    let master = master_keys(&settings.master_key_file, fresh, &ambient)?;
    if master.path().canonicalize().map_err(setup)?.starts_with(&data) {
        return Err(Error::Setup(
            "the master key must not be inside the data folder; set ROWHOUSE_MASTER_KEY_FILE to another place".into(),
        ));
    }
    let heads = settings.audit_heads.parent().unwrap_or(Path::new("."));
    make_private_folder(heads).map_err(setup)?;
    if heads.canonicalize().map_err(setup)?.starts_with(&data) {
        return Err(Error::Setup(
            "the signed heads of the audit log must not be inside the data folder: whoever changes the data could change them".into(),
        ));
    }
    let house = if fresh {
        let house = Secret::random(&ambient);
        write_private(&house_file, &master.wrap(&master.newest(), &ambient, HOUSE, &house)?)?;
        house
    } else {
        master.unwrap(HOUSE, &std::fs::read(&house_file).map_err(setup)?)?
    };
    let wrapping = wrapped_by(&std::fs::read(&house_file).map_err(setup)?);
    let control = data.join("control.db");
    if !control.exists() {
        write_private(&control, b"")?;
    }
    let control = sqlite::File::open(&control, house.derive("control file"), 65_536, true, None)?;
    control.exclusively(|connection| {
        migrate::file(connection, migrations.control)?;
        let first = connection.execute(FIRST_KEY_SQLITE, (&wrapping, ambient.now().micros()));
        first.map(drop).map_err(|error| Error::bug(error.to_string()))
    })?;
    let ledger = data.join("ledger.db");
    if !ledger.exists() {
        write_private(&ledger, b"")?;
    }
    let ledger =
        sqlite::File::open_as(&ledger, house.derive("ledger file"), 65_536, true, None, sqlite::Durability::AtFlush)?;
    ledger.exclusively(|connection| migrate::file(connection, migrations.ledger))?;
    let holds = Box::new(HoldLog::new(data.join("ledger.holds"), &house, &ambient));
    let files = Files::new(data.join("orgs"), open_files, cache_kib, migrations.org);
    let (control, ledger) = (Arc::new(control), Arc::new(ledger));
    let ledger_shares = Shares::new(sqlite::READERS / 2);
    let backend = Backend::Embedded { control, ledger, ledger_shares, holds, files, house_file };
    Ok(inner(ambient, backend, master, house, settings))
}

async fn database(
    url: &str,
    roles: &Roles,
    connections: usize,
    settings: &Settings,
    migrations: Migrations,
    ambient: Ambient,
    anew: bool,
) -> Result<Inner> {
    let config = read_address(url).map_err(|fault| Error::Setup(format!("`database_url`: {fault}")))?;
    let unreachable = |error: tokio_postgres::Error| {
        Error::Unavailable(format!(
            "{error}{}",
            std::error::Error::source(&error).map(|e| format!(": {e}")).unwrap_or_default()
        ))
    };
    let (mut client, connection) = config.connect(postgres::tls()).await.map_err(unreachable)?;
    let driver = tokio::spawn(connection);
    // Nothing is prepared under a name: behind a pooler the next call may run on another connection.
    let known = client
        .query_typed_one("SELECT to_regclass('control.installation') IS NOT NULL", &[])
        .await
        .map_err(unreachable)?
        .get::<_, bool>(0);
    let wrapped: Option<String> = if known {
        let text = "SELECT value FROM control.installation WHERE name = 'house_key'";
        client.query_typed_opt(text, &[]).await.map_err(unreachable)?.map(|row| row.get(0))
    } else {
        None
    };
    let master = master_keys(&settings.master_key_file, wrapped.is_none(), &ambient)?;
    let house = match &wrapped {
        Some(text) => master.unwrap(HOUSE, &unhex(text)?)?,
        None => Secret::random(&ambient),
    };
    // The roles' passwords come from the house key, so no further secret has to be kept and all nodes know them.
    let passwords: Vec<(&str, String)> = [&roles.app, &roles.control, &roles.ops, &roles.eraser]
        .map(|role| (role.as_str(), hex(house.derive(&format!("database role {role}")).as_slice())))
        .into();
    let now = ambient.now().micros();
    let fresh = match &wrapped {
        None => Some(hex(&master.wrap(&master.newest(), &ambient, HOUSE, &house)?)),
        Some(_) => None,
    };
    migrate::database(&mut client, roles, &passwords, fresh.as_deref(), &migrations, now, anew).await?;
    drop(client);
    let _ = driver.await;
    let login = |at: usize| {
        let mut config = config.clone();
        let (role, password) = &passwords[at];
        config.user(*role).password(password).application_name("rowhouse");
        config
    };
    let backend = Backend::Postgres {
        app: postgres::pool(login(0), connections)?,
        control: postgres::pool(login(1), connections.div_ceil(2).max(4))?,
        // Used now and then by the background alone.
        eraser: postgres::pool(login(3), 1)?,
        shares: Shares::new(connections.div_ceil(2)),
    };
    Ok(inner(ambient, backend, master, house, settings))
}

/// What is wrong with the address of a PostgreSQL database, if anything is. Nothing of it is repeated but the name of an option.
#[must_use]
pub fn address_fault(url: &str) -> Option<String> {
    read_address(url).err()
}

fn read_address(url: &str) -> std::result::Result<tokio_postgres::Config, String> {
    url.parse().map_err(|error: tokio_postgres::Error| {
        let cause = error.into_source().map(|cause| cause.to_string()).unwrap_or_default();
        // After a second @ what is taken for an option may be a part of the password.
        if cause.contains(" option `") && url.matches('@').count() < 2 {
            return cause;
        }
        "must be of the form postgres://user:password@host:5432/database, with %40 for an @ in a password, %2F for a / and so on".into()
    })
}

fn inner(ambient: Ambient, backend: Backend, master: MasterKeys, house: Secret, settings: &Settings) -> Inner {
    Inner {
        issuer: settings.issuer.clone(),
        heads: heads::Heads::new(settings.audit_heads.clone(), &house),
        ambient,
        backend,
        master: RwLock::new(master),
        house,
        authorities: authority::Cache::default(),
        signing: tokens::Keyring::default(),
        deliveries: tokio::sync::Notify::new(),
        jobs: tokio::sync::Notify::new(),
        ciphers: crate::cipher::ciphers(),
        blobs: settings.blobs.clone(),
        bucket: None,
        webhook_turns: tokio::sync::Notify::new(),
        mail_turn: std::sync::Mutex::default(),
        warnings: Warnings::default(),
        cold: Cold::default(),
    }
}

fn master_keys(path: &Path, fresh: bool, ambient: &Ambient) -> Result<MasterKeys> {
    if path.exists() {
        MasterKeys::load(path)
    } else if fresh {
        MasterKeys::create(path, ambient)
    } else {
        Err(Error::Setup(format!(
            "there is data, but no master key at {}; set ROWHOUSE_MASTER_KEY_FILE to the file it was made with",
            path.display()
        )))
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect()
}

pub(crate) fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits =
        (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    digits.collect::<Option<_>>().ok_or(Error::Sealed("not hexadecimal"))
}
