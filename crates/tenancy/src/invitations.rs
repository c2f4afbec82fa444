//! Invitations: a promise of a role, teams and projects to whoever can read the mail of an address.
//!
//! What is promised is held against the inviter's rights twice: when it is promised and when it is taken. The secret of the link is
//! known to its reader alone; the database has its hash.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::access::{Level, Permission, PermissionSet};
use domain::authoriser::Object;
use domain::email::Email;
use domain::role::{Role, held_at};
use domain::status::Standing;
use domain::{InvitationId, OrgId, ProjectId, TeamId, Time, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::invitations::{self, Invitation};
use store::control::mail_domains;
use store::control::mails::{self, NewMail};
use store::control::memberships::{self, Membership};
use store::control::organisations::{self, Organisation};
use store::control::people::{self, Person};
use store::deliveries::Placement;
use store::keys::sha256;
use store::org::{projects, teams};
use store::{Actor, ControlTx, Error as StoreError, Invited, Json, Origin, Scope, Turn};

use crate::login::new_secret;
use crate::roles::Fresh;
use crate::{Error, House, Result, entitlements, letters, members, roles, throttle};

/// How long a link can be used (security facts, section 5.8).
const LIFETIME: Duration = Duration::from_hours(72);
/// The most teams, and the most projects, that one invitation can name.
const MOST: usize = 100;

/// What an invitation promises.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The role at the organisation.
    pub role: Role,
    /// Teams to be put into, with the role there.
    pub teams: Vec<(TeamId, Role)>,
    /// Projects to be put into, with the role there.
    pub projects: Vec<(ProjectId, Role)>,
}

/// An invitation with the secret of its link, which is shown this once.
#[derive(Debug)]
pub struct Sent {
    /// The invitation.
    pub invitation: Invitation,
    /// The secret.
    pub token: String,
}

/// What a link leads to, for whoever has not accepted yet.
#[derive(Debug)]
pub struct Preview {
    /// The organisation.
    pub organisation: Organisation,
    /// The role there.
    pub role: Role,
    /// What the role is called.
    pub role_name: String,
    /// Until when it can be accepted.
    pub expires_at: Time,
}

/// Somebody who has accepted.
#[derive(Debug)]
pub struct Joined {
    /// The organisation.
    pub organisation: Organisation,
    /// Their membership.
    pub membership: Membership,
}

/// The address of a link. The secret stands behind the `#`, which browsers do not send, so it is in no log on the way.
#[must_use]
pub fn link(house: &House, token: &str) -> String {
    format!("{}/invitations/accept#token={token}", house.rules.public_url)
}

/// Invites a mail address, and mails the link there. The transaction is ready to be committed.
/// # Errors
/// [`Error::Forbidden`] when more is promised than the inviter holds; [`StoreError::NotFound`] for roles, teams and projects that
/// they cannot see; [`Error::Conflict`] when the address is invited or a member already; [`Error::Allowance`] when no seat is
/// left; [`Error::StepUp`] when an owner is invited without a fresh factor.
pub async fn invite(
    house: &House,
    scope: &Scope,
    email: Email,
    offer: Offer,
    fresh: Fresh,
) -> Result<(ControlTx, Sent)> {
    refuse_lists(&offer)?;
    let ambient = house.store.ambient();
    let now = ambient.now();
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    roles::take_care_of_owners(fresh, check(house, &mut tx, scope, &offer).await?)?;
    refuse_known(&mut tx, scope, &email).await?;
    entitlements::require_seats(house, &mut tx, scope.org(), 1).await?;
    throttle::charge_invitation(&mut tx, house, scope.org(), &email).await?;
    let token = new_secret(house);
    let invitation = Invitation {
        id: ambient.id(),
        org_id: scope.org(),
        email,
        role: offer.role,
        teams: Json(offer.teams),
        projects: Json(offer.projects),
        invited_by: scope.user(),
        created_at: now,
        sent_at: now,
        expires_at: now + LIFETIME,
        accepted_at: None,
        revoked_at: None,
    };
    invitations::insert(&mut tx, &invitation, &sha256(&token)).await?;
    mail(house, &mut tx, &invitation, &token).await?;
    let event =
        Event::new("invitation.created", invitation.id).after(&invitation).detail(json!({ "role": invitation.role }));
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok((tx, Sent { invitation, token }))
}

