//! Rate limits, counted in one process and shared by several.

use std::time::Duration;

use domain::Id;
use domain::limits::Level;
use domain::operation::Operation;
use domain::plan::Plans;
use domain::prices::Prices;
use metering::rates::rule::Counts;
use metering::rates::{Gatekeeper, Limited, Pass, Refused};
use metering::rules::{Rules, Spender};
use store::Scope;
use store::audit::Event;
use store::org::budgets::Subject;
use store::org::rate_limits::{self, RateLimit};
use testing::{Redis, TestHouse, both_stores};

fn rules(house: &TestHouse) -> Rules {
    Rules::new(house.store().clone(), Plans::builtin(), Prices::builtin().into())
}

fn alone(house: &TestHouse) -> Gatekeeper {
    Gatekeeper::new(house.store().clone(), rules(house), None)
}

/// A node of its own: it has nothing in common with the others but what is on the server.
async fn node(house: &TestHouse, redis: &Redis) -> Gatekeeper {
    let node = Gatekeeper::new(house.store().clone(), rules(house), Some(redis.sharing()));
    node.meet().await.expect("the server answers");
    node
}

fn spender(scope: &Scope) -> Spender {
    Spender {
        user: Some(scope.user()),
        key: scope.key().map(|(key, _)| key),
        project: None,
        team: None,
        agent: None,
        run: None,
    }
}

/// A limit of searches: how many a minute.
fn searches(house: &TestHouse, scope: &Scope, level: Level, subject: Option<Subject>, many: i64) -> RateLimit {
    let ambient = house.store().ambient();
    RateLimit {
        id: ambient.id(),
        level,
        subject,
        operation: Some(Operation::Search),
        requests_per_minute: Some(many),
        tokens_per_minute: None,
        concurrency: None,
        made_by: scope.user(),
        version: 1,
        created_at: ambient.now(),
        updated_at: ambient.now(),
    }
}

