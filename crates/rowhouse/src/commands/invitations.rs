//! `rowhouse invitations`: brings people into an organisation.

use client::{Client, Error, escaped};
use serde_json::{Value, json};

use super::remote::{Door, at, tell, text, when};
use super::roles::{Names, Place};
use crate::Outcome;
use crate::output::Columns;

/// What somebody is invited to.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    /// The role in the organisation.
    pub(crate) role: &'a str,
    /// Teams, each as `TEAM` or `TEAM=ROLE`.
    pub(crate) teams: Vec<&'a str>,
    /// Projects, likewise.
    pub(crate) projects: Vec<&'a str>,
}

/// The open invitations, or all.
pub(crate) fn list(door: &Door<'_>, all: bool, as_json: bool) -> Outcome {
    at(door, async |client| {
        let invitations = client.list(&format!("api/v1/invitations?all={all}")).await?;
        let names = Names::read(&client).await?;
        let mut columns = Columns::default();
        columns.row(["address", "role", "status", "ends", "id"]);
        for one in &invitations {
            let ends = if one["status"] == "open" { when(&one["expires_at"]) } else { "-".to_owned() };
            columns.row([
                &text(&one["email"]),
                &names.of(&one["role"]),
                &text(&one["status"]),
                &ends,
                &text(&one["id"]),
            ]);
        }
        if invitations.is_empty() {
            tell(as_json, &json!([]), "There are no open invitations.\n");
        } else {
            tell(as_json, &Value::Array(invitations), columns);
        }
        Ok(())
    })
}

/// Invites somebody.
pub(crate) fn create(door: &Door<'_>, email: &str, offer: &Offer<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let names = Names::read(&client).await?;
        let mut body = json!({ "email": email, "role": names.id(offer.role)? });
        let places = [("teams", "team_id", &offer.teams), ("projects", "project_id", &offer.projects)];
        for (kind, id, places) in places {
            let mut offered = Vec::new();
            for place in places {
                let (name, role) = place.rsplit_once('=').unwrap_or((place, "member"));
                let place = if kind == "teams" { Place::Team(name) } else { Place::Project(name) };
                offered.push(json!({ id: place.id(&client).await?, "role": names.id(role)? }));
            }
            body[kind] = offered.into();
        }
        let sent = client.post("api/v1/invitations", &body).await?.json()?;
        tell(as_json, &sent, mailed(&sent, &names));
        Ok(())
    })
}

/// Mails a new link.
pub(crate) fn resend(door: &Door<'_>, invitation: &str, as_json: bool) -> Outcome {
    at(door, async |client| {
        let id = find(&client, invitation).await?;
        let sent = client.post(&format!("api/v1/invitations/{}/resend", escaped(&id)), &json!({})).await?.json()?;
        let names = Names::read(&client).await?;
        tell(as_json, &sent, mailed(&sent, &names));
        Ok(())
    })
}

/// Takes one back.
pub(crate) fn revoke(door: &Door<'_>, invitation: &str, as_json: bool) -> Outcome {
    at(door, async |client| {
        let id = find(&client, invitation).await?;
        client.delete(&format!("api/v1/invitations/{}", escaped(&id)), None).await?;
        tell(as_json, &json!({ "id": id }), "Revoked: the link is void, and the seat is free again.\n");
        Ok(())
    })
}

/// What was sent, with its link.
fn mailed(sent: &Value, names: &Names) -> String {
    format!(
        "Invited {} as {}. The link was mailed, and holds until {}; it is shown this once:\n\n  {}\n",
        text(&sent["email"]),
        names.of(&sent["role"]),
        when(&sent["expires_at"]),
        text(&sent["link"])
    )
}

/// The invitation of this id, or the newest to this address that was neither accepted nor revoked.
async fn find(client: &Client, invitation: &str) -> Outcome<String> {
    if invitation.starts_with("inv_") {
        return Ok(invitation.to_owned());
    }
    let all = client.list("api/v1/invitations?all=true").await?;
    let fits = |one: &&Value| {
        let status = one["status"].as_str().unwrap_or_default();
        one["email"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(invitation))
            && matches!(status, "open" | "expired")
    };
    let newest = all.iter().filter(fits).max_by_key(|one| one["created_at"].as_str().unwrap_or_default().to_owned());
    let found = newest.and_then(|one| one["id"].as_str());
    Ok(found.map(str::to_owned).ok_or_else(|| Error::Unknown { kind: "invitations", name: invitation.to_owned() })?)
}
