//! Custom roles, and the rule that nobody gives more than they hold.

use domain::access::{Level, Permission, PermissionSet};
use domain::authoriser::{Grants, Object};
use domain::plan::{Feature, Meter};
use domain::role::{Builtin, Role, held_at};
use domain::text::{Description, RoleName};
use domain::{OrgId, ProjectId, RoleId, TeamId};
use serde_json::json;
use store::audit::Event;
use store::control::{invitations, memberships};
use store::org::roles::{self, CustomRole};
use store::org::{projects, teams};
use store::{Error as StoreError, Json, Scope, Turn, Tx};

use crate::{Error, House, Result, entitlements};

/// What a role allows now.
/// # Errors
/// [`StoreError::NotFound`] when the organisation has no such role.
pub async fn permissions(tx: &mut Tx, role: Role) -> Result<PermissionSet> {
    match role {
        Role::Builtin(builtin) => Ok(builtin.permissions()),
        Role::Custom(id) => Ok(roles::get(tx, id).await?.allows()),
    }
}

/// As [`permissions`], but a role that is gone gives nothing.
pub(crate) async fn still_allows(tx: &mut Tx, role: Role) -> Result<PermissionSet> {
    match permissions(tx, role).await {
        Err(Error::Store(StoreError::NotFound(_))) => Ok(PermissionSet::EMPTY),
        allows => allows,
    }
}

/// Refuses what goes beyond what somebody holds.
/// # Errors
/// [`Error::Forbidden`] names what they lack.
pub fn within(held: PermissionSet, given: PermissionSet) -> Result<()> {
    let beyond = given.without(held);
    if beyond.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = beyond.iter().map(Permission::as_str).collect();
    Err(Error::Forbidden(format!("This takes more than you hold; you lack {}.", names.join(", "))))
}

/// Whether who asks has shown a factor of late.
pub type Fresh = Result<()>;

/// Asks for a fresh factor where owners come or go: whoever holds more than an admin can take the organisation from its owners. An
/// organisation that is handed over asks for one, and no other way may ask for less.
/// # Errors
/// Why it is not fresh.
pub fn take_care_of_owners(fresh: Fresh, permissions: PermissionSet) -> Result<()> {
    if permissions.without(Builtin::Admin.permissions()).is_empty() { Ok(()) } else { fresh }
}

/// Refuses to put people into a team that gives them more in a project than somebody holds there.
/// # Errors
/// [`Error::Forbidden`] when it does.
pub async fn team_within(tx: &mut Tx, grants: &Grants, team: TeamId) -> Result<()> {
    for (id, open, role) in projects::given_by_team(tx, team).await? {
        let gives = still_allows(tx, role).await?;
        let held = grants.at(Object::Project { id, open });
        if !held.covers(held_at(Level::Project, gives)) {
            return Err(Error::Forbidden("Being in this team gives more in its projects than you hold there.".into()));
        }
    }
    Ok(())
}

/// Refuses to move a team below another when that gives its people more at the team than somebody holds there: what people hold at
/// the upper team, and above it, they hold at the lower one from then on.
/// # Errors
/// [`Error::Forbidden`] names what they lack.
pub async fn move_within(tx: &mut Tx, grants: &Grants, team: TeamId, upper: TeamId) -> Result<()> {
    let mut gives = PermissionSet::EMPTY;
    for role in teams::roles_brought(tx, team, upper).await? {
        gives = gives.union(still_allows(tx, role).await?);
    }
    within(grants.at(Object::Team(team)), held_at(Level::Team, gives))
}

/// Refuses to open a project to all members when that gives them more there than somebody holds: what the role member gives, and
/// what the custom roles give that members have now.
///
/// The role member counts even where nobody has it: by mail domain people join with it whom nobody gives anything. Whose role
/// reaches all projects reaches a private one too, so to them opening gives nothing. Whoever gives a custom role later must hold
/// what it gives then.
/// # Errors
/// [`Error::Forbidden`] names what they lack.
pub async fn opening_within(house: &House, scope: &Scope, project: ProjectId) -> Result<()> {
    let mut control = house.store.read_control().await?;
    let held = memberships::roles_held(&mut control, scope.org()).await?;
    drop(control);
    let mut tx = house.store.open(scope).read().await?;
    let mut gives = Builtin::Member.permissions();
    for role in held {
        let allows = still_allows(&mut tx, role).await?;
        if !allows.contains(Permission::ProjectsAll) {
            gives = gives.union(allows);
        }
    }
    let private = Object::Project { id: project, open: false };
    within(scope.grants().at(private), held_at(Level::Project, gives))
}

/// What a custom role is to be; what is left out stays.
#[derive(Debug, Default)]
pub struct Draft {
    /// What it is called.
    pub name: Option<RoleName>,
    /// What it is for.
    pub description: Option<Description>,
    /// What it allows.
    pub permissions: Option<PermissionSet>,
}

impl Draft {
    fn apply(self, role: &mut CustomRole) -> Result<()> {
        if let Some(name) = self.name {
            // A custom role that reads like a built-in one would mislead whoever gives it.
            if Builtin::ALL.iter().any(|builtin| builtin.as_str().eq_ignore_ascii_case(name.as_str())) {
                return Err(StoreError::Taken("role name").into());
            }
            role.name = name;
        }
        if let Some(description) = self.description {
            role.description = description;
        }
        if let Some(permissions) = self.permissions {
            role.permissions = Json(permissions.iter().map(|permission| permission.to_string()).collect());
        }
        Ok(())
    }
}

