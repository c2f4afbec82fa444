//! The demo world: three organisations of different size, so that a first look shows something alive. The same each time but for
//! ids, secrets and the time.
//!
//! It is made by the same flows as everybody's organisations: people are put into the directory, and what is inside an
//! organisation is written by its owner, signed in, through their scope. A step that was done before is not done again, so a start
//! that was cut short is finished by the next one.

use std::time::Duration;

use domain::access::Permission;
use domain::api_key::{self, Mode};
use domain::authoriser::Object;
use domain::email::Email;
use domain::limits::{Level, Period};
use domain::password::Password;
use domain::plan::PlanName;
use domain::role::Role;
use domain::status::Standing;
use domain::text::{Description, KeyName, OrgName, PersonName, ProjectName, TeamName};
use domain::{OrgId, SessionId, TeamId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::api_keys::{self, ApiKey};
use store::control::installation;
use store::control::memberships::{self, Membership};
use store::control::organisations::{self, Belonging, Organisation};
use store::control::people::{self, Person};
use store::control::sessions;
use store::org::budgets::{self, Budget, Strictness};
use store::org::members::{self, Member};
use store::org::projects::{self, Project, ProjectTeam};
use store::org::teams::{self, Team};
use store::{Actor, Credential, Json, Origin, Principal, Scope, Stop, Turn, Tx};

use crate::login::{self, SignIn};
use crate::passwords::Verdict;
use crate::{Error, House, Result, leaving, orgs};

mod usage;
mod verify;

pub use verify::{Check, verify};

/// The password of everybody in the demo world. No secret: the start text prints it.
pub const PASSWORD: &str = "come in and look around";

/// Somebody of the demo world.
#[derive(Debug)]
pub struct Resident {
    /// What they are called.
    pub name: &'static str,
    /// Where they sign in.
    pub email: &'static str,
    /// Their role at the first organisation.
    pub role: Role,
}

/// The four people, one for each kind of role.
pub const RESIDENTS: [Resident; 4] = [
    Resident { name: "Ada Lindqvist", email: "ada@acme.example", role: Role::OWNER },
    Resident { name: "Ben Okafor", email: "ben@acme.example", role: Role::ADMIN },
    Resident { name: "Cleo Marchetti", email: "cleo@acme.example", role: Role::MEMBER },
    Resident { name: "Dan Sørensen", email: "dan@acme.example", role: Role::VIEWER },
];

/// An organisation of the demo world.
struct Plot {
    name: &'static str,
    plan: &'static str,
    /// The owner's place among the residents.
    owner: usize,
    /// The budget of a month, in dollars.
    dollars: i64,
    /// Names and purposes of projects, and whether they are open to all members.
    projects: &'static [(&'static str, &'static str, bool)],
    /// Rows of the usage log.
    calls: u32,
}

const PLOTS: [Plot; 3] = [
    Plot {
        name: "Acme",
        plan: "enterprise",
        owner: 0,
        dollars: 5_000,
        projects: &[
            ("Website", "The new website, open to everybody.", true),
            ("Pricing", "What the next version will cost; for the product team alone.", false),
        ],
        calls: 60,
    },
    Plot {
        name: "Globex",
        plan: "pro",
        owner: 1,
        dollars: 1_000,
        projects: &[("Launch", "The launch in spring.", true)],
        calls: 30,
    },
    Plot { name: "Initech", plan: "free", owner: 2, dollars: 100, projects: &[], calls: 10 },
];

/// Teams of the first organisation: a name, the place of the team above, and the place of a resident who is in it.
const TEAMS: [(&str, Option<usize>, usize); 4] =
    [("Engineering", None, 1), ("Frontend", Some(0), 2), ("Backend", Some(0), 0), ("Product", None, 3)];

/// The keys of the first organisation.
const KEYS: [(&str, Mode); 2] = [("Nightly import", Mode::Live), ("Local trials", Mode::Test)];

/// What was made, for the start text.
#[derive(Debug, Default)]
pub struct Made {
    /// The keys that were made just now, shown this once: name and key.
    pub keys: Vec<(&'static str, String)>,
}

/// Makes the demo world, or what is missing of it.
/// # Errors
/// As the databases; [`Error::Credentials`] when an address of the demo world belongs to somebody with another password.
pub async fn build(house: &House) -> Result<Made> {
    note(house, BEGUN).await?;
    // What a start that was cut short left behind.
    let mut tx = house.store.read_control().await?;
    let unfinished = organisations::unfinished(&mut tx, house.store.ambient().now() + Duration::from_secs(1)).await?;
    drop(tx);
    for org in unfinished {
        orgs::finish(house, org).await?;
    }
    let mut residents = Vec::new();
    for resident in &RESIDENTS {
        residents.push(move_in(house, resident).await?);
    }
    let mut made = Made::default();
    for (at, plot) in PLOTS.iter().enumerate() {
        let org = found(house, plot, &residents, at == 0).await?;
        let visit = sign_in(house, &RESIDENTS[plot.owner], org).await?;
        furnish(house, &visit.scope, plot, &residents, at == 0).await?;
        if at == 0 {
            made.keys = hand_out_keys(house, &visit.scope).await?;
        }
        sign_out(house, &visit).await?;
        // What was decided in the directory belongs into the organisation's log before anybody looks at it.
        house.store.deliver(org).await?;
    }
    note(house, "made").await?;
    Ok(made)
}

/// Whether making the demo world was cut short.
/// # Errors
/// As the database.
pub async fn is_half_made(house: &House) -> Result<bool> {
    let mut tx = house.store.read_control().await?;
    Ok(installation::find(&mut tx, FACT).await?.is_some_and(|state| state == BEGUN))
}

/// The residents, by their addresses, whom the password that everybody may know still lets in.
/// # Errors
/// As the database; [`Error::Throttled`] when too many passwords are being hashed.
pub async fn open_doors(house: &House) -> Result<Vec<&'static str>> {
    let mut tx = house.store.read_control().await?;
    if installation::find(&mut tx, FACT).await?.is_none() {
        return Ok(Vec::new());
    }
    drop(tx);
    let now = house.store.ambient().now();
    let mut open = Vec::new();
    for resident in &RESIDENTS {
        let email = Email::new(resident.email).map_err(|error| invalid("email", &error))?;
        let mut tx = house.store.read_control().await?;
        let person = people::find_by_email(&mut tx, &email).await?;
        drop(tx);
        let may_enter = |person: &Person| person.standing == Standing::Active || leaving::can_come_back(person, now);
        let Some(person) = person.filter(may_enter) else { continue };
        if house.passwords.verify(PASSWORD, person.password_hash).await? != Verdict::Wrong {
            open.push(resident.email);
        }
    }
    Ok(open)
}

/// The fact about the installation that says how far the demo world is, and its value while it is being made.
const FACT: &str = "demo";
const BEGUN: &str = "begun";

async fn note(house: &House, state: &str) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Free).await?;
    installation::set(&mut tx, FACT, state).await?;
    tx.commit().await?;
    Ok(())
}