/// Gives an invitation a new link, mails it, and voids the old one; one that has ended is open again. Whoever does it answers for it
/// as if they had invited. The transaction is ready to be committed.
/// # Errors
/// As [`invite`]; [`Error::Conflict`] also when it was accepted or revoked.
pub async fn resend(house: &House, scope: &Scope, id: InvitationId, fresh: Fresh) -> Result<(ControlTx, Sent)> {
    let now = house.store.ambient().now();
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let before = invitations::get(&mut tx, scope.org(), id).await?;
    if before.accepted_at.is_some() || before.revoked_at.is_some() {
        return Err(Error::Conflict("This invitation was accepted or revoked; invite anew.".into()));
    }
    let offer = what_is_left(house, scope, &before).await?;
    roles::take_care_of_owners(fresh, check(house, &mut tx, scope, &offer).await?)?;
    if !before.is_open(now) {
        refuse_known(&mut tx, scope, &before.email).await?;
        entitlements::require_seats(house, &mut tx, scope.org(), 1).await?;
    }
    throttle::charge_invitation(&mut tx, house, scope.org(), &before.email).await?;
    let token = new_secret(house);
    let expires_at = now + LIFETIME;
    invitations::resend(&mut tx, scope.org(), id, scope.user(), &sha256(&token), now, expires_at).await?;
    let invitation = invitations::get(&mut tx, scope.org(), id).await?;
    mail(house, &mut tx, &invitation, &token).await?;
    let event = Event::new("invitation.resent", id).before(&before).after(&invitation);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok((tx, Sent { invitation, token }))
}

/// Revokes an invitation. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when there is none such; [`Error::Conflict`] when it was accepted or revoked before.
pub async fn revoke(house: &House, scope: &Scope, id: InvitationId) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let before = invitations::get(&mut tx, scope.org(), id).await?;
    if !invitations::revoke(&mut tx, scope.org(), id).await? {
        return Err(Error::Conflict("This invitation was accepted or revoked before.".into()));
    }
    tx.record(scope.org(), scope.actor(), scope.origin(), Event::new("invitation.revoked", id).before(&before)).await?;
    Ok(tx)
}

/// Shows what a link leads to.
/// # Errors
/// [`StoreError::NotFound`] when the link is void, whatever the reason.
pub async fn preview(house: &House, token: &str, origin: &Origin) -> Result<Preview> {
    let invited = house.store.invited(token, origin.clone()).await?.ok_or(StoreError::NotFound("invitation"))?;
    let mut reader = house.store.open(&invited.inviter).read().await?;
    let role_name = match invited.invitation.role {
        Role::Builtin(builtin) => builtin.as_str().to_owned(),
        Role::Custom(id) => store::org::roles::get(&mut reader, id).await?.name.to_string(),
    };
    drop(reader);
    let mut tx = house.store.read_control().await?;
    let organisation = organisations::get(&mut tx, invited.invitation.org_id).await?;
    Ok(Preview { organisation, role: invited.invitation.role, role_name, expires_at: invited.invitation.expires_at })
}

/// What opening a link leads to.
#[derive(Debug)]
pub enum Accepted {
    /// They belong to the organisation when the transaction is committed.
    Joined(ControlTx, Box<Joined>),
    /// The invited mailbox is asked to confirm it, when the transaction is committed.
    Asked(ControlTx),
    /// The person has verified no address. To be recorded where they tried.
    Unverified(Invitation),
}

/// Accepts an invitation for a person who is signed in. Under another verified address than the invited one they join when whoever reads
/// the invited mailbox confirms it: that is the one whom the inviter trusted.
/// # Errors
/// [`StoreError::NotFound`] when the link is void, whatever the reason; [`Error::Forbidden`] when the inviter may not give any more
/// what was promised; [`Error::Conflict`] when the person is a member already; [`Error::Allowance`] when the plan has fewer seats
/// by now; [`Error::Throttled`] after too many mails to the invited address.
pub async fn accept(house: &House, user: UserId, token: &str, origin: &Origin) -> Result<Accepted> {
    let invited = house.store.invited(token, origin.clone()).await?.ok_or(StoreError::NotFound("invitation"))?;
    let org = invited.invitation.org_id;
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let person = people::get(&mut tx, user).await?;
    if person.verified_at.is_none() {
        return Ok(Accepted::Unverified(invited.invitation));
    }
    if memberships::find(&mut tx, org, user).await?.is_some() {
        return Err(Error::Conflict("You belong to this organisation already.".into()));
    }
    if person.email == invited.invitation.email {
        let joined = let_in(house, &mut tx, &invited, &person, origin).await?;
        return Ok(Accepted::Joined(tx, Box::new(joined)));
    }
    let invitation = &invited.invitation;
    throttle::charge_invitation(&mut tx, house, org, &invitation.email).await?;
    let secret = new_secret(house);
    invitations::ask(&mut tx, invitation.id, user, &sha256(&secret), invitation.expires_at).await?;
    let organisation = organisations::get(&mut tx, org).await?;
    let letter = letters::confirm_joining(house, invitation, &person, organisation.name.as_str(), &secret, origin);
    mails::queue(&mut tx, letter).await?;
    let event = Event::new("invitation.asked_elsewhere", invitation.id).detail(json!({ "by": user }));
    tx.record(org, &Actor::Person(user), origin, event).await?;
    Ok(Accepted::Asked(tx))
}

