//! From the name of a model to whom to ask, in order.
//!
//! A name is looked for among the aliases of the project, those of the organisation, and the usual ones (`fast`, `cheap`, `best`);
//! then among the models of the caller's own providers, the project's, the organisation's, the installation's, and those inside this
//! program. The first level that has it decides: nobody's call moves on to another's key by itself. Several providers of one level
//! stand in for each other.

use std::sync::Arc;

use domain::models::{AliasName, EMBEDDED, ProviderKind};
use domain::nearest::near;
use domain::prices::{Price, Quote};
use domain::{Id as _, ProjectId, Time, UserId};
use gateway::Upstream;
use gateway::providers::Embedded;
use metering::call::Target;
use schemars::JsonSchema;
use serde::Serialize;
use store::Scope;
use store::org::aliases::AliasTarget;
use store::org::providers::{Model, Provider};

use super::directory::{Models, OfOrg, locked};
use super::installation::Offered;
use super::usual;

/// Who provides a model, from the nearest to the caller to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The caller, for their own use.
    User,
    /// The project.
    Project,
    /// The organisation.
    Organization,
    /// The operator.
    Installation,
    /// This program itself.
    Embedded,
}

impl Source {
    const ALL: [Self; 5] = [Self::User, Self::Project, Self::Organization, Self::Installation, Self::Embedded];
}

/// The name of the provider inside this program, also on usage rows.
pub(crate) const ITSELF: &str = "embedded";

/// Whom to ask for a model, in order: at least one.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Whom to ask.
    pub(crate) targets: Vec<Target>,
    /// Who provides each, and what people call them.
    pub(crate) providers: Vec<(Source, String)>,
}

/// Why there is nobody to ask.
#[derive(Debug)]
pub(crate) enum Unresolved {
    /// No model of this name; names that the caller can use and that are like it.
    Unknown { near: Vec<String> },
    /// The store failed.
    Store(store::Error),
}

impl From<store::Error> for Unresolved {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// A provider as seen by who looks for a model.
#[derive(Clone, Copy)]
pub(super) enum Candidate<'a> {
    Brought(&'a Provider),
    Offered(&'a Offered),
    Itself,
}

impl<'a> Candidate<'a> {
    pub(super) fn source(self) -> Source {
        match self {
            Self::Brought(Provider { user_id: Some(_), .. }) => Source::User,
            Self::Brought(Provider { project_id: Some(_), .. }) => Source::Project,
            Self::Brought(_) => Source::Organization,
            Self::Offered(_) => Source::Installation,
            Self::Itself => Source::Embedded,
        }
    }

    /// How aliases and usage rows call it.
    pub(super) fn label(self) -> String {
        match self {
            Self::Brought(provider) => provider.id.to_string(),
            Self::Offered(offered) => offered.kind.as_str().to_owned(),
            Self::Itself => ITSELF.to_owned(),
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Brought(provider) => provider.name.to_string(),
            Self::Offered(_) => self.label(),
            Self::Itself => "rowhouse".to_owned(),
        }
    }

    /// The models that were named for it; empty when it serves whatever has a price.
    pub(super) fn declared(self) -> &'a [Model] {
        match self {
            Self::Brought(provider) => &provider.models.0,
            _ => &[],
        }
    }

    pub(super) fn declares(self, model: &str) -> bool {
        match self {
            Self::Itself => Embedded::named(model).is_some(),
            _ => self.declared().iter().any(|one| one.name.as_str() == model),
        }
    }

    fn kind(self) -> Option<ProviderKind> {
        match self {
            Self::Brought(provider) => Some(provider.kind),
            Self::Offered(offered) => Some(offered.kind),
            Self::Itself => None,
        }
    }

    /// Whether a name is of those that a provider of this kind serves when none were named.
    pub(super) fn is_of_kind(self, model: &str) -> bool {
        match self.kind() {
            _ if model.starts_with(EMBEDDED) || !self.declared().is_empty() => false,
            Some(ProviderKind::Anthropic) => model.starts_with("claude"),
            Some(ProviderKind::OpenAi) => !model.starts_with("claude"),
            None => false,
        }
    }

    /// Whether nobody sends a bill for it, as for the operator's own server that takes no key.
    pub(super) fn is_free(self) -> bool {
        matches!(self, Self::Offered(Offered { free: true, .. }))
    }

    pub(super) fn quote(self, models: &Models, model: &str, now: Time) -> Option<Quote> {
        let own = match self {
            _ if self.is_free() => Some(Price::flat(model, 0, 0)),
            _ => self.declared().iter().find(|one| one.name.as_str() == model).and_then(Model::own_price),
        };
        models.prices().quote_or(model, own.as_ref(), now)
    }
}

/// For whom something is resolved, and what they can use, the nearest first.
pub(super) struct View<'a> {
    pub(super) models: &'a Models,
    pub(super) scope: &'a Scope,
    pub(super) of_org: &'a OfOrg,
    pub(super) project: Option<ProjectId>,
    pub(super) candidates: Vec<Candidate<'a>>,
    pub(super) now: Time,
}

