//! `rowhouse roles`: what roles an organisation has, what they allow, and who is given them.

use std::collections::BTreeSet;

use client::{Client, Error, escaped};
use serde_json::{Value, json};

use super::remote::{Door, at, tell, text};
use crate::output::Columns;
use crate::{Outcome, because};

/// What is to be different about a role.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    /// Permissions that it is to have.
    pub(crate) add: Vec<&'a str>,
    /// Permissions that it is not to have.
    pub(crate) remove: Vec<&'a str>,
}

/// A team or a project, by its name or its id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Team(&'a str),
    Project(&'a str),
}

impl Place<'_> {
    pub(crate) async fn id(self, client: &Client) -> Outcome<String> {
        Ok(match self {
            Self::Team(name) => client.named("teams", "tea_", name).await?,
            Self::Project(name) => client.named("projects", "prj_", name).await?,
        })
    }

    /// Where a member's role there is set.
    async fn path(self, client: &Client, user: &str) -> Outcome<String> {
        let kind = if matches!(self, Self::Team(_)) { "teams" } else { "projects" };
        Ok(format!("api/v1/{kind}/{}/members/{}", escaped(&self.id(client).await?), escaped(user)))
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Team(name) => write!(f, "the team {name}"),
            Self::Project(name) => write!(f, "the project {name}"),
        }
    }
}

/// The roles of an organisation, by their names and ids.
pub(crate) struct Names(Vec<Value>);

impl Names {
    /// Asks for them. Whoever may not see roles sees their ids.
    pub(crate) async fn read(client: &Client) -> Outcome<Self> {
        match client.list("api/v1/roles").await {
            Ok(roles) => Ok(Self(roles)),
            Err(error) if error.code() == Some("forbidden") => Ok(Self(Vec::new())),
            Err(error) => Err(error.into()),
        }
    }

    /// What a role is called.
    pub(crate) fn of(&self, id: &Value) -> String {
        text(self.0.iter().find(|role| &role["id"] == id).map_or(id, |role| &role["name"]))
    }

    /// The id of a role by its name or its id.
    pub(crate) fn id(&self, role: &str) -> Outcome<String> {
        if role.starts_with("rol_") || self.0.is_empty() {
            return Ok(role.to_owned());
        }
        let found = self.0.iter().find(|one| [&one["id"], &one["name"]].iter().any(|it| it.as_str() == Some(role)));
        let id = found.and_then(|one| one["id"].as_str()).map(str::to_owned);
        Ok(id.ok_or_else(|| Error::Unknown { kind: "roles", name: role.to_owned() })?)
    }
}

/// All roles.
pub(crate) fn list(door: &Door<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let roles = client.list("api/v1/roles").await?;
        let mut columns = Columns::default();
        columns.row(["name", "permissions", "id", "description"]);
        for role in &roles {
            let count = role["permissions"].as_array().map_or(0, Vec::len).to_string();
            columns.row([&text(&role["name"]), &count, &text(&role["id"]), &text(&role["description"])]);
        }
        tell(as_json, &Value::Array(roles), columns);
        Ok(())
    })
}

/// A role, with all that it allows.
pub(crate) fn show(door: &Door<'_>, role: &str, as_json: bool) -> Outcome {
    at(door, async |client| {
        let id = Names::read(&client).await?.id(role)?;
        let role = client.get(&path(&id)).await?.json()?;
        tell(as_json, &role, told(&role));
        Ok(())
    })
}

/// All permissions that a role can hold.
pub(crate) fn permissions(door: &Door<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let all = client.get("api/v1/permissions").await?.json()?;
        let mut columns = Columns::default();
        columns.row(["permission", "may", "held at"]);
        for one in all["data"].as_array().into_iter().flatten() {
            columns.row([&text(&one["name"]), &text(&one["description"]), &text(&one["levels"])]);
        }
        tell(as_json, &all["data"], columns);
        Ok(())
    })
}

/// Makes a role.
pub(crate) fn create(
    door: &Door<'_>,
    name: &str,
    description: Option<&str>,
    permissions: &[&str],
    as_json: bool,
) -> Outcome {
    at(door, async |client| {
        let mut body = json!({ "name": name, "permissions": permissions });
        if let Some(description) = description {
            body["description"] = description.into();
        }
        let role = client.post("api/v1/roles", &body).await?.json()?;
        tell(as_json, &role, told(&role));
        Ok(())
    })
}

/// Changes a role, unless somebody else does in the same moment.
pub(crate) fn change(door: &Door<'_>, role: &str, change: &Change<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let id = Names::read(&client).await?.id(role)?;
        let before = client.get(&path(&id)).await?;
        let mut body = json!({});
        for (field, value) in [("name", change.name), ("description", change.description)] {
            if let Some(value) = value {
                body[field] = value.into();
            }
        }
        if !change.add.is_empty() || !change.remove.is_empty() {
            let role = before.json()?;
            let held = role["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut permissions: BTreeSet<&str> = held.collect();
            for one in &change.remove {
                if !permissions.remove(one) {
                    return Err(because(format!("the role does not allow {one} anyway")));
                }
            }
            permissions.extend(&change.add);
            body["permissions"] = permissions.into_iter().collect();
        }
        let role = client.patch(&path(&id), before.etag(), &body).await?.json()?;
        tell(as_json, &role, told(&role));
        Ok(())
    })
}

/// Deletes a role that nobody holds.
pub(crate) fn delete(door: &Door<'_>, role: &str, as_json: bool) -> Outcome {
    at(door, async |client| {
        let id = Names::read(&client).await?.id(role)?;
        client.delete(&path(&id), None).await?;
        tell(as_json, &json!({ "id": id }), format!("Deleted the role {role}.\n"));
        Ok(())
    })
}

/// Gives a member a role: in a place, or in the organisation.
pub(crate) fn give(door: &Door<'_>, role: &str, person: &str, place: Option<Place<'_>>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let body = json!({ "role": Names::read(&client).await?.id(role)? });
        let user = client.member(person).await?;
        let given = if let Some(place) = place {
            client.put(&place.path(&client, &user).await?, None, Some(&body)).await?
        } else {
            let path = format!("api/v1/members/{}", escaped(&user));
            let before = client.get(&path).await?;
            client.patch(&path, before.etag(), &body).await?
        };
        let held = place.map_or("the organisation".to_owned(), |place| place.to_string());
        tell(as_json, &given.json()?, format!("{person} is {role} in {held} now.\n"));
        Ok(())
    })
}

/// Takes a member out of a place. In the organisation everybody has a role: there it is another that is given.
pub(crate) fn take(door: &Door<'_>, person: &str, place: Place<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let user = client.member(person).await?;
        client.delete(&place.path(&client, &user).await?, None).await?;
        tell(as_json, &json!({ "user_id": user }), format!("{person} has no role in {place} any more.\n"));
        Ok(())
    })
}

fn path(id: &str) -> String {
    format!("api/v1/roles/{}", escaped(id))
}

fn told(role: &Value) -> String {
    let mut columns = Columns::default();
    for name in ["name", "id", "description"] {
        columns.row([name, &text(&role[name])]);
    }
    for (number, permission) in role["permissions"].as_array().into_iter().flatten().enumerate() {
        columns.row([if number == 0 { "may" } else { "" }, &text(permission)]);
    }
    columns.to_string()
}
