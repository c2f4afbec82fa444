//! A scope through the real doors, and an organisation with something of everything in it.

use domain::BudgetId;
use domain::connection::ConnectionKind;
use domain::limits::{Amounts, Counted, Level, LimitKey, Period};
use domain::models::ProviderKind;
use domain::operation::Operation;
use domain::role::Role;
use domain::text::{CollectionName, Description, ProjectName, ProviderName, RoleName, TeamName};
use domain::{DocumentId, OrgId, TeamId};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::audit::Event;
use store::ledger::admissions::{self, Admission};
use store::ledger::alerts;
use store::ledger::balances::{self, Balance};
use store::ledger::entries::{self, Charge, Outcome};
use store::ledger::holds::{self, Hold, Purpose};
use store::org::aliases::{self, Alias};
use store::org::budgets::{self, Budget, Strictness};
use store::org::configs;
use store::org::connections::{self, Connection};
use store::org::knowledge::chunks::{self, Draft, Vector};
use store::org::knowledge::circles::{self, Readers};
use store::org::knowledge::collections::{self, Collection, Reach};
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::embedding::{self, Embedding};
use store::org::knowledge::imports::{self, Import, Stage};
use store::org::knowledge::shares::{self, Shared, Sharer};
use store::org::knowledge::sources::{self, Counts, Item, Source, Sync};
use store::org::knowledge::threads::{self, Author, Citation, Message, Thread};
use store::org::knowledge::versions::{self, Version};
use store::org::members::{self, Member};
use store::org::projects::{self, Project, ProjectTeam};
use store::org::providers::{self, Provider};
use store::org::quota_alerts::{self, Kept};
use store::org::rate_limits::{self, RateLimit};
use store::org::roles::{self, CustomRole};
use store::org::teams::{self, Team};
use store::org::webhook_messages;
use store::org::webhooks::{self, Because, Webhook};
use store::{Credential, Json, Origin, Scope, Tx};

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
        let gone = team("gone", Some(above.id));
        teams::insert(&mut tx, &gone).await.expect("a team that will be gone");
        teams::delete(&mut tx, gone.id).await.expect("is gone");
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
        furnish_models(&mut tx, scope, word).await;
        let document = furnish_knowledge(&mut tx, scope, word).await;
        let budget = Budget {
            id: ambient.id(),
            level: Level::Organization,
            subject: None,
            period: Period::Month,
            amount_micros: 1_000_000,
            currency: "USD".parse().expect("a currency"),
            kind: Strictness::Hard,
            alerts: Json(vec![50, 80, 100]),
            increase_micros: 0,
            increase_until: None,
            increase_by: None,
            made_by: user_id,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        budgets::insert(&mut tx, &budget).await.expect("a budget");
        let limit = RateLimit {
            id: ambient.id(),
            level: Level::Organization,
            subject: None,
            operation: Some(Operation::Search),
            requests_per_minute: Some(1000),
            tokens_per_minute: None,
            concurrency: None,
            made_by: user_id,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        rate_limits::insert(&mut tx, &limit).await.expect("a rate limit");
        furnish_webhooks(&mut tx, scope, word).await;
        let told = BTreeSet::from([document]);
        tx.remember(ambient.bytes(), ambient.bytes(), 201, b"sealed".to_vec(), &told).await.expect("an answer");
        let event = Event::new("team.created", above.id).after(&above).detail(json!({ "name": text("engineering") }));
        tx.record(event).await.expect("recorded");
        tx.commit().await.expect("committed");
        self.store().deliver(scope.org()).await.expect("all that is queued is written");
        self.furnish_books(scope, word, budget.id).await;
    }

    /// A call under way, one that has ended, a balance, an alert, and a call that was let in.
    /// # Panics
    /// When a row is refused.
    pub async fn furnish_books(&self, scope: &Scope, word: &str, budget: BudgetId) {
        let ambient = self.store().ambient();
        let mut tx = self.store().begin_ledger(scope).await.expect("begins");
        let mut page = tx.page(scope).expect("its page");
        let purpose = Purpose {
            operation: "chat".into(),
            model: format!("{word} model"),
            user_id: Some(scope.user()),
            ..Purpose::default()
        };
        let amounts = Amounts::of(Counted::Cost, 30).with(Counted::Requests, 1);
        let (at, holder) = (ambient.now(), ambient.id());
        let hold = |id| Hold { id, attempt: 1, at, holder, purpose: purpose.clone(), amounts };
        assert!(holds::insert(&mut page, &hold(ambient.id()), Duration::from_mins(1)).await.expect("a hold"));
        let charge = Charge { amounts, ..Charge::nothing(Outcome::Ok) };
        assert!(entries::insert(&mut page, &hold(ambient.id()), &charge).await.expect("an entry"));
        let key = LimitKey::on(budget, Counted::Cost);
        balances::put(&mut page, key, at, Balance { held: 30, settled: 30 }).await.expect("a balance");
        assert!(alerts::insert(&mut page, key, at, 50).await.expect("an alert"));
        let admission = Admission {
            user_id: Some(scope.user()),
            key_id: None,
            project_id: None,
            operation: Operation::Chat,
            refused_by: String::new(),
        };
        admissions::add(&mut page, &[(admission, 1)]).await.expect("an admission");
        tx.commit().await.expect("committed");
    }
}

