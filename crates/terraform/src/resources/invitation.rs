//! Invitations. The API has no changing of one: whom, to what, is settled when it is made. One that has ended is sent anew.

use client::Client;
use serde_json::{Value as Json, json};

use super::{ID, Made, Outcome, ROLE, is_gone, part};
use crate::plan::Planned;
use crate::schema::{Attribute, TEXT, TEXT_BY_NAME, Usual};
use crate::value::{Object, Value};

pub(super) const ATTRIBUTES: &[Attribute] = &[
    ID,
    Attribute::required("email", TEXT, "The mail address that is invited.").fixed(),
    ROLE.fixed(),
    Attribute::usual("teams", TEXT_BY_NAME, Usual::NoneByName, "Roles in teams, by the teams' ids.").fixed(),
    Attribute::usual("projects", TEXT_BY_NAME, Usual::NoneByName, "Roles in projects, by the projects' ids.").fixed(),
    Attribute::told("status", TEXT, "open, accepted or expired."),
    Attribute::told("expires_at", TEXT, "Until when the link holds."),
    Attribute::told("link", TEXT, "The link that was mailed. Whoever has it and the mailbox can join.").sensitive(),
];

/// What is different once it is sent anew.
const SENT: [&str; 3] = ["status", "expires_at", "link"];
/// What is offered: the attribute, and the field with the id of a place.
const OFFERED: [(&str, &str); 2] = [("teams", "team_id"), ("projects", "project_id")];

pub(super) async fn create(client: &Client, wanted: &Object) -> Outcome<Made> {
    let of = |name: &str| wanted.get(name).map_or(Json::Null, Value::json);
    let mut body = json!({ "email": of("email"), "role": of("role") });
    for (name, id) in OFFERED {
        let offers = of(name).as_object().cloned().unwrap_or_default();
        body[name] = offers.into_iter().map(|(place, role)| json!({ id: place, "role": role })).collect();
    }
    let sent = client.post("api/v1/invitations", &body).await?.json()?;
    Ok(with_link(&sent, wanted))
}

pub(super) async fn read(client: &Client, state: &Object) -> Outcome<Option<Made>> {
    let all = client.list("api/v1/invitations?all=true").await?;
    let id = state.get("id").and_then(Value::text);
    let found = all.iter().find(|one| one["id"].as_str() == id);
    // One that was revoked is no invitation any more.
    Ok(found.filter(|one| one["status"] != "revoked").map(|one| Made { state: told(one, state), etag: None }))
}

/// Sends it anew: the one change there is.
pub(super) async fn update(client: &Client, wanted: &Object) -> Outcome<Made> {
    let sent = client.post(&format!("{}/resend", path(wanted)), &json!({})).await?.json()?;
    Ok(with_link(&sent, wanted))
}

/// Revokes it, unless it was accepted: then there is nothing to take back, and the member stays.
pub(super) async fn delete(client: &Client, state: &Object) -> Outcome<()> {
    if state.get("status").and_then(Value::text) == Some("accepted") {
        return Ok(());
    }
    match client.delete(&path(state), None).await {
        // Accepted or revoked in the meantime.
        Err(error) if !is_gone(&error) && error.code() != Some("conflict") => Err(error.into()),
        _ => Ok(()),
    }
}

/// Plans to send one anew that has ended; and nothing with one that was accepted, whatever is offered by now: its member is in.
pub(super) fn mend(state: &Object, planned: &mut Planned) {
    match state.get("status").and_then(Value::text) {
        Some("expired") => planned.state.extend(SENT.map(|name| (name.to_owned(), Value::Unknown))),
        Some("accepted") => {
            for name in ["role", "teams", "projects"] {
                planned.state.insert(name.to_owned(), state.get(name).cloned().unwrap_or(Value::Null));
            }
            planned.replace.retain(|name| *name == "email");
        }
        _ => {}
    }
}

fn path(object: &Object) -> String {
    format!("api/v1/invitations/{}", part(object, "id"))
}

/// The invitation as the server tells it. The link is told once, and kept from then on.
fn told(one: &Json, known: &Object) -> Object {
    let by_place = |name: &str, id: &str| {
        let all = one[name].as_array().into_iter().flatten();
        Value::Map(
            all.filter_map(|offer| Some((offer[id].as_str()?.to_owned(), Value::from(&offer["role"])))).collect(),
        )
    };
    let mut state: Object =
        ["id", "email", "role", "status", "expires_at"].map(|name| (name.to_owned(), Value::from(&one[name]))).into();
    for (name, id) in OFFERED {
        state.insert(name.to_owned(), by_place(name, id));
    }
    state.insert("link".to_owned(), known.get("link").cloned().unwrap_or(Value::Null));
    // Capitals make no other address.
    let was = known.get("email").and_then(Value::text);
    if let (Some(was), Some(is)) = (was, one["email"].as_str())
        && was.eq_ignore_ascii_case(is)
    {
        state.insert("email".to_owned(), was.into());
    }
    state
}

/// What was sent, as it was wanted, with what only the server knew.
fn with_link(sent: &Json, wanted: &Object) -> Made {
    let mut state = told(sent, wanted);
    state.insert("link".to_owned(), Value::from(&sent["link"]));
    for (name, value) in wanted.iter().filter(|(_, value)| !value.is_open()) {
        state.insert(name.clone(), value.clone());
    }
    Made { state, etag: None }
}
