//! `rowhouse keys`: a new master key, a new signing key.

use store::{Actor, Origin};

use super::on_store;
use crate::output::print;
use crate::settings::Settings;
use crate::{Outcome, open};

pub(crate) fn rotate_master(settings: &Settings) -> Outcome {
    open::existing(settings)?;
    // A server would go on to wrap the keys of new organisations under the old master key.
    let _lock = open::lock(settings)?;
    on_store(settings, async |store| {
        let rotation = store.rotate_master(usize::MAX).await?;
        let path = open::absolute(&settings.master_key_path());
        print(format!(
            "{} organisations' keys are wrapped under a new master key, in {path}.\nKeep a copy of it: older copies open nothing any more.\n",
            rotation.rewrapped
        ));
        if settings.database_url.is_some() {
            print("Copy the file to every server before it starts again.\n");
        }
        Ok(())
    })
}

pub(crate) fn rotate_signing(settings: &Settings) -> Outcome {
    on_store(settings, async |store| {
        store::tokens::rotate(&store, &Actor::System, &Origin::default()).await?;
        print(
            "A new key signs access tokens; the old one verifies those it signed until they expire. Nobody is signed out.\n",
        );
        Ok(())
    })
}