/// A webhook that is switched off, and a message that waits for it.
async fn furnish_webhooks(tx: &mut Tx, scope: &Scope, word: &str) {
    let (id, now) = (tx.ambient().id(), tx.now());
    let webhook = Webhook {
        id,
        url: "https://hooks.example/in".into(),
        description: Description::new(&format!("{word} webhook")).expect("a description"),
        events: Json(vec!["budget.threshold".into()]),
        sealed: vec![7; 60],
        former_sealed: None,
        former_until: None,
        key_version: 1,
        disabled_at: Some(now),
        disabled_because: Some(Because::Asked),
        made_by: scope.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    webhooks::insert(tx, &webhook).await.expect("a webhook");
    webhook_messages::test(tx, id).await.expect("a message");
}

/// A provider of models, and a name for one.
async fn furnish_models(tx: &mut Tx, scope: &Scope, word: &str) {
    let (now, ambient) = (tx.now(), tx.ambient().clone());
    let provider = Provider {
        id: ambient.id(),
        name: ProviderName::new(&format!("{word} provider")).expect("a name"),
        kind: ProviderKind::OpenAi,
        base_url: "https://models.example/v1".into(),
        project_id: None,
        user_id: None,
        membership_id: None,
        models: Json(Vec::new()),
        headers: Json(Vec::new()),
        key_last4: None,
        sealed: None,
        key_version: 1,
        expires_at: None,
        last_used_at: None,
        made_by: scope.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    providers::insert(tx, &provider).await.expect("a provider");
    let connection = Connection {
        user_id: scope.user(),
        kind: ConnectionKind::Notion,
        membership_id: scope.membership(),
        account: format!("{word} account"),
        workspace: Some(word.to_owned()),
        sealed: vec![7; 40],
        key_version: 1,
        created_at: now,
    };
    connections::put(tx, &connection).await.expect("a connection");
    let alias = Alias {
        id: ambient.id(),
        project_id: None,
        name: format!("{}-alias", word.to_lowercase().replace(' ', "-")).parse().expect("a name"),
        targets: Json(Vec::new()),
        made_by: scope.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    aliases::insert(tx, &alias).await.expect("an alias");
}

/// A shared collection with a document that can be found, and a conversation.
#[expect(clippy::too_many_lines, reason = "a row in each table")]
async fn furnish_knowledge(tx: &mut Tx, scope: &Scope, word: &str) -> DocumentId {
    let (now, ambient, made_by) = (tx.now(), tx.ambient().clone(), scope.user());
    let collection = Collection {
        id: ambient.id(),
        number: 0,
        project_id: None,
        name: CollectionName::new(&format!("{word} collection")).expect("a name"),
        description: Description::new("").expect("none"),
        access: Reach::Shared,
        made_by,
        version: 1,
        created_at: now,
        updated_at: now,
        retain_days: None,
        due_at: None,
        within: None,
    };
    collections::insert(tx, &collection).await.expect("a collection");
    let number = collections::get(tx, collection.id).await.expect("it is there").number;
    let with = Sharer::User(made_by, scope.membership());
    assert!(shares::share(tx, Shared::Collection(collection.id), with).await.expect("a share"));
    let document = Document {
        id: ambient.id(),
        collection_id: collection.id,
        title: format!("{word} document"),
        titled: false,
        name: "document.txt".into(),
        source: "text".into(),
        kind: "text".into(),
        tags: Json(vec![word.to_owned()]),
        status: Status::Queued,
        fault: None,
        content_hash: "0".repeat(64),
        size: 5,
        latest: 1,
        shown: 0,
        passages: 0,
        embedded: 0,
        job_id: ambient.id(),
        made_by,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    documents::insert(tx, &document).await.expect("a document");
    let version = Version {
        document_id: document.id,
        number: 1,
        name: document.name.clone(),
        content_hash: document.content_hash.clone(),
        size: document.size,
        made_by,
        created_at: now,
    };
    versions::insert(tx, &version).await.expect("a version");
    let draft = Draft { heading: word.to_owned(), text: format!("{word} passage"), page: None, starts: 0, ends: 5 };
    chunks::replace(tx, document.id, &[draft]).await.expect("a passage");
    assert!(documents::show(tx, document.id, 1, None, "text", 1).await.expect("shown"));
    let passage = chunks::list(tx, document.id, None, 1).await.expect("listed").remove(0);
    let vector = Vector { chunk: passage.number, collection: number, scale: 1, value: vec![1_u8; 8].into() };
    assert!(chunks::embed(tx, "model", &vector).await.expect("a vector"));
    let embedding = Embedding {
        choice: None,
        current: "model".into(),
        size: Some(8),
        coming: Some(format!("{word}'s model")),
        coming_size: None,
        fault: None,
        failing_since: None,
        job_id: ambient.id(),
        made_by,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    embedding::choose(tx, &embedding).await.expect("a model");
    quota_alerts::weigh(tx, Kept::Documents, 1, 1, false).await.expect("full");
    // Nobody is told of it.
    for alert in quota_alerts::untold(tx).await.expect("listed") {
        quota_alerts::told(tx, &alert).await.expect("told");
    }
    let import = Import {
        id: ambient.id(),
        collection_id: collection.id,
        name: format!("{word}.zip"),
        tags: Json(Vec::new()),
        status: Stage::Queued,
        fault: None,
        content_hash: "1".repeat(64),
        size: 5,
        done: 0,
        total: 0,
        made_by,
        created_at: now,
        updated_at: now,
    };
    imports::insert(tx, &import).await.expect("an archive");
    imports::begin(tx, import.id, 1).await.expect("opened");
    let member = imports::Member {
        place: 0,
        name: format!("{word}.txt"),
        outcome: imports::Outcome::Added,
        fault: None,
        document_id: Some(document.id),
    };
    assert!(imports::note(tx, import.id, &member).await.expect("a file of it"));
    let source = Source {
        id: ambient.id(),
        collection_id: collection.id,
        name: format!("{word} pages"),
        settings: Json(json!({ "listed": ["https://example.com/"] })),
        status: Sync::Queued,
        fault: None,
        cursor: None,
        round: 0,
        counts: Json(Counts::default()),
        job_id: ambient.id(),
        made_by,
        synced_at: None,
        every_hours: Some(24),
        next_sync_at: None,
        failures: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    sources::insert(tx, &source).await.expect("a source");
    let item = Item { key: format!("https://example.com/{word}"), document_id: document.id, mark: None, round: 0 };
    sources::seen(tx, source.id, &item).await.expect("an item");
    let around = collections::get(tx, collection.id).await.expect("it is there");
    let readers = Readers::new(&[format!("{word}@example.com")], &[format!("{word} group")]);
    circles::of(tx, &source, &around, &readers).await.expect("a circle");
    let groups = BTreeMap::from([(format!("{word} group"), vec![format!("{word}2@example.com")])]);
    assert!(circles::regroup(tx, source.id, &groups).await.expect("a group"));
    let thread = Thread {
        id: ambient.id(),
        project_id: None,
        user_id: made_by,
        title: format!("{word} conversation"),
        access: Reach::Shared,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    threads::insert(tx, &thread).await.expect("a conversation");
    assert!(shares::share(tx, Shared::Thread(thread.id), with).await.expect("a share"));
    let cited = Citation {
        n: 1,
        document_id: document.id,
        version: 1,
        chunk_id: passage.id,
        title: document.title,
        quote: passage.text,
        page: None,
        heading: passage.heading,
        starts: 0,
        ends: 5,
    };
    let message = Message {
        id: ambient.id(),
        thread_id: thread.id,
        author: Author::User,
        content: format!("{word}?"),
        citations: Json(vec![cited]),
        detail: Json(json!({})),
        rating: None,
        comment: None,
        correction: None,
        created_at: now,
    };
    threads::say(tx, &message).await.expect("a message");
    document.id
}
