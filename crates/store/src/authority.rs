//! Who holds what, read from the databases and kept for less than a second.
//!
//! Revocation must hold within a second on every node. In this process a change bumps an epoch, so nothing older is used; other
//! processes notice by age.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::access::PermissionSet;
use domain::api_key::Presented;
use domain::authoriser::{Grants, Held};
use domain::email::Email;
use domain::lifetimes::Lifetimes;
use domain::role::Role;
use domain::status::{OrgStatus, Standing};
use domain::text::PersonName;
use domain::{MembershipId, OrgId, ProjectId, RoleId, TeamId, Time, UserId};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::control::{ControlTx, api_keys, memberships, organisations, people, sessions};
use crate::kept::{ENTRIES, Kept, Moment};
use crate::org::projects;
use crate::refusal::{Refusal, Stop};
use crate::scope::Scope;
use crate::sql::{Access, Json, Transaction};
use crate::{Error, Result, Store, tokens};

/// How long a token's signature counts as verified: an emergency removal of a signing key holds within a minute.
const SIGNATURE_AGE: Duration = Duration::from_secs(30);
/// How exact "last seen" is; each is a write.
pub(crate) const SEEN_STEP: Duration = Duration::from_mins(1);

pub(crate) struct Cache {
    epoch: AtomicU64,
    tokens: moka::sync::Cache<[u8; 32], tokens::Verified>,
    profiles: Kept<UserId, Arc<Profile>>,
    sessions: Kept<[u8; 32], sessions::Live>,
    keys: Kept<[u8; 32], Arc<api_keys::Verified>>,
    grants: Kept<([u8; 32], OrgId), Found>,
    /// Whether each is open to all members.
    projects: Kept<(OrgId, ProjectId), bool>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            tokens: moka::sync::Cache::builder().max_capacity(ENTRIES).time_to_live(SIGNATURE_AGE).build(),
            profiles: Kept::default(),
            sessions: Kept::default(),
            keys: Kept::default(),
            grants: Kept::default(),
            projects: Kept::default(),
        }
    }
}

/// A person as they see themselves.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Who.
    pub id: UserId,
    /// Their mail address.
    pub email: Email,
    /// Their name.
    pub name: PersonName,
    /// The organisations that they can enter.
    pub organisations: Vec<organisations::Belonging>,
}

/// What somebody holds in an organisation, and by which stay there.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) membership: MembershipId,
    /// When they last entered, to the minute.
    seen_at: Option<Time>,
    pub(crate) grants: Arc<Grants>,
    /// The organisation's own limits on sign-ins.
    pub(crate) lifetimes: Lifetimes,
    /// The person's mail address in small letters, when it is verified.
    pub(crate) address: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Membership {
    id: MembershipId,
    role: Role,
    standing: Standing,
    status: OrgStatus,
    seen_at: Option<Time>,
    lifetimes: Json<Lifetimes>,
    address: Option<String>,
}

