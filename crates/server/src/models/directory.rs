//! Who serves models to whom: each organisation's providers and aliases, kept for less than a second, and what was set up of them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connectors::notion::Notion;
use domain::models::{AliasName, ProviderKind};
use domain::prices::Prices;
use domain::{Id as _, OrgId, ProjectId, ProviderId, UserId};
use egress::Egress;
use gateway::Upstream;
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use metering::call::Target;
use metering::rules::Rules;
use store::org::aliases::{self, Alias};
use store::org::providers::{self, Provider, SEALED};
use store::{Scope, Store};

use super::Installation;
use super::resolve::Resolved;
use super::upstream::{self, Secrets};

/// How long what was read is used.
const AGE: Duration = Duration::from_millis(900);
/// Organisations that are kept.
const ORGANISATIONS: u64 = 20_000;
/// Providers that stay set up, and for how long when nobody asks them: their keys lie open in memory that long.
const UPSTREAMS: u64 = 20_000;
const RESTING: Duration = Duration::from_mins(10);
/// Resolved names that are kept in each organisation.
const RESOLVED: usize = 1000;
/// How often a provider's last use is noted.
const TOUCH: Duration = Duration::from_mins(1);
/// How often a minute an organisation may try its providers.
const TRIALS: NonZeroU32 = NonZeroU32::new(30).expect("30 is not 0");

/// The most providers that an organisation and its projects may have, and each person for themselves. All are read to find one.
pub(crate) const SHARED_PROVIDERS: i64 = 100;
pub(crate) const OWN_PROVIDERS: i64 = 10;
/// The most aliases in an organisation.
pub(crate) const ALIASES: i64 = 500;

/// Who serves models. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Models(Arc<Inner>);

type Trials = RateLimiter<OrgId, DashMapStateStore<OrgId>, DefaultClock>;

struct Inner {
    store: Store,
    rules: Rules,
    installation: Installation,
    /// To what tenants name.
    outside: Egress,
    /// To what the operator named.
    own: Egress,
    kept: moka::sync::Cache<OrgId, Arc<OfOrg>>,
    upstreams: moka::sync::Cache<(OrgId, ProviderId), (i64, Arc<Upstream>)>,
    touched: moka::sync::Cache<(OrgId, ProviderId), ()>,
    trials: Trials,
    /// Counts changes: what was begun to be read before one is not kept.
    changes: AtomicU64,
}

/// The name for which something was resolved, and for whom.
pub(super) type Asked = (Option<UserId>, Option<ProjectId>, String);

/// An organisation's providers and aliases, as they were a moment ago.
pub(super) struct OfOrg {
    org: OrgId,
    pub(super) shared: Vec<Provider>,
    aliases: HashMap<(Option<ProjectId>, AliasName), Alias>,
    own: Mutex<HashMap<UserId, Arc<[Provider]>>>,
    pub(super) resolved: Mutex<HashMap<Asked, Arc<Resolved>>>,
}

impl Models {
    /// With the prices of these rules and the installation's own providers.
    pub(crate) fn new(store: Store, rules: Rules, installation: Installation) -> Self {
        let outside = Egress::new(installation.policy.clone());
        let own = Egress::new(installation.own_policy());
        Self(Arc::new(Inner {
            store,
            rules,
            installation,
            outside,
            own,
            kept: moka::sync::Cache::builder().max_capacity(ORGANISATIONS).time_to_live(AGE).build(),
            upstreams: moka::sync::Cache::builder().max_capacity(UPSTREAMS).time_to_idle(RESTING).build(),
            touched: moka::sync::Cache::builder().max_capacity(UPSTREAMS).time_to_live(TOUCH).build(),
            trials: RateLimiter::keyed(Quota::per_minute(TRIALS)),
            changes: AtomicU64::new(0),
        }))
    }

    pub(crate) fn prices(&self) -> &Prices {
        self.0.rules.prices()
    }

    /// Whether the installation has a provider of a kind.
    pub(crate) fn offers(&self, kind: ProviderKind) -> bool {
        self.0.installation.offers.iter().any(|offered| offered.kind == kind)
    }

    pub(super) fn installation(&self) -> &Installation {
        &self.0.installation
    }

    /// The model that embeds the knowledge of organisations that chose none, as it stands on vectors.
    pub(crate) fn usual_embedding(&self) -> &str {
        self.0.installation.embedding.as_deref().unwrap_or(knowledge::MODEL)
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The way out to what tenants name.
    pub(crate) fn outside(&self) -> &Egress {
        &self.0.outside
    }

    /// The same for one of them: it waits for nothing that another one holds up.
    pub(crate) fn outside_for(&self, org: OrgId) -> Egress {
        self.0.outside.for_tenant(org.uuid().as_u128())
    }

    /// The way out to what the operator named.
    pub(super) fn to_own(&self) -> &Egress {
        &self.0.own
    }

    /// Notion, and the way to it.
    pub(crate) fn notion(&self) -> (&Notion, &Egress) {
        (&self.0.installation.notion, &self.0.own)
    }

    /// Whether an organisation may try a provider once more this minute.
    pub(crate) fn may_try(&self, scope: &Scope) -> bool {
        self.0.trials.check_key(&scope.org()).is_ok()
    }

    /// Says that an organisation's providers or aliases changed. Other nodes notice within a second.
    pub(crate) fn forget(&self, scope: &Scope, provider: Option<ProviderId>) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        self.0.kept.invalidate(&scope.org());
        if let Some(id) = provider {
            self.0.upstreams.invalidate(&(scope.org(), id));
        }
    }