/// Finds a resident, or puts them into the directory.
async fn move_in(house: &House, resident: &Resident) -> Result<Person> {
    let email = Email::new(resident.email).map_err(|error| invalid("email", &error))?;
    let mut tx = house.store.read_control().await?;
    if let Some(person) = people::find_by_email(&mut tx, &email).await? {
        return Ok(person);
    }
    drop(tx);
    let hash = house.passwords.hash(PASSWORD).await?;
    let ambient = house.store.ambient();
    let name = PersonName::new(resident.name).map_err(|error| invalid("name", &error))?;
    let person =
        Person { password_hash: Some(hash), verified_at: Some(ambient.now()), ..Person::new(ambient, email, name) };
    let mut tx = house.store.begin_control(Turn::Free).await?;
    people::insert(&mut tx, &person).await?;
    let event = Event::new("person.signed_up", person.id).after(&person).detail(json!({ "demo": true }));
    tx.record_house(&Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    Ok(person)
}

/// Finds an organisation among its owner's, or makes it with its plan and, where all residents belong to it, its members.
async fn found(house: &House, plot: &Plot, residents: &[Person], all: bool) -> Result<OrgId> {
    let owner = &residents[plot.owner];
    if let Some(known) = belongings(house, owner.id).await?.iter().find(|belonging| is(belonging, plot)) {
        return Ok(known.id);
    }
    let origin = Origin::default();
    let name = OrgName::new(plot.name).map_err(|error| invalid("name", &error))?;
    let mut tx = house.store.begin_control(Turn::Person(owner.id)).await?;
    let organisation = orgs::insert(house, &mut tx, owner.id, name, false, &origin).await?;
    let plan = PlanName::new(plot.plan).map_err(|error| invalid("plan", &error))?;
    let changed = Organisation { plan, ..organisation };
    organisations::update(&mut tx, &changed).await?;
    let event =
        Event::new("organisation.plan_changed", changed.id).after(&changed).detail(json!({ "plan": plot.plan }));
    tx.record(changed.id, &Actor::System, &origin, event).await?;
    let others = RESIDENTS.iter().zip(residents).enumerate().filter(|(at, _)| all && *at != plot.owner);
    for (_, (resident, person)) in others {
        let membership = Membership {
            id: house.store.ambient().id(),
            org_id: changed.id,
            user_id: person.id,
            role: resident.role,
            standing: Standing::Active,
            seen_at: None,
            version: 1,
            created_at: house.store.ambient().now(),
        };
        memberships::insert(&mut tx, &membership).await?;
        let event = Event::new("member.joined", person.id).detail(json!({ "role": resident.role }));
        tx.record(changed.id, &Actor::Person(owner.id), &origin, event).await?;
    }
    tx.commit().await?;
    orgs::finish(house, changed.id).await?;
    Ok(changed.id)
}

async fn belongings(house: &House, user: UserId) -> Result<Vec<Belonging>> {
    let mut tx = house.store.read_control().await?;
    Ok(organisations::of_person(&mut tx, user, None, 1000).await?)
}

fn is(belonging: &Belonging, plot: &Plot) -> bool {
    belonging.name.as_str() == plot.name && belonging.plan.as_str() == plot.plan && !belonging.personal
}

/// Signs a resident in, as anybody does, and enters an organisation of theirs.
async fn sign_in(house: &House, resident: &Resident, org: OrgId) -> Result<Visit> {
    let email = Email::new(resident.email).map_err(|error| invalid("email", &error))?;
    let password = Password::new(PASSWORD.into()).map_err(|error| invalid("password", &error))?;
    let origin = Origin { agent: "rowhouse demo".into(), ..Origin::default() };
    let admitted = login::admit(house, SignIn { email, password, code: None, device: None }, &origin).await?;
    let tokens = admitted.tokens(house, &origin).await?;
    let principal = house.store.authenticate(Credential::Bearer(&tokens.access), &origin).await.map_err(stopped)?;
    let scope = house.store.enter(&principal, Some(org), None, origin).await.map_err(stopped)?;
    Ok(Visit { scope, principal, session: tokens.session })
}

/// A resident who is signed in.
struct Visit {
    scope: Scope,
    principal: Principal,
    session: SessionId,
}

fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Failed(error) => Error::Store(error),
        Stop::Refused(refusal) => Error::Forbidden(refusal.to_string()),
    }
}

