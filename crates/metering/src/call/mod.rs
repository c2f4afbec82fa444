//! The one door through which models are called: a hold before each attempt, a settle after it, whatever becomes of it.
//!
//! What a call costs is what the upstream says it used. Where it says nothing, tokens are estimated as a quarter of the bytes that went
//! in and came out, and the row says so. A client that goes away cancels the call upstream and pays what it had received; an attempt
//! that ends without an answer costs nothing.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::{Amounts, Counted};
use domain::prices::{Quote, TokenCount};
use domain::{Ambient, Id, Time, UsageId};
use egress::Egress;
use gateway::breaker::Breakers;
use gateway::providers::Whole;
use gateway::route::{Next, next};
use gateway::{Answer, ClientRequest, Frame, ModelStream, Operation, Outcome as End, Upstream, UpstreamError, Usage};
use store::Scope;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Purpose;

use crate::books::{Books, Held};
use crate::limit::{Refused, Shortage};
use crate::rates::{self, Gatekeeper, Headers, Limited, Pass};
use crate::rules::{Rules, Spender, Unclear};

/// What a call of a model counts.
const COUNTED: [Counted; 3] = [Counted::Cost, Counted::Requests, Counted::Tokens];
/// Attempts in one call, whatever the route and the upstreams say.
const ATTEMPTS: i64 = 12;
/// Bytes of text that are taken for a token where nobody counted (English has about four).
const BYTES_A_TOKEN: u64 = 4;

/// Where a call can go.
#[derive(Debug, Clone)]
pub struct Target {
    /// Names the upstream for circuit breakers.
    pub id: u128,
    /// Names it on usage rows.
    pub label: String,
    /// The upstream.
    pub upstream: Arc<Upstream>,
    /// The way out to it: addresses that the operator named are open to the operator's upstreams alone.
    pub egress: Egress,
    /// The model's name there.
    pub model: String,
    /// What it costs; none when nobody knows, and then it is not called.
    pub quote: Option<Quote>,
}

/// Why a call was not made, or gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A limit has no room.
    #[error("a limit has no room")]
    Short(Box<Shortage>),
    /// A rate limit has no room.
    #[error("a rate limit has no room")]
    Limited(Box<Limited>),
    /// Nobody knows what the model costs, at this service tier.
    #[error("the model {model} has no price{}", tier.as_ref().map(|tier| format!(" at the service tier {tier}")).unwrap_or_default())]
    NoPrice {
        /// The model.
        model: String,
        /// The tier, when it is that which has no price.
        tier: Option<String>,
    },
    /// A budget is in a currency without a rate.
    #[error(transparent)]
    Unclear(Unclear),
    /// Too many calls wait for the ledger.
    #[error("too many calls wait for the ledger")]
    Crowded,
    /// All upstreams of the route have failed of late.
    #[error("the upstream is resting after failures")]
    Resting {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// The upstream gave no answer.
    #[error(transparent)]
    Upstream(Box<UpstreamError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<store::Error>),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Short(shortage) => Self::Short(shortage),
            Refused::Crowded => Self::Crowded,
            Refused::Store(error) => Self::Store(error),
        }
    }
}

impl From<rates::Refused> for Failed {
    fn from(refused: rates::Refused) -> Self {
        match refused {
            rates::Refused::Limited(limited) => Self::Limited(limited),
            rates::Refused::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Unclear> for Failed {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::Store(error) => error.into(),
            other @ Unclear::NoRate(_) => Self::Unclear(other),
        }
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The operation, as the usage log names it.
    pub id: UsageId,
    /// Millionths of a US dollar.
    pub cost_micros: i64,
}

/// An answer, and what it cost.
#[derive(Debug)]
pub enum Served {
    /// All at once; it is settled.
    Whole(Box<Whole>, Receipt),
    /// Bit by bit; it is settled before its last bit is given.
    Stream(Box<MeteredStream>),
}

/// The door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    books: Books,
    rules: Rules,
    gatekeeper: Gatekeeper,
    breakers: Breakers,
    ambient: Ambient,
}

impl Door {
    /// A door to models.
    #[must_use]
    pub fn new(books: Books, rules: Rules, gatekeeper: Gatekeeper, ambient: Ambient) -> Self {
        Self(Arc::new(Inner { books, rules, gatekeeper, breakers: Breakers::default(), ambient }))
    }

