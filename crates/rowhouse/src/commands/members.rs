//! `rowhouse members`: who belongs to an organisation, and what they may do there.

use serde_json::Value;

use super::remote::{Door, at, tell, text, when};
use super::roles::Names;
use crate::Outcome;
use crate::output::Columns;

/// Everybody, with their role.
pub(crate) fn list(door: &Door<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let members = client.list("api/v1/members").await?;
        let names = Names::read(&client).await?;
        let mut columns = Columns::default();
        columns.row(["address", "name", "role", "standing", "since", "id"]);
        for member in &members {
            columns.row([
                &text(&member["email"]),
                &text(&member["name"]),
                &names.of(&member["role"]),
                &text(&member["standing"]),
                &when(&member["joined_at"]),
                &text(&member["user_id"]),
            ]);
        }
        tell(as_json, &Value::Array(members), columns);
        Ok(())
    })
}

/// One member, with their teams, projects and permissions.
pub(crate) fn show(door: &Door<'_>, person: &str, as_json: bool) -> Outcome {
    at(door, async |client| {
        let user = client.member(person).await?;
        let member = client.get(&format!("api/v1/members/{}", client::escaped(&user))).await?.json()?;
        let names = Names::read(&client).await?;
        let mut columns = Columns::default();
        for name in ["name", "email", "user_id", "standing"] {
            columns.row([name, &text(&member[name])]);
        }
        columns.row(["since", &when(&member["joined_at"])]);
        columns.row(["role", &names.of(&member["role"])]);
        for (name, kind, id) in [("team", "teams", "team_id"), ("project", "projects", "project_id")] {
            let held = member[kind].as_array().cloned().unwrap_or_default();
            let all = if held.is_empty() { Vec::new() } else { client.list(&format!("api/v1/{kind}")).await? };
            for one in &held {
                let place = all.iter().find(|place| place["id"] == one[id]).map_or(&one[id], |place| &place["name"]);
                columns.row([name, &format!("{}, as {}", text(place), names.of(&one["role"]))]);
            }
        }
        columns.row(["may", &text(&member["permissions"])]);
        tell(as_json, &member, columns);
        Ok(())
    })
}