async fn sign_out(house: &House, visit: &Visit) -> Result<()> {
    let (scope, session) = (&visit.scope, visit.session);
    let mut tx = house.store.begin_control(Turn::Person(scope.user())).await?;
    sessions::revoke(&mut tx, scope.user(), session).await?;
    tx.record(scope.org(), scope.actor(), scope.origin(), Event::new("session.ended", session)).await?;
    tx.commit().await?;
    Ok(())
}

/// Refuses what the owner of a scope may not do, as the doors of the API would.
fn may(scope: &Scope, permission: Permission) -> Result<()> {
    if scope.grants().allow(permission, Object::Organisation) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("the owner of {} may not {}", scope.org(), permission.description())))
}

/// Writes what is inside an organisation, all or nothing; leaves one alone that has a budget.
async fn furnish(house: &House, scope: &Scope, plot: &Plot, residents: &[Person], with_teams: bool) -> Result<()> {
    let store = house.store.open(scope);
    let mut tx = store.read().await?;
    if !budgets::list(&mut tx, None, 1).await?.is_empty() {
        return Ok(());
    }
    drop(tx);
    for permission in [Permission::TeamsCreate, Permission::TeamsMembers, Permission::ProjectsCreate] {
        may(scope, permission)?;
    }
    let members = if with_teams { stays(house, scope.org(), residents).await? } else { Vec::new() };
    let mut tx = store.begin().await?;
    let now = tx.now();
    let ids = if with_teams { insert_teams(&mut tx, &members).await? } else { Vec::new() };
    let mut in_projects = Vec::new();
    for (name, purpose, open) in plot.projects {
        let project = Project {
            id: tx.ambient().id(),
            name: ProjectName::new(name).map_err(|error| invalid("name", &error))?,
            description: Description::new(purpose).map_err(|error| invalid("description", &error))?,
            open: *open,
            archived_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        projects::insert(&mut tx, &project).await?;
        tx.record(Event::new("project.created", project.id).after(&project)).await?;
        if let (false, Some(product)) = (*open, ids.last()) {
            let given = ProjectTeam { project_id: project.id, team_id: *product, role: Role::MEMBER, created_at: now };
            projects::add_team(&mut tx, &given).await?;
            tx.record(Event::new("project.team_added", project.id).after(&given)).await?;
        }
        in_projects.push(project.id);
    }
    let users: Vec<UserId> =
        if with_teams { residents.iter().map(|person| person.id).collect() } else { vec![scope.user()] };
    let budget = Budget {
        id: tx.ambient().id(),
        level: Level::Organization,
        subject: None,
        period: Period::Month,
        amount_micros: plot.dollars * 1_000_000,
        currency: "USD".parse().map_err(|error| invalid("currency", &error))?,
        kind: Strictness::Hard,
        alerts: Json(vec![50, 80, 100]),
        increase_micros: 0,
        increase_until: None,
        increase_by: None,
        made_by: scope.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    budgets::insert(&mut tx, &budget).await?;
    tx.record(Event::new("budget.created", budget.id).after(&budget)).await?;
    // The books are another file: they come first, since the budget says that an organisation is furnished.
    usage::enter_calls(house, scope, plot, &users, &in_projects).await?;
    tx.commit().await?;
    Ok(())
}

/// The residents' stays in an organisation, in their order.
async fn stays(house: &House, org: OrgId, residents: &[Person]) -> Result<Vec<Membership>> {
    let mut tx = house.store.read_control().await?;
    let mut stays = Vec::new();
    for person in residents {
        stays.extend(memberships::find(&mut tx, org, person.id).await?);
    }
    Ok(stays)
}

async fn insert_teams(tx: &mut Tx, members: &[Membership]) -> Result<Vec<TeamId>> {
    let now = tx.now();
    let mut ids: Vec<TeamId> = Vec::new();
    for (name, above, who) in TEAMS {
        let team = Team {
            id: tx.ambient().id(),
            parent_id: above.map(|at| ids[at]),
            name: TeamName::new(name).map_err(|error| invalid("name", &error))?,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        teams::insert(tx, &team).await?;
        tx.record(Event::new("team.created", team.id).after(&team)).await?;
        if let Some(stay) = members.get(who) {
            let member = Member {
                place_id: team.id,
                user_id: stay.user_id,
                membership_id: stay.id,
                role: RESIDENTS[who].role,
                created_at: now,
            };
            members::put(tx, &member).await?;
            tx.record(Event::new("team.member_added", team.id).after(&member)).await?;
        }
        ids.push(team.id);
    }
    Ok(ids)
}

/// Makes the keys of an organisation that has none.
async fn hand_out_keys(house: &House, scope: &Scope) -> Result<Vec<(&'static str, String)>> {
    may(scope, Permission::KeysCreate)?;
    let ambient = house.store.ambient();
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    if !api_keys::list(&mut tx, scope.org(), None, None, 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    let scopes = store::default_key_scopes(scope.grants().at(Object::Organisation));
    let mut made = Vec::new();
    for (name, mode) in KEYS {
        let presented = api_key::generate(ambient, mode);
        let now = ambient.now();
        let key = ApiKey {
            id: ambient.id(),
            org_id: scope.org(),
            project_id: None,
            user_id: scope.user(),
            membership_id: scope.membership(),
            public_id: presented.public_id().to_string(),
            mode: mode.as_str().to_owned(),
            name: KeyName::new(name).map_err(|error| invalid("name", &error))?,
            last4: presented.last4(),
            scopes: Json(scopes.iter().map(|permission| permission.to_string()).collect()),
            addresses: Json(Vec::new()),
            rate_per_minute: None,
            calls_per_day: None,
            budget_micros: None,
            currency: None,
            created_at: now,
            expires_at: Some(now + Duration::from_hours(90 * 24)),
            seen_at: None,
            revoked_at: None,
            replaced_by: None,
            made_by_key: None,
            version: 1,
        };
        api_keys::insert(&mut tx, &key, &presented).await?;
        tx.record(scope.org(), scope.actor(), scope.origin(), Event::new("key.created", key.id).after(&key)).await?;
        made.push((name, presented.expose()));
    }
    tx.commit().await?;
    Ok(made)
}

fn invalid(field: &'static str, rule: &dyn std::fmt::Display) -> Error {
    Error::Invalid { field, rule: rule.to_string() }
}
