//! The doors: where a [`Principal`] becomes a [`Scope`].
//!
//! This file alone makes scopes. There is one door for a verified caller (`principal.rs`), one for the link of an invitation, one for
//! a job that was claimed, and two without rights, for whoever checks the data at the command line and for telling webhooks. A request may *select* among the organisations its caller belongs to; anything else is refused the same way as
//! an id that never existed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::PermissionSet;
use domain::authoriser::Grants;
use domain::lifetimes::TooOld;
use domain::money::Currency;
use domain::role::Role;
use domain::status::OrgStatus;
use domain::{ApiKeyId, Id, MembershipId, OrgId, ProjectId, UserId};
use uuid::Uuid;

use crate::actor::{Actor, Origin};
use crate::control::invitations::{self, Invitation};
use crate::control::jobs::Job;
use crate::control::{api_keys, organisations, people};
use crate::keys::sha256;
use crate::principal::Principal;
use crate::refusal::{Refusal, Stop};
use crate::{Error, Store};

/// A verified caller inside one organisation, with all that they hold there. The only way to a tenant's data.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    org: OrgId,
    membership: MembershipId,
    actor: Actor,
    grants: Arc<Grants>,
    origin: Origin,
    project: Option<ProjectId>,
    key: Option<Arc<api_keys::Verified>>,
    address: Option<Arc<str>>,
}

/// The limits that an API key carries itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Requests a minute.
    pub rate_per_minute: Option<i64>,
    /// Requests a day.
    pub calls_per_day: Option<i64>,
    /// What it may spend a month, in millionths of the currency.
    pub budget_micros: Option<i64>,
    /// The currency of the budget.
    pub currency: Option<Currency>,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scope({} in {})", self.0.actor, self.0.org)
    }
}

/// Another member: their stay in the organisation, and what they hold there. It opens nothing; a [`Scope`] does.
#[derive(Clone, Debug)]
pub struct Stay {
    /// Which stay it is: what was given to an earlier one is theirs no more.
    pub membership: MembershipId,
    /// All that they hold.
    pub grants: Arc<Grants>,
    /// Their verified mail address, in small letters. None for who has none.
    pub address: Option<Arc<str>>,
}

/// What an invitation's link opens.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation, which is open.
    pub invitation: Invitation,
    /// The scope of whoever answers for it: what it promises is held against the rights they have now.
    pub inviter: Scope,
}

impl Scope {
    /// The organisation.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.0.org
    }

    /// The caller's stay in the organisation; for a key its maker's.
    #[must_use]
    pub fn membership(&self) -> MembershipId {
        self.0.membership
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// The person: the caller itself or the maker of the key.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.0.actor.user().expect("a scope is made for a person or a key, and both have a person")
    }

    /// The verified mail address of the person, in small letters: the caller's own, or that of the maker of the key. None for who has none.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// All that the caller holds here.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// The key that acts, with its own limits.
    #[must_use]
    pub fn key(&self) -> Option<(ApiKeyId, KeyLimits)> {
        self.0.key.as_ref().map(|key| {
            let limits = KeyLimits {
                rate_per_minute: key.rate_per_minute,
                calls_per_day: key.calls_per_day,
                budget_micros: key.budget_micros,
                currency: key.currency.as_deref().and_then(|text| text.parse().ok()),
            };
            (key.id, limits)
        })
    }

    /// Where the request came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The project that the request selected; not checked against grants yet.
    #[must_use]
    pub fn selected_project(&self) -> Option<ProjectId> {
        self.0.project
    }
}

