//! A scope through the real doors, and an organisation with something of everything in it.

use domain::role::Role;
use domain::text::{Description, ProjectName, RoleName, TeamName};
use domain::{OrgId, TeamId};
use serde_json::json;
use store::audit::Event;
use store::org::configs;
use store::org::members::{self, Member};
use store::org::projects::{self, Project, ProjectTeam};
use store::org::roles::{self, CustomRole};
use store::org::teams::{self, Team};
use store::org::usage::{self, BudgetRow, UsageRow};
use store::{Credential, Json, Origin, Scope};

use crate::{Client, TestHouse};

impl TestHouse {
    /// What a client's credential opens: the client's own organisation.
    /// # Panics
    /// When the doors stay closed.
    pub async fn scope(&self, client: &Client) -> Scope {
        let origin = Origin::default();
        let token = client.token.as_deref().expect("a credential");
        let principal = self.store().authenticate(Credential::Bearer(token), &origin).await.expect("is let in");
        let org: OrgId = client.org.parse().expect("an id");
        self.store().enter(&principal, Some(org), None, origin).await.expect("belongs to it")
    }

    /// Puts at least one row into each table of an organisation's store; the rows' texts hold the word.
    /// # Panics
    /// When a row is refused.
    pub async fn furnish(&self, scope: &Scope, word: &str) {
        let ambient = self.store().ambient();
        let now = ambient.now();
        let text = |rest: &str| format!("{word} {rest}");
        let mut tx = self.store().open(scope).begin().await.expect("begins");
        let role = CustomRole {
            id: ambient.id(),
            name: RoleName::new(&text("role")).expect("a name"),
            description: Description::new(&text("may read")).expect("a description"),
            permissions: Json(vec!["org.read".into()]),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        roles::insert(&mut tx, &role).await.expect("a role");
        let team = |name: &str, parent_id: Option<TeamId>| Team {
            id: ambient.id(),
            parent_id,
            name: TeamName::new(&text(name)).expect("a name"),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let above = team("engineering", None);
        let below = team("frontend", Some(above.id));
        teams::insert(&mut tx, &above).await.expect("a team");
        teams::insert(&mut tx, &below).await.expect("a team below");
        let project = Project {
            id: ambient.id(),
            name: ProjectName::new(&text("project")).expect("a name"),
            description: Description::new(&text("things")).expect("a description"),
            open: false,
            archived_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        projects::insert(&mut tx, &project).await.expect("a project");
        let (user_id, membership_id) = (scope.user(), scope.membership());
        let member = Member { place_id: below.id, user_id, membership_id, role: Role::MEMBER, created_at: now };
        members::put(&mut tx, &member).await.expect("a team member");
        let member =
            Member { place_id: project.id, user_id, membership_id, role: Role::Custom(role.id), created_at: now };
        members::put(&mut tx, &member).await.expect("a project member");
        let given = ProjectTeam { project_id: project.id, team_id: above.id, role: Role::VIEWER, created_at: now };
        projects::add_team(&mut tx, &given).await.expect("a team in a project");
        let value = json!({ "greeting": text("hello") }).to_string();
        configs::put(&mut tx, user_id, 0, &value).await.expect("a configuration");
        let row = UsageRow {
            id: ambient.id(),
            at: now,
            user_id,
            project_id: Some(project.id),
            operation: "chat".into(),
            model: text("model"),
            input_tokens: 10,
            output_tokens: 20,
            cost_micros: 30,
            currency: "USD".into(),
            latency_micros: 40,
            outcome: "ok".into(),
        };
        usage::insert_usage(&mut tx, &row).await.expect("a usage row");
        let budget = BudgetRow {
            id: ambient.id(),
            level: "organization".into(),
            subject: None,
            period: "month".into(),
            amount_micros: 1_000_000,
            currency: "USD".into(),
            kind: "hard".into(),
            created_at: now,
        };
        usage::insert_budget(&mut tx, &budget).await.expect("a budget");
        tx.remember(ambient.bytes(), ambient.bytes(), 201, b"sealed".to_vec()).await.expect("an answer");
        let event = Event::new("team.created", above.id).after(&above).detail(json!({ "name": text("engineering") }));
        tx.record(event).await.expect("recorded");
        tx.commit().await.expect("committed");
        self.store().deliver(scope.org()).await.expect("all that is queued is written");
    }
}
