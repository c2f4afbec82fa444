//! What every handler shares.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectors::source::Connectors;
use domain::prices::Prices;
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use knowledge::intake::Intake;
use metering::Books;
use metering::rates::{Gatekeeper, Sharing};
use store::{Refusal, Scope};
use tenancy::House;
use tokio::sync::mpsc;

use crate::dashboard::Dashboard;
use crate::http::feeds::Feeds;
use crate::http::outliving::Unattended;
use crate::http::room::Rooms;
use crate::models::{Installation, Models};

/// Bounds of the HTTP layer.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks.
    pub trusted_proxies: Vec<String>,
    /// Origins of other sites whose pages may call with credentials, as browsers write them: `https://app.example.com`.
    pub origins: Vec<String>,
    /// How often a minute a caller may be denied something; each denial is written to the audit log.
    pub denials: NonZeroU32,
}

const SIXTY: NonZeroU32 = NonZeroU32::new(60).expect("60 is not 0");

impl Default for Limits {
    /// 1 MiB of JSON, no proxies, no other sites.
    fn default() -> Self {
        Self { body: 1 << 20, trusted_proxies: Vec::new(), origins: Vec::new(), denials: SIXTY }
    }
}

type Keyed = RateLimiter<String, DashMapStateStore<String>, DefaultClock>;

/// A request that was refused, and the check that did it.
type Note = (String, Refusal);
pub(crate) type Notes = mpsc::Receiver<Note>;

