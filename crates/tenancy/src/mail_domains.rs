//! Joining by mail domain: an organisation proves that a domain is its own, and people with a verified address there join by themselves.
//!
//! Any number of organisations may claim a domain, and none learns of another's claim. The proof is a link that goes to a mailbox which
//! only those who run the domain read; the first to prove it has it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::access::{Level, Permission};
use domain::authoriser::Object;
use domain::email::Email;
use domain::role::{Role, held_at};
use domain::{MailDomainId, OrgId, TeamId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::mail_domains::{self, MailDomain};
use store::control::organisations::{self, Organisation};
use store::control::people::{self, Person};
use store::control::{mails, memberships};
use store::keys::sha256;
use store::org::teams;
use store::{Actor, ControlTx, Error as StoreError, Json, Origin, Scope, Turn};

use crate::invitations::{self, Joined, Place};
use crate::login::new_secret;
use crate::{Error, House, Result, entitlements, letters, members, roles, throttle};

/// How long the link that proves a domain holds.
const LIFETIME: Duration = Duration::from_hours(72);
/// The most domains that one organisation can claim.
const MOST: usize = 20;
/// The most teams that joining can bring.
const MOST_TEAMS: usize = 20;

/// Domains under which anybody gets an address: none of them is an organisation's own.
const FREE: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.com",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "tuta.com",
    "tutanota.com",
    "wanadoo.fr",
    "web.de",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// What joining gives.
#[derive(Debug, Clone)]
pub struct Preset {
    /// The role at the organisation.
    pub role: Role,
    /// Teams to be put into, with the role there.
    pub teams: Vec<(TeamId, Role)>,
}

/// What is to change of a claim; what is left out stays.
#[derive(Debug, Default, Clone)]
pub struct Change {
    /// The role at the organisation.
    pub role: Option<Role>,
    /// Teams to be put into, with the role there.
    pub teams: Option<Vec<(TeamId, Role)>>,
    /// Whether people may join.
    pub joining: Option<bool>,
}

/// Claims a domain, and mails the link that proves it to one of the domain's own mailboxes. The transaction is ready to be committed.
/// # Errors
/// [`Error::Invalid`] for what is no domain of an organisation, and for roles above member; [`Error::Forbidden`] when more is given than
/// the caller holds; [`StoreError::Taken`] when the organisation has claimed it before.
pub async fn claim(
    house: &House,
    scope: &Scope,
    domain: &str,
    mailbox: &str,
    preset: Preset,
) -> Result<(ControlTx, MailDomain)> {
    let address = address(domain, mailbox)?;
    let ambient = house.store.ambient();
    let now = ambient.now();
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    check(house, &mut tx, scope, &preset).await?;
    if mail_domains::list(&mut tx, scope.org()).await?.len() >= MOST {
        return Err(Error::Conflict(format!("An organisation claims at most {MOST} domains; give one up first.")));
    }
    let claim = MailDomain {
        id: ambient.id(),
        org_id: scope.org(),
        domain: address.domain(),
        role: preset.role,
        teams: Json(preset.teams),
        joining: true,
        verified_at: None,
        version: 1,
        created_at: now,
    };
    let secret = new_secret(house);
    mail_domains::insert(&mut tx, &claim, &sha256(&secret), now + LIFETIME).await?;
    mail(house, &mut tx, &claim, &address, &secret, scope.origin()).await?;
    let event = Event::new("mail_domain.claimed", claim.id).after(&claim);
    tx.record(scope.org(), scope.actor(), scope.origin(), event.detail(json!({ "domain": claim.domain }))).await?;
    Ok((tx, claim))
}

/// Mails a new link; the one before is void. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when there is no such claim; [`Error::Conflict`] when it is proven.
pub async fn send_again(house: &House, scope: &Scope, id: MailDomainId, mailbox: &str) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    members::still_holds(&mut tx, scope).await?;
    let claim = mail_domains::get(&mut tx, scope.org(), id).await?;
    if claim.verified_at.is_some() {
        return Err(Error::Conflict("This domain is proven already.".into()));
    }
    let address = address(&claim.domain, mailbox)?;
    let secret = new_secret(house);
    mail_domains::renew_link(&mut tx, id, &sha256(&secret), house.store.ambient().now() + LIFETIME).await?;
    mail(house, &mut tx, &claim, &address, &secret, scope.origin()).await?;
    let event = Event::new("mail_domain.link_sent", id).detail(json!({ "domain": claim.domain }));
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok(tx)
}

