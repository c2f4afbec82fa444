//! `rowhouse demo`: makes the demo world, or checks that it is as it was made.

use store::Store;
use tenancy::House;
use tenancy::demo::{self, Made, RESIDENTS};

use super::{on_store, on_store_or_new};
use crate::output::{Columns, Report, print};
use crate::settings::Settings;
use crate::settings::value::Switch;
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

/// Whether others than who sits at this machine are kept from signing in as the people of the demo world, unless they are meant to: what
/// was found, or what to do.
pub(crate) async fn kept_in(settings: &Settings, house: &House) -> Result<String, String> {
    if settings.demo == Some(Switch(true)) {
        return Ok("`demo` is on: whoever reaches the server may look around".into());
    }
    if !settings.is_open_to_others() {
        return Ok("this machine alone reaches the server".into());
    }
    let open = demo::open_doors(house).await.map_err(|error| error.to_string())?;
    if open.is_empty() {
        return Ok("its password lets nobody in".into());
    }
    Err(format!(
        "others reach this server, and everybody knows the password of {} in its demo world: begin with other data, or give them other \
         passwords while `listen` and `public_url` lead to this machine alone; if all may look around, turn `demo` on",
        open.join(", ")
    ))
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