/// The application. Cheap to clone: each request does so many times over.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the application is made of.
pub struct Parts {
    pub(crate) house: House,
    pub(crate) limits: Limits,
    /// Denials per caller: each is written to the audit log, so their number is bounded.
    pub(crate) denials: Keyed,
    pub(crate) running: crate::http::idempotency::Running,
    pub(crate) models: Models,
    pub(crate) books: Books,
    pub(crate) rules: metering::rules::Rules,
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) door: metering::call::Door,
    /// What goes on without its client.
    pub(crate) unattended: Unattended,
    /// For the bodies of requests that come to it.
    pub(crate) rooms: Rooms,
    pub(crate) feeds: Feeds<crate::usage::Rows>,
    pub(crate) live: Feeds<crate::live::Log>,
    pub(crate) listeners: crate::jobs::Listeners,
    pub(crate) memory: knowledge::Memory,
    pub(crate) answering: crate::embedding::Answering,
    pub(crate) intake: Option<Intake>,
    /// Sources beside pages of the web.
    pub(crate) connectors: Option<Arc<dyn Connectors>>,
    pub(crate) dashboard: Dashboard,
    /// After how long without use an organisation's file goes into the bucket.
    pub(crate) cold_after: Option<Duration>,
    alerts: Mutex<Option<mpsc::Receiver<Scope>>>,
    refusals: mpsc::Sender<Note>,
    noted: Mutex<Option<Notes>>,
    draining: AtomicBool,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the application together.
    #[must_use]
    pub fn new(house: House, limits: Limits) -> Self {
        Self::with(house, limits, Prices::builtin(), metering::Settings::default(), None)
    }

    /// The same, with the operator's prices, the books kept as told, and rate limits shared with other nodes. Needs a runtime, in
    /// which the books are served.
    #[must_use]
    pub fn with(
        house: House,
        limits: Limits,
        prices: Prices,
        books: metering::Settings,
        sharing: Option<Sharing>,
    ) -> Self {
        let rules = metering::rules::Rules::new(house.store.clone(), house.rules.plans.clone(), Arc::new(prices));
        let models = Models::new(house.store.clone(), rules.clone(), Installation::default());
        let (books, alerts) = Books::open(house.store.clone(), books);
        let denials = RateLimiter::keyed(Quota::per_minute(limits.denials));
        let ambient = house.store.ambient().clone();
        let gatekeeper = Gatekeeper::new(house.store.clone(), rules.clone(), sharing);
        let door = metering::call::Door::new(books.clone(), rules.clone(), gatekeeper.clone(), ambient);
        let (refusals, noted) = mpsc::channel(1000);
        Self(Arc::new(Parts {
            house,
            limits,
            denials,
            running: crate::http::idempotency::Running::default(),
            models,
            books,
            rules,
            gatekeeper,
            door,
            unattended: Unattended::default(),
            rooms: Rooms::default(),
            feeds: Feeds::default(),
            live: Feeds::default(),
            listeners: crate::jobs::Listeners::default(),
            memory: knowledge::Memory::default(),
            answering: crate::embedding::Answering::default(),
            intake: None,
            connectors: None,
            dashboard: Dashboard::default(),
            cold_after: None,
            alerts: Mutex::new(Some(alerts)),
            refusals,
            noted: Mutex::new(Some(noted)),
            draining: AtomicBool::new(false),
        }))
    }

    /// The same with the operator's own providers of models.
    #[must_use]
    pub fn serving(self, installation: Installation) -> Self {
        self.set_up(|parts| parts.models = Models::new(parts.house.store.clone(), parts.rules.clone(), installation))
    }

    /// The same; files of organisations that nobody used for so long go into the bucket.
    #[must_use]
    pub fn cooling(self, cold_after: Option<Duration>) -> Self {
        self.set_up(|parts| parts.cold_after = cold_after)
    }

    /// Changes a part while the application is put together: before it is cloned for the first time.
    fn set_up(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::get_mut(&mut self.0).expect("nobody has a clone of an application that is being put together"));
        self
    }

    /// The same with readers of documents: documents that people bring are read from now on. After [`App::serving`].
    #[must_use]
    pub fn reading(self, readers: documents::apart::Bounds) -> Self {
        let reader = documents::apart::Reader::new(readers);
        self.set_up(|parts| {
            let asker = crate::embedding::Asker::new(parts.models.clone(), parts.door.clone());
            let intake = Intake::new(parts.house.store.clone(), reader).asking(Arc::new(asker));
            parts.intake = Some(intake);
        })
    }

    /// The same with sources beside pages of the web; what these know is theirs.
    #[must_use]
    pub fn connecting(self, connectors: Arc<dyn Connectors>) -> Self {
        self.set_up(|parts| parts.connectors = Some(connectors))
    }

    /// The same with a dashboard.
    #[must_use]
    pub fn showing(self, dashboard: Dashboard) -> Self {
        self.set_up(|parts| parts.dashboard = dashboard)
    }

    /// Notes which check refused a request. Strangers cause these, so they are dropped when they come faster than they are
    /// written.
    pub(crate) fn note_refusal(&self, request_id: &str, refusal: Refusal) {
        tracing::info!(request_id, check = ?refusal, "refused");
        let _ = self.refusals.try_send((request_id.to_owned(), refusal));
    }

    /// The notes, for the one task that writes them.
    pub(crate) fn take_notes(&self) -> Option<Notes> {
        self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// The gatekeeper of rate limits.
    #[must_use]
    pub fn gatekeeper(&self) -> &Gatekeeper {
        &self.gatekeeper
    }

    /// Where thresholds of limits were passed, for the one task that tells people.
    #[must_use]
    pub fn take_alerts(&self) -> Option<mpsc::Receiver<Scope>> {
        self.alerts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// Writes down what is under way in the books, and flushes them: the last thing before the end.
    /// # Errors
    /// As the disk.
    pub async fn close_books(&self) -> store::Result<()> {
        self.books.close().await
    }

    /// What goes on without its client, for who ends the program.
    #[must_use]
    pub fn unattended(&self) -> &Unattended {
        &self.unattended
    }

    /// The ledger.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The limits that stand on paths.
    #[must_use]
    pub fn rules(&self) -> &metering::rules::Rules {
        &self.rules
    }

    /// Says that the server is about to stop: it is not ready for more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Forgets callers that were not denied lately; called now and then.
    pub fn tidy(&self) {
        self.denials.retain_recent();
        self.models.tidy();
    }
}
