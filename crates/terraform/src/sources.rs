//! What can be read: the organisation with what it pays for, and things by their names.

use client::Client;
use serde_json::{Value as Json, json};

use crate::problem::Problem;
use crate::resources::Outcome;
use crate::schema::{Attribute, FLAG_BY_NAME, NUMBER, NUMBER_BY_NAME, TEXT, TEXTS};
use crate::value::{Object, Value};

/// Exceptions from the plan.
const OVERRIDES: &str = r#"["set",["object",{"granted":"bool","limit":"number","name":"string","until":"string"}]]"#;

/// A kind of data source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) attributes: &'static [Attribute],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Organization,
    Member,
    /// By its name, in a list of this name.
    Named(&'static str),
}

const NAME: Attribute = Attribute::required("name", TEXT, "What it is called.");
const ID: Attribute = Attribute::told("id", TEXT, "Its id.");

/// All of them.
pub(crate) const SOURCES: &[Source] = &[
    Source {
        name: "rowhouse_organization",
        about: "The organisation, and what it pays for.",
        attributes: &[
            ID,
            Attribute::told("name", TEXT, "What it is called."),
            Attribute::told("slug", TEXT, "Its short label."),
            Attribute::told("status", TEXT, "active, past_due, suspended or closing."),
            Attribute::told("closes_at", TEXT, "When it will be erased, if it is closing."),
            Attribute::told("time_zone", TEXT, "Where its months and days begin."),
            Attribute::told("plan", TEXT, "Its plan."),
            Attribute::told("limits", NUMBER_BY_NAME, "How much is included, by what is counted."),
            Attribute::told("features", FLAG_BY_NAME, "Whether a feature is included, by its name."),
            Attribute::told("overrides", OVERRIDES, "What differs from the plan now, and until when."),
            Attribute::told("seats_used", NUMBER, "Members and open invitations."),
        ],
        kind: Kind::Organization,
    },
    Source {
        name: "rowhouse_member",
        about: "A member, by their mail address.",
        attributes: &[
            Attribute::required("email", TEXT, "Their mail address."),
            Attribute::told("user_id", TEXT, "Their id."),
            Attribute::told("name", TEXT, "What they are called."),
            Attribute::told("role", TEXT, "Their role in the organisation."),
            Attribute::told("standing", TEXT, "active or suspended."),
        ],
        kind: Kind::Member,
    },
    Source {
        name: "rowhouse_role",
        about: "A role, by its name.",
        attributes: &[
            NAME,
            ID,
            Attribute::told("description", TEXT, "What it is for."),
            Attribute::told("permissions", TEXTS, "What it allows."),
        ],
        kind: Kind::Named("roles"),
    },
    Source {
        name: "rowhouse_team",
        about: "A team, by its name.",
        attributes: &[NAME, ID, Attribute::told("parent_id", TEXT, "The team above it.")],
        kind: Kind::Named("teams"),
    },
    Source {
        name: "rowhouse_project",
        about: "A project, by its name.",
        attributes: &[NAME, ID, Attribute::told("description", TEXT, "What it is for.")],
        kind: Kind::Named("projects"),
    },
];

impl Source {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SOURCES.iter().find(|one| one.name == name)
    }

    /// What it says, for a configuration.
    pub(crate) async fn read(&self, client: &Client, config: &Object) -> Outcome<Object> {
        let told = match self.kind {
            Kind::Organization => organization(client).await?,
            Kind::Member => {
                let email = config.get("email").and_then(Value::text).unwrap_or_default();
                let id = client.member(email).await.map_err(|error| missing(&error).at("email"))?;
                client.get(&format!("api/v1/members/{}", client::escaped(&id))).await?.json()?
            }
            Kind::Named(list) => {
                let name = config.get("name").and_then(Value::text).unwrap_or_default();
                let all = client.list(&format!("api/v1/{list}")).await?;
                let mut fitting = all.into_iter().filter(|one| one["name"].as_str() == Some(name));
                let found = fitting.next().ok_or_else(|| nothing(name, list).at("name"))?;
                if fitting.next().is_some() {
                    let detail = "Name it by its id instead.";
                    return Err(Problem::new(format!("Several {list} are called {name}"), detail).at("name"));
                }
                found
            }
        };
        let of = |one: &Attribute| {
            // What was asked for stays as it was asked.
            let asked = config.get(one.name).filter(|_| one.is_settable()).cloned();
            (one.name.to_owned(), asked.unwrap_or_else(|| Value::from(&told[one.name])))
        };
        Ok(self.attributes.iter().map(of).collect())
    }
}

/// The organisation with what it may have.
async fn organization(client: &Client) -> Outcome<Json> {
    let path = format!("api/v1/orgs/{}", client.org());
    let mut told = client.get(&path).await?.json()?;
    let entitlements = client.get(&format!("{path}/entitlements")).await?.json()?;
    let each = |kind: &str, value: &str| -> Json {
        let all = entitlements[kind].as_object().into_iter().flatten();
        all.map(|(name, one)| (name.clone(), one[value].clone())).collect()
    };
    (told["limits"], told["features"]) = (each("limits", "value"), each("features", "granted"));
    let overrides = ["limits", "features"].iter().flat_map(|kind| entitlements[kind].as_object().into_iter().flatten());
    told["overrides"] = overrides
        .filter(|(_, one)| one["source"] == "override")
        .map(|(name, one)| json!({ "name": name, "limit": one["value"], "granted": one["granted"], "until": one["until"] }))
        .collect();
    told["seats_used"] = entitlements["used"]["seats"].clone();
    Ok(told)
}

fn nothing(name: &str, list: &str) -> Problem {
    Problem::new(format!("There is nothing called {name} among the {list}"), "The key must be able to see it.")
}

fn missing(error: &client::Error) -> Problem {
    Problem::new("There is no such member", format!("{error}."))
}