/// Proves a domain with the link that was mailed to it. The transaction is ready to be committed.
/// # Errors
/// [`Error::Ticket`] when the link is not valid; [`Error::Conflict`] when another organisation was first.
pub async fn confirm(house: &House, token: &str, origin: &Origin) -> Result<(ControlTx, OrgId)> {
    let hash = sha256(token);
    let mut tx = house.store.read_control().await?;
    let org = mail_domains::find_by_hash(&mut tx, &hash).await?.ok_or(Error::Ticket)?.org_id;
    drop(tx);
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let claim = mail_domains::find_by_hash(&mut tx, &hash).await?.ok_or(Error::Ticket)?;
    mark(&mut tx, &claim).await?;
    let event = Event::new("mail_domain.verified", claim.id).detail(json!({ "domain": claim.domain, "by": "mail" }));
    tx.record(org, &Actor::System, origin, event).await?;
    Ok((tx, org))
}

/// Marks a domain as proven, on the operator's word. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when there is no such claim; [`Error::Conflict`] when it is proven, by whomever.
pub async fn vouch(
    house: &House,
    operator: UserId,
    origin: &Origin,
    org: OrgId,
    id: MailDomainId,
) -> Result<(ControlTx, MailDomain)> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let claim = mail_domains::get(&mut tx, org, id).await?;
    if claim.verified_at.is_some() {
        return Err(Error::Conflict("This domain is proven already.".into()));
    }
    mark(&mut tx, &claim).await?;
    let claim = mail_domains::get(&mut tx, org, id).await?;
    let event = Event::new("mail_domain.verified", id).detail(json!({ "domain": claim.domain, "by": "operator" }));
    crate::operator::record(&mut tx, operator, origin, org, event).await?;
    Ok((tx, claim))
}

async fn mark(tx: &mut ControlTx, claim: &MailDomain) -> Result<()> {
    mail_domains::verify(tx, claim.id).await.map_err(|error| match error {
        StoreError::Taken(_) => {
            Error::Conflict("This domain is another organisation's already; ask the operator.".into())
        }
        other => other.into(),
    })
}

/// Changes what joining gives, or switches it on or off. The transaction is ready to be committed.
/// # Errors
/// As [`claim`]; [`StoreError::Stale`] when the claim is of another version than expected.
pub async fn change(
    house: &House,
    scope: &Scope,
    id: MailDomainId,
    expected: Option<i64>,
    change: Change,
) -> Result<(ControlTx, MailDomain)> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let before = mail_domains::get(&mut tx, scope.org(), id).await?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(StoreError::Stale("mail domain").into());
    }
    let preset = Preset {
        role: change.role.unwrap_or(before.role),
        teams: change.teams.unwrap_or_else(|| before.teams.0.clone()),
    };
    let joining = change.joining.unwrap_or(before.joining);
    if joining {
        check(house, &mut tx, scope, &preset).await?;
    } else {
        // Switching it off takes no more than the right to: the teams may be gone by now.
        members::still_holds(&mut tx, scope).await?;
        refuse_form(&preset)?;
    }
    let after = MailDomain { role: preset.role, teams: Json(preset.teams), joining, ..before.clone() };
    mail_domains::update(&mut tx, &after).await?;
    let after = mail_domains::get(&mut tx, scope.org(), id).await?;
    let detail =
        json!({ "domain": after.domain, "joining": after.joining, "role": after.role, "teams": after.teams.0 });
    let event = Event::new("mail_domain.updated", id).before(&before).after(&after).detail(detail);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok((tx, after))
}

/// Gives a domain up; who joined by it stays. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when there is no such claim.
pub async fn give_up(house: &House, scope: &Scope, id: MailDomainId) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    members::still_holds(&mut tx, scope).await?;
    let claim = mail_domains::get(&mut tx, scope.org(), id).await?;
    mail_domains::delete(&mut tx, scope.org(), id).await?;
    let event = Event::new("mail_domain.given_up", id).before(&claim).detail(json!({ "domain": claim.domain }));
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok(tx)
}

/// The organisation that a person may join by their mail address, if there is one, and with which role.
/// # Errors
/// As the database.
pub async fn open_to(house: &House, user: UserId) -> Result<Option<(Organisation, Role)>> {
    let mut tx = house.store.read_control().await?;
    let person = people::get(&mut tx, user).await?;
    let Some((claim, organisation)) = opening(&mut tx, &person).await? else { return Ok(None) };
    let belongs = memberships::find(&mut tx, organisation.id, user).await?.is_some();
    Ok((!belongs).then_some((organisation, claim.role)))
}

