//! Nothing points to nothing: after many random operations, and with the check itself put to the test.

use std::collections::BTreeMap;

use domain::access::{Permission, PermissionSet};
use domain::api_key::Mode;
use domain::email::Email;
use domain::limits::{Level, Period};
use domain::role::Role;
use domain::status::Standing;
use domain::text::{Description, KeyName, PersonName, ProjectName, RoleName, TeamName};
use domain::{MembershipId, OrgId, ProjectId, RoleId, TeamId, UserId};
use rusqlite::Connection;
use store::audit::Event;
use store::control::memberships::{self, Membership};
use store::control::people::{self, Person};
use store::deliveries::Placement;
use store::org::budgets::{self, Budget, Strictness, Subject};
use store::org::configs;
use store::org::members::{self, Member};
use store::org::projects::{self, Project, ProjectTeam};
use store::org::roles::{self, CustomRole};
use store::org::teams::{self, Team};
use store::orphans::UNCHECKED;
use store::{Actor, Error, Json, Origin, Result, Scope, Turn, Tx};
use tenancy::keys::{self, Limits, NewKey};
use testing::{TestHouse, both_stores};

use crate::sources::{Side, files, fresh, tables};

/// How many operations; `ROWHOUSE_TEST_OPERATIONS=1000000` for the long run.
fn wanted() -> u64 {
    std::env::var("ROWHOUSE_TEST_OPERATIONS").map_or(3_000, |text| text.parse().expect("a number"))
}

/// Chance that repeats for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below as u64).expect("small")
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.roll(from.len())])
    }
}

/// The world that is acted upon; what it believes to be there may be gone, which is part of the game.
struct World<'h> {
    house: &'h TestHouse,
    scope: Scope,
    dice: Dice,
    people: Vec<UserId>,
    stays: BTreeMap<UserId, MembershipId>,
    teams: Vec<TeamId>,
    projects: Vec<ProjectId>,
    roles: Vec<RoleId>,
    named: u64,
}

impl<'h> World<'h> {
    async fn new(house: &'h TestHouse, seed: u64) -> Self {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        let mut people = Vec::new();
        for number in 0..12 {
            let email = Email::new(&format!("p{number}@example.com")).expect("an address");
            let person = Person::new(house.store().ambient(), email, PersonName::new("Somebody").expect("a name"));
            people::insert(&mut tx, &person).await.expect("inserted");
            people.push(person.id);
        }
        tx.record_house(&Actor::System, &Origin::default(), Event::new("people.made", "test")).await.expect("recorded");
        tx.commit().await.expect("committed");
        Self {
            house,
            scope,
            dice: Dice(seed),
            people,
            stays: BTreeMap::new(),
            teams: Vec::new(),
            projects: Vec::new(),
            roles: Vec::new(),
            named: 0,
        }
    }

    fn org(&self) -> OrgId {
        self.scope.org()
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("thing {}", self.named)
    }

    fn role(&mut self) -> Role {
        match self.dice.pick(&self.roles) {
            Some(id) if self.dice.roll(3) == 0 => Role::Custom(id),
            _ => [Role::ADMIN, Role::MEMBER, Role::VIEWER][self.dice.roll(3)],
        }
    }

    /// Somebody who belongs to the organisation.
    fn somebody(&mut self) -> Option<(UserId, MembershipId)> {
        let stays: Vec<_> = self.stays.iter().map(|(user, stay)| (*user, *stay)).collect();
        self.dice.pick(&stays)
    }

