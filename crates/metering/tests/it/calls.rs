//! The door, with an upstream that does everything wrong: each call ends in one row, a clear error and the right charge, and nothing
//! stays held.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::Level;
use domain::plan::Plans;
use domain::prices::{Price, Prices, Quote};
use domain::status::OrgStatus;
use egress::{Egress, Policy};
use gateway::request::OutputLimit;
use gateway::{ClientRequest, Operation, Upstream};
use metering::call::{Door, Failed, Served, Target};
use metering::rates::rule::Counts;
use metering::rates::{Gatekeeper, Limited};
use metering::rules::{Rules, Spender};
use metering::{Books, Settings};
use serde_json::{Value, json};
use store::audit::Event;
use store::control::organisations;
use store::ledger::entries::{self, Entry, Outcome, Search};
use store::org::rate_limits::{self, RateLimit};
use store::{Actor, Origin, Scope, Turn};
use testing::upstream::{Fault, Script};
use testing::{ScriptedUpstream, TestHouse, both_stores};

use crate::rules::add;

const MODEL: &str = "gpt-4o-mini";

struct World {
    upstream: ScriptedUpstream,
    books: Books,
    rules: Rules,
    door: Door,
    scope: Scope,
    targets: Vec<Target>,
}

impl World {
    async fn build(house: &TestHouse) -> Self {
        let ann = house.sign_up("Ann").await;
        // Many calls at once are what is tested here.
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        let upstream = ScriptedUpstream::start().await;
        let policy = Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() };
        let (books, _) = Books::open(house.store().clone(), Settings::default());
        let rules = Rules::new(house.store().clone(), Plans::builtin(), Arc::new(Prices::builtin()));
        let gatekeeper = Gatekeeper::new(house.store().clone(), rules.clone(), None);
        let door = Door::new(books.clone(), rules.clone(), gatekeeper, house.store().ambient().clone());
        let egress = Egress::new(policy);
        let target = |id: u128, url: &str| Target {
            id,
            egress: egress.clone(),
            label: format!("upstream {id}"),
            upstream: Arc::new(Upstream::openai(url, None, OutputLimit::MaxTokens).expect("an address")),
            model: MODEL.into(),
            quote: Prices::builtin().quote(MODEL, house.store().ambient().now()).map(Arc::new),
        };
        let targets = vec![target(1, &upstream.openai_url())];
        Self { upstream, books, rules, door, scope, targets }
    }

    /// Puts the organisation into another state.
    async fn put_into(&self, house: &TestHouse, status: OrgStatus) {
        let org = self.scope.org();
        let mut tx = house.store().begin_control(Turn::Org(org)).await.expect("begun");
        let mut organisation = organisations::get(&mut tx, org).await.expect("there");
        organisation.status = status;
        organisations::update(&mut tx, &organisation).await.expect("written");
        let event = Event::new("organisation.administered", org);
        tx.record(org, &Actor::System, &Origin::default(), event).await.expect("recorded");
        tx.commit().await.expect("committed");
        self.rules.forget(&self.scope);
    }

    async fn call(&self, stream: bool) -> Result<Served, Failed> {
        let body = json!({
            "model": MODEL, "stream": stream, "max_tokens": 100, "messages": [{ "role": "user", "content": "Hello?" }],
        });
        self.ask(Operation::Chat, &body).await
    }

    async fn embed(&self) -> Result<Served, Failed> {
        self.ask(Operation::Embeddings, &json!({ "model": MODEL, "input": "Hello?" })).await
    }

    async fn ask(&self, operation: Operation, body: &Value) -> Result<Served, Failed> {
        let request = ClientRequest::read(operation, body.to_string().into()).expect("a request");
        let spender =
            Spender { user: Some(self.scope.user()), key: None, project: None, team: None, agent: None, run: None };
        self.door.call(&self.scope, spender, &request, &self.targets).await.map(|answered| answered.served)
    }

    /// Sets a limit of chats for the organisation: calls and tokens a minute, calls at the same time.
    async fn limit(&self, house: &TestHouse, [requests, tokens, concurrency]: [Option<i64>; 3]) {
        let ambient = house.store().ambient();
        let limit = RateLimit {
            id: ambient.id(),
            level: Level::Organization,
            subject: None,
            operation: Some(domain::operation::Operation::Chat),
            requests_per_minute: requests,
            tokens_per_minute: tokens,
            concurrency,
            made_by: self.scope.user(),
            version: 1,
            created_at: ambient.now(),
            updated_at: ambient.now(),
        };
        let mut tx = house.store().open(&self.scope).begin().await.expect("begun");
        rate_limits::insert(&mut tx, &limit).await.expect("a limit");
        tx.record(Event::new("limit.created", limit.id)).await.expect("recorded");
        tx.commit().await.expect("committed");
    }

    async fn limited(&self) -> Limited {
        match self.call(false).await {
            Err(Failed::Limited(limited)) => *limited,
            other => panic!("not limited: {other:?}"),
        }
    }

    /// Reads a stream to its end; whether its last bit came.
    async fn drained(served: Served) -> bool {
        let Served::Stream(mut stream) = served else { panic!("no stream") };
        let mut last = false;
        while let Some(frame) = stream.next().await.expect("settled") {
            last = frame.last;
        }
        last
    }

    /// The rows, once nothing is held any more.
    async fn rows(&self, house: &TestHouse) -> Vec<Entry> {
        let began = std::time::Instant::now();
        while self.books.held() > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "something stays held");
            tokio::task::yield_now().await;
        }
        let mut tx = house.store().read_ledger(&self.scope).await.expect("begun");
        let mut page = tx.page(&self.scope).expect("its page");
        assert!(store::ledger::holds::list(&mut page).await.expect("read").is_empty());
        let mut rows = entries::list(&mut page, &Search::default(), None, 100).await.expect("rows");
        rows.reverse();
        rows
    }
}

