//! Clocks that jump, forwards and back, across the ends of periods and of leases, while calls run.

use std::time::Duration;

use domain::Time;
use domain::limits::{Amounts, Counted};
use domain::time_zone::TimeZoneName;
use metering::Held;
use metering::rules::Spender;
use metering::verify::verify;
use serde_json::json;
use store::Scope;
use store::ledger::balances;
use store::ledger::entries::{self, Charge, Outcome, Search};
use store::ledger::holds::{self, Purpose};
use testing::{Client, Spending, TestHouse, both_stores};

use crate::dice::Dice;

const DAY: i64 = 1_000;
const MONTH: i64 = 3_000;
const EVER: i64 = 6_000;

/// A call at a price that no list has.
fn call(micros: i64) -> Spending {
    Spending { price: "own", ..Spending::of(micros) }
}

fn at(text: &str) -> Time {
    text.parse().expect("a time")
}

async fn budget(owner: &Client, level: &str, period: &str, micros: i64) {
    let id = (level == "user").then_some(&owner.user);
    let body = json!({
        "level": level, "id": id, "period": period, "amount_micros": micros, "currency": "USD", "kind": "hard"
    });
    owner.post("/api/v1/budgets", &body).await.expect(201);
}

/// No counter is above its cap or below nothing, in any period that there ever was. Of all limits, those of money are the small ones.
async fn none_is_passed(house: &TestHouse, scope: &Scope, seed: u64) {
    let budgets = house.app.rules().of(scope).await.expect("read");
    let mut tx = house.store().read_ledger(scope).await.expect("begun");
    let counters = balances::list(&mut tx.page(scope).expect("its page"), None, 1_000).await.expect("read");
    for counter in counters.iter().filter(|counter| counter.counted == Counted::Cost) {
        let same =
            |budget: &&store::org::budgets::Budget| domain::Id::uuid(budget.id) == domain::Id::uuid(counter.limit_id);
        let cap = budgets.budgets().iter().find(same).expect("a budget's").amount_micros;
        let (held, settled) = (counter.held, counter.settled);
        assert!(
            held >= 0 && settled + held <= cap,
            "seed {seed}: {settled} + {held} of {cap} since {}",
            counter.starts_at
        );
    }
}

/// Days, weeks and months around the house's time, and what is far from it.
fn jump(dice: &mut Dice, now: Time) -> Time {
    let minute = Duration::from_mins(1);
    let utc = TimeZoneName::utc();
    let day = domain::limits::Period::Day.around(now, &utc);
    let month = domain::limits::Period::Month.around(now, &utc);
    let tick = Duration::from_micros(1);
    match dice.roll(8) {
        0 => day.from,
        1 => day.from - tick,
        2 => day.until.expect("it ends") - tick,
        3 => day.until.expect("it ends"),
        4 => month.from - tick,
        5 => month.until.expect("it ends"),
        6 => now + minute * u32::try_from(dice.roll(60 * 24 * 40)).expect("small"),
        _ => now - minute * u32::try_from(dice.roll(60 * 24 * 40)).expect("small"),
    }
}

