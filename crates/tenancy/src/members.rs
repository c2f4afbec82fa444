//! Membership: changing it, ending it, handing an organisation on. Everything about one organisation takes its turn, so the rules
//! hold under races too: nobody changes whoever holds more, and an owner stays.

use domain::access::PermissionSet;
use domain::authoriser::Object;
use domain::role::{Builtin, Role};
use domain::status::Standing;
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::memberships::{self, Member, Membership};
use store::control::{mail_domains, organisations, people};
use store::deliveries::Departure;
use store::{Actor, ControlTx, Error as StoreError, Origin, Scope, Turn};

use crate::roles::{self, Fresh};
use crate::{Error, House, Result, invitations};

/// What is to change of a membership; what is left out stays.
#[derive(Debug, Default, Clone, Copy)]
pub struct Change {
    /// The role at the organisation.
    pub role: Option<Role>,
    /// Whether they may act there.
    pub standing: Option<Standing>,
}

/// Changes a member's role or standing. The transaction is ready to be committed.
/// # Errors
/// [`Error::Forbidden`] when the member or the new role holds more than the caller; [`Error::Conflict`] when no owner would be
/// left; [`StoreError::Stale`] when the membership is of another version than expected; [`Error::StepUp`] when an owner comes or goes
/// without a fresh factor.
pub async fn change(
    house: &House,
    scope: &Scope,
    user: UserId,
    expected: Option<i64>,
    change: Change,
    fresh: Fresh,
) -> Result<(ControlTx, Member)> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let (before, theirs) = reach(house, &mut tx, scope, user, expected).await?;
    let (mut after, mut touched) = (before.clone(), theirs);
    if let Some(role) = change.role {
        let mut reader = house.store.open(scope).read().await?;
        let given = roles::permissions(&mut reader, role).await?;
        roles::within(scope.grants().at(Object::Organisation), given)?;
        after.role = role;
        touched = touched.union(given);
    }
    if let Some(standing) = change.standing {
        if user == scope.user() && standing != Standing::Active {
            return Err(Error::Conflict("You cannot suspend yourself; leave the organisation instead.".into()));
        }
        after.standing = standing;
    }
    roles::take_care_of_owners(fresh, touched)?;
    if !is_owner(&after) {
        keep_an_owner(&mut tx, &before).await?;
    }
    memberships::update(&mut tx, &after).await?;
    let detail = json!({
        "role": { "from": before.role, "to": after.role },
        "standing": { "from": before.standing, "to": after.standing },
    });
    let event = Event::new("member.updated", user).before(&before).after(&after).detail(detail);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    let member = memberships::get(&mut tx, scope.org(), user).await?;
    Ok((tx, member))
}

/// Removes a member: their sessions, tokens and keys of the organisation end in the same transaction, which is ready to be
/// committed, and so do the invitations that are open for them.
/// # Errors
/// As [`change`].
pub async fn remove(
    house: &House,
    scope: &Scope,
    user: UserId,
    expected: Option<i64>,
    fresh: Fresh,
) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let (stay, theirs) = reach(house, &mut tx, scope, user, expected).await?;
    roles::take_care_of_owners(fresh, theirs)?;
    end(&mut tx, &stay, scope.actor(), scope.origin()).await?;
    let event = Event::new("member.removed", user).before(&stay);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok(tx)
}

/// Ends a person's own stay in an organisation, whatever state either is in. To come back they need an invitation. The transaction is
/// ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when they do not belong to it; [`Error::Conflict`] when they are its last owner.
pub async fn leave(house: &House, user: UserId, org: OrgId, origin: &Origin) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let stay = memberships::find(&mut tx, org, user).await?.ok_or(StoreError::NotFound("organisation"))?;
    if !organisations::get(&mut tx, org).await?.status.is_whole() {
        return Err(StoreError::NotFound("organisation").into());
    }
    let actor = Actor::Person(user);
    end(&mut tx, &stay, &actor, origin).await?;
    tx.record(org, &actor, origin, Event::new("member.left", user).before(&stay)).await?;
    Ok(tx)
}

