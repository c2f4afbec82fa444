//! Which limits stand on a path.

use std::sync::Arc;

use domain::limits::{Counted, Level, Period};
use domain::plan::Plans;
use domain::prices::Prices;
use metering::rules::{Rules, Spender, Unclear};
use store::audit::Event;
use store::org::budgets::{self, Budget, Strictness, Subject};
use store::{Json, Scope};
use testing::{TestHouse, both_stores};

const MODEL: [Counted; 3] = [Counted::Cost, Counted::Requests, Counted::Tokens];

fn spender(scope: &Scope) -> Spender {
    Spender { user: Some(scope.user()), key: None, project: None, team: None, agent: None, run: None }
}

/// Adds a budget of five millionths a month.
pub(crate) async fn add(house: &TestHouse, scope: &Scope, level: Level, subject: Option<Subject>, currency: &str) {
    let ambient = house.store().ambient();
    let budget = Budget {
        id: ambient.id(),
        level,
        subject,
        period: Period::Month,
        amount_micros: 5,
        currency: currency.parse().expect("a currency"),
        kind: Strictness::Hard,
        alerts: Json(vec![80]),
        increase_micros: 0,
        increase_until: None,
        increase_by: None,
        made_by: scope.user(),
        version: 1,
        created_at: ambient.now(),
        updated_at: ambient.now(),
    };
    let mut tx = house.store().open(scope).begin().await.expect("begun");
    budgets::insert(&mut tx, &budget).await.expect("a budget");
    tx.record(Event::new("budget.created", budget.id)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

both_stores! {
    async fn a_path_has_the_plan_and_the_budgets_that_apply(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let rules = Rules::new(house.store().clone(), Plans::builtin(), Arc::new(Prices::builtin()));
        let path = rules.path(&scope, spender(&scope), &MODEL).await.expect("clear");
        let caps: Vec<_> = path.iter().map(|limit| (limit.key.counted, limit.cap)).collect();
        assert_eq!(caps, [(Counted::Requests, 100), (Counted::Tokens, 100_000)]);

        let somebody: domain::UserId = house.store().ambient().id();
        let uuid = |id: domain::UserId| Some(Subject(domain::Id::uuid(id)));
        add(&house, &scope, Level::User, uuid(scope.user()), "USD").await;
        add(&house, &scope, Level::User, uuid(somebody), "USD").await;
        add(&house, &scope, Level::Organization, None, "USD").await;
        rules.forget(&scope);
        let path = rules.path(&scope, spender(&scope), &MODEL).await.expect("clear");
        let levels: Vec<_> = path.iter().map(|limit| (limit.level, limit.key.counted)).collect();
        assert_eq!(levels.iter().filter(|(level, _)| *level == Level::User).count(), 1, "another's does not apply");
        assert_eq!(levels.len(), 4);
        assert!(path.iter().any(|limit| limit.subject == scope.user().to_string() && limit.cap == 5));
        let only = rules.path(&scope, spender(&scope), &[Counted::Mails]).await.expect("clear");
        assert_eq!(only.iter().map(|limit| limit.cap).collect::<Vec<_>>(), [200]);
    }

    async fn a_budget_in_a_currency_without_a_rate_lets_nothing_through(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        add(&house, &scope, Level::Organization, None, "EUR").await;
        let rules = Rules::new(house.store().clone(), Plans::builtin(), Arc::new(Prices::builtin()));
        let unclear = rules.path(&scope, spender(&scope), &MODEL).await.expect_err("no rate");
        assert!(matches!(unclear, Unclear::NoRate(currency) if currency.as_str() == "EUR"));
        rules.path(&scope, spender(&scope), &[Counted::Documents]).await.expect("no money is at stake");
    }
}
