//! Who was put into a team or a project, with which role: one set of statements for both.

use domain::role::Role;
use domain::{Id, MembershipId, ProjectId, TeamId, Time, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::deliveries::{Departure, Placement};
use crate::sql::{Bind, Statement, Transaction, after_id};
use crate::{Error, Result};

/// A person in a team or in a project.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Member<P> {
    /// The team or the project.
    pub place_id: P,
    /// The person.
    pub user_id: UserId,
    /// Their stay in the organisation: the role here ends with it.
    pub membership_id: MembershipId,
    /// The role here.
    pub role: Role,
    /// Since when they have it.
    pub created_at: Time,
}

/// Which of the two kinds of places with members an id is of.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// A team.
    Team,
    /// A project.
    Project,
}

/// The id of a team or of a project.
#[expect(private_bounds, reason = "what a statement can bind is the store's own business")]
pub trait Place: Id + Bind + Serialize + DeserializeOwned {
    /// Which of the two.
    const AT: At;
}

impl Place for TeamId {
    const AT: At = At::Team;
}

impl Place for ProjectId {
    const AT: At = At::Project;
}

/// Puts a person into a team or project; takes the place of the role they have there.
/// # Errors
/// [`Error::NotFound`] when there is no such team or project.
pub async fn put<P: Place>(tx: &mut Tx, member: &Member<P>) -> Result<()> {
    removal::<P>(tx.transaction()).bind(member.place_id).bind(member.user_id).run().await?;
    let put = addition(tx.transaction(), member).run().await?;
    tx.shift_authority();
    match (put, P::AT) {
        (0, At::Team) => Err(Error::NotFound("team")),
        (0, At::Project) => Err(Error::NotFound("project")),
        _ => Ok(()),
    }
}

/// Takes a person out of a team or project; says whether they were in it.
/// # Errors
/// As the database.
pub async fn remove<P: Place>(tx: &mut Tx, place: P, user: UserId) -> Result<bool> {
    let removed = removal::<P>(tx.transaction()).bind(place).bind(user).run().await?;
    tx.shift_authority();
    Ok(removed > 0)
}

/// Whether a person is in a team or project by the stay given.
/// # Errors
/// As the database.
pub async fn has<P: Place>(tx: &mut Tx, place: P, user: UserId, membership: MembershipId) -> Result<bool> {
    let statement = match P::AT {
        At::Team => tx.sql(
            "SELECT EXISTS (SELECT 1 FROM team_members WHERE team_id = $1 AND user_id = $2 AND membership_id = $3)",
        ),
        At::Project => tx.sql(
            "SELECT EXISTS (SELECT 1 FROM project_members WHERE project_id = $1 AND user_id = $2 AND membership_id = $3)",
        ),
    };
    statement.bind(place).bind(user).bind(membership).one().await
}

/// The members of a team or project by person, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list<P: Place>(tx: &mut Tx, place: P, after: Option<UserId>, limit: i64) -> Result<Vec<Member<P>>> {
    let statement = match P::AT {
        At::Team => tx.sql(
            "SELECT team_id AS place_id, user_id, membership_id, role, created_at FROM team_members
             WHERE team_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3",
        ),
        At::Project => tx.sql(
            "SELECT project_id AS place_id, user_id, membership_id, role, created_at FROM project_members
             WHERE project_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3",
        ),
    };
    statement.bind(place).bind(after_id(after)).bind(limit).all().await
}

/// The teams or projects that a person was put into, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn of_person<P: Place>(tx: &mut Tx, user: UserId, after: Option<P>, limit: i64) -> Result<Vec<Member<P>>> {
    let statement = match P::AT {
        At::Team => tx.sql(
            "SELECT team_id AS place_id, user_id, membership_id, role, created_at FROM team_members
             WHERE user_id = $1 AND team_id > $2 ORDER BY team_id LIMIT $3",
        ),
        At::Project => tx.sql(
            "SELECT project_id AS place_id, user_id, membership_id, role, created_at FROM project_members
             WHERE user_id = $1 AND project_id > $2 ORDER BY project_id LIMIT $3",
        ),
    };
    statement.bind(user).bind(after_id(after)).bind(limit).all().await
}

/// Takes a person out of all teams and projects that they were put into during a stay that has ended, and forgets how they had set
/// things up for themselves.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    for at in [At::Team, At::Project] {
        let statement = match at {
            At::Team => tx.sql("DELETE FROM team_members WHERE user_id = $1 AND membership_id = $2"),
            At::Project => tx.sql("DELETE FROM project_members WHERE user_id = $1 AND membership_id = $2"),
        };
        let statement = statement.unaudited("part of the end of a stay, which is recorded");
        statement.bind(departure.user).bind(departure.membership).run().await?;
    }
    let configs = tx.sql("DELETE FROM configs WHERE user_id = $1").bind(departure.user);
    configs.unaudited("part of the end of a stay, which is recorded").run().await?;
    Ok(())
}

/// Puts a member into the teams and projects that an invitation named, as far as they still exist.
pub(crate) async fn place(tx: &mut Transaction, placement: &Placement, now: Time) -> Result<()> {
    place_in(tx, placement, &placement.teams, now).await?;
    place_in(tx, placement, &placement.projects, now).await
}

async fn place_in<P: Place>(tx: &mut Transaction, who: &Placement, places: &[(P, Role)], now: Time) -> Result<()> {
    const WHY: &str = "part of accepting an invitation, which is recorded";
    for &(place_id, role) in places {
        let member = Member { place_id, user_id: who.user, membership_id: who.membership, role, created_at: now };
        removal::<P>(tx).bind(place_id).bind(who.user).unaudited(WHY).run().await?;
        addition(tx, &member).unaudited(WHY).run().await?;
    }
    Ok(())
}

/// Adds a member to a place, if the place is there.
fn addition<'t, P: Place>(tx: &'t mut Transaction, member: &Member<P>) -> Statement<'t> {
    let statement = match P::AT {
        At::Team => tx.sql(
            "INSERT INTO team_members (team_id, user_id, membership_id, role, created_at)
             SELECT id, $2, $3, $4, $5 FROM teams WHERE id = $1",
        ),
        At::Project => tx.sql(
            "INSERT INTO project_members (project_id, user_id, membership_id, role, created_at)
             SELECT id, $2, $3, $4, $5 FROM projects WHERE id = $1",
        ),
    };
    let Member { place_id, user_id, membership_id, role, created_at } = *member;
    statement.bind(place_id).bind(user_id).bind(membership_id).bind(role).bind(created_at)
}

/// Takes the member `$2` out of the place `$1`.
fn removal<P: Place>(tx: &mut Transaction) -> Statement<'_> {
    match P::AT {
        At::Team => tx.sql("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2"),
        At::Project => tx.sql("DELETE FROM project_members WHERE project_id = $1 AND user_id = $2"),
    }
}