    /// Calls a model: the first of the targets that answers. Gives what rate limits say with the answer.
    /// # Errors
    /// [`Failed`], with nothing held any more.
    pub async fn call(
        &self,
        scope: &Scope,
        spender: Spender,
        request: &ClientRequest,
        targets: &[Target],
    ) -> Result<(Served, Headers), Failed> {
        let id = self.0.ambient.id();
        let bounds = targets.iter().filter_map(|target| Plan::of(request, target).ok()).map(|plan| plan.tokens());
        let operation = counted_as(request.operation());
        let tokens = bounds.max().unwrap_or(0);
        let pass = self.0.gatekeeper.admit(scope, spender, operation, tokens).await?;
        let headers = pass.headers();
        let mut pass = Some(pass);
        let path = self.0.rules.path(scope, spender, &COUNTED).await?;
        let mut attempt = 0;
        let mut failed = None;
        for target in targets {
            let mut retries = 0;
            while attempt < ATTEMPTS {
                attempt += 1;
                let plan = match Plan::of(request, target) {
                    Ok(plan) => plan,
                    Err(no_price) => {
                        failed.get_or_insert(no_price);
                        break;
                    }
                };
                let (tenant, now) = (scope.org().uuid().as_u128(), self.0.ambient.now());
                if let Err(open) = self.0.breakers.enter(tenant, target.id, now) {
                    failed.get_or_insert(Failed::Resting { retry_after: open.retry_after });
                    break;
                }
                let resting = Probe { door: self, tenant, upstream: target.id, decided: false };
                let purpose = purpose(scope, spender, request, target, &plan);
                let held = self.0.books.hold(scope, (id, attempt), purpose, plan.worst, path.clone()).await?;
                let open =
                    Open { id, held: Some(held), pass: pass.take(), plan, began: now, input: request.input_bound() };
                let mut asked = Asked { door: self, open: Some(open) };
                let error = match self.send(request, target, asked.plan()).await {
                    Ok(answer) => {
                        resting.worked();
                        return Ok((self.serve(answer, asked.answered()).await?, headers));
                    }
                    Err(error) => error,
                };
                resting.failed(&error);
                tracing::warn!(upstream = %target.label, model = %target.model, attempt, %error, "an upstream gave no answer");
                let mut open = asked.answered();
                pass = open.pass.take();
                if let Some(held) = open.held.take() {
                    held.settle(Charge { latency_micros: self.since(now), ..Charge::nothing(Outcome::Error) }).await?;
                }
                let random = u64::from_le_bytes(self.0.ambient.bytes());
                let then = next(&error, retries, random);
                failed = Some(Failed::Upstream(Box::new(error)));
                match then {
                    Next::Retry { after } => {
                        retries += 1;
                        tokio::time::sleep(after).await;
                    }
                    Next::Fallback => break,
                    Next::GiveUp => return Err(failed.unwrap_or(Failed::Crowded)),
                }
            }
        }
        Err(failed.unwrap_or_else(|| Failed::NoPrice { model: request.model().to_owned(), tier: None }))
    }

    async fn send(&self, request: &ClientRequest, target: &Target, plan: &Plan) -> Result<Answer, UpstreamError> {
        let prepared = target.upstream.prepare(request, &target.model, plan.answer)?.at(self.0.ambient.now());
        target.upstream.send(&target.egress, prepared).await
    }

