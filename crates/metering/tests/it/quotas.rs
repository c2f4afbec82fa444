//! The plan's quotas, whatever they count: of fifty that race exactly so many pass as there is room for.

use domain::limits::{Amounts, Counted, Level};
use domain::plan::Meter;
use metering::rules::Spender;
use metering::{Held, Refused, Shortage};
use serde_json::json;
use store::Scope;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Purpose;
use testing::{TestHouse, both_stores};

const CALLERS: i64 = 50;

async fn hold(house: &TestHouse, scope: &Scope, counted: Counted, amount: i64) -> Result<Held, Refused> {
    let spender = Spender { user: Some(scope.user()), key: None, project: None, team: None, agent: None, run: None };
    let path = house.app.rules().path(scope, spender, &[counted]).await.expect("clear");
    let id = house.store().ambient().id();
    let purpose = Purpose { operation: "work".into(), user_id: Some(scope.user()), ..Purpose::default() };
    house.app.books().hold(scope, (id, 1), purpose, Amounts::of(counted, amount), path).await
}

async fn add(house: &TestHouse, scope: &Scope, counted: Counted, amount: i64) -> Result<(), Shortage> {
    let held = match hold(house, scope, counted, amount.max(0)).await {
        Ok(held) => held,
        Err(Refused::Short(shortage)) => return Err(*shortage),
        Err(other) => panic!("{other}"),
    };
    tokio::task::yield_now().await;
    let used = Amounts::of(counted, amount);
    held.settle(Charge { amounts: used, ..Charge::nothing(Outcome::Ok) }).await.expect("settled");
    Ok(())
}

both_stores! {
    async fn of_fifty_that_race_so_many_pass_as_have_room(house) {
        let olga = house.operator("Olga").await;
        for meter in [Meter::Requests, Meter::Tokens, Meter::Documents, Meter::Storage, Meter::Prospects, Meter::Mails] {
            let counted = Counted::of_meter(meter).expect("it is counted");
            // Each takes a piece of this size.
            let size = if meter == Meter::Storage { 1_000_000 } else { 3 };
            for room in [CALLERS - 1, CALLERS, CALLERS + 1] {
                let owner = house.sign_up(&format!("{meter}{room}")).await;
                let most = (room + 2) * size;
                let exception = json!({ "kind": "limit", "meter": meter, "limit": most });
                let overrides = format!("/api/v1/operator/orgs/{}/overrides", owner.org);
                olga.post(&overrides, &json!({ "exception": exception, "reason": "a test" })).await.expect(201);
                let scope = house.scope(&owner).await;
                // Some of it is used before.
                add(&house, &scope, counted, 2 * size).await.expect("there is room");
                let calls = (0..CALLERS).map(|_| add(&house, &scope, counted, size));
                let ran = futures_util::future::join_all(calls).await;
                let passed = i64::try_from(ran.iter().filter(|one| one.is_ok()).count()).expect("few");
                assert_eq!(passed, room.min(CALLERS), "{meter} with room for {room}");
                for _ in passed..room {
                    add(&house, &scope, counted, size).await.expect("there was room for one more");
                }
                let shortage = add(&house, &scope, counted, size).await.expect_err("it is full");
                assert_eq!((shortage.level, shortage.counted), (Level::Organization, counted));
                assert_eq!((shortage.cap, shortage.used, shortage.missing), (most, most, size));
                // What stands is not counted anew in another month; what is done in a month is.
                assert_eq!(shortage.resets_at.is_some(), meter.is_monthly(), "{meter}");
                if meter.is_monthly() {
                    continue;
                }
                // What is removed leaves room.
                add(&house, &scope, counted, -size).await.expect("less always fits");
                add(&house, &scope, counted, size).await.expect("there is room again");
            }
        }
    }
}