    /// Forgets who tried nothing lately; called now and then.
    pub(crate) fn tidy(&self) {
        self.0.trials.retain_recent();
    }

    /// What an organisation has.
    pub(super) async fn of(&self, scope: &Scope) -> store::Result<Arc<OfOrg>> {
        if let Some(known) = self.0.kept.get(&scope.org()).filter(|known| known.org == scope.org()) {
            return Ok(known);
        }
        let changes = self.0.changes.load(Ordering::SeqCst);
        let mut tx = self.0.store.open(scope).read().await?;
        let shared = providers::shared(&mut tx, SHARED_PROVIDERS).await?;
        let aliases = aliases::list(&mut tx, None, ALIASES).await?;
        drop(tx);
        let of_org = Arc::new(OfOrg {
            org: scope.org(),
            shared,
            aliases: aliases.into_iter().map(|alias| ((alias.project_id, alias.name.clone()), alias)).collect(),
            own: Mutex::default(),
            resolved: Mutex::default(),
        });
        if self.0.changes.load(Ordering::SeqCst) == changes {
            self.0.kept.insert(scope.org(), of_org.clone());
        }
        Ok(of_org)
    }

    /// What a person brought for themselves, in the stay that the scope is of.
    pub(super) async fn own(&self, of_org: &OfOrg, scope: &Scope, user: UserId) -> store::Result<Arc<[Provider]>> {
        if let Some(known) = locked(&of_org.own).get(&user) {
            return Ok(known.clone());
        }
        let mut tx = self.0.store.open(scope).read().await?;
        let mut own = providers::of_person(&mut tx, user, OWN_PROVIDERS).await?;
        drop(tx);
        own.retain(|provider| user != scope.user() || provider.membership_id == Some(scope.membership()));
        let own: Arc<[Provider]> = own.into();
        locked(&of_org.own).insert(user, own.clone());
        Ok(own)
    }

    /// Sets a provider up, or gives it as it was set up before. Its key is unsealed here and kept in what is given alone.
    pub(crate) async fn upstream(&self, scope: &Scope, provider: &Provider) -> store::Result<Arc<Upstream>> {
        let place = (scope.org(), provider.id);
        if let Some((version, known)) = self.0.upstreams.get(&place)
            && version == provider.version
        {
            return Ok(known);
        }
        let secrets = self.secrets(scope, provider).await?;
        let built = upstream::build(provider.kind, &provider.base_url, &secrets);
        let built = Arc::new(built.map_err(|_| store::Error::Sealed("what is no key or header any more"))?);
        self.0.upstreams.insert(place, (provider.version, built.clone()));
        Ok(built)
    }

    /// What of a provider is sealed.
    pub(crate) async fn secrets(&self, scope: &Scope, provider: &Provider) -> store::Result<Secrets> {
        let Some(sealed) = &provider.sealed else { return Ok(Secrets::default()) };
        let open = self.0.store.open(scope).unseal(SEALED, provider.id, sealed, provider.key_version).await?;
        serde_json::from_slice(&open).map_err(|_| store::Error::Sealed("what is no key of a provider"))
    }

    /// Notes in the background that a target served a call.
    pub(crate) fn served_by(&self, scope: &Scope, target: &Target) {
        let Ok(provider) = target.label.parse::<ProviderId>() else { return };
        if !self.0.touched.contains_key(&(scope.org(), provider)) {
            let (models, scope) = (self.clone(), scope.clone());
            tokio::spawn(async move { models.used(&scope, provider).await });
        }
    }

    /// Notes that a provider was asked, once a minute. What went wrong in that is told to the log alone.
    pub(crate) async fn used(&self, scope: &Scope, provider: ProviderId) {
        if !self.0.touched.entry((scope.org(), provider)).or_insert(()).is_fresh() {
            return;
        }
        let touched = async {
            let mut tx = self.0.store.open(scope).begin().await?;
            providers::touch(&mut tx, provider).await?;
            tx.commit().await
        };
        if let Err(error) = touched.await {
            tracing::warn!(%error, "the last use of a provider was not noted");
        }
    }
}

impl OfOrg {
    /// The alias of a name that holds in a project: its own, or that of the whole organisation.
    pub(super) fn alias(&self, project: Option<ProjectId>, name: &AliasName) -> Option<&Alias> {
        let of_project = project.and_then(|project| self.aliases.get(&(Some(project), name.clone())));
        of_project.or_else(|| self.aliases.get(&(None, name.clone())))
    }

    /// All aliases that hold in a project, each name once.
    pub(super) fn aliases(&self, project: Option<ProjectId>) -> impl Iterator<Item = &Alias> {
        self.aliases.values().filter(move |alias| {
            alias.project_id == project
                || alias.project_id.is_none() && !self.aliases.contains_key(&(project, alias.name.clone()))
        })
    }

    pub(super) fn keep(&self, asked: Asked, found: &Arc<Resolved>) {
        let mut resolved = locked(&self.resolved);
        if resolved.len() >= RESOLVED {
            resolved.clear();
        }
        resolved.insert(asked, found.clone());
    }
}

pub(super) fn locked<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