    async fn serve(&self, answer: Answer, mut open: Open) -> Result<Served, Failed> {
        match answer {
            Answer::Whole(whole) => {
                let charge = open.charge(whole.usage, whole.received, Outcome::Ok, self.since(open.began));
                open.leave(&charge);
                let receipt = Receipt { id: open.id, cost_micros: charge.amounts.get(Counted::Cost) };
                if let Some(held) = open.held.take() {
                    held.settle(charge).await?;
                }
                Ok(Served::Whole(Box::new(whole), receipt))
            }
            Answer::Stream(stream) => {
                Ok(Served::Stream(Box::new(MeteredStream { stream, open, ambient: self.0.ambient.clone() })))
            }
        }
    }

    fn since(&self, began: Time) -> i64 {
        micros(self.0.ambient.now().since(began))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What an attempt may cost.
#[derive(Debug)]
struct Plan {
    quote: Quote,
    /// Percent of the price at the request's service tier.
    percent: u32,
    /// The most tokens of each answer.
    answer: u64,
    worst: Amounts,
}

impl Plan {
    fn of(request: &ClientRequest, target: &Target) -> Result<Self, Failed> {
        let no_price =
            |tier: Option<&str>| Failed::NoPrice { model: target.model.clone(), tier: tier.map(str::to_owned) };
        let quote = target.quote.clone().ok_or_else(|| no_price(None))?;
        let tier = request.service_tier();
        let percent = quote.price.tier(tier).ok_or_else(|| no_price(tier))?;
        let answer = request.max_output().unwrap_or_else(|| quote.price.usual_answer());
        let output = match request.operation() {
            Operation::Embeddings => 0,
            _ => answer.saturating_mul(request.choices()),
        };
        let cost = quote.price.worst(request.input_bound(), output, percent);
        let worst = Amounts::of(Counted::Cost, cost)
            .with(Counted::Requests, 1)
            .with(Counted::Tokens, whole(request.input_bound().saturating_add(output)));
        Ok(Self { quote, percent, answer, worst })
    }

    /// The most tokens that it may read and write.
    fn tokens(&self) -> u64 {
        u64::try_from(self.worst.get(Counted::Tokens)).unwrap_or(0)
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An attempt that is answered, and not settled yet.
#[derive(Debug)]
struct Open {
    id: UsageId,
    held: Option<Held>,
    pass: Option<Pass>,
    plan: Plan,
    began: Time,
    /// The bound on what was read.
    input: u64,
}

impl Open {
    /// Gives the slots back, and the tokens that were not used.
    fn leave(&mut self, charge: &Charge) {
        if let Some(pass) = self.pass.take() {
            pass.settle(u64::try_from(charge.amounts.get(Counted::Tokens)).unwrap_or(0));
        }
    }

    fn charge(&self, usage: Option<Usage>, received: u64, outcome: Outcome, latency_micros: i64) -> Charge {
        let estimated = usage.is_none();
        let tokens = match usage {
            Some(usage) => TokenCount {
                input: usage.input,
                cached: usage.cached_input,
                written: usage.cache_write,
                output: usage.output,
            },
            None => TokenCount {
                input: self.input.div_ceil(BYTES_A_TOKEN),
                output: received.div_ceil(BYTES_A_TOKEN),
                ..TokenCount::default()
            },
        };
        let all = whole(tokens.input.saturating_add(tokens.output));
        let amounts = Amounts::of(Counted::Cost, self.plan.quote.price.cost(tokens, self.plan.percent))
            .with(Counted::Requests, 1)
            .with(Counted::Tokens, all);
        Charge {
            outcome,
            input_tokens: whole(tokens.input),
            cached_tokens: whole(tokens.cached),
            written_tokens: whole(tokens.written),
            percent: self.plan.percent.into(),
            output_tokens: whole(tokens.output),
            estimated,
            amounts,
            latency_micros,
        }
    }
}

/// An attempt on which the upstream works. When the client goes away now, the upstream has read the request and may charge for that:
/// so do we, as estimated.
struct Asked<'a> {
    door: &'a Door,
    open: Option<Open>,
}

impl Asked<'_> {
    fn plan(&self) -> &Plan {
        &self.open.as_ref().expect("it is taken at the end alone").plan
    }

    fn answered(&mut self) -> Open {
        self.open.take().expect("it is taken at the end alone")
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take()
            && let Some(held) = open.held.take()
        {
            let charge = open.charge(None, 0, Outcome::Cancelled, self.door.since(open.began));
            open.leave(&charge);
            drop(held.settle(charge));
        }
    }
}

/// A streamed answer that is settled before its last bit is given; when it is dropped before, the upstream is cancelled and what had
/// come is charged.
#[derive(Debug)]
pub struct MeteredStream {
    stream: ModelStream,
    open: Open,
    ambient: Ambient,
}

impl MeteredStream {
    /// The next bit; none after the last.
    /// # Errors
    /// As the store, when the end cannot be settled: the last bit is not given then.
    pub async fn next(&mut self) -> store::Result<Option<Frame>> {
        let frame = self.stream.next().await;
        if frame.as_ref().is_none_or(|frame| frame.last) {
            let outcome = match self.stream.outcome() {
                Some(End::Complete) => Outcome::Ok,
                Some(End::Failed(why) | End::Broken(why)) => {
                    tracing::warn!(why, "a stream ended before its end");
                    Outcome::Error
                }
                None => Outcome::Error,
            };
            if let Some(settled) = self.settle(outcome) {
                settled.await?;
            }
        }
        Ok(frame)
    }

    /// The operation, as the usage log names it.
    #[must_use]
    pub fn id(&self) -> UsageId {
        self.open.id
    }

    fn settle(&mut self, outcome: Outcome) -> Option<impl Future<Output = store::Result<()>> + Send + use<>> {
        let held = self.open.held.take()?;
        let took = micros(self.ambient.now().since(self.open.began));
        let charge = self.open.charge(self.stream.usage(), self.stream.received(), outcome, took);
        self.open.leave(&charge);
        Some(held.settle(charge))
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        // It stands in line when the future is made; nobody has to wait for it.
        drop(self.settle(Outcome::Cancelled));
    }
}

/// A place in a circuit breaker, given back whatever becomes of the attempt.
struct Probe<'a> {
    door: &'a Door,
    tenant: u128,
    upstream: u128,
    decided: bool,
}

impl Probe<'_> {
    fn worked(mut self) {
        self.decided = true;
        self.door.0.breakers.worked(self.tenant, self.upstream);
    }

    fn failed(mut self, error: &UpstreamError) {
        self.decided = true;
        self.door.0.breakers.failed(self.tenant, self.upstream, error, self.door.0.ambient.now());
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if !self.decided {
            self.door.0.breakers.undecided(self.tenant, self.upstream);
        }
    }
}

/// What rate limits count a call as.
fn counted_as(operation: Operation) -> domain::operation::Operation {
    match operation {
        Operation::Chat | Operation::Messages => domain::operation::Operation::Chat,
        Operation::Embeddings => domain::operation::Operation::Embeddings,
    }
}

fn purpose(scope: &Scope, spender: Spender, request: &ClientRequest, target: &Target, plan: &Plan) -> Purpose {
    let operation = match request.operation() {
        Operation::Chat => "chat",
        Operation::Messages => "messages",
        Operation::Embeddings => "embeddings",
    };
    Purpose {
        operation: operation.into(),
        model: target.model.clone(),
        upstream: target.label.clone(),
        price: plan.quote.version.clone(),
        user_id: Some(spender.user),
        key_id: spender.key,
        project_id: spender.project,
        team_id: spender.team,
        agent_id: spender.agent,
        run_id: spender.run,
        request_id: scope.origin().request_id.clone(),
        exchange: None,
    }
}