impl<'a> View<'a> {
    pub(super) fn new(
        models: &'a Models,
        scope: &'a Scope,
        of_org: &'a OfOrg,
        own: &'a [Provider],
        project: Option<ProjectId>,
    ) -> Self {
        let now = models.store().ambient().now();
        let within = |provider: &&Provider| {
            let place = provider.project_id.is_none() || provider.project_id == project;
            place && provider.expires_at.is_none_or(|at| now < at)
        };
        let brought = own.iter().chain(&of_org.shared).filter(within).map(Candidate::Brought);
        let offered = models.installation().offers.iter().map(Candidate::Offered);
        let mut candidates: Vec<_> = brought.chain(offered).chain([Candidate::Itself]).collect();
        candidates.sort_by_key(|candidate| candidate.source());
        Self { models, scope, of_org, project, candidates, now }
    }

    /// Who serves a model, by its own name: all of the first level that has it.
    pub(super) fn serving(&self, model: &str) -> Vec<(Candidate<'a>, Option<Quote>)> {
        for level in Source::ALL {
            let here = || self.candidates.iter().copied().filter(move |one| one.source() == level);
            let quoted = |one: Candidate<'a>| (one, one.quote(self.models, model, self.now));
            let named: Vec<_> = here().filter(|one| one.declares(model)).map(quoted).collect();
            if !named.is_empty() {
                return named;
            }
            // Where no models were named, a price is what tells a model from a slip of the pen.
            let priced = here().filter(|one| one.is_of_kind(model)).map(quoted).filter(|(_, quote)| quote.is_some());
            let priced: Vec<_> = priced.collect();
            if !priced.is_empty() {
                return priced;
            }
        }
        Vec::new()
    }

    /// Whom an alias names, as far as they are there.
    pub(super) fn named(&self, targets: &[AliasTarget]) -> Vec<(Candidate<'a>, String, Option<Quote>)> {
        let find = |target: &AliasTarget| {
            let shared = self.candidates.iter().filter(|one| one.source() != Source::User);
            let candidate = *shared.clone().find(|one| one.label() == target.provider)?;
            let model = target.model.as_str();
            Some((candidate, model.to_owned(), candidate.quote(self.models, model, self.now)))
        };
        targets.iter().filter_map(find).collect()
    }

