//! `rowhouse auth explain`: which check refused a request, by the id that its caller was told.

use serde_json::json;
use store::control::refusals;

use super::on_store;
use crate::output::{Columns, print, print_json};
use crate::settings::Settings;
use crate::{Outcome, because};

pub(crate) fn explain(settings: &Settings, request: &str, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let mut tx = store.read_control().await?;
        let refused = refusals::find(&mut tx, request).await?.ok_or_else(|| {
            because(format!(
                "no refusal of {request} is known: it was let in, is older than the last ten thousand refusals, or was one of very many"
            ))
        })?;
        if as_json {
            let (id, at, check, why) = (refused.request_id, refused.at, refused.stage, refused.detail);
            print_json(&json!({ "request_id": id, "at": at, "check": check, "why": why }));
            return Ok(());
        }
        let mut columns = Columns::default();
        columns.row(["request", &refused.request_id]);
        columns.row(["at", &refused.at.to_string()]);
        columns.row(["check", &refused.stage]);
        columns.row(["why", &refused.detail]);
        print(columns);
        Ok(())
    })
}
