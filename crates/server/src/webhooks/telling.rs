//! Sends what organisations owe their webhooks, at least once, by turns.
//!
//! An organisation's turn is a few messages: then it waits behind the others, so nobody's slow receivers hold up anybody else's for
//! longer than the time of one message. Both the turn and the message are leased, so a server that dies is followed by whoever looks
//! next. A message that is not taken is tried ten times with growing pauses, for most of a day; then it is given up, and its webhook is
//! switched off when it took no other one in all that time.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use connectors::webhook::{Ended, LONGEST, Secret, send};
use domain::{Ambient, OrgId, Time, WebhookId};
use egress::{Egress, Endpoint};
use futures_util::future::join_all;
use serde_json::json;
use store::audit::Event;
use store::control::webhook_turns;
use store::org::webhook_messages::{self, Claimed, Tried};
use store::org::webhooks::{self, Because, SEALED, Webhook};
use store::{OrgStore, Turn};
use tenancy::webhooks::Disabled;
use tokio::task::{self, JoinSet};

use crate::App;

/// Organisations whose turn it is at the same time.
const TURNS: usize = 16;
/// Messages of one turn, which are sent at the same time.
const MESSAGES: i64 = 4;
/// How long a turn and its messages are leased: well above the time that sending them takes.
const LEASE: Duration = Duration::from_mins(1);
const _: () = assert!(LONGEST.as_secs() * 2 < LEASE.as_secs());
/// How often it is looked whose turn it is.
const PAUSE: Duration = Duration::from_secs(1);
/// The pauses after the tries in vain, in seconds, before jitter: after the last one there is one more try.
const PAUSES: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 36_000];

/// Sends what is due, for as long as it runs.
pub(crate) async fn run(app: App) {
    let mut turns = Turns::default();
    loop {
        if let Err(error) = turns.take(&app).await {
            tracing::error!(%error, "it could not be read whose webhooks are to be told");
        }
        tokio::select! {
            () = app.house.store.webhook_turn_marked() => {}
            () = turns.one_ends() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// The turns that run here, one of an organisation at most.
#[derive(Default)]
struct Turns {
    tasks: JoinSet<()>,
    running: HashMap<task::Id, OrgId>,
}

impl Turns {
    /// Takes turns and begins them.
    async fn take(&mut self, app: &App) -> store::Result<()> {
        let (store, room) = (&app.house.store, TURNS - self.running.len());
        if room == 0 || !webhook_turns::is_due(&mut store.read_control().await?).await? {
            return Ok(());
        }
        let now = store.ambient().now();
        let until = now + LEASE;
        let mut tx = store.begin_control(Turn::Free).await?;
        let mut taken = webhook_turns::take(&mut tx, until, i64::try_from(room).unwrap_or(i64::MAX)).await?;
        // One that was marked anew during its turn has no second one beside it.
        for org in taken.extract_if(.., |org| self.running.values().any(|running| running == org)) {
            webhook_turns::end(&mut tx, org, until, Some(now)).await?;
        }
        tx.commit().await?;
        for org in taken {
            let task = self.tasks.spawn(turn(app.clone(), org, until));
            self.running.insert(task.id(), org);
        }
        Ok(())
    }

    /// Waits until a turn ends, if any runs.
    async fn one_ends(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "a turn of telling webhooks panicked");
                error.id()
            }
            None => return std::future::pending().await,
        };
        self.running.remove(&ended);
    }
}

/// One organisation's turn. When it fails its lease ends by itself, and it is tried again.
async fn turn(app: App, org: OrgId, until: Time) {
    let store = &app.house.store;
    let ended = async {
        let next = tell(&app, org).await?;
        let mut tx = store.begin_control(Turn::Free).await?;
        webhook_turns::end(&mut tx, org, until, next).await?;
        tx.commit().await
    };
    match ended.await {
        // Of a damaged store the operator was told; of one that is being erased nothing is owed any more.
        Ok(()) | Err(store::Error::Damaged { .. } | store::Error::NotFound(_)) => {}
        Err(error) => tracing::error!(%org, %error, "webhooks could not be told and will be tried again"),
    }
}

/// Sends some messages of an organisation; says when the next one is due.
async fn tell(app: &App, org: OrgId) -> store::Result<Option<Time>> {
    let store = &app.house.store;
    let open = store.open(&store.serve(org).await?);
    let mut tx = open.begin().await?;
    let claimed = webhook_messages::claim(&mut tx, LEASE, MESSAGES).await?;
    let mut known = BTreeMap::new();
    for message in &claimed {
        if let Some(webhook) = webhooks::find(&mut tx, message.webhook_id).await? {
            known.insert(message.webhook_id, webhook);
        }
    }
    tx.commit().await?;
    let sent = claimed.iter().filter_map(|message| Some((message, known.get(&message.webhook_id)?)));
    let outside = app.models.outside_for(org);
    let sent = sent.map(|(message, webhook)| sending(app, &open, &outside, message, webhook));
    let sent: Vec<Sent<'_>> = join_all(sent).await;
    let off = to_switch_off(&open, &sent).await?;
    for (webhook, because) in off.values() {
        write_to_leaders(app, org, webhook, *because).await?;
    }
    let mut tx = open.begin().await?;
    for Sent { message, ended, .. } in &sent {
        webhook_messages::note(&mut tx, message.id, &tried(store.ambient(), message, ended)).await?;
    }
    for (sent_to, because) in off.values() {
        // Who has changed it meanwhile may have put it right.
        let Some(mut webhook) = webhooks::find(&mut tx, sent_to.id).await?.filter(|now| now.version == sent_to.version)
        else {
            continue;
        };
        webhook.disable(Some(*because), tx.now());
        webhooks::update(&mut tx, &webhook).await?;
        let event = Event::new("webhook.disabled", webhook.id).before(*sent_to).after(&webhook);
        tx.record(event.detail(json!({ "because": because }))).await?;
    }
    let next = webhook_messages::next_due(&mut tx).await?;
    tx.commit().await?;
    Ok(next)
}