    /// Some operations on the organisation's store, committed together; gives how many found something to act on.
    async fn inside(&mut self, count: u64) -> u64 {
        let mut tx = self.house.store().open(&self.scope).begin().await.expect("begins");
        let mut done = 0;
        for _ in 0..count {
            match self.one_inside(&mut tx).await {
                Ok(acted) => done += u64::from(acted),
                Err(Error::NotFound(_)) => {}
                // What the store itself refuses, such as a tree too deep, leaves the transaction whole.
                Err(Error::Refused(why)) if why.contains("team") => {}
                Err(error) => panic!("{error}"),
            }
        }
        tx.record(Event::new("things.done", self.org())).await.expect("recorded");
        tx.commit().await.expect("committed");
        done
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each operation")]
    async fn one_inside(&mut self, tx: &mut Tx) -> Result<bool> {
        let (now, ambient) = (tx.now(), self.house.store().ambient().clone());
        match self.dice.roll(14) {
            0 | 1 if self.teams.len() < 40 => {
                let name = TeamName::new(&self.name()).expect("a name");
                let parent_id = if self.dice.roll(2) == 0 { None } else { self.dice.pick(&self.teams) };
                let team = Team { id: ambient.id(), parent_id, name, version: 1, created_at: now, updated_at: now };
                if let Some(parent) = parent_id {
                    teams::get(tx, parent).await?;
                }
                teams::insert(tx, &team).await?;
                self.teams.push(team.id);
            }
            2 if self.projects.len() < 40 => {
                let project = Project {
                    id: ambient.id(),
                    name: ProjectName::new(&self.name()).expect("a name"),
                    description: Description::new("").expect("none"),
                    open: self.dice.roll(2) == 0,
                    archived_at: Some(now),
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                projects::insert(tx, &project).await?;
                self.projects.push(project.id);
            }
            3 if self.roles.len() < 10 => {
                let role = CustomRole {
                    id: ambient.id(),
                    name: RoleName::new(&self.name()).expect("a name"),
                    description: Description::new("").expect("none"),
                    permissions: Json(vec!["org.read".into()]),
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                roles::insert(tx, &role).await?;
                self.roles.push(role.id);
            }
            4 => {
                let Some(id) = self.dice.pick(&self.teams) else { return Ok(false) };
                teams::delete(tx, id).await?;
                self.teams.retain(|team| *team != id);
            }
            5 => {
                let (Some(id), parent) = (self.dice.pick(&self.teams), self.dice.pick(&self.teams)) else {
                    return Ok(false);
                };
                let team = teams::get(tx, id).await?;
                teams::update(tx, &Team { parent_id: parent, ..team }).await?;
            }
            6 | 7 => {
                let (Some(place_id), Some((user_id, membership_id))) = (self.dice.pick(&self.teams), self.somebody())
                else {
                    return Ok(false);
                };
                let role = self.role();
                members::put(tx, &Member { place_id, user_id, membership_id, role, created_at: now }).await?;
            }
            8 => {
                let (Some(place_id), Some((user_id, membership_id))) =
                    (self.dice.pick(&self.projects), self.somebody())
                else {
                    return Ok(false);
                };
                let role = self.role();
                members::put(tx, &Member { place_id, user_id, membership_id, role, created_at: now }).await?;
            }
            9 => {
                let (Some(project_id), Some(team_id)) = (self.dice.pick(&self.projects), self.dice.pick(&self.teams))
                else {
                    return Ok(false);
                };
                let role = self.role();
                projects::add_team(tx, &ProjectTeam { project_id, team_id, role, created_at: now }).await?;
            }
            10 => {
                let (Some(team), Some((user, _))) = (self.dice.pick(&self.teams), self.somebody()) else {
                    return Ok(false);
                };
                members::remove(tx, team, user).await?;
            }
            11 => {
                let (Some(project), Some(team)) = (self.dice.pick(&self.projects), self.dice.pick(&self.teams)) else {
                    return Ok(false);
                };
                projects::remove_team(tx, project, team).await?;
            }
            12 => {
                let Some((user, _)) = self.somebody() else { return Ok(false) };
                let version = configs::current(tx, user).await?.map_or(0, |config| config.version);
                configs::put(tx, user, version, "{}").await?;
            }
            _ => {
                let of_team = self.dice.pick(&self.teams).map(|id| (Level::Team, domain::Id::uuid(id)));
                let of_project = self.dice.pick(&self.projects).map(|id| (Level::Project, domain::Id::uuid(id)));
                let subjects: Vec<_> = of_team.into_iter().chain(of_project).collect();
                let Some((level, subject)) = self.dice.pick(&subjects) else { return Ok(false) };
                let budget = Budget {
                    id: ambient.id(),
                    level,
                    subject: Some(Subject(subject)),
                    period: Period::Month,
                    amount_micros: 5,
                    currency: "USD".parse().expect("a currency"),
                    kind: Strictness::Hard,
                    alerts: Json(Vec::new()),
                    increase_micros: 0,
                    increase_until: None,
                    increase_by: None,
                    made_by: self.scope.user(),
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                budgets::insert(tx, &budget).await?;
            }
        }
        Ok(true)
    }

    /// One operation that spans both databases.
    async fn across(&mut self) -> bool {
        let (house, store, org) = (&self.house.house, self.house.store(), self.org());
        match self.dice.roll(6) {
            0 | 1 => {
                let Some(user) = self.dice.pick(&self.people) else { return false };
                if self.stays.contains_key(&user) {
                    return false;
                }
                let stay = Membership {
                    id: store.ambient().id(),
                    org_id: org,
                    user_id: user,
                    role: self.role(),
                    standing: Standing::Active,
                    seen_at: None,
                    version: 1,
                    created_at: store.ambient().now(),
                };
                // As an invitation that names places, of which some may be gone by then.
                let teams: Vec<_> = self.dice.pick(&self.teams).map(|id| (id, Role::MEMBER)).into_iter().collect();
                let projects: Vec<_> =
                    self.dice.pick(&self.projects).map(|id| (id, Role::VIEWER)).into_iter().collect();
                let placement = Placement { user, membership: stay.id, teams, projects };
                let mut tx = store.begin_control(Turn::Org(org)).await.expect("begins");
                memberships::insert(&mut tx, &stay).await.expect("joins");
                tx.place(org, &placement).await.expect("queued");
                tx.record(org, &Actor::System, &Origin::default(), Event::new("member.joined", user))
                    .await
                    .expect("recorded");
                tx.commit().await.expect("committed");
                self.stays.insert(user, stay.id);
            }
            2 => {
                let Some((user, _)) = self.somebody() else { return false };
                let tx = tenancy::members::leave(house, user, org, &Origin::default()).await.expect("leaves");
                tx.commit().await.expect("committed");
                self.stays.remove(&user);
            }
            3 => {
                let Some(id) = self.dice.pick(&self.projects) else { return false };
                tenancy::projects::delete(house, &self.scope, id).await.expect("deleted");
                self.projects.retain(|project| *project != id);
            }
            4 => {
                let Some(id) = self.dice.pick(&self.roles) else { return false };
                match tenancy::roles::delete(house, &self.scope, id, None).await {
                    Ok(()) => self.roles.retain(|role| *role != id),
                    Err(tenancy::Error::Conflict(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            _ => {
                let project = self.dice.pick(&self.projects);
                let fresh = keys::create(house, &self.scope, &new_key(project)).await.expect("made");
                fresh.tx.commit().await.expect("committed");
            }
        }
        true
    }
}

fn new_key(project: Option<ProjectId>) -> NewKey {
    NewKey {
        name: KeyName::new("key").expect("a name"),
        mode: Mode::Live,
        project,
        scopes: [Permission::OrgRead].into_iter().collect::<PermissionSet>(),
        addresses: Vec::new(),
        limits: Limits::default(),
        expires_at: None,
    }
}

both_stores! {
    async fn many_random_operations_leave_no_orphan(house) {
        let (wanted, began) = (wanted(), std::time::Instant::now());
        let mut world = World::new(&house, 42).await;
        let mut done = 0;
        while done < wanted {
            done += world.inside(40).await;
            for _ in 0..2 {
                done += u64::from(world.across().await);
            }
        }
        house.store().deliver(world.org()).await.expect("delivered");
        assert_eq!(house.store().org_orphans(world.org()).await.expect("looked"), Vec::<String>::new());
        assert_eq!(house.store().control_orphans().await.expect("looked"), Vec::<String>::new());
        assert!(world.teams.len() > 5 && world.stays.len() > 2, "the world is full of things");
        eprintln!("{done} operations in {:?}", began.elapsed());
    }

    async fn what_points_to_nothing_is_found(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        house.furnish(&scope, "word").await;
        let (store, org, ambient) = (house.store(), scope.org(), house.store().ambient());
        assert_eq!(store.org_faults(org).await.expect("looked"), Vec::<String>::new());
        let fresh = keys::create(&house.house, &scope, &new_key(Some(ambient.id()))).await.expect("made");
        fresh.tx.commit().await.expect("committed");
        let mut tx = store.open(&scope).begin().await.expect("begins");
        let team = teams::list(&mut tx, None, 1).await.expect("listed")[0].id;
        let stranger: UserId = ambient.id();
        let member = Member {
            place_id: team,
            user_id: stranger,
            membership_id: ambient.id(),
            role: Role::Custom(ambient.id()),
            created_at: tx.now(),
        };
        members::put(&mut tx, &member).await.expect("put");
        configs::put(&mut tx, stranger, 0, "{}").await.expect("put");
        tx.record(Event::new("orphans.planted", org)).await.expect("recorded");
        tx.commit().await.expect("committed");
        let faults = store.org_faults(org).await.expect("looked");
        for what in ["api_keys.project_id", "team_members.membership_id", "team_members.role", "configs.user_id"] {
            assert!(faults.iter().any(|fault| fault.starts_with(what)), "{what} is not in {faults:?}");
        }
        assert_eq!(faults.len(), 4, "{faults:?}");
        if house.engine() == store::Engine::Postgres {
            let owner = house.raw().await;
            owner.batch_execute("SET session_replication_role = replica; DELETE FROM control.people; DELETE FROM org.teams").await.expect("planted");
            let faults = [store.control_orphans().await.expect("looked"), store.org_orphans(org).await.expect("looked")].concat().join("\n");
            for what in ["memberships.user_id", "sessions.user_id", "api_keys.user_id", "team_members.team_id", "project_teams.team_id"] {
                assert!(faults.contains(what), "{what} is not in {faults}");
            }
        }
    }
}

/// A column that holds an id and that nobody looks at would make the check blind.
#[test]
fn every_reference_is_looked_at() {
    let source = files().into_iter().find(|(name, _)| name == "orphans.rs").expect("the check").1;
    let columns = |database: &Connection, table: &str| -> Vec<String> {
        let text = format!("SELECT name FROM pragma_table_info('{table}')");
        let mut statement = database.prepare(&text).expect("prepares");
        statement.query_map([], |row| row.get(0)).expect("runs").collect::<std::result::Result<_, _>>().expect("names")
    };
    let names_a_row = |column: &str| {
        column.ends_with("_id")
            || column.ends_with("_by")
            || ["made_by_key", "subject", "role", "teams", "projects", "successor"].contains(&column)
    };
    let mut seen = 0;
    // The ledger records what was.
    for side in [Side::Control, Side::Org] {
        let database = fresh(side.steps());
        for table in tables(&database) {
            for column in columns(&database, &table).into_iter().filter(|column| names_a_row(column)) {
                let place = format!("{table}.{column}");
                let exempt = UNCHECKED.iter().any(|(unchecked, _)| *unchecked == place);
                let looked_at =
                    source.contains(&format!("'{place}'")) || source.contains(&format!("\"{place}\".into()"));
                let with_stay = column == "user_id" && source.contains(&format!("'{table}.membership_id'"));
                assert!(exempt || looked_at || with_stay, "{place} is neither looked at nor exempt");
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "only {seen} columns were seen");
}