/// Hands an organisation to another member: they become its owner, the caller an admin. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when the other is no member; [`Error::Conflict`] when they may not act, there or at all;
/// [`Error::Forbidden`] when the caller holds less than an owner.
pub async fn transfer(house: &House, scope: &Scope, to: UserId) -> Result<(ControlTx, Member)> {
    let org = scope.org();
    if to == scope.user() {
        return Err(Error::Invalid { field: "user_id", rule: "must be somebody else".into() });
    }
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let own = still_holds(&mut tx, scope).await?;
    // An owner holds everything: who hands that on must hold it, or a role that can only hand on would make its holder an admin.
    roles::within(scope.grants().at(Object::Organisation), Builtin::Owner.permissions())?;
    let other = memberships::find(&mut tx, org, to).await?.ok_or(StoreError::NotFound("member"))?;
    if other.standing != Standing::Active {
        return Err(Error::Conflict("This member is suspended; restore them first.".into()));
    }
    // The account, too, and one that is about to be deleted is suspended: an owner who cannot sign in is none.
    if people::get(&mut tx, to).await?.standing != Standing::Active {
        let text = "This member's account is suspended or about to be deleted; choose somebody else.";
        return Err(Error::Conflict(text.into()));
    }
    memberships::update(&mut tx, &Membership { role: Role::OWNER, ..other.clone() }).await?;
    memberships::update(&mut tx, &Membership { role: Role::ADMIN, ..own }).await?;
    let detail = json!({ "from": scope.user(), "to": to, "to_was": other.role });
    tx.record(org, scope.actor(), scope.origin(), Event::new("organisation.transferred", org).detail(detail)).await?;
    let member = memberships::get(&mut tx, org, to).await?;
    Ok((tx, member))
}

/// The caller's own membership, if it still is what their rights were read from: somebody who is being removed or demoted in this
/// very moment changes nothing more.
pub(crate) async fn still_holds(tx: &mut ControlTx, scope: &Scope) -> Result<Membership> {
    let own = memberships::find(tx, scope.org(), scope.user()).await?;
    let same = |own: &Membership| {
        own.id == scope.membership() && own.role == scope.grants().role && own.standing == Standing::Active
    };
    own.filter(same).ok_or_else(|| Error::Forbidden("Your own rights have just been changed.".into()))
}

/// The membership that somebody wants to change, and what its role allows; refused when it holds more than they do.
async fn reach(
    house: &House,
    tx: &mut ControlTx,
    scope: &Scope,
    user: UserId,
    expected: Option<i64>,
) -> Result<(Membership, PermissionSet)> {
    still_holds(tx, scope).await?;
    let stay = memberships::find(tx, scope.org(), user).await?.ok_or(StoreError::NotFound("member"))?;
    if expected.is_some_and(|version| version != stay.version) {
        return Err(StoreError::Stale("member").into());
    }
    let mut reader = house.store.open(scope).read().await?;
    let theirs = roles::still_allows(&mut reader, stay.role).await?;
    roles::within(scope.grants().at(Object::Organisation), theirs)?;
    Ok((stay, theirs))
}

/// Ends a stay. Whoever had it comes back by a new invitation alone, neither by an old one nor by their mail domain, and that holds for
/// who leaves by themselves, too: else leaving and joining again would undo a suspension, a lesser role or a team they were taken out of.
async fn end(tx: &mut ControlTx, stay: &Membership, actor: &Actor, origin: &Origin) -> Result<()> {
    keep_an_owner(tx, stay).await?;
    let person = people::get(tx, stay.user_id).await?;
    invitations::revoke_open(tx, stay.org_id, &person, actor, origin).await?;
    mail_domains::bar(tx, stay.org_id, &person).await?;
    memberships::delete(tx, stay).await?;
    tx.depart(stay.org_id, &Departure { user: stay.user_id, membership: stay.id }).await?;
    Ok(())
}

fn is_owner(stay: &Membership) -> bool {
    stay.role == Role::OWNER && stay.standing == Standing::Active
}

/// Refuses to take away an owner who is the last one.
async fn keep_an_owner(tx: &mut ControlTx, stay: &Membership) -> Result<()> {
    if is_owner(stay) && !memberships::has_other_owner(tx, stay.org_id, stay.user_id).await? {
        return Err(Error::Conflict(
            "An organisation keeps an owner: hand it to somebody else first, or close it.".into(),
        ));
    }
    Ok(())
}