/// Lets in whoever opened an invitation under another address, on the word of whoever reads the invited mailbox.
/// # Errors
/// As [`accept`].
pub async fn confirm(house: &House, token: &str, origin: &Origin) -> Result<(ControlTx, Joined)> {
    let void = || Error::from(StoreError::NotFound("invitation"));
    let (_, invited) = house.store.invited_elsewhere(token, origin.clone()).await?.ok_or_else(void)?;
    let org = invited.invitation.org_id;
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    // Somebody else may have opened the first link since: the word was given for one alone.
    let (user, _) = invitations::find_asked(&mut tx, &sha256(token)).await?.ok_or_else(void)?;
    let person = people::find(&mut tx, user).await?.ok_or_else(void)?;
    if person.verified_at.is_none() || person.standing != Standing::Active {
        return Err(void());
    }
    if memberships::find(&mut tx, org, user).await?.is_some() {
        return Err(Error::Conflict("They belong to this organisation already.".into()));
    }
    let joined = let_in(house, &mut tx, &invited, &person, origin).await?;
    Ok((tx, joined))
}

/// Makes a person a member by an invitation, as it promised and as far as the inviter may give that now.
async fn let_in(
    house: &House,
    tx: &mut ControlTx,
    invited: &Invited,
    person: &Person,
    origin: &Origin,
) -> Result<Joined> {
    let Invited { invitation, inviter } = invited;
    let org = invitation.org_id;
    let offer = what_is_left(house, inviter, invitation).await?;
    check(house, tx, inviter, &offer).await.map_err(|error| match error {
        Error::Forbidden(_) => {
            Error::Forbidden("Whoever invited you may not give this any more; ask for a new invitation.".into())
        }
        other => other,
    })?;
    // This invitation itself is among the open ones, and holds the seat.
    entitlements::require_seats(house, tx, org, 0).await?;
    if !invitations::accept(tx, invitation.id).await? {
        return Err(StoreError::NotFound("invitation").into());
    }
    revoke_open(tx, org, person, &Actor::Person(person.id), origin).await?;
    mail_domains::unbar(tx, org, person).await?;
    let detail =
        json!({ "invitation": invitation.id, "role": offer.role, "teams": offer.teams, "projects": offer.projects });
    let place = Place { role: offer.role, teams: offer.teams, projects: offer.projects };
    let membership = seat(house, tx, org, person.id, place, detail, origin).await?;
    let organisation = organisations::get(tx, org).await?;
    Ok(Joined { organisation, membership })
}

/// Revokes the invitations that are open for a person who comes or goes. Whoever belongs to the organisation needs none, and the seat
/// that it holds is theirs; whoever went comes back by a new one, not by one from before.
pub(crate) async fn revoke_open(
    tx: &mut ControlTx,
    org: OrgId,
    person: &Person,
    actor: &Actor,
    origin: &Origin,
) -> Result<()> {
    for before in invitations::open_for(tx, org, person).await? {
        invitations::revoke(tx, org, before.id).await?;
        let event = Event::new("invitation.revoked", before.id).before(&before).detail(json!({ "with": person.id }));
        tx.record(org, actor, origin, event).await?;
    }
    Ok(())
}

/// Where somebody is put who joins.
pub(crate) struct Place {
    pub(crate) role: Role,
    pub(crate) teams: Vec<(TeamId, Role)>,
    pub(crate) projects: Vec<(ProjectId, Role)>,
}

/// Writes the membership of somebody who joins, with their teams and projects.
pub(crate) async fn seat(
    house: &House,
    tx: &mut ControlTx,
    org: OrgId,
    user: UserId,
    place: Place,
    detail: serde_json::Value,
    origin: &Origin,
) -> Result<Membership> {
    let ambient = house.store.ambient();
    let membership = Membership {
        id: ambient.id(),
        org_id: org,
        user_id: user,
        role: place.role,
        standing: Standing::Active,
        seen_at: None,
        version: 1,
        created_at: ambient.now(),
    };
    memberships::insert(tx, &membership).await?;
    // While they are in, too: what is decided about them holds for all accounts of that mailbox, whatever address they have later.
    let person = people::get(tx, user).await?;
    mail_domains::bar_mailbox(tx, org, &person.email).await?;
    let placement = Placement { user, membership: membership.id, teams: place.teams, projects: place.projects };
    if !placement.teams.is_empty() || !placement.projects.is_empty() {
        tx.place(org, &placement).await?;
    }
    let event = Event::new("member.joined", user).after(&membership).detail(detail);
    tx.record(org, &Actor::Person(user), origin, event).await?;
    Ok(membership)
}