impl Store {
    /// Enters an organisation: the one that was selected, else the one the session or key is for, else the person's first.
    /// # Errors
    /// [`Refusal::NotAMember`] for any organisation that is not the caller's, existing or not.
    pub async fn enter(
        &self,
        principal: &Principal,
        selected: Option<OrgId>,
        project: Option<ProjectId>,
        origin: Origin,
    ) -> Result<Scope, Stop> {
        let org = match (&principal.key, selected) {
            // A key is for one organisation; selecting another is refused, never a silent switch.
            (Some(key), Some(org)) if key.org_id != org => return Err(Refusal::NotAMember.into()),
            (Some(key), _) => key.org_id,
            (None, Some(org)) => org,
            (None, None) => match principal.home {
                Some(org) => org,
                None => self.first_org(principal.user()).await?.ok_or(Refusal::Homeless)?,
            },
        };
        let found = self.cached_grants(&principal.credential, principal.user(), org).await?;
        match principal.age.and_then(|age| found.lifetimes.refuse(&age)) {
            Some(TooOld::Session) => return Err(Refusal::SessionTooOld.into()),
            Some(TooOld::Token) => return Err(Refusal::TokenTooOld.into()),
            None => {}
        }
        let mut grants = found.grants;
        if let Some(key) = &principal.key {
            // A key made during an earlier stay of its maker does not come back with a later one.
            if key.membership_id != found.membership {
                return Err(Refusal::KeyRevoked.into());
            }
            let cut = Grants { ceiling: Some(key.scopes()), only_project: key.project_id, ..(*grants).clone() };
            grants = Arc::new(cut);
        }
        let project = project.or(principal.key.as_ref().and_then(|key| key.project_id));
        Ok(Scope(Arc::new(Inner {
            org,
            membership: found.membership,
            actor: principal.actor.clone(),
            grants,
            origin,
            project,
            key: principal.key.clone(),
            address: found.address,
        })))
    }

    /// Opens the door for which an invitation's link is the key: the invitation, and whoever made it, with the rights that they
    /// have now. None when the link is void, or its maker cannot invite anybody any more.
    /// # Errors
    /// As the databases.
    pub async fn invited(&self, token: &str, origin: Origin) -> Result<Option<Invited>, Error> {
        let mut tx = self.read_control().await?;
        let invitation = invitations::find_by_hash(&mut tx, &sha256(token)).await?;
        drop(tx);
        self.answered_for(invitation, origin).await
    }

    /// As [`Store::invited`], by the link that the invited mailbox got after somebody with another address had opened the first one:
    /// who that was, too.
    /// # Errors
    /// As the databases.
    pub async fn invited_elsewhere(&self, token: &str, origin: Origin) -> Result<Option<(UserId, Invited)>, Error> {
        let mut tx = self.read_control().await?;
        let Some((asked_by, invitation)) = invitations::find_asked(&mut tx, &sha256(token)).await? else {
            return Ok(None);
        };
        drop(tx);
        Ok(self.answered_for(Some(invitation), origin).await?.map(|invited| (asked_by, invited)))
    }