/// A message that was sent, or not.
struct Sent<'a> {
    message: &'a Claimed,
    webhook: &'a Webhook,
    ended: Ended,
}

async fn sending<'a>(
    app: &App,
    open: &OrgStore,
    outside: &Egress,
    message: &'a Claimed,
    webhook: &'a Webhook,
) -> Sent<'a> {
    let ended = match secrets(open, webhook, app.house.store.ambient().now()).await {
        Ok(secrets) => match Endpoint::with_query(&webhook.url) {
            Ok(endpoint) => {
                let now = app.house.store.ambient().now();
                send(outside, &endpoint, &secrets, message.id, now, &message.body).await
            }
            Err(error) => Ended { status: None, error: Some(format!("The address {error}.")) },
        },
        Err(error) => {
            tracing::error!(webhook = %webhook.id, %error, "the secret of a webhook cannot be opened");
            Ended { status: None, error: Some("It could not be signed.".into()) }
        }
    };
    let outcome = if ended.error.is_none() { "taken" } else { "in_vain" };
    metrics::counter!("rowhouse_webhook_tries_total", "outcome" => outcome).increment(1);
    Sent { message, webhook, ended }
}

/// The secrets that sign now: the present one first.
async fn secrets(open: &OrgStore, webhook: &Webhook, now: Time) -> store::Result<Vec<Secret>> {
    let former = webhook.former_sealed.as_ref().filter(|_| webhook.former_until.is_some_and(|until| now < until));
    let mut secrets = Vec::with_capacity(2);
    for sealed in std::iter::once(&webhook.sealed).chain(former) {
        let bytes = open.unseal(SEALED, webhook.id, sealed, webhook.key_version).await?;
        secrets.push(Secret::from_bytes(bytes));
    }
    Ok(secrets)
}

/// Whether a message is tried once more.
fn has_more_tries(message: &Claimed) -> bool {
    !message.is_test() && usize::try_from(message.tries).is_ok_and(|tries| tries <= PAUSES.len())
}

fn tried(ambient: &Ambient, message: &Claimed, ended: &Ended) -> Tried {
    let again = ended.error.is_some() && !ended.is_gone() && has_more_tries(message);
    let again_at = again.then(|| ambient.now() + pause_after(message.tries, ambient.bytes()));
    Tried { status: ended.status.map(|status| status.as_u16().into()), error: ended.error.clone(), again_at }
}

/// The pause after a number of tries in vain, from four fifths to six fifths of what the table says, so that what failed together is
/// not tried together.
fn pause_after(tries: i64, chance: [u8; 2]) -> Duration {
    let place = usize::try_from(tries - 1).unwrap_or(0).min(PAUSES.len() - 1);
    let chance = u64::from(u16::from_be_bytes(chance));
    Duration::from_millis(PAUSES[place] * (800 + 400 * chance / u64::from(u16::MAX)))
}

/// Webhooks that are told nothing any more: their receivers said so, or took nothing for as long as a message was tried. One that takes
/// others does without that message.
async fn to_switch_off<'a>(
    open: &OrgStore,
    sent: &[Sent<'a>],
) -> store::Result<BTreeMap<WebhookId, (&'a Webhook, Because)>> {
    let mut off = BTreeMap::new();
    for Sent { message, webhook, ended } in sent {
        if ended.error.is_none() || message.is_test() {
            continue;
        }
        if ended.is_gone() {
            off.insert(webhook.id, (*webhook, Because::Gone));
        } else if !has_more_tries(message) && !takes_others(open, sent, message).await? {
            off.entry(webhook.id).or_insert((*webhook, Because::Failing));
        }
    }
    Ok(off)
}

/// Whether a webhook took another message, just now or since the one given was written.
async fn takes_others(open: &OrgStore, sent: &[Sent<'_>], given_up: &Claimed) -> store::Result<bool> {
    let id = given_up.webhook_id;
    if sent.iter().any(|other| other.webhook.id == id && other.ended.error.is_none()) {
        return Ok(true);
    }
    webhook_messages::has_taken(&mut open.read().await?, id, given_up.created_at).await
}

/// Writes to who runs the organisation before the webhook is switched off: a crash between the two repeats both, and a mail once.
async fn write_to_leaders(app: &App, org: OrgId, webhook: &Webhook, because: Because) -> store::Result<()> {
    let host = Endpoint::with_query(&webhook.url).map(|endpoint| endpoint.host().to_owned()).unwrap_or_default();
    let (version, updated_at) = (webhook.version, webhook.updated_at);
    let disabled = Disabled { webhook: webhook.id, version, updated_at, host, because };
    match tenancy::webhooks::tell(&app.house, org, &disabled).await {
        Ok(_) => Ok(()),
        Err(tenancy::Error::Store(error)) => Err(error),
        Err(error) => {
            tracing::error!(%org, %error, "nobody could be told that a webhook is switched off");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_ten_hours_and_spread_by_a_fifth() {
        let seconds = |tries, chance| pause_after(tries, chance).as_secs();
        assert_eq!((seconds(1, [0, 0]), seconds(1, [255, 255])), (4, 6));
        assert_eq!((seconds(9, [0, 0]), seconds(9, [255, 255])), (28_800, 43_200));
        assert_eq!(seconds(99, [0, 0]), 28_800);
    }
}
