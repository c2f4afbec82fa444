//! The commands beside `serve`, a file each.

pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod erasure;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod mail;
pub(crate) mod members;
pub(crate) mod migrate;
pub(crate) mod operator;
pub(crate) mod org;
pub(crate) mod remote;
pub(crate) mod roles;
pub(crate) mod usage;

use store::Store;

use crate::output::print;
use crate::settings::Settings;
use crate::{Outcome, because, open};

/// Runs a command on the store that is there.
pub(crate) fn on_store(settings: &Settings, work: impl AsyncFnOnce(Store) -> Outcome) -> Outcome {
    open::existing(settings)?;
    on_store_or_new(settings, work)
}

/// Runs a command on the store, which is made when there is none. That is said: whoever meant another folder sees it.
pub(crate) fn on_store_or_new(settings: &Settings, work: impl AsyncFnOnce(Store) -> Outcome) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(because)?;
    runtime.block_on(async {
        let empty = open::is_empty(settings);
        let store = open::store(settings, settings.public_address(settings.listen)).await?;
        if empty {
            print(format!(
                "There was no data in {}: a new installation was made there.\n",
                open::absolute(&settings.data)
            ));
        }
        work(store).await
    })
}
