//! What somebody holds, as the store reads it, against a model so plain that it can be seen to be right: for random trees of teams,
//! members, projects and roles, each permission at each object.

use std::collections::BTreeMap;

use domain::access::{Level, Permission, PermissionSet};
use domain::authoriser::{Grants, Object};
use domain::role::{Builtin, Role, held_at};
use domain::status::Standing;
use domain::text::{Description, ProjectName, RoleName, TeamName};
use domain::{MembershipId, ProjectId, RoleId, TeamId, UserId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use store::audit::Event;
use store::control::memberships::{self, Membership};
use store::org::members::{self, Member};
use store::org::projects::{self, Project, ProjectTeam};
use store::org::roles::{self, CustomRole};
use store::org::teams::{self, Team};
use store::{Actor, Engine, Json, Origin, Scope, Turn};
use testing::TestHouse;

/// A role by number: the four, one of the custom ones, or one that is gone.
type Pick = usize;

#[derive(Debug, Clone)]
struct World {
    at_organisation: Pick,
    /// What each custom role allows, by places in the catalogue.
    roles: Vec<Vec<usize>>,
    /// The team above, by a number that is taken modulo the teams before it; every third is at the top.
    teams: Vec<usize>,
    open_projects: Vec<bool>,
    /// Team, role, and whether it is from an earlier stay, which counts no more.
    in_teams: Vec<(usize, Pick, bool)>,
    in_projects: Vec<(usize, Pick, bool)>,
    given_to_teams: Vec<(usize, usize, Pick)>,
}

fn worlds() -> impl Strategy<Value = World> {
    let role = 0..8_usize;
    let place = 0..64_usize;
    let stale = prop::bool::weighted(0.15);
    (
        role.clone(),
        vec(vec(0..Permission::ALL.len(), 0..12), 0..3),
        vec(place.clone(), 0..9),
        vec(any::<bool>(), 0..5),
        vec((place.clone(), role.clone(), stale), 0..4),
        vec((place.clone(), role.clone(), stale), 0..4),
        vec((place.clone(), place, role), 0..6),
    )
        .prop_map(|(at_organisation, roles, teams, open_projects, in_teams, in_projects, given_to_teams)| World {
            at_organisation,
            roles,
            teams,
            open_projects,
            in_teams,
            in_projects,
            given_to_teams,
        })
}

/// The world with its ids: what is written, and what the model reads.
struct Told {
    role: Role,
    roles: BTreeMap<RoleId, PermissionSet>,
    parents: BTreeMap<TeamId, Option<TeamId>>,
    projects: BTreeMap<ProjectId, bool>,
    in_teams: BTreeMap<TeamId, (Role, bool)>,
    in_projects: BTreeMap<ProjectId, (Role, bool)>,
    given: BTreeMap<(ProjectId, TeamId), Role>,
}

impl Told {
    fn new(world: &World, ambient: &domain::Ambient) -> Self {
        let catalogue = Permission::ALL;
        let roles: Vec<(RoleId, PermissionSet)> =
            world.roles.iter().map(|places| (ambient.id(), places.iter().map(|at| catalogue[*at]).collect())).collect();
        let pick = |number: Pick| match Builtin::ALL.get(number) {
            Some(builtin) => Role::Builtin(*builtin),
            None => Role::Custom(roles.get(number - 4).map_or_else(|| ambient.id(), |(id, _)| *id)),
        };
        let teams: Vec<TeamId> = world.teams.iter().map(|_| ambient.id()).collect();
        let parent = |at: usize| (at > 0 && !world.teams[at].is_multiple_of(3)).then(|| teams[world.teams[at] % at]);
        let projects: Vec<ProjectId> = world.open_projects.iter().map(|_| ambient.id()).collect();
        let nth = |list: &[TeamId], at: usize| (!list.is_empty()).then(|| list[at % list.len()]);
        let nth_project = |at: usize| (!projects.is_empty()).then(|| projects[at % projects.len()]);
        Self {
            role: pick(world.at_organisation),
            parents: (0..teams.len()).map(|at| (teams[at], parent(at))).collect(),
            in_teams: world
                .in_teams
                .iter()
                .filter_map(|(at, role, stale)| Some((nth(&teams, *at)?, (pick(*role), *stale))))
                .collect(),
            in_projects: world
                .in_projects
                .iter()
                .filter_map(|(at, role, stale)| Some((nth_project(*at)?, (pick(*role), *stale))))
                .collect(),
            given: world
                .given_to_teams
                .iter()
                .filter_map(|(project, team, role)| Some(((nth_project(*project)?, nth(&teams, *team)?), pick(*role))))
                .collect(),
            projects: projects.iter().copied().zip(world.open_projects.iter().copied()).collect(),
            roles: roles.into_iter().collect(),
        }
    }

    /// Each rule as the documentation says it, one after the other.
    fn allows(&self, permission: Permission, object: Object) -> bool {
        let gives = |role: Role, level: Level| held_at(level, self.allowed_by(role)).contains(permission);
        match object {
            Object::Organisation => gives(self.role, Level::Organization),
            Object::Team(team) => {
                gives(self.role, Level::Team)
                    || self
                        .in_teams
                        .iter()
                        .any(|(of, (role, stale))| !stale && self.is_below(team, *of) && gives(*role, Level::Team))
            }
            Object::Project { id, open } => {
                let reached = open || self.allowed_by(self.role).contains(Permission::ProjectsAll);
                let direct = self.in_projects.get(&id).filter(|(_, stale)| !stale);
                let is_in =
                    |team: TeamId| self.in_teams.iter().any(|(own, (_, stale))| !stale && self.is_below(*own, team));
                (reached && gives(self.role, Level::Project))
                    || direct.is_some_and(|(role, _)| gives(*role, Level::Project))
                    || self
                        .given
                        .iter()
                        .any(|((project, team), role)| *project == id && is_in(*team) && gives(*role, Level::Project))
            }
        }
    }

    fn allowed_by(&self, role: Role) -> PermissionSet {
        match role {
            Role::Builtin(builtin) => builtin.permissions(),
            Role::Custom(id) => self.roles.get(&id).copied().unwrap_or_default(),
        }
    }

    /// Whether a team is another one, or below it.
    fn is_below(&self, team: TeamId, above: TeamId) -> bool {
        team == above || self.parents[&team].is_some_and(|parent| self.is_below(parent, above))
    }
}

struct Scene {
    house: TestHouse,
    owner: Scope,
    somebody: UserId,
    stay: MembershipId,
}

impl Scene {
    async fn set(house: TestHouse) -> Self {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let owner = house.scope(&ann).await;
        let somebody: UserId = bob.user.parse().expect("an id");
        let stay = house.store().ambient().id();
        let membership = Membership {
            id: stay,
            org_id: owner.org(),
            user_id: somebody,
            role: Role::VIEWER,
            standing: Standing::Active,
            seen_at: None,
            version: 1,
            created_at: house.store().ambient().now(),
        };
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        memberships::insert(&mut tx, &membership).await.expect("a member");
        let event = Event::new("member.joined", somebody);
        tx.record(owner.org(), &Actor::System, &Origin::default(), event).await.expect("recorded");
        tx.commit().await.expect("committed");
        Self { house, owner, somebody, stay }
    }

    /// Writes a world in place of the one before, and reads what the member holds in it.
    async fn play(&self, told: &Told) -> store::Result<std::sync::Arc<Grants>> {
        let store = self.house.store();
        let mut control = store.begin_control(Turn::Free).await?;
        let mut membership = memberships::find(&mut control, self.owner.org(), self.somebody).await?.expect("a member");
        membership.role = told.role;
        memberships::update(&mut control, &membership).await?;
        control
            .record(self.owner.org(), &Actor::System, &Origin::default(), Event::new("member.changed", self.somebody))
            .await?;
        control.commit().await?;
        let mut tx = store.open(&self.owner).begin().await?;
        let now = tx.now();
        for project in projects::list_all(&mut tx, None, None, 100).await? {
            projects::delete(&mut tx, project.id).await?;
        }
        while let Some(team) = leaf(&teams::list(&mut tx, None, 100).await?) {
            teams::delete(&mut tx, team).await?;
        }
        for role in roles::list(&mut tx, None, 100).await? {
            roles::delete(&mut tx, role.id).await?;
        }
        for (id, permissions) in &told.roles {
            let role = CustomRole {
                id: *id,
                name: RoleName::new(&id.to_string()).expect("a name"),
                description: Description::new("").expect("a description"),
                permissions: Json(permissions.iter().map(|permission| permission.to_string()).collect()),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            roles::insert(&mut tx, &role).await?;
        }
        let mut waiting: Vec<(TeamId, Option<TeamId>)> =
            told.parents.iter().map(|(team, parent)| (*team, *parent)).collect();
        while !waiting.is_empty() {
            // Parents first.
            let at = waiting
                .iter()
                .position(|(_, parent)| parent.is_none_or(|p| waiting.iter().all(|(team, _)| *team != p)))
                .expect("a tree");
            let (id, parent_id) = waiting.swap_remove(at);
            let name = TeamName::new(&id.to_string()).expect("a name");
            teams::insert(&mut tx, &Team { id, parent_id, name, version: 1, created_at: now, updated_at: now }).await?;
        }
        for (id, open) in &told.projects {
            let project = Project {
                id: *id,
                name: ProjectName::new(&id.to_string()).expect("a name"),
                description: Description::new("").expect("a description"),
                open: *open,
                archived_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            projects::insert(&mut tx, &project).await?;
        }
        let stay = |stale: bool| if stale { store.ambient().id() } else { self.stay };
        let user_id = self.somebody;
        for (team_id, (role, stale)) in &told.in_teams {
            let member =
                Member { place_id: *team_id, user_id, membership_id: stay(*stale), role: *role, created_at: now };
            members::put(&mut tx, &member).await?;
        }
        for (project_id, (role, stale)) in &told.in_projects {
            let member =
                Member { place_id: *project_id, user_id, membership_id: stay(*stale), role: *role, created_at: now };
            members::put(&mut tx, &member).await?;
        }
        for ((project_id, team_id), role) in &told.given {
            let team = ProjectTeam { project_id: *project_id, team_id: *team_id, role: *role, created_at: now };
            projects::add_team(&mut tx, &team).await?;
        }
        tx.record(Event::new("world.made", self.owner.org())).await?;
        tx.commit().await?;
        Ok(store.grants_of(&self.owner, self.somebody).await.expect("a member"))
    }
}

fn leaf(teams: &[Team]) -> Option<TeamId> {
    teams.iter().map(|team| team.id).find(|id| teams.iter().all(|other| other.parent_id != Some(*id)))
}

fn compare(told: &Told, grants: &Grants) -> Result<(), TestCaseError> {
    let teams = told.parents.keys().map(|id| Object::Team(*id));
    let projects = told.projects.iter().map(|(id, open)| Object::Project { id: *id, open: *open });
    for object in std::iter::once(Object::Organisation).chain(teams).chain(projects) {
        for permission in Permission::ALL {
            let (read, right) = (grants.allow(*permission, object), told.allows(*permission, object));
            let why = grants.decide(*permission, object).because;
            prop_assert_eq!(read, right, "{} at {:?}: {:?}", permission, object, why);
        }
    }
    Ok(())
}

testing::both_stores! {
    #[expect(clippy::result_large_err, reason = "the error is proptest's")]
    async fn what_is_held_is_what_the_rules_say(house) {
        let cases = if house.engine() == Engine::Sqlite { 96 } else { 32 };
        let scene = Scene::set(house).await;
        let config = Config { cases, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
        let runtime = tokio::runtime::Handle::current();
        let play = |world| {
            let told = Told::new(&world, scene.house.store().ambient());
            let grants = runtime.block_on(scene.play(&told)).expect("the world can be written");
            compare(&told, &grants)
        };
        let outcome = tokio::task::block_in_place(|| TestRunner::new(config).run(&worlds(), play));
        if let Err(error) = outcome {
            panic!("{error}");
        }
    }
}