/// What 10 and 5 tokens cost at gpt-4o-mini's price: 1.5 and 3 millionths, rounded up once.
const USUAL_COST: i64 = 5;

both_stores! {
    async fn an_answer_costs_what_the_upstream_says(house) {
        let world = World::build(&house).await;
        let Served::Whole(whole, receipt) = world.call(false).await.expect("an answer") else { panic!("a stream") };
        assert!(whole.body.starts_with(b"{"));
        assert_eq!(receipt.cost_micros, USUAL_COST);
        assert!(World::drained(world.call(true).await.expect("a stream")).await);
        let rows = world.rows(&house).await;
        let seen: Vec<_> =
            rows.iter().map(|row| (row.outcome, row.input_tokens, row.output_tokens, row.cost_micros, row.estimated)).collect();
        assert_eq!(seen, [(Outcome::Ok, 10, 5, USUAL_COST, 0); 2]);
        assert!(rows.iter().all(|row| row.price == "2026-11" && row.upstream == "upstream 1" && row.held_micros >= row.cost_micros));
    }

    async fn a_bill_above_the_bound_is_charged_and_one_that_is_missing_is_estimated(house) {
        let world = World::build(&house).await;
        world.upstream.next(MODEL, &Script::usage(5_000, 2_000));
        world.upstream.next(MODEL, &Script { usage: None, ..Script::default() });
        world.upstream.next(MODEL, &Script { usage: None, ..Script::default() });
        for stream in [false, false, true] {
            match world.call(stream).await.expect("an answer") {
                Served::Whole(..) => {}
                stream @ Served::Stream(_) => assert!(World::drained(stream).await),
            }
        }
        let rows = world.rows(&house).await;
        assert_eq!((rows[0].cost_micros, rows[0].estimated), (1_950, 0));
        assert!(rows[0].cost_micros > rows[0].held_micros);
        for row in &rows[1..] {
            // "Hello there." has 12 bytes, so 3 tokens.
            assert_eq!((row.output_tokens, row.estimated, row.outcome), (3, 1, Outcome::Ok));
            assert!(row.cost_micros > 0 && row.cost_micros <= row.held_micros);
        }
    }

    async fn what_is_cached_for_an_hour_is_held_and_charged_at_its_own_price(house) {
        let world = World::build(&house).await;
        let model = "claude-sonnet-4-5";
        let quote = Prices::builtin().quote(model, house.store().ambient().now());
        let upstream = Upstream::anthropic(&world.upstream.anthropic_url(), None, "2023-06-01").expect("an address");
        let target = Target { upstream: Arc::new(upstream), model: model.into(), quote: quote.map(Arc::new), ..world.targets[0].clone() };
        let usage = json!({ "input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 0,
            "cache_creation": { "ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20 } });
        let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": model, "usage": usage,
            "content": [{ "type": "text", "text": "Hello." }], "stop_reason": "end_turn", "stop_sequence": null });
        world.upstream.script(model, &Script::fault(Fault::Body("application/json".into(), answer.to_string())));
        let spender = Spender { user: Some(world.scope.user()), key: None, project: None, team: None, agent: None, run: None };
        for ttl in ["5m", "1h"] {
            let text = json!({ "type": "text", "text": "Hello?", "cache_control": { "type": "ephemeral", "ttl": ttl } });
            let body = json!({ "model": model, "max_tokens": 100, "messages": [{ "role": "user", "content": [text] }] });
            let request = ClientRequest::read(Operation::Messages, body.to_string().into()).expect("a request");
            world.door.call(&world.scope, spender, &request, std::slice::from_ref(&target)).await.expect("an answer");
        }
        let rows = world.rows(&house).await;
        // 10 at 3, 10 at 3.75, 20 at 6 and 5 at 15 dollars a million: 30 + 37.5 + 120 + 75 millionths.
        let seen: Vec<_> =
            rows.iter().map(|row| (row.input_tokens, row.written_tokens, row.written_long_tokens, row.cost_micros)).collect();
        assert_eq!(seen, [(40, 30, 20, 263); 2]);
        // At worst all that is read is written to the cache: at 3.75 dollars a million, or at 6 when somebody asks for an hour.
        let held: Vec<_> = rows.iter().map(|row| row.held_micros - 100 * 15).collect();
        assert!(held[0] * 6_000 / 3_750 - held[1] <= 1 && held[1] > held[0], "{held:?}");
    }

    async fn an_upstream_that_fails_before_the_first_byte_costs_nothing(house) {
        let world = World::build(&house).await;
        let faults = [
            Fault::Status(500, None, "oh".into()),
            Fault::Status(400, None, json!({ "error": { "message": "no" } }).to_string()),
            Fault::Reset,
            Fault::Body("text/html".into(), "<p>hello</p>".into()),
        ];
        for (at, fault) in faults.iter().enumerate() {
            world.upstream.script(MODEL, &Script::fault(fault.clone()));
            let error = world.call(at == 0).await.expect_err("no answer");
            assert!(matches!(error, Failed::Upstream(_) | Failed::Resting { .. }), "{fault:?}: {error}");
        }
        let rows = world.rows(&house).await;
        assert!(rows.len() >= faults.len() && rows.iter().all(|row| row.outcome == Outcome::Error && row.cost_micros == 0), "{rows:?}");
        let attempts = rows.iter().map(|row| (row.id, row.attempt)).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(attempts.len(), rows.len(), "each attempt has its own row");
    }

    async fn an_upstream_that_is_busy_is_asked_again_and_charged_once(house) {
        let world = World::build(&house).await;
        world.upstream.next(MODEL, &Script::fault(Fault::Status(429, Some(0), "{}".into())));
        let Served::Whole(_, receipt) = world.call(false).await.expect("an answer") else { panic!("a stream") };
        let rows = world.rows(&house).await;
        let seen: Vec<_> = rows.iter().map(|row| (row.id == receipt.id, row.attempt, row.outcome, row.cost_micros)).collect();
        assert_eq!(seen, [(true, 1, Outcome::Error, 0), (true, 2, Outcome::Ok, USUAL_COST)]);
    }

    async fn each_attempt_goes_by_the_limits_as_they_are_then(house) {
        let world = World::build(&house).await;
        let fault = Fault::Status(503, None, "{}".into());
        world.upstream.next(MODEL, &Script { delay: Duration::from_millis(1_500), ..Script::fault(fault) });
        let lowered = async {
            world.upstream.until(|served| served.calls == 1).await;
            add(&house, &world.scope, Level::Organization, None, "USD").await;
        };
        let (called, ()) = tokio::join!(world.call(false), lowered);
        assert!(matches!(&called, Err(Failed::Short(shortage)) if shortage.cap == 5), "{called:?}");
        assert_eq!(world.rows(&house).await.iter().map(|row| row.outcome).collect::<Vec<_>>(), [Outcome::Error]);
        assert_eq!(world.upstream.served().calls, 1);
    }

    async fn who_may_not_spend_calls_what_costs_nothing_alone(house) {
        let mut world = World::build(&house).await;
        for status in [OrgStatus::PastDue, OrgStatus::Suspended, OrgStatus::Closing] {
            world.put_into(&house, status).await;
            for called in [world.call(false).await, world.call(true).await, world.embed().await] {
                assert!(matches!(called, Err(Failed::Stopped(why)) if why == status), "{status:?}: {called:?}");
            }
        }
        assert!(world.rows(&house).await.is_empty() && world.upstream.served().calls == 0);
        let quote = Quote { price: Price::flat(MODEL, 0, 0), version: "free".into() };
        let free = Target { id: 2, label: "free".into(), quote: Some(Arc::new(quote)), ..world.targets[0].clone() };
        world.targets.push(free);
        world.call(false).await.expect("the second costs nothing");
        world.put_into(&house, OrgStatus::Active).await;
        world.call(false).await.expect("it may spend again");
        let rows = world.rows(&house).await;
        let mut seen: Vec<_> = rows.iter().map(|row| (row.upstream.as_str(), row.cost_micros)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("free", 0), ("upstream 1", USUAL_COST)]);
    }

    async fn another_upstream_answers_when_the_first_does_not(house) {
        let mut world = World::build(&house).await;
        let second = ScriptedUpstream::start().await;
        world.upstream.script(MODEL, &Script::fault(Fault::Status(401, None, "{}".into())));
        let upstream = Upstream::openai(&second.openai_url(), None, OutputLimit::MaxTokens).expect("an address");
        let target = Target { id: 2, label: "second".into(), upstream: Arc::new(upstream), ..world.targets[0].clone() };
        world.targets.push(target);
        assert!(World::drained(world.call(true).await.expect("a stream")).await);
        let rows = world.rows(&house).await;
        let seen: Vec<_> = rows.iter().map(|row| (row.upstream.as_str(), row.outcome, row.cost_micros)).collect();
        assert_eq!(seen, [("upstream 1", Outcome::Error, 0), ("second", Outcome::Ok, USUAL_COST)]);
    }

    async fn a_stream_that_breaks_is_charged_for_what_came(house) {
        let world = World::build(&house).await;
        for fault in [Fault::ResetsAfter(2), Fault::Truncated(3), Fault::Malformed(2), Fault::FailsAfter(2), Fault::Endless(1)] {
            world.upstream.script(MODEL, &Script::fault(fault.clone()));
            assert!(World::drained(world.call(true).await.expect("it begins")).await, "{fault:?} has an end that says so");
        }
        let rows = world.rows(&house).await;
        assert_eq!(rows.len(), 5);
        for row in rows {
            assert_eq!((row.outcome, row.estimated), (Outcome::Error, 1), "{row:?}");
            assert!(row.input_tokens > 0 && row.output_tokens <= 3 && row.cost_micros <= row.held_micros, "{row:?}");
        }
    }

    async fn a_client_that_goes_away_cancels_the_upstream_at_every_point(house) {
        let world = World::build(&house).await;
        let slow = Script { gap: Duration::from_millis(20), pieces: 6, ..Script::default() };
        world.upstream.script(MODEL, &slow);
        for frames in 0..5 {
            let Served::Stream(mut stream) = world.call(true).await.expect("a stream") else { panic!("whole") };
            for _ in 0..frames {
                stream.next().await.expect("settled").expect("a frame");
            }
            drop(stream);
            let gone = tokio::time::timeout(Duration::from_secs(1), world.upstream.until(|served| served.cancelled > frames));
            gone.await.expect("the upstream hears of it within a second");
        }
        // Before there is any answer at all.
        world.upstream.script(MODEL, &Script::fault(Fault::Silent));
        assert!(tokio::time::timeout(Duration::from_millis(300), world.call(true)).await.is_err());
        let rows = world.rows(&house).await;
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|row| row.outcome == Outcome::Cancelled && row.input_tokens > 0 && row.requests == 1), "{rows:?}");
        assert!(rows.windows(2).take(4).all(|pair| pair[0].output_tokens <= pair[1].output_tokens), "more came, more is charged");
    }

    async fn many_streams_at_once_all_arrive_whole_and_are_counted_once(house) {
        let world = World::build(&house).await;
        let streams = (0..64).map(|_| async { World::drained(world.call(true).await.expect("a stream")).await });
        assert!(futures_util::future::join_all(streams).await.into_iter().all(|whole| whole));
        let rows = world.rows(&house).await;
        let served = world.upstream.served();
        assert_eq!((rows.len() as u64, served.complete), (64, 64));
        assert_eq!(rows.iter().map(|row| row.output_tokens).sum::<i64>().unsigned_abs(), served.output);
    }

    async fn calls_above_a_rate_limit_reach_no_upstream_and_no_ledger(house) {
        let world = World::build(&house).await;
        world.limit(&house, [Some(3), None, None]).await;
        let racing = futures_util::future::join_all((0..50).map(|_| world.call(false))).await;
        assert_eq!(racing.iter().filter(|answer| answer.is_ok()).count(), 3);
        assert_eq!(world.limited().await.counts, Counts::Requests);
        assert_eq!((world.rows(&house).await.len(), world.upstream.served().complete), (3, 3));
    }

    async fn a_stream_holds_its_slot_until_it_ends_or_is_dropped(house) {
        let world = World::build(&house).await;
        world.limit(&house, [None, None, Some(1)]).await;
        for drained in [true, false] {
            let stream = world.call(true).await.expect("a stream");
            assert_eq!(world.limited().await.counts, Counts::Concurrency);
            if drained {
                assert!(World::drained(stream).await);
            } else {
                drop(stream);
            }
            world.call(false).await.expect("the slot came back");
        }
        world.upstream.script(MODEL, &Script::fault(Fault::Status(400, None, "{}".into())));
        assert!(matches!(world.call(true).await, Err(Failed::Upstream(_))));
        assert!(matches!(world.call(true).await, Err(Failed::Upstream(_))), "a failed call holds no slot");
    }

    async fn tokens_that_were_not_used_come_back(house) {
        let world = World::build(&house).await;
        // A call may need about 130, and uses 15.
        world.limit(&house, [None, Some(300), None]).await;
        for stream in [false, true].into_iter().cycle().take(10) {
            match world.call(stream).await.expect("it fits") {
                Served::Whole(..) => {}
                stream @ Served::Stream(_) => assert!(World::drained(stream).await),
            }
        }
        world.upstream.next(MODEL, &Script::usage(200, 100));
        world.call(false).await.expect("it fits");
        let limited = world.limited().await;
        assert_eq!(limited.counts, Counts::Tokens);
        // 450 were used, of 300: some 280 must leak away before 130 fit.
        let wait = limited.retry_after.expect("it fits later").as_secs();
        assert!((45..70).contains(&wait), "{wait}");
    }
}