    /// Names that the caller can use.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.of_org.aliases(self.project).map(|alias| alias.name.to_string()).collect();
        names.extend(usual::NAMES.map(str::to_owned));
        for candidate in &self.candidates {
            names.extend(self.names_of(*candidate));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Names of models that a provider serves, as far as they are known.
    pub(super) fn names_of(&self, candidate: Candidate<'a>) -> Vec<String> {
        match candidate {
            Candidate::Itself => Embedded::ALL.iter().map(|model| model.name().to_owned()).collect(),
            _ if !candidate.declared().is_empty() => {
                candidate.declared().iter().map(|model| model.name.to_string()).collect()
            }
            // What a server without a key has, no price list knows.
            Candidate::Offered(Offered { free: true, heard, .. }) => {
                heard.names().iter().filter(|name| candidate.is_of_kind(name)).cloned().collect()
            }
            _ => {
                let priced = self.models.prices().names(self.now).into_iter();
                priced.filter(|name| candidate.is_of_kind(name)).map(str::to_owned).collect()
            }
        }
    }

    /// Sets up whom a chain names, as far as they can be.
    async fn targets(&self, chain: Vec<(Candidate<'_>, String, Option<Quote>)>) -> store::Result<Resolved> {
        let (mut targets, mut providers) = (Vec::with_capacity(chain.len()), Vec::with_capacity(chain.len()));
        for (candidate, name, quote) in chain {
            if let Some(target) = self.target(candidate, name, quote).await? {
                targets.push(target);
                providers.push((candidate.source(), candidate.name()));
            }
        }
        Ok(Resolved { targets, providers })
    }

    async fn target(
        &self,
        candidate: Candidate<'_>,
        model: String,
        quote: Option<Quote>,
    ) -> store::Result<Option<Target>> {
        let (id, upstream, egress) = match candidate {
            Candidate::Brought(provider) => match self.models.upstream(self.scope, provider).await {
                Ok(upstream) => (provider.id.uuid().as_u128(), upstream, self.models.outside_for(self.scope.org())),
                // One whose key does not open must not take the others with it.
                Err(error @ store::Error::Sealed(_)) => {
                    tracing::error!(%error, provider = %provider.id, "a provider cannot be set up");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            },
            // Ids of providers are UUIDv7, whose numbers are far higher.
            Candidate::Offered(offered) => {
                (2 + offered.kind as u128, offered.upstream.clone(), self.models.to_own().clone())
            }
            Candidate::Itself => {
                let Some(embedded) = Embedded::named(&model) else { return Ok(None) };
                let id = match embedded {
                    Embedded::MiniLm => 0,
                    Embedded::Extractive => 1,
                };
                (id, Arc::new(Upstream::embedded(embedded)), self.models.outside().clone())
            }
        };
        Ok(Some(Target { id, label: candidate.label(), upstream, egress, model, quote: quote.map(Arc::new) }))
    }
}

impl Models {
    /// Whom to ask for a model. `user` and `project` are those that the call is booked to; what a person brought is asked for that person
    /// alone.
    pub(crate) async fn resolve(
        &self,
        scope: &Scope,
        user: Option<UserId>,
        project: Option<ProjectId>,
        model: &str,
    ) -> Result<Arc<Resolved>, Unresolved> {
        let of_org = self.of(scope).await?;
        let asked = (user, project, model.to_owned());
        if let Some(known) = locked(&of_org.resolved).get(&asked) {
            return Ok(known.clone());
        }
        let own = match user {
            Some(user) => self.own(&of_org, scope, user).await?,
            None => Arc::default(),
        };
        let view = View::new(self, scope, &of_org, &own, project);
        let alias: Option<AliasName> = model.parse().ok();
        let chain = match alias.as_ref().and_then(|name| of_org.alias(project, name)) {
            Some(alias) => view.named(&alias.targets.0),
            None => match usual::chain(&view, model) {
                Some(chain) => chain,
                None => view.serving(model).into_iter().map(|(one, quote)| (one, model.to_owned(), quote)).collect(),
            },
        };
        let resolved = view.targets(chain).await?;
        if resolved.targets.is_empty() {
            let names = view.names();
            return Err(Unresolved::Unknown { near: near(model, &names, 3).into_iter().map(str::to_owned).collect() });
        }
        let resolved = Arc::new(resolved);
        of_org.keep(asked, &resolved);
        Ok(resolved)
    }

    /// Whom to ask for a model of one provider, of those that are for the whole organisation. No names are proposed when there is
    /// nobody.
    pub(crate) async fn resolve_chosen(&self, scope: &Scope, chosen: &AliasTarget) -> Result<Resolved, Unresolved> {
        let of_org = self.of(scope).await?;
        let view = View::new(self, scope, &of_org, &[], None);
        let resolved = view.targets(view.named(std::slice::from_ref(chosen))).await?;
        if resolved.targets.is_empty() { Err(Unresolved::Unknown { near: Vec::new() }) } else { Ok(resolved) }
    }
}