/// Refuses lists that are too long or name something twice.
fn refuse_lists(offer: &Offer) -> Result<()> {
    let rule = || format!("must name at most {MOST}, each once");
    let teams: BTreeSet<_> = offer.teams.iter().map(|(team, _)| team).collect();
    if teams.len() != offer.teams.len() || teams.len() > MOST {
        return Err(Error::Invalid { field: "teams", rule: rule() });
    }
    let projects: BTreeSet<_> = offer.projects.iter().map(|(project, _)| project).collect();
    if projects.len() != offer.projects.len() || projects.len() > MOST {
        return Err(Error::Invalid { field: "projects", rule: rule() });
    }
    Ok(())
}

/// What an invitation promised, without teams and projects that are gone by now.
async fn what_is_left(house: &House, inviter: &Scope, invitation: &Invitation) -> Result<Offer> {
    let mut tx = house.store.open(inviter).read().await?;
    let (mut teams, mut projects) = (Vec::new(), Vec::new());
    for (team, role) in &invitation.teams.0 {
        if teams::find(&mut tx, *team).await?.is_some() {
            teams.push((*team, *role));
        }
    }
    for (project, role) in &invitation.projects.0 {
        if projects::find(&mut tx, *project).await?.is_some() {
            projects.push((*project, *role));
        }
    }
    Ok(Offer { role: invitation.role, teams, projects })
}

/// Checks that somebody may invite, and may give all that is promised. Holds the organisation's turn, so that no role goes
/// meanwhile. Gives what is promised at the organisation.
async fn check(house: &House, control: &mut ControlTx, inviter: &Scope, offer: &Offer) -> Result<PermissionSet> {
    members::still_holds(control, inviter).await?;
    let grants = inviter.grants();
    require(inviter, Permission::InvitationsCreate, Object::Organisation)?;
    let mut tx = house.store.open(inviter).read().await?;
    let promised = roles::permissions(&mut tx, offer.role).await?;
    roles::within(grants.at(Object::Organisation), promised)?;
    for (id, role) in &offer.teams {
        teams::get(&mut tx, *id).await?;
        let object = Object::Team(*id);
        if !grants.allow(Permission::TeamsRead, object) {
            return Err(StoreError::NotFound("team").into());
        }
        require(inviter, Permission::TeamsMembers, object)?;
        let given = roles::permissions(&mut tx, *role).await?;
        roles::within(grants.at(object), held_at(Level::Team, given))?;
        roles::team_within(&mut tx, grants, *id).await?;
    }
    for (id, role) in &offer.projects {
        let project = projects::get(&mut tx, *id).await?;
        let object = Object::Project { id: *id, open: project.open };
        if !grants.allow(Permission::ProjectsRead, object) {
            return Err(StoreError::NotFound("project").into());
        }
        require(inviter, Permission::ProjectsMembers, object)?;
        let given = roles::permissions(&mut tx, *role).await?;
        roles::within(grants.at(object), held_at(Level::Project, given))?;
    }
    Ok(promised)
}

fn require(scope: &Scope, permission: Permission, object: Object) -> Result<()> {
    if scope.grants().allow(permission, object) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("You may not {}; you lack {permission}.", permission.description())))
}

/// Refuses an address that is a member's or has an open invitation. Tells nothing about addresses outside the organisation.
async fn refuse_known(tx: &mut ControlTx, scope: &Scope, email: &Email) -> Result<()> {
    if let Some(person) = people::find_by_email(tx, email).await?
        && memberships::find(tx, scope.org(), person.id).await?.is_some()
    {
        return Err(Error::Conflict("This address belongs to a member of the organisation.".into()));
    }
    if invitations::find_open_by_email(tx, scope.org(), email).await?.is_some() {
        return Err(Error::Conflict("This address has an open invitation; resend or revoke it.".into()));
    }
    Ok(())
}

async fn mail(house: &House, tx: &mut ControlTx, invitation: &Invitation, token: &str) -> Result<()> {
    let inviter = people::get(tx, invitation.invited_by).await?.name;
    let organisation = organisations::get(tx, invitation.org_id).await?.name;
    let body = format!(
        "{inviter} invites you to work in {organisation} on Rowhouse.\n\n\
         To accept, sign in or sign up with this mail address and open:\n\n{}\n\n\
         The link works until {}, once. Opened under another mail address, it takes a confirmation from this one. If you do not know {inviter}, do nothing.\n",
        link(house, token),
        invitation.expires_at,
    );
    let subject = format!("{inviter} invites you to {organisation}");
    mails::queue(
        tx,
        NewMail {
            recipient: invitation.email.clone(),
            person: None,
            organisation: Some(invitation.org_id),
            subject,
            body,
        },
    )
    .await?;
    Ok(())
}