async fn set(house: &TestHouse, scope: &Scope, limit: &RateLimit) {
    let mut tx = house.store().open(scope).begin().await.expect("begun");
    rate_limits::insert(&mut tx, limit).await.expect("a limit");
    tx.record(Event::new("limit.created", limit.id)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

#[expect(clippy::unnecessary_wraps, reason = "beside limits of nobody in particular")]
fn user(scope: &Scope) -> Option<Subject> {
    Some(Subject(scope.user().uuid()))
}

async fn search(gatekeeper: &Gatekeeper, scope: &Scope) -> Result<Pass, Limited> {
    admit(gatekeeper, scope, Operation::Search, 0).await
}

async fn admit(gatekeeper: &Gatekeeper, scope: &Scope, operation: Operation, tokens: u64) -> Result<Pass, Limited> {
    gatekeeper.admit(scope, spender(scope), operation, tokens).await.map_err(|refused| match refused {
        Refused::Limited(limited) => *limited,
        Refused::Store(error) => panic!("{error}"),
    })
}

/// How many of so many that race are let in, at any of the gates in turn.
async fn race(gatekeepers: &[&Gatekeeper], scope: &Scope, callers: usize) -> usize {
    let calls = (0..callers).map(|n| search(gatekeepers[n % gatekeepers.len()], scope));
    futures_util::future::join_all(calls).await.into_iter().flatten().count()
}

fn header<'h>(headers: &'h [(&'static str, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

both_stores! {
    async fn the_sixth_of_five_a_minute_is_told_when_to_come_back_and_others_are_not_affected(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let (ann, max) = (house.scope(&ann).await, house.scope(&max).await);
        let gatekeeper = alone(&house);
        set(&house, &ann, &searches(&house, &ann, Level::User, user(&max), 5)).await;
        assert_eq!(race(&[&gatekeeper], &max, 50).await, 5);
        let limited = search(&gatekeeper, &max).await.expect_err("the minute's worth is used");
        assert_eq!((limited.level, limited.subject.clone(), limited.operation), (Level::User, max.user().to_string(), "search"));
        assert_eq!((limited.counts, limited.limit, limited.retry_after), (Counts::Requests, 5, Some(Duration::from_secs(12))));
        for (name, value) in [("retry-after", "12"), ("ratelimit-limit", "5"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "60"), ("ratelimit-policy", "5;w=60")] {
            assert_eq!(header(&limited.headers, name), Some(value), "{name}");
        }
        let pass = search(&gatekeeper, &ann).await.expect("she has no limit");
        assert!(pass.headers().is_empty());
        admit(&gatekeeper, &max, Operation::Chat, 0).await.expect("another operation").settle(0);
        house.clock.advance(Duration::from_secs(12));
        let pass = search(&gatekeeper, &max).await.expect("one has leaked away");
        assert_eq!(header(&pass.headers(), "x-ratelimit-remaining-requests"), Some("0"));
        drop(pass);
        search(&gatekeeper, &max).await.expect_err("a call that was made is not given back");
    }

    async fn what_is_refused_takes_nothing_anywhere(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let (ann, max) = (house.scope(&ann).await, house.scope(&max).await);
        let gatekeeper = alone(&house);
        set(&house, &ann, &searches(&house, &ann, Level::Organization, None, 10)).await;
        set(&house, &ann, &searches(&house, &ann, Level::User, user(&max), 3)).await;
        assert_eq!(race(&[&gatekeeper], &max, 50).await, 3);
        assert_eq!(race(&[&gatekeeper], &ann, 50).await, 7);
        assert_eq!(search(&gatekeeper, &ann).await.expect_err("all is used").level, Level::Organization);
    }

    async fn what_is_said_of_one_stands_in_place_of_what_is_said_of_each(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let (ann, max) = (house.scope(&ann).await, house.scope(&max).await);
        let gatekeeper = alone(&house);
        set(&house, &ann, &searches(&house, &ann, Level::User, None, 2)).await;
        set(&house, &ann, &searches(&house, &ann, Level::User, user(&max), 4)).await;
        assert_eq!((race(&[&gatekeeper], &max, 9).await, race(&[&gatekeeper], &ann, 9).await), (4, 2));
        let mut tx = house.store().open(&ann).begin().await.expect("begun");
        let again = rate_limits::insert(&mut tx, &searches(&house, &ann, Level::User, None, 9)).await;
        assert!(matches!(again, Err(store::Error::Taken(_))), "one place has one limit");
    }

    async fn tokens_are_charged_by_the_bound_and_come_back(house) {
        let ann = house.scope(&house.sign_up("Ann").await).await;
        let gatekeeper = alone(&house);
        let limit = RateLimit {
            operation: None, requests_per_minute: None, tokens_per_minute: Some(1000),
            ..searches(&house, &ann, Level::Organization, None, 1)
        };
        set(&house, &ann, &limit).await;
        let pass = admit(&gatekeeper, &ann, Operation::Chat, 900).await.expect("it fits");
        assert_eq!(header(&pass.headers(), "x-ratelimit-remaining-tokens"), Some("100"));
        let limited = admit(&gatekeeper, &ann, Operation::Chat, 200).await.expect_err("there are 100 left");
        assert_eq!((limited.counts, limited.needed, limited.retry_after), (Counts::Tokens, 200, Some(Duration::from_secs(6))));
        pass.settle(100);
        let pass = admit(&gatekeeper, &ann, Operation::Chat, 900).await.expect("800 came back");
        drop(pass);
        let pass = admit(&gatekeeper, &ann, Operation::Embeddings, 900).await.expect("what was never used came back whole");
        pass.settle(1500);
        let limited = admit(&gatekeeper, &ann, Operation::Chat, 1).await.expect_err("more was used than was taken");
        assert_eq!(limited.retry_after.map(|wait| wait.as_secs()), Some(36));
        let limited = admit(&gatekeeper, &ann, Operation::Chat, 1001).await.expect_err("it never fits");
        assert_eq!((limited.retry_after, header(&limited.headers, "retry-after")), (None, None));
        assert!(limited.message().contains("1001 tokens"), "{}", limited.message());
    }

    async fn slots_are_held_as_long_as_the_pass_and_the_plan_has_so_many(house) {
        let ann = house.scope(&house.sign_up("Ann").await).await;
        let gatekeeper = alone(&house);
        let chat = || admit(&gatekeeper, &ann, Operation::Chat, 1);
        let (one, two) = (chat().await.expect("a slot"), chat().await.expect("another"));
        let limited = chat().await.expect_err("the free plan has two");
        assert_eq!((limited.counts, limited.operation, limited.limit), (Counts::Concurrency, "plan", 2));
        assert_eq!(header(&limited.headers, "retry-after"), Some("1"));
        search(&gatekeeper, &ann).await.expect("a search takes no slot").settle(0);
        two.settle(1);
        let two = chat().await.expect("it came back");
        drop((one, two));
        for _ in 0..3 {
            let racing = futures_util::future::join_all((0..50).map(|_| chat())).await;
            assert_eq!(racing.iter().filter(|pass| pass.is_ok()).count(), 2);
        }
    }

    async fn a_key_carries_its_own_limit_for_all_that_it_does(house) {
        let ann = house.sign_up("Ann").await;
        let key = serde_json::json!({ "name": "k", "rate_per_minute": 10 });
        let key = ann.post("/api/v1/auth/api-keys", &key).await.expect(201);
        let scope = house.scope(&ann.with_token(Some(key.str("/key")))).await;
        let gatekeeper = alone(&house);
        for n in 0..10 {
            let operation = if n % 2 == 0 { Operation::Search } else { Operation::Api };
            admit(&gatekeeper, &scope, operation, 0).await.expect("it fits").settle(0);
        }
        let limited = admit(&gatekeeper, &scope, Operation::Api, 0).await.expect_err("the eleventh");
        assert_eq!((limited.level, limited.subject.starts_with("key_"), limited.operation), (Level::Key, true, "key"));
        let herself = house.scope(&ann).await;
        admit(&gatekeeper, &herself, Operation::Api, 0).await.expect("she is not her key").settle(0);
    }

    async fn another_organisation_has_limits_and_counts_of_its_own(house) {
        let redis = Redis::shared();
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let beta = house.scope(&bob).await;
        let acme = house.scope(&house.bring(&ann, &bob, "Bob", "admin").await).await;
        // One person with one id in both, and one id of a limit.
        assert_eq!((acme.user(), acme.org() == beta.org()), (beta.user(), false));
        let limit = searches(&house, &acme, Level::User, None, 2);
        set(&house, &acme, &limit).await;
        set(&house, &beta, &RateLimit { requests_per_minute: Some(3), ..limit }).await;
        for gatekeeper in [alone(&house), node(&house, &redis).await] {
            assert_eq!((race(&[&gatekeeper], &acme, 9).await, race(&[&gatekeeper], &beta, 9).await), (2, 3));
        }
    }

    async fn nodes_count_together(house) {
        let redis = Redis::shared();
        let ann = house.scope(&house.sign_up("Ann").await).await;
        set(&house, &ann, &searches(&house, &ann, Level::Organization, None, 5)).await;
        let (one, two) = (node(&house, &redis).await, node(&house, &redis).await);
        one.meet().await.expect("met");
        assert_eq!((one.nodes(), two.nodes(), one.is_shared()), (2, 2, true));
        assert_eq!(race(&[&one, &two], &ann, 50).await, 5);
        let limited = search(&two, &ann).await.expect_err("used by both");
        let wait = limited.retry_after.expect("it comes");
        assert!(wait <= Duration::from_secs(12) && wait > Duration::from_secs(6), "{wait:?}");
        // Slots of one node are slots of the other.
        let (a, b) = (admit(&one, &ann, Operation::Chat, 1).await.expect("a slot"), admit(&two, &ann, Operation::Chat, 1).await.expect("a slot"));
        admit(&two, &ann, Operation::Chat, 1).await.expect_err("the plan has two");
        drop(a);
        // It is told without being waited for, on another connection.
        let c = until(async || admit(&two, &ann, Operation::Chat, 1).await.ok()).await;
        admit(&one, &ann, Operation::Chat, 1).await.expect_err("the plan has two");
        drop((b, c));
    }

    async fn without_the_server_each_node_keeps_to_its_share_and_comes_back_by_itself(house) {
        let ann = house.scope(&house.sign_up("Ann").await).await;
        set(&house, &ann, &searches(&house, &ann, Level::Organization, None, 6)).await;
        let mut redis = Redis::start();
        let (one, two) = (node(&house, &redis).await, node(&house, &redis).await);
        one.meet().await.expect("met");
        assert_eq!(race(&[&one], &ann, 2).await, 2);
        let slots = admit(&one, &ann, Operation::Chat, 1).await.expect("a slot");
        redis.stop();
        // What was seen of the two calls counts on, and each has half of six.
        assert_eq!(race(&[&one], &ann, 20).await, 2, "one of its three is a share of what was used before");
        assert_eq!(race(&[&two], &ann, 20).await, 3);
        assert!(!one.is_shared() && !two.is_shared());
        assert!(!testing::alarms(&format!(":{}", redis.port)).is_empty(), "somebody is told");
        // Half of two slots is one, and that is held.
        admit(&one, &ann, Operation::Chat, 1).await.expect_err("the slot is still held");
        let held = admit(&two, &ann, Operation::Chat, 1).await.expect("the other half");
        redis.start_again();
        until(async || (one.is_shared() && two.is_shared()).then_some(())).await;
        // The server has forgotten everything; the nodes tell it what they took meanwhile.
        // Each tells what it knows when it asks first, so one may be let in before the other has told.
        assert!(race(&[&one, &two], &ann, 20).await <= 3, "a restart is no way to get everything anew");
        assert_eq!(race(&[&one, &two], &ann, 20).await, 0);
        admit(&two, &ann, Operation::Chat, 1).await.expect_err("both slots are known to the server again");
        drop((slots, held));
        until(async || admit(&two, &ann, Operation::Chat, 1).await.ok()).await.settle(1);
    }

    async fn a_server_that_is_silent_stops_nobody_for_long(house) {
        let ann = house.scope(&house.sign_up("Ann").await).await;
        set(&house, &ann, &searches(&house, &ann, Level::Organization, None, 6)).await;
        let redis = Redis::start();
        let gatekeeper = node(&house, &redis).await;
        redis.pause();
        let began = std::time::Instant::now();
        assert_eq!(race(&[&gatekeeper], &ann, 20).await, 6);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(!gatekeeper.is_shared());
        redis.resume();
        until(async || gatekeeper.is_shared().then_some(())).await;
        assert_eq!(race(&[&gatekeeper], &ann, 20).await, 0);
    }

    async fn whoever_gives_up_waiting_keeps_no_slot(house) {
        let redis = Redis::shared();
        let ann = house.scope(&house.sign_up("Ann").await).await;
        let gatekeeper = node(&house, &redis).await;
        // From here on the limits are known, and the server is what is waited for.
        admit(&gatekeeper, &ann, Operation::Chat, 1).await.expect("a slot").settle(1);
        for _ in 0..20 {
            let waiting = admit(&gatekeeper, &ann, Operation::Chat, 1);
            drop(tokio::time::timeout(Duration::ZERO, waiting).await);
        }
        let one = until(async || admit(&gatekeeper, &ann, Operation::Chat, 1).await.ok()).await;
        let two = until(async || admit(&gatekeeper, &ann, Operation::Chat, 1).await.ok()).await;
        admit(&gatekeeper, &ann, Operation::Chat, 1).await.expect_err("the plan has two");
        drop((one, two));
    }
}

/// Asks until there is an answer.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        tokio::task::yield_now().await;
    }
}
