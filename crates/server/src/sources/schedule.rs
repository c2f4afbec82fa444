//! Rounds that begin by themselves: whether one may, and who is told when they fail.
//!
//! When a source is due stands with it; its job waits for as long. So nobody looks through organisations for what is due.

use domain::access::Permission;
use domain::plan::Meter;
use domain::status::Standing;
use serde_json::json;
use store::audit::Event;
use store::control::people;
use store::org::knowledge::documents::Fault;
use store::org::knowledge::sources::{self, Source, Sync};
use store::{Error, Refusal, Scope, Stop};
use tenancy::entitlements;
use tenancy::sources::Failing;

use super::round::fault;
use crate::App;
use crate::http::error::{Problem, Result};
use crate::knowledge::sight::{self, Looker};

/// After how many failed rounds on end whoever set a source up is told: one may be a server that was restarted.
const TOLD_AFTER: i64 = 3;

/// Whether a round may begin that nobody asked for.
pub(super) enum Admitted {
    /// It does.
    Begins(Source),
    /// Not while the organisation, its maker's account, or their stay there, is in this state.
    Rests,
    /// It does not, and says why.
    Ends(Source, Fault),
}

/// Lets a round begin for whoever set the source up, as long as they could do it by hand: they see the collection, and may add to it.
/// Without them the source is asked by hand alone from then on.
pub(super) async fn admit(app: &App, scope: &Scope, source: Source, scheduled_earlier: i64) -> Result<Admitted> {
    let store = &app.house.store;
    let mut tx = store.read_control().await?;
    let maker = people::find(&mut tx, source.made_by).await?;
    drop(tx);
    // Whoever may not sign in, or is about to go, does nothing here meanwhile.
    if maker.is_some_and(|maker| maker.standing != Standing::Active) {
        return Ok(Admitted::Rests);
    }
    let may = match store.stay_of(scope, source.made_by).await {
        Ok(stay) if !stay.grants.status.admits_writes() => return Ok(Admitted::Rests),
        Ok(stay) => {
            let mut tx = store.open(scope).read().await?;
            let maker = Looker::member(source.made_by, &stay);
            match sight::find_as(&mut tx, maker, Permission::KnowledgeWrite, source.collection_id).await {
                Ok(_) => true,
                Err(Error::NotFound(_)) => false,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Stop::Refused(Refusal::MembershipSuspended)) => return Ok(Admitted::Rests),
        Err(Stop::Refused(Refusal::NotAMember)) => false,
        Err(stop) => return Err(stop.into()),
    };
    if !may {
        let source = unschedule(app, scope, source).await?;
        let message = "Whoever set the source up may add nothing here any more, so it is not asked by itself. Begin a round by hand, \
                       or set up another source.";
        return Ok(Admitted::Ends(source, fault("forbidden", message)));
    }
    let room = entitlements::room(&app.house, scope.org(), Meter::Schedules).await?;
    match room.require(scheduled_earlier) {
        Ok(()) => Ok(Admitted::Begins(source)),
        Err(error) => {
            let problem = Problem::from(error);
            Ok(Admitted::Ends(source, fault(problem.code, &problem.message)))
        }
    }
}

/// Leaves a source to be asked by hand alone.
async fn unschedule(app: &App, scope: &Scope, source: Source) -> Result<Source> {
    let mut tx = app.house.store.open(scope).begin().await?;
    let before = sources::get(&mut tx, source.id).await?;
    let after = Source { every_hours: None, next_sync_at: None, ..before.clone() };
    sources::update(&mut tx, &after).await?;
    let after = sources::get(&mut tx, source.id).await?;
    let detail = json!({ "collection": source.collection_id });
    tx.record(Event::new("source.updated", source.id).before(&before).after(&after).detail(detail)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Tells whoever set a source up that its rounds fail, once until one does not.
pub(super) async fn tell(app: &App, scope: &Scope, source: &Source) -> Result<()> {
    if source.every_hours.is_none() || source.failures != TOLD_AFTER || source.status != Sync::Failed {
        return Ok(());
    }
    let why = source.fault.as_ref().map_or("", |fault| &fault.0.message);
    // As long as it is not written down that the round is over, this stays as it is.
    let due = source.next_sync_at.unwrap_or(source.created_at);
    let failing = Failing { source: source.id, name: &source.name, due, failures: source.failures, why };
    tenancy::sources::tell(&app.house, scope.org(), source.made_by, &failing).await?;
    Ok(())
}