both_stores! {
    async fn jumps_pass_no_cap_and_lose_and_double_nothing(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        budget(&ann, "organization", "day", DAY).await;
        budget(&ann, "user", "month", MONTH).await;
        budget(&ann, "organization", "total", EVER).await;
        let scope = house.scope(&ann).await;
        let start = house.clock_now();
        let mut taken = 0;
        for seed in 1..=3_u64 {
            let mut dice = Dice(seed * 7919);
            let mut held: Vec<(Held, i64)> = Vec::new();
            for _ in 0..120 {
                match dice.roll(10) {
                    0..=3 => {
                        let micros = i64::try_from(dice.roll(150)).expect("small");
                        if let Ok(one) = house.hold(&scope, &call(micros)).await {
                            held.push((one, micros));
                            taken += 1;
                        }
                    }
                    4..=6 if !held.is_empty() => {
                        let (one, micros) = held.swap_remove(dice.roll(held.len()));
                        let used = i64::try_from(dice.roll(usize::try_from(micros).expect("small") + 1)).expect("small");
                        house.settle(one, &call(used)).await;
                    }
                    7 if !held.is_empty() => drop(held.swap_remove(dice.roll(held.len()))),
                    8 | 9 => {
                        // Somebody else's clock may be the one that is wrong: it comes back to where it was, too.
                        let to = if dice.roll(4) == 0 { start } else { jump(&mut dice, house.clock_now()) };
                        house.clock.set(to);
                    }
                    _ => {}
                }
                none_is_passed(&house, &scope, seed).await;
            }
            for (one, micros) in held.drain(..) {
                house.settle(one, &call(micros)).await;
            }
            house.app.books().sweep(&scope).await.expect("swept");
            let verified = verify(house.store(), house.app.rules(), &scope).await.expect("verified");
            assert_eq!(verified.fault, None, "seed {seed}");
            assert!(verified.counters > 20, "there were many periods: {verified:?}");
            // Each hold is one row, however the clock went.
            let mut tx = house.store().read_ledger(&scope).await.expect("begun");
            let mut page = tx.page(&scope).expect("its page");
            assert!(holds::list(&mut page).await.expect("read").is_empty(), "seed {seed}");
            let rows = entries::list(&mut page, &Search::default(), None, 10_000).await.expect("rows");
            assert_eq!(rows.len(), taken, "seed {seed}");
        }
    }

    async fn a_call_counts_in_the_period_whose_limits_it_passed(house) {
        let ann = house.sign_up("Ann").await;
        budget(&ann, "organization", "day", DAY).await;
        let scope = house.scope(&ann).await;
        house.clock.set(at("2026-11-22T23:59:59.999999Z"));
        let spender = Spender { user: Some(scope.user()), key: None, project: None, team: None, agent: None, run: None };
        let path = house.app.rules().path(&scope, spender, &[Counted::Cost]).await.expect("clear");
        // The next day begins between the two.
        house.clock.set(at("2026-11-23T00:00:00Z"));
        let hold = house.app.books().hold(
            &scope,
            (house.store().ambient().id(), 1),
            Purpose { operation: "chat".into(), price: "own".into(), user_id: Some(scope.user()), ..Purpose::default() },
            Amounts::of(Counted::Cost, DAY),
            path,
        );
        let held = hold.await.expect("there is room on the 22nd");
        let next = house.hold(&scope, &call(DAY)).await.expect("and on the 23rd");
        drop(next);
        let used = Charge { amounts: Amounts::of(Counted::Cost, DAY), ..Charge::nothing(Outcome::Ok) };
        held.settle(used).await.expect("settled");
        assert_eq!(verify(house.store(), house.app.rules(), &scope).await.expect("verified").fault, None);
        let mut tx = house.store().read_ledger(&scope).await.expect("begun");
        let rows = entries::list(&mut tx.page(&scope).expect("its page"), &Search::default(), None, 10).await.expect("rows");
        let days: Vec<_> = rows.iter().map(|row| (row.at, row.cost_micros)).collect();
        assert!(days.contains(&(at("2026-11-22T23:59:59.999999Z"), DAY)) && days.len() == 2, "{days:?}");
        drop(tx);

        // Set back, the clock shows the day that is used up.
        house.clock.set(at("2026-11-22T12:00:00Z"));
        house.hold(&scope, &call(1)).await.expect_err("the 22nd is used up");
        house.clock.set(at("2026-11-23T12:00:00Z"));
        drop(house.hold(&scope, &call(DAY)).await.expect("the 23rd is not"));
    }

    async fn a_lease_outlives_a_clock_that_jumps(house) {
        let ann = house.sign_up("Ann").await;
        budget(&ann, "organization", "total", DAY).await;
        let scope = house.scope(&ann).await;
        let held = house.hold(&scope, &call(600)).await.expect("there is room");
        // Hours beyond its lease: the program lives, so the hold does, and is looked for by whoever has no room.
        house.clock.advance(Duration::from_hours(5));
        house.hold(&scope, &call(500)).await.expect_err("600 are held");
        house.clock.set(house.clock_now() - Duration::from_hours(24 * 60));
        house.hold(&scope, &call(500)).await.expect_err("600 are held");
        house.settle(held, &call(600)).await;
        drop(house.hold(&scope, &call(400)).await.expect("400 are left"));
        house.hold(&scope, &call(401)).await.expect_err("not more");
        assert_eq!(verify(house.store(), house.app.rules(), &scope).await.expect("verified").fault, None);
    }
}
