//! `rowhouse keys`: a new master key, a new signing key.

use store::{Actor, Origin};

use super::on_store;
use crate::output::print;
use crate::settings::Settings;
use crate::{Outcome, open};

/// Works beside servers. Where they have a copy of the key file each, it takes two calls, so that all of them know the new key before
/// anything is wrapped under it.
pub(crate) fn rotate_master(settings: &Settings) -> Outcome {
    on_store(settings, async |store| {
        let path = open::absolute(&settings.master_key_path());
        if settings.database_url.is_some() && store.prepare_master_rotation().await? {
            print(format!(
                "A new master key is in {path}; nothing is wrapped under it yet.\nCopy the file to every server, then run this again.\n"
            ));
            return Ok(());
        }
        let rotation = store.rotate_master(usize::MAX).await?;
        print(format!(
            "{} organisations' keys are wrapped under a new master key, in {path}.\nKeep a copy of it: older copies do not open this data any more.\n\
             The old key stays in the file, since other data on this machine and backups may be wrapped under it; the last line is the\n\
             new one. Delete the others once nothing needs them.\n",
            rotation.rewrapped
        ));
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
