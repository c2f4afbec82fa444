//! Invitations into organisations. An invitation is open until it is accepted, revoked or ends.

use domain::email::Email;
use domain::role::Role;
use domain::{InvitationId, OrgId, ProjectId, RoleId, TeamId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use super::people::Person;
use crate::sql::{Json, after_id};
use crate::{OrNotFound, Result};

/// An invitation: all but the secret of its link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// The id.
    pub id: InvitationId,
    /// The organisation.
    pub org_id: OrgId,
    /// Who is invited.
    pub email: Email,
    /// The role at the organisation.
    pub role: Role,
    /// Teams to be put into, with the role there.
    #[serde(serialize_with = "as_list")]
    pub teams: Json<Vec<(TeamId, Role)>>,
    /// Projects to be put into, with the role there.
    #[serde(serialize_with = "as_list")]
    pub projects: Json<Vec<(ProjectId, Role)>>,
    /// Who invites.
    pub invited_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When its link was last sent.
    pub sent_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was accepted.
    pub accepted_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

impl Invitation {
    /// Whether it can be accepted at that time.
    #[must_use]
    pub fn is_open(&self, now: Time) -> bool {
        self.accepted_at.is_none() && self.revoked_at.is_none() && now < self.expires_at
    }
}

fn as_list<T: Serialize, S: serde::Serializer>(list: &Json<Vec<T>>, serializer: S) -> Result<S::Ok, S::Error> {
    list.0.serialize(serializer)
}

/// Adds an open invitation whose link's secret has the hash.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, invitation: &Invitation, hash: &[u8; 32]) -> Result<()> {
    tx.sql(
        "INSERT INTO invitations (id, org_id, email, email_key, role, teams, projects, hash, invited_by, created_at,
                                  sent_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(invitation.id)
    .bind(invitation.org_id)
    .bind(&invitation.email)
    .bind(invitation.email.normalised())
    .bind(invitation.role)
    .bind(serde_json::to_string(&invitation.teams.0).unwrap_or_default())
    .bind(serde_json::to_string(&invitation.projects.0).unwrap_or_default())
    .bind(hash)
    .bind(invitation.invited_by)
    .bind(invitation.created_at)
    .bind(invitation.sent_at)
    .bind(invitation.expires_at)
    .run()
    .await?;
    Ok(())
}

/// The invitation whose link's secret has this hash, open or not, if there is one.
/// # Errors
/// As the database.
pub async fn find_by_hash(tx: &mut ControlTx, hash: &[u8; 32]) -> Result<Option<Invitation>> {
    tx.sql(
        "SELECT id, org_id, email, role, teams, projects, invited_by, created_at, sent_at, expires_at, accepted_at,
                revoked_at
         FROM invitations WHERE hash = $1",
    )
    .bind(hash)
    .optional()
    .await
}

/// The open invitation of a mail address into an organisation, if there is one; the newest, should there be several.
/// # Errors
/// As the database.
pub async fn find_open_by_email(tx: &mut ControlTx, org: OrgId, email: &Email) -> Result<Option<Invitation>> {
    let now = tx.now();
    tx.sql(
        "SELECT id, org_id, email, role, teams, projects, invited_by, created_at, sent_at, expires_at, accepted_at,
                revoked_at
         FROM invitations
         WHERE org_id = $1 AND email_key = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3
         ORDER BY id DESC LIMIT 1",
    )
    .bind(org)
    .bind(email.normalised())
    .bind(now)
    .optional()
    .await
}

/// The open invitations by which a person can come into an organisation: those to their address, and those to others that they have
/// opened.
/// # Errors
/// As the database.
pub async fn open_for(tx: &mut ControlTx, org: OrgId, person: &Person) -> Result<Vec<Invitation>> {
    let now = tx.now();
    tx.sql(
        "SELECT id, org_id, email, role, teams, projects, invited_by, created_at, sent_at, expires_at, accepted_at,
                revoked_at
         FROM invitations
         WHERE org_id = $1 AND (email_key = $2 OR asked_by = $3) AND accepted_at IS NULL AND revoked_at IS NULL
           AND expires_at > $4
         ORDER BY id",
    )
    .bind(org)
    .bind(person.email.normalised())
    .bind(person.id)
    .bind(now)
    .all()
    .await
}

/// An invitation of an organisation, open or not.
/// # Errors
/// [`crate::Error::NotFound`] when it has none such.
pub async fn get(tx: &mut ControlTx, org: OrgId, id: InvitationId) -> Result<Invitation> {
    tx.sql(
        "SELECT id, org_id, email, role, teams, projects, invited_by, created_at, sent_at, expires_at, accepted_at,
                revoked_at
         FROM invitations WHERE org_id = $1 AND id = $2",
    )
    .bind(org)
    .bind(id)
    .optional()
    .await
    .or_not_found("invitation")
}

/// The invitations of an organisation, the oldest first: all, or the open ones; at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(
    tx: &mut ControlTx,
    org: OrgId,
    open_only: bool,
    after: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let open_at = open_only.then(|| tx.now());
    tx.sql(
        "SELECT id, org_id, email, role, teams, projects, invited_by, created_at, sent_at, expires_at, accepted_at,
                revoked_at
         FROM invitations
         WHERE org_id = $1 AND ($2 IS NULL OR (accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2))
           AND id > $3
         ORDER BY id LIMIT $4",
    )
    .bind(org)
    .bind(open_at)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// How many invitations into an organisation are open: each holds a seat.
/// # Errors
/// As the database.
pub async fn count_open(tx: &mut ControlTx, org: OrgId, now: Time) -> Result<i64> {
    tx.sql(
        "SELECT count(*) FROM invitations
         WHERE org_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(org)
    .bind(now)
    .one()
    .await
}

/// How many open invitations give a custom role, at the organisation, at a team or at a project.
/// # Errors
/// As the database.
pub async fn count_open_with_role(tx: &mut ControlTx, org: OrgId, role: RoleId, now: Time) -> Result<i64> {
    tx.sql(
        "SELECT count(*) FROM invitations
         WHERE org_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $4
           AND (role = $2 OR teams LIKE $3 OR projects LIKE $3)",
    )
    .bind(org)
    .bind(Role::Custom(role))
    .bind(format!("%{role}%"))
    .bind(now)
    .one()
    .await
}

/// Gives an invitation a new link and a new end, so that the old link is void; one that has ended is open again. Whoever does
/// it answers for it from then on. Says whether it could be: an accepted or revoked one cannot.
/// # Errors
/// As the database.
pub async fn resend(
    tx: &mut ControlTx,
    org: OrgId,
    id: InvitationId,
    by: UserId,
    hash: &[u8; 32],
    sent_at: Time,
    expires_at: Time,
) -> Result<bool> {
    let changed = tx
        .sql(
            "UPDATE invitations SET hash = $3, sent_at = $4, expires_at = $5, invited_by = $6, asked_by = NULL, asked_hash = NULL
             WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
        )
        .bind(org)
        .bind(id)
        .bind(hash)
        .bind(sent_at)
        .bind(expires_at)
        .bind(by)
        .run()
        .await?;
    Ok(changed > 0)
}

/// Notes that somebody with another address has opened the link, and which link in the invited mailbox lets them in. Whoever opened it
/// before is forgotten.
/// # Errors
/// As the database.
pub async fn ask(tx: &mut ControlTx, id: InvitationId, by: UserId, hash: &[u8; 32], until: Time) -> Result<()> {
    tx.sql("UPDATE invitations SET asked_by = $2, asked_hash = $3, asked_until = $4 WHERE id = $1")
        .bind(id)
        .bind(by)
        .bind(hash)
        .bind(until)
        .run()
        .await?;
    Ok(())
}

/// Whom the confirming link with this hash lets in, if it has not ended, and by which invitation, open or not.
/// # Errors
/// As the database.
pub async fn find_asked(tx: &mut ControlTx, hash: &[u8; 32]) -> Result<Option<(UserId, Invitation)>> {
    let now = tx.now();
    let asked: Option<(UserId, OrgId, InvitationId)> = tx
        .sql("SELECT asked_by, org_id, id FROM invitations WHERE asked_hash = $1 AND asked_until > $2 AND asked_by IS NOT NULL")
        .bind(hash)
        .bind(now)
        .optional()
        .await?;
    let Some((by, org, id)) = asked else { return Ok(None) };
    Ok(Some((by, get(tx, org, id).await?)))
}

/// Marks an invitation as accepted; says whether it was still open.
/// # Errors
/// As the database.
pub async fn accept(tx: &mut ControlTx, id: InvitationId) -> Result<bool> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE invitations SET accepted_at = $2, asked_by = NULL, asked_hash = NULL
             WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(id)
        .bind(now)
        .run()
        .await?;
    Ok(changed > 0)
}

/// Revokes an invitation; says whether it was neither accepted nor revoked before.
/// # Errors
/// As the database.
pub async fn revoke(tx: &mut ControlTx, org: OrgId, id: InvitationId) -> Result<bool> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE invitations SET revoked_at = $3
             WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
        )
        .bind(org)
        .bind(id)
        .bind(now)
        .run()
        .await?;
    Ok(changed > 0)
}
