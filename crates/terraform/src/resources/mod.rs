//! What can be managed.

mod invitation;
mod member_role;
mod placement;
mod thing;

use client::Client;
use placement::Placement;

use crate::plan::Planned;
use crate::problem::Problem;
use crate::schema::{Attribute, FLAG, TEXT, TEXTS, Usual};
use crate::value::{Object, Value};

/// What a call comes to.
pub(crate) type Outcome<T> = Result<T, Problem>;

/// A resource as it is on the server.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) state: Object,
    /// Its version there, if it has one.
    pub(crate) etag: Option<String>,
}

/// A kind of resource.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) attributes: &'static [Attribute],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Something with an id and fields of its own, in a list of this name.
    Thing(&'static str),
    /// Somebody's role in something.
    Placement(Placement),
    MemberRole,
    Invitation,
}

const ID: Attribute = Attribute::told("id", TEXT, "Its id.");
const ROLE: Attribute =
    Attribute::required("role", TEXT, "owner, admin, member or viewer, or the id of a custom role.");

/// All of them.
pub(crate) const RESOURCES: &[Resource] = &[
    Resource {
        name: "rowhouse_role",
        about: "A role of the organisation's own.",
        attributes: &[
            ID,
            Attribute::required("name", TEXT, "What it is called."),
            Attribute::usual("description", TEXT, Usual::Empty, "What it is for."),
            Attribute::required("permissions", TEXTS, "What it allows: at most what the key may do."),
        ],
        kind: Kind::Thing("roles"),
    },
    Resource {
        name: "rowhouse_team",
        about: "A team, at the top or below another.",
        attributes: &[
            ID,
            Attribute::required("name", TEXT, "What it is called."),
            Attribute::optional("parent_id", TEXT, "The team above it; at the top when left out."),
        ],
        kind: Kind::Thing("teams"),
    },
    Resource {
        name: "rowhouse_project",
        about: "A project. Destroying it deletes all that is in it, for good.",
        attributes: &[
            ID,
            Attribute::required("name", TEXT, "What it is called."),
            Attribute::usual("description", TEXT, Usual::Empty, "What it is for."),
            Attribute::usual("open", FLAG, Usual::False, "Whether all members of the organisation reach it."),
            Attribute::usual("archived", FLAG, Usual::False, "Whether nothing in it changes any more."),
        ],
        kind: Kind::Thing("projects"),
    },
    Resource {
        name: "rowhouse_invitation",
        about: "An invitation by mail. One that has ended is sent anew; destroying one that was accepted leaves the member.",
        attributes: invitation::ATTRIBUTES,
        kind: Kind::Invitation,
    },
    Resource {
        name: "rowhouse_member_role",
        about: "The role of a member in the organisation. Destroying it gives back the role that they had before.",
        attributes: member_role::ATTRIBUTES,
        kind: Kind::MemberRole,
    },
    Resource {
        name: "rowhouse_team_member",
        about: "A member's role in a team and the teams below it.",
        attributes: &[
            Attribute::required("team_id", TEXT, "The team.").fixed(),
            Attribute::required("user_id", TEXT, "The member.").fixed(),
            ROLE,
        ],
        kind: Kind::Placement(Placement { places: "teams", place: "team_id", holders: "members", holder: "user_id" }),
    },
    Resource {
        name: "rowhouse_project_member",
        about: "A member's role in a project.",
        attributes: &[
            Attribute::required("project_id", TEXT, "The project.").fixed(),
            Attribute::required("user_id", TEXT, "The member.").fixed(),
            ROLE,
        ],
        kind: Kind::Placement(Placement {
            places: "projects",
            place: "project_id",
            holders: "members",
            holder: "user_id",
        }),
    },
    Resource {
        name: "rowhouse_project_team",
        about: "The role of a team's members in a project.",
        attributes: &[
            Attribute::required("project_id", TEXT, "The project.").fixed(),
            Attribute::required("team_id", TEXT, "The team.").fixed(),
            ROLE,
        ],
        kind: Kind::Placement(Placement {
            places: "projects",
            place: "project_id",
            holders: "teams",
            holder: "team_id",
        }),
    },
];

impl Resource {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|one| one.name == name)
    }

    /// Makes one.
    pub(crate) async fn create(&self, client: &Client, wanted: &Object) -> Outcome<Made> {
        match &self.kind {
            Kind::Thing(list) => thing::create(client, list, self.attributes, wanted).await,
            Kind::Placement(placement) => placement.set(client, wanted).await,
            Kind::MemberRole => member_role::create(client, wanted).await,
            Kind::Invitation => invitation::create(client, wanted).await,
        }
    }

    /// How it is now; none when it is gone.
    pub(crate) async fn read(&self, client: &Client, state: &Object) -> Outcome<Option<Made>> {
        match &self.kind {
            Kind::Thing(list) => thing::read(client, list, self.attributes, state).await,
            Kind::Placement(placement) => placement.read(client, state).await,
            Kind::MemberRole => member_role::read(client, state).await,
            Kind::Invitation => invitation::read(client, state).await,
        }
    }

    /// Makes it what is wanted, if it still is what the version tells.
    pub(crate) async fn update(
        &self,
        client: &Client,
        state: &Object,
        wanted: &Object,
        etag: Option<&str>,
    ) -> Outcome<Made> {
        match &self.kind {
            Kind::Thing(list) => thing::update(client, list, self.attributes, state, wanted, etag).await,
            Kind::Placement(placement) => placement.set(client, wanted).await,
            Kind::MemberRole => member_role::update(client, wanted, etag).await,
            Kind::Invitation => invitation::update(client, wanted).await,
        }
    }

    /// Deletes it, if it still is what the version tells. What is gone already is deleted.
    pub(crate) async fn delete(&self, client: &Client, state: &Object, etag: Option<&str>) -> Outcome<()> {
        match &self.kind {
            Kind::Thing(list) => thing::delete(client, list, state, etag).await,
            Kind::Placement(placement) => placement.delete(client, state).await,
            Kind::MemberRole => member_role::delete(client, state, etag).await,
            Kind::Invitation => invitation::delete(client, state).await,
        }
    }

    /// What an id says of one that exists.
    pub(crate) fn import(&self, id: &str) -> Outcome<Object> {
        match &self.kind {
            Kind::Thing(_) | Kind::Invitation => Ok(Object::from([("id".to_owned(), Value::from(id))])),
            Kind::MemberRole => Ok(Object::from([("user_id".to_owned(), Value::from(id))])),
            Kind::Placement(placement) => placement.import(id),
        }
    }

    /// Fits a plan to what has come to be of a resource, though nothing of the configuration says so.
    pub(crate) fn mend(&self, state: &Object, planned: &mut Planned) {
        if let Kind::Invitation = self.kind {
            invitation::mend(state, planned);
        }
    }
}

/// The text of an attribute, as a part of a path.
fn part(object: &Object, name: &str) -> String {
    client::escaped(object.get(name).and_then(Value::text).unwrap_or_default())
}

/// Whether the server says that there is no such thing.
fn is_gone(error: &client::Error) -> bool {
    error.code() == Some("not_found")
}

/// A refusal to change something: in words of planning, when it was changed or deleted meanwhile.
fn refused(error: client::Error, what: &str) -> Problem {
    match error.code() {
        Some("stale" | "not_found") => Problem::outdated(what),
        _ => error.into(),
    }
}