    /// An invitation that is open and whose maker may still act, with the scope of the maker.
    async fn answered_for(&self, invitation: Option<Invitation>, origin: Origin) -> Result<Option<Invited>, Error> {
        let Some(invitation) = invitation.filter(|invitation| invitation.is_open(self.ambient().now())) else {
            return Ok(None);
        };
        let mut tx = self.read_control().await?;
        let maker = people::find(&mut tx, invitation.invited_by).await?;
        drop(tx);
        let Some(maker) = maker.filter(|maker| maker.standing == domain::status::Standing::Active) else {
            return Ok(None);
        };
        let found = match self.load_grants(maker.id, invitation.org_id).await {
            Ok(found) => found,
            Err(Stop::Refused(_)) => return Ok(None),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let inviter = Scope(Arc::new(Inner {
            org: invitation.org_id,
            membership: found.membership,
            actor: Actor::Person(maker.id),
            grants: found.grants,
            origin,
            project: None,
            key: None,
            address: found.address,
        }));
        Ok(Some(Invited { invitation, inviter }))
    }

    /// Opens an organisation to whoever has the master key at the command line, to check it. The scope holds no rights, and nobody
    /// stands behind it: it is for reading what the organisation keeps, not for acting in it. A test sees to it that no request
    /// comes through here.
    /// # Errors
    /// [`Error::NotFound`] when there is no such organisation.
    pub async fn inspect(&self, org: OrgId) -> Result<Scope, Error> {
        self.without_rights(org).await
    }

    /// Opens an organisation to what Rowhouse owes it by itself: telling its webhooks, forgetting what was an erased person's, and taking
    /// away originals that nothing needs. As [`Store::inspect`], no rights and nobody behind it; what it records, it records as the system. A test sees to it that no request comes through here.
    /// # Errors
    /// [`Error::NotFound`] when there is no such organisation.
    pub async fn serve(&self, org: OrgId) -> Result<Scope, Error> {
        self.without_rights(org).await
    }

    async fn without_rights(&self, org: OrgId) -> Result<Scope, Error> {
        let mut tx = self.read_control().await?;
        let organisation = organisations::get(&mut tx, org).await?;
        let grants = Grants {
            status: organisation.status,
            role: Role::VIEWER,
            organisation: PermissionSet::EMPTY,
            teams: BTreeMap::new(),
            projects: BTreeMap::new(),
            ceiling: Some(PermissionSet::EMPTY),
            only_project: None,
        };
        Ok(Scope(Arc::new(Inner {
            org,
            membership: MembershipId::from_uuid(Uuid::nil()),
            actor: Actor::System,
            grants: Arc::new(grants),
            origin: Origin::default(),
            project: None,
            key: None,
            address: None,
        })))
    }

    /// Opens an organisation to a job that was claimed for it. The scope holds no rights: what was asked for was decided when it was
    /// queued, and the job looks again at what it is about.
    /// # Errors
    /// [`Error::NotFound`] when the organisation is gone, or is being erased: what work wrote there now would outlive it.
    pub async fn enter_for(&self, job: &Job) -> Result<Scope, Error> {
        let mut scope = self.inspect(job.org()).await?;
        if scope.grants().status == OrgStatus::Erasing {
            return Err(Error::NotFound("organisation"));
        }
        if let Some(inner) = Arc::get_mut(&mut scope.0) {
            inner.actor = Actor::Job(job.user());
        }
        Ok(scope)
    }

    /// The rights of another member, for explanations and for checking what somebody may grant.
    /// # Errors
    /// [`Refusal::NotAMember`] when the person does not belong to the scope's organisation.
    pub async fn grants_of(&self, scope: &Scope, user: UserId) -> Result<Arc<Grants>, Stop> {
        Ok(self.stay_of(scope, user).await?.grants)
    }

    /// As [`Store::grants_of`], with what tells what is shared with them.
    /// # Errors
    /// [`Refusal::NotAMember`] when the person does not belong to the scope's organisation.
    pub async fn stay_of(&self, scope: &Scope, user: UserId) -> Result<Stay, Stop> {
        let found = self.load_grants(user, scope.org()).await?;
        Ok(Stay { membership: found.membership, grants: found.grants, address: found.address })
    }
}

/// The scopes a key has when its maker names none: everything but what widens access.
#[must_use]
pub fn default_key_scopes(held: PermissionSet) -> PermissionSet {
    use domain::access::Permission as P;
    let widening = [
        P::OrgClose,
        P::OrgTransfer,
        P::OrgSecurity,
        P::MembersUpdate,
        P::MembersRemove,
        P::InvitationsCreate,
        P::RolesWrite,
        P::KeysCreate,
        P::KeysManage,
        // Whoever sets where a model is asked reads what it is asked.
        P::ProvidersWrite,
        P::ProvidersOwn,
        P::TeamsMembers,
        P::ProjectsMembers,
        P::BudgetsWrite,
        // Whoever sets where events go reads them.
        P::WebhooksWrite,
    ];
    held.without(widening.into_iter().collect())
}
