//! Telling people and webhooks that an organisation passed a threshold of the documents or bytes that its plan has room for. Each is told
//! once: the id of a mail or a message follows from what it is about, so whoever tells twice changes nothing.

use domain::events::EventType;
use domain::{Id, LimitId};
use serde_json::json;
use store::Scope;
use store::org::quota_alerts::{self, QuotaAlert};
use store::org::webhook_messages::{self, Event};
use tenancy::alerts::Passed;

use crate::App;
use crate::alerts::Failed;
use crate::untold::{Told, Untold};

/// Tells of all that is passed, for as long as it runs.
pub(crate) async fn run(app: App) {
    let Some(news) = app.house.store.take_warnings() else { return };
    let mut untold = Untold::new(news);
    while let Some(turn) = untold.next().await {
        let told = tell(&app, &turn.scope).await.unwrap_or_else(|error| {
            tracing::error!(org = %turn.scope.org(), %error, "how full an organisation is could not be told and will be tried again");
            Told::Failed
        });
        untold.end(turn, told);
    }
}

async fn tell(app: &App, scope: &Scope) -> Result<Told, Failed> {
    let org = app.house.store.open(scope);
    let mut tx = org.read().await?;
    let untold = quota_alerts::untold(&mut tx).await?;
    drop(tx);
    for alert in untold {
        tenancy::alerts::tell(&app.house, scope.org(), &in_words(scope, &alert)).await?;
        let mut tx = org.begin().await?;
        webhook_messages::announce(&mut tx, &as_event(scope, &alert)).await?;
        quota_alerts::told(&mut tx, &alert).await?;
        tx.commit().await?;
    }
    Ok(Told::All)
}

/// Limits of a plan have the id of their organisation.
fn limit_of(scope: &Scope) -> LimitId {
    LimitId::from_uuid(scope.org().uuid())
}

fn in_words(scope: &Scope, alert: &QuotaAlert) -> Passed {
    let amount = |number: i64| {
        if alert.counted == "storage" { format!("{} MiB", number >> 20) } else { format!("{number} documents") }
    };
    Passed {
        limit_id: limit_of(scope),
        counted: alert.counted.clone(),
        what: format!("The plan's limit of {}", alert.counted),
        percent: alert.percent,
        used: amount(alert.used),
        limit: amount(alert.cap),
        hard: true,
        starts_at: alert.at,
        resets_at: None,
        exhausted_at: None,
        at: alert.at,
    }
}

fn as_event(scope: &Scope, alert: &QuotaAlert) -> Event {
    let data = json!({
        "organization_id": scope.org(),
        "budget_id": null,
        "level": "organization",
        "subject_id": null,
        "counted": alert.counted,
        "unit": if alert.counted == "storage" { "bytes" } else { "documents" },
        "currency": null,
        "percent": alert.percent,
        "used": alert.used,
        "limit": alert.cap,
        "kind": "hard",
        "period": "total",
        "starts_at": alert.at,
        "resets_at": null,
        "exhausted_at": null,
    });
    let event = if alert.percent >= 100 { EventType::QuotaExhausted } else { EventType::QuotaThreshold };
    let once = Some(format!("{}\n{}\n{}\n{}", limit_of(scope), alert.counted, alert.at.micros(), alert.percent));
    Event { event, at: alert.at, once, data }
}