/// Makes a custom role. The transaction is ready to be committed.
/// # Errors
/// [`Error::Entitlement`] when the plan has no custom roles, [`Error::Allowance`] when no more of them; [`Error::Forbidden`] when the role goes beyond its maker;
/// [`StoreError::Taken`] when the name is in use.
pub async fn create(house: &House, scope: &Scope, name: RoleName, draft: Draft) -> Result<(Tx, CustomRole)> {
    entitlements::require(house, scope.org(), Feature::CustomRoles).await?;
    let (ambient, now) = (house.store.ambient(), house.store.ambient().now());
    let mut role = CustomRole {
        id: ambient.id(),
        name: name.clone(),
        description: Description::new("").expect("no description is a good one"),
        permissions: Json(Vec::new()),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Draft { name: Some(name), ..draft }.apply(&mut role)?;
    within(scope.grants().at(Object::Organisation), role.allows())?;
    let room = entitlements::room(house, scope.org(), Meter::Roles).await?;
    let mut tx = house.store.open(scope).begin().await?;
    room.require(roles::count(&mut tx).await?)?;
    roles::insert(&mut tx, &role).await?;
    tx.record(Event::new("role.created", role.id).after(&role)).await?;
    Ok((tx, role))
}

/// Refuses to widen a custom role that is held in a private project beyond what somebody holds there: their role at the organisation
/// does not reach it. In open projects and at teams it does, so what they hold at the organisation bounds the role there.
async fn widened_within(tx: &mut Tx, grants: &Grants, before: &CustomRole, after: &CustomRole) -> Result<()> {
    if held_at(Level::Project, after.allows().without(before.allows())).is_empty() {
        return Ok(());
    }
    let gives = held_at(Level::Project, after.allows());
    for id in roles::private_projects(tx, after.id).await? {
        if !grants.at(Object::Project { id, open: false }).covers(gives) {
            return Err(Error::Forbidden(
                "This role is held in a private project and would give more there than you hold.".into(),
            ));
        }
    }
    Ok(())
}

/// Changes a custom role, for all who hold it and at once. The transaction is ready to be committed.
/// # Errors
/// As [`create`]; [`StoreError::Stale`] when the role is of another version than expected; [`Error::Forbidden`] also when the role
/// as it is goes beyond whoever changes it, or as it is to be beyond what they hold in a private project where it is held;
/// [`Error::StepUp`] when it becomes one of owners without a fresh factor.
pub async fn update(
    house: &House,
    scope: &Scope,
    id: RoleId,
    expected: Option<i64>,
    draft: Draft,
    fresh: Fresh,
) -> Result<(Tx, CustomRole)> {
    entitlements::require(house, scope.org(), Feature::CustomRoles).await?;
    let mut tx = house.store.open(scope).begin().await?;
    let mut role = roles::get(&mut tx, id).await?;
    if expected.is_some_and(|version| version != role.version) {
        return Err(StoreError::Stale("role").into());
    }
    let (before, held) = (role.clone(), scope.grants().at(Object::Organisation));
    draft.apply(&mut role)?;
    within(held, before.allows().union(role.allows()))?;
    widened_within(&mut tx, scope.grants(), &before, &role).await?;
    take_care_of_owners(fresh, role.allows().without(before.allows()))?;
    roles::update(&mut tx, &role).await?;
    let role = roles::get(&mut tx, id).await?;
    let detail = json!({
        "name": { "from": before.name, "to": role.name },
        "permissions": { "from": before.permissions.0, "to": role.permissions.0 },
    });
    tx.record(Event::new("role.updated", id).before(&before).after(&role).detail(detail)).await?;
    Ok((tx, role))
}

/// Deletes a custom role that nobody holds.
///
/// Who holds it stands in two databases. Everybody who gives a role at the organisation takes the organisation's turn in the
/// control database first and then looks whether the role exists; so this holds that turn until the role is gone.
/// # Errors
/// [`Error::Conflict`] while it is held or promised anywhere; [`Error::Forbidden`] when it goes beyond whoever deletes it;
/// [`StoreError::Stale`] when it is of another version than expected.
pub async fn delete(house: &House, scope: &Scope, id: RoleId, expected: Option<i64>) -> Result<()> {
    let mut turn = house.store.begin_control(Turn::Org(scope.org())).await?;
    let held = held_at_organisation(&mut turn, scope.org(), id, house.store.ambient().now()).await?;
    let mut tx = house.store.open(scope).begin().await?;
    let role = roles::get(&mut tx, id).await?;
    if expected.is_some_and(|version| version != role.version) {
        return Err(StoreError::Stale("role").into());
    }
    within(scope.grants().at(Object::Organisation), role.allows())?;
    if held + roles::uses(&mut tx, id).await? > 0 {
        return Err(Error::Conflict(
            "This role is held by members, in teams or in projects, or promised in open invitations; give those another role first."
                .into(),
        ));
    }
    roles::delete(&mut tx, id).await?;
    tx.record(Event::new("role.deleted", id).before(&role)).await?;
    tx.commit().await?;
    Ok(())
}

async fn held_at_organisation(tx: &mut store::ControlTx, org: OrgId, id: RoleId, now: domain::Time) -> Result<i64> {
    Ok(memberships::count_role(tx, org, Role::Custom(id)).await?
        + invitations::count_open_with_role(tx, org, id, now).await?)
}
