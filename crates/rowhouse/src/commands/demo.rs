//! `rowhouse demo`: makes the demo world, or checks that it is as it was made.

use store::Store;
use tenancy::House;
use tenancy::demo::{self, Made, RESIDENTS};

use super::{on_store, on_store_or_new};
use crate::output::{Columns, Report, print};
use crate::settings::Settings;
use crate::{Outcome, open};

pub(crate) fn build(settings: &Settings) -> Outcome {
    on_store_or_new(settings, async |store| {
        let made = demo::build(&house(settings, store)?).await?;
        print(sign_in_text(&made));
        Ok(())
    })
}

pub(crate) fn verify(settings: &Settings, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let mut report = Report::default();
        for check in demo::verify(&house(settings, store)?).await? {
            report.note(check.what, check.outcome);
        }
        report.finish(as_json)
    })
}

fn house(settings: &Settings, store: Store) -> Outcome<House> {
    open::house(settings, store, &settings.public_address(settings.listen))
}

/// How to look around in the demo world.
pub(crate) fn sign_in_text(made: &Made) -> String {
    let mut columns = Columns::default();
    for resident in &RESIDENTS {
        columns.row(["", resident.email, &format!("{} of Acme", resident.role)]);
    }
    for (name, key) in &made.keys {
        columns.row(["", &format!("key \"{name}\""), key]);
    }
    format!("The demo world: sign in with the password \"{}\"\n\n{columns}", demo::PASSWORD)
}