impl Store {
    pub(crate) fn forget_authority(&self) {
        self.0.authorities.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Has every token's signature verified anew.
    pub(crate) fn forget_signatures(&self) {
        self.0.authorities.tokens.invalidate_all();
    }

    /// This moment. Taken before a reading, so that a change in between makes what was read stale and not fresh.
    fn moment(&self) -> Moment {
        Moment::now(self.0.authorities.epoch.load(Ordering::SeqCst))
    }

    /// What a token says; its signature is verified once in a while, its expiry each time.
    pub(crate) async fn cached_claims(&self, credential: [u8; 32], token: &str) -> Result<tokens::Verified, Stop> {
        if let Some(verified) = self.0.authorities.tokens.get(&credential) {
            if verified.is_over(self.ambient().now()) {
                return Err(Refusal::Expired.into());
            }
            return Ok(verified);
        }
        let verified = tokens::verify(self, token).await?;
        self.0.authorities.tokens.insert(credential, verified);
        Ok(verified)
    }

    /// A person with their organisations, at most a hundred.
    /// # Errors
    /// [`crate::Error::NotFound`] when there is no such person.
    pub async fn profile(&self, user: UserId) -> Result<Arc<Profile>> {
        let now = self.moment();
        if let Some(profile) = self.0.authorities.profiles.get(&user, now) {
            return Ok(profile);
        }
        let mut tx = self.read_control().await?;
        let person = people::get(&mut tx, user).await?;
        let organisations = organisations::of_person(&mut tx, user, None, 100).await?;
        let profile = Arc::new(Profile { id: person.id, email: person.email, name: person.name, organisations });
        self.0.authorities.profiles.insert(user, now, profile.clone());
        Ok(profile)
    }

    pub(crate) async fn cached_session(
        &self,
        credential: [u8; 32],
        find: impl AsyncFnOnce(&mut ControlTx) -> Result<Option<sessions::Live>>,
    ) -> Result<sessions::Live, Stop> {
        let now = self.moment();
        if let Some(session) = self.0.authorities.sessions.get(&credential, now) {
            return Ok(session);
        }
        let mut tx = self.read_control().await?;
        let Some(session) = find(&mut tx).await? else {
            self.0.authorities.sessions.forget(&credential);
            return Err(Refusal::Unknown.into());
        };
        self.0.authorities.sessions.insert(credential, now, session.clone());
        Ok(session)
    }

    /// What is known of a presented key; the credential is the hash of its text.
    pub(crate) async fn cached_key(
        &self,
        credential: [u8; 32],
        presented: &Presented,
    ) -> Result<Arc<api_keys::Verified>, Stop> {
        let now = self.moment();
        if let Some(key) = self.0.authorities.keys.get(&credential, now) {
            return Ok(key);
        }
        let hash = self.fingerprint("api key", presented.secret().as_bytes());
        let mut tx = self.read_control().await?;
        let key = api_keys::find_presented(&mut tx, presented).await?;
        let Some(key) = key.filter(|key| bool::from(key.hash.as_slice().ct_eq(&hash))).map(Arc::new) else {
            self.0.authorities.keys.forget(&credential);
            return Err(Refusal::Unknown.into());
        };
        self.0.authorities.keys.insert(credential, now, key.clone());
        Ok(key)
    }

    /// Forgets a session that was just marked as used, so that the next request sees the mark and does not write it again.
    pub(crate) fn session_seen(&self, credential: &[u8; 32]) {
        self.0.authorities.sessions.forget(credential);
    }

    /// As [`Store::session_seen`], for a key.
    pub(crate) fn key_seen(&self, credential: &[u8; 32]) {
        self.0.authorities.keys.forget(credential);
    }

    pub(crate) async fn cached_grants(&self, credential: &[u8; 32], user: UserId, org: OrgId) -> Result<Found, Stop> {
        let now = self.moment();
        if let Some(found) = self.0.authorities.grants.get(&(*credential, org), now) {
            return Ok(found);
        }
        let found = self.load_grants(user, org).await.inspect_err(|stop| {
            if let Stop::Refused(_) = stop {
                self.0.authorities.grants.forget(&(*credential, org));
            }
        })?;
        if found.seen_at.is_none_or(|at| self.ambient().now().since(at) > SEEN_STEP) {
            unless_full(memberships::touch(self, found.membership).await)?;
        }
        self.0.authorities.grants.insert((*credential, org), now, found.clone());
        Ok(found)
    }

    /// Whether a project of the scope's organisation is open to all members: what decides who may work in it, beside what they hold.
    /// # Errors
    /// [`Error::NotFound`] when the organisation has no such project; as the database.
    pub async fn is_open_project(&self, scope: &Scope, id: ProjectId) -> Result<bool> {
        let (now, place) = (self.moment(), (scope.org(), id));
        if let Some(open) = self.0.authorities.projects.get(&place, now) {
            return Ok(open);
        }
        let mut tx = self.open(scope).read().await?;
        let Some(project) = projects::find(&mut tx, id).await? else {
            self.0.authorities.projects.forget(&place);
            return Err(Error::NotFound("project"));
        };
        self.0.authorities.projects.insert(place, now, project.open);
        Ok(project.open)
    }

    pub(crate) async fn first_org(&self, user: UserId) -> Result<Option<OrgId>> {
        let mut tx = self.read_control().await?;
        tx.sql(
            "SELECT m.org_id FROM memberships m JOIN organisations o ON o.id = m.org_id
             WHERE m.user_id = $1 AND m.standing = 'active' AND o.status NOT IN ('creating', 'erasing') ORDER BY m.created_at, m.id LIMIT 1",
        )
        .bind(user)
        .optional()
        .await
    }

    pub(crate) async fn load_grants(&self, user: UserId, org: OrgId) -> Result<Found, Stop> {
        let mut tx = self.read_control().await?;
        let membership: Option<Membership> = tx
            .sql(
                "SELECT m.id, m.role, m.standing, m.seen_at, o.status, o.lifetimes,
                        CASE WHEN p.verified_at IS NOT NULL THEN p.email_key END AS address
                 FROM memberships m JOIN organisations o ON o.id = m.org_id JOIN people p ON p.id = m.user_id
                 WHERE m.org_id = $1 AND m.user_id = $2",
            )
            .bind(org)
            .bind(user)
            .optional()
            .await?;
        drop(tx);
        let membership = membership.filter(|m| m.status.admits_owners()).ok_or(Refusal::NotAMember)?;
        if membership.standing != Standing::Active {
            return Err(Refusal::MembershipSuspended.into());
        }
        let mut tx = self.tenant(org, Access::Read).await?;
        let grants = read_grants(&mut tx, &membership, user).await?;
        Ok(Found {
            membership: membership.id,
            seen_at: membership.seen_at,
            grants: Arc::new(grants),
            lifetimes: membership.lifetimes.0,
            address: membership.address.map(Arc::from),
        })
    }
}

/// Noting when somebody was last seen is a courtesy: a full disk must not keep them from reading.
pub(crate) fn unless_full(noted: Result<()>) -> Result<()> {
    match noted {
        Err(Error::Full) => Ok(()),
        other => other,
    }
}

#[derive(Deserialize)]
struct Grant<T> {
    id: T,
    role: Role,
}

async fn read_grants(tx: &mut Transaction, membership: &Membership, user: UserId) -> Result<Grants> {
    let roles = read_roles(tx).await?;
    let of_role = |role: Role| match role {
        Role::Builtin(builtin) => builtin.permissions(),
        // A role that is gone gives nothing.
        Role::Custom(id) => roles.get(&id).copied().unwrap_or_default(),
    };
    let in_teams: Vec<Grant<TeamId>> = tx
        .sql("SELECT team_id AS id, role FROM team_members WHERE user_id = $1 AND membership_id = $2")
        .bind(user)
        .bind(membership.id)
        .all()
        .await?;
    let in_projects: Vec<Grant<ProjectId>> = tx
        .sql("SELECT project_id AS id, role FROM project_members WHERE user_id = $1 AND membership_id = $2")
        .bind(user)
        .bind(membership.id)
        .all()
        .await?;
    let mut teams: BTreeMap<TeamId, Vec<Held>> = BTreeMap::new();
    let mut projects: BTreeMap<ProjectId, Vec<Held>> = BTreeMap::new();
    for grant in in_projects {
        let held = Held { role: grant.role, permissions: of_role(grant.role), through: None };
        projects.entry(grant.id).or_default().push(held);
    }
    if !in_teams.is_empty() {
        let tree = Tree::read(tx).await?;
        // Being in a team is being in the teams above it: what was given to those reaches its people.
        let mut around = BTreeSet::new();
        for grant in &in_teams {
            for team in tree.below(grant.id) {
                let through = (team != grant.id).then_some(grant.id);
                teams.entry(team).or_default().push(Held {
                    role: grant.role,
                    permissions: of_role(grant.role),
                    through,
                });
            }
            around.extend(tree.above(grant.id));
        }
        let given: Vec<(ProjectId, TeamId, Role)> =
            tx.sql("SELECT project_id, team_id, role FROM project_teams").all().await?;
        for (project, team, role) in given.into_iter().filter(|(_, team, _)| around.contains(team)) {
            projects.entry(project).or_default().push(Held { role, permissions: of_role(role), through: Some(team) });
        }
    }
    Ok(Grants {
        status: membership.status,
        role: membership.role,
        organisation: of_role(membership.role),
        teams,
        projects,
        ceiling: None,
        only_project: None,
    })
}

async fn read_roles(tx: &mut Transaction) -> Result<BTreeMap<RoleId, PermissionSet>> {
    let rows: Vec<(RoleId, Json<Vec<String>>)> = tx.sql("SELECT id, permissions FROM roles").all().await?;
    // A permission that this version no longer knows gives nothing.
    Ok(rows
        .into_iter()
        .map(|(id, Json(names))| (id, names.iter().filter_map(|name| name.parse().ok()).collect()))
        .collect())
}

/// The tree of teams.
struct Tree(BTreeMap<TeamId, Option<TeamId>>);

impl Tree {
    async fn read(tx: &mut Transaction) -> Result<Self> {
        let rows: Vec<(TeamId, Option<TeamId>)> = tx.sql("SELECT id, parent_id FROM teams").all().await?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// A team and all above it. Bounded by the number of teams, so a cycle could not hang it.
    fn above(&self, team: TeamId) -> Vec<TeamId> {
        let up = std::iter::successors(Some(team), |team| self.0.get(team).copied().flatten());
        up.take(self.0.len() + 1).collect()
    }

    /// A team and all below it.
    fn below(&self, team: TeamId) -> Vec<TeamId> {
        self.0.keys().copied().filter(|other| self.above(*other).contains(&team)).collect()
    }
}
