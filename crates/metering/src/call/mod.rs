//! The one door through which models are called: a hold before each attempt, a settle after it, whatever becomes of it.
//!
//! What a call costs is what the upstream says it used. Where it says nothing, tokens are estimated as a quarter of the bytes that went
//! in and came out, and a thousand for each picture, and the row says so. A client that goes away cancels the call upstream and pays what it had received; an attempt
//! that ends without an answer costs nothing.

mod attempt;
mod failed;
mod stream;

use std::sync::Arc;

use domain::limits::Counted;
use domain::prices::Quote;
use domain::{Ambient, Id, Time, UsageId};
use egress::Egress;
use gateway::breaker::Breakers;
use gateway::providers::Whole;
use gateway::route::{Next, next};
use gateway::{Answer, ClientRequest, Operation, Upstream, UpstreamError};
use store::Scope;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Purpose;

use self::attempt::{Open, Plan, guessed, micros};
pub use self::failed::Failed;
pub use self::stream::MeteredStream;
use crate::books::Books;
use crate::rates::{Gatekeeper, Headers};
use crate::rules::{Rules, Spender};

/// What a call of a model counts.
const COUNTED: [Counted; 3] = [Counted::Cost, Counted::Requests, Counted::Tokens];
/// Attempts in one call, whatever the route and the upstreams say.
const ATTEMPTS: i64 = 12;
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
    pub quote: Option<Arc<Quote>>,
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

/// An answer, and what is said beside it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub served: Served,
    /// Which of the targets gave it.
    pub by: usize,
    /// What rate limits say with it.
    pub headers: Headers,
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

    /// Calls a model: the first of the targets that answers.
    /// # Errors
    /// [`Failed`], with nothing held any more.
    pub async fn call(
        &self,
        scope: &Scope,
        spender: Spender,
        request: &ClientRequest,
        targets: &[Target],
    ) -> Result<Answered, Failed> {
        let id = self.0.ambient.id();
        let plans: Vec<_> = targets.iter().map(|target| Plan::of(request, target)).collect();
        let operation = counted_as(request.operation());
        let tokens = plans.iter().flatten().map(Plan::tokens).max().unwrap_or(0);
        let pass = self.0.gatekeeper.admit(scope, spender, operation, tokens).await?;
        let headers = pass.headers();
        let mut pass = Some(pass);
        let mut attempt = 0;
        let mut failed = None;
        for (by, (target, plan)) in targets.iter().zip(plans).enumerate() {
            let plan = match plan {
                Ok(plan) => plan,
                Err(no_price) => {
                    failed.get_or_insert(no_price);
                    continue;
                }
            };
            let mut retries = 0;
            while attempt < ATTEMPTS {
                attempt += 1;
                let plan = plan.clone();
                let status = self.0.rules.of(scope).await?.status();
                if !status.admits_spending() && !plan.quote.price.is_free() {
                    failed.get_or_insert(Failed::Stopped(status));
                    break;
                }
                let (tenant, now) = (scope.org().uuid().as_u128(), self.0.ambient.now());
                if let Err(open) = self.0.breakers.enter(tenant, target.id, now) {
                    failed.get_or_insert(Failed::Resting { retry_after: open.retry_after });
                    break;
                }
                let resting = Probe { door: self, tenant, upstream: target.id, decided: false };
                let purpose = purpose(scope, spender, request, target, &plan);
                // As it is now: an attempt before may have taken minutes, in which a team was moved or a budget lowered.
                let path = self.0.rules.path(scope, spender, &COUNTED).await?;
                let held = self.0.books.hold(scope, (id, attempt), purpose, plan.worst, path).await?;
                let open =
                    Open { id, held: Some(held), pass: pass.take(), input: guessed(request, &plan), plan, began: now };
                let mut asked = Asked { door: self, open: Some(open) };
                let error = match self.send(request, target, asked.plan()).await {
                    Ok(answer) => {
                        resting.worked();
                        return Ok(Answered { served: self.serve(answer, asked.answered()).await?, by, headers });
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
            Answer::Stream(stream) => Ok(Served::Stream(Box::new(MeteredStream {
                stream,
                open,
                ambient: self.0.ambient.clone(),
                cost_micros: 0,
            }))),
        }
    }

    fn since(&self, began: Time) -> i64 {
        micros(self.0.ambient.now().since(began))
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
#[must_use]
pub fn counted_as(operation: Operation) -> domain::operation::Operation {
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
        user_id: spender.user,
        key_id: spender.key,
        project_id: spender.project,
        team_id: spender.team,
        agent_id: spender.agent,
        run_id: spender.run,
        request_id: scope.origin().request_id.clone(),
        exchange: None,
    }
}