/// Lets a person join an organisation by their mail address. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when they may not, whatever the reason; [`Error::Conflict`] when they belong to it; [`Error::Allowance`]
/// when no seat is left.
pub async fn join(house: &House, user: UserId, org: OrgId, origin: &Origin) -> Result<(ControlTx, Joined)> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    if memberships::find(&mut tx, org, user).await?.is_some() {
        return Err(Error::Conflict("You belong to this organisation already.".into()));
    }
    let person = people::get(&mut tx, user).await?;
    let found = opening(&mut tx, &person).await?.filter(|(claim, _)| claim.org_id == org);
    let (claim, organisation) = found.ok_or(StoreError::NotFound("organisation"))?;
    // First, since an invitation holds the seat of whoever it is for.
    invitations::revoke_open(&mut tx, org, &person, &Actor::Person(user), origin).await?;
    entitlements::require_seats(house, &mut tx, org, 1).await?;
    let detail = json!({ "mail_domain": claim.id, "domain": claim.domain, "role": claim.role, "teams": claim.teams.0 });
    let place = Place { role: claim.role, teams: claim.teams.0, projects: Vec::new() };
    let membership = invitations::seat(house, &mut tx, org, user, place, detail, origin).await?;
    Ok((tx, Joined { organisation, membership }))
}

/// The claim that lets a person in, with its organisation: proven, switched on, for a verified address, and for somebody who has not
/// belonged to it before.
async fn opening(tx: &mut ControlTx, person: &Person) -> Result<Option<(MailDomain, Organisation)>> {
    if person.verified_at.is_none() {
        return Ok(None);
    }
    let Some(claim) = mail_domains::open_to(tx, &person.email.domain()).await? else { return Ok(None) };
    let organisation = organisations::get(tx, claim.org_id).await?;
    let closed = !organisation.status.admits_writes() || mail_domains::is_barred(tx, claim.org_id, person).await?;
    Ok((!closed).then_some((claim, organisation)))
}

/// The mailbox to which the link goes: one that those who run the domain read (RFC 2142), and nobody else can choose.
fn address(domain: &str, mailbox: &str) -> Result<Email> {
    let invalid = |rule: &str| Error::Invalid { field: "domain", rule: rule.into() };
    if !["postmaster", "admin"].contains(&mailbox) {
        return Err(Error::Invalid { field: "mailbox", rule: "must be postmaster or admin".into() });
    }
    let address =
        Email::new(&format!("{mailbox}@{domain}")).map_err(|_| invalid("must be a domain such as example.com"))?;
    let domain = address.domain();
    if !domain.contains('.') {
        return Err(invalid("must be a domain such as example.com"));
    }
    if FREE.contains(&domain.as_str()) {
        return Err(invalid("gives addresses to anybody, so it is no organisation's own"));
    }
    Ok(address)
}

fn refuse_form(preset: &Preset) -> Result<()> {
    let mild = |role: &Role| [Role::MEMBER, Role::VIEWER].contains(role);
    if !mild(&preset.role) {
        return Err(Error::Invalid { field: "role", rule: "must be member or viewer".into() });
    }
    let each: BTreeSet<_> = preset.teams.iter().map(|(team, _)| team).collect();
    if each.len() != preset.teams.len() || each.len() > MOST_TEAMS || !preset.teams.iter().all(|(_, role)| mild(role)) {
        let rule = format!("must name at most {MOST_TEAMS}, each once, with the role member or viewer");
        return Err(Error::Invalid { field: "teams", rule });
    }
    Ok(())
}

/// Checks that somebody may give all that joining brings.
async fn check(house: &House, control: &mut ControlTx, scope: &Scope, preset: &Preset) -> Result<()> {
    refuse_form(preset)?;
    members::still_holds(control, scope).await?;
    let grants = scope.grants();
    let mut tx = house.store.open(scope).read().await?;
    roles::within(grants.at(Object::Organisation), roles::permissions(&mut tx, preset.role).await?)?;
    for (id, role) in &preset.teams {
        teams::get(&mut tx, *id).await?;
        let object = Object::Team(*id);
        if !grants.allow(Permission::TeamsMembers, object) {
            return Err(Error::Forbidden("You may not put people into this team.".into()));
        }
        roles::within(grants.at(object), held_at(Level::Team, roles::permissions(&mut tx, *role).await?))?;
        roles::team_within(&mut tx, grants, *id).await?;
    }
    Ok(())
}

async fn mail(
    house: &House,
    tx: &mut ControlTx,
    claim: &MailDomain,
    address: &Email,
    secret: &str,
    origin: &Origin,
) -> Result<()> {
    throttle::charge_invitation(tx, house, claim.org_id, address).await?;
    let organisation = organisations::get(tx, claim.org_id).await?;
    let until = house.store.ambient().now() + LIFETIME;
    let organisation = (organisation.id, organisation.name.as_str());
    let letter = letters::prove_domain(house, address, organisation, &claim.domain, secret, until, origin);
    mails::queue(tx, letter).await?;
    Ok(())
}
