//! The world behind the table: Acme with four roles and one of everything, and Bob of Beta who knows all of Acme's ids.

use std::collections::BTreeMap;

use axum::http::Method;
use domain::role::Builtin;
use serde_json::{Value, json};
use testing::{Client, PASSWORD, TestHouse};

/// Acme and Beta.
pub(crate) struct World {
    /// Acme's owner.
    pub(crate) ann: Client,
    adi: Client,
    max: Client,
    vera: Client,
    /// Beta's owner.
    pub(crate) bob: Client,
    /// A key of Beta.
    pub(crate) bobs_key: Client,
    /// A body for each path, with Acme's ids where ids go.
    pub(crate) bodies: BTreeMap<&'static str, Value>,
    /// Texts that belong to Acme alone.
    pub(crate) marks: Vec<String>,
    ids: BTreeMap<&'static str, String>,
    /// Beta's own things, by noun.
    bobs: BTreeMap<&'static str, String>,
}

/// Ids that never existed, by the noun before them in a path.
const INVENTED: &[(&str, &str)] = &[
    ("teams", "tea_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("projects", "prj_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("roles", "rol_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("members", "usr_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("people", "usr_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("invitations", "inv_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("api-keys", "key_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("sessions", "ses_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("limits", "lim_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("orgs", "org_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("mails", "mai_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("erasures", "era_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("mail-domains", "dom_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("providers", "prv_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("aliases", "never-made"),
    ("models", "no-such-model"),
    ("budgets", "bud_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("webhooks", "whk_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("overrides", "ovr_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("collections", "col_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("users", "usr_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("documents", "doc_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("jobs", "job_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("sources", "src_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("threads", "thr_01932d6f4b7a7c3e9a51c0ffee15600d"),
    ("messages", "trn_01932d6f4b7a7c3e9a51c0ffee15600d"),
];

impl World {
    #[expect(clippy::too_many_lines, reason = "one of everything")]
    pub(crate) async fn build(house: &TestHouse) -> Self {
        let ann = house.sign_up("Ann").await;
        let bob = house.sign_up("Bob").await;
        house.on_plan(&ann.org, "enterprise").await;
        house.on_plan(&bob.org, "enterprise").await;
        let adi = house.join(&ann, "Adi", "admin").await;
        let max = house.join(&ann, "Max", "member").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Acme secret team" })).await.expect(201);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Acme secret project" })).await.expect(201);
        let role = json!({ "name": "Acme secret role", "description": "x", "permissions": ["audit.read"] });
        let role = ann.post("/api/v1/roles", &role).await.expect(201);
        let invitation = json!({ "email": "newcomer@acme.example", "role": "viewer" });
        let invitation = ann.post("/api/v1/invitations", &invitation).await.expect(201);
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Acme secret key" })).await.expect(201);
        // One more of each, so that every list has a second page.
        ann.post("/api/v1/teams", &json!({ "name": "Acme secret team, too" })).await.expect(201);
        ann.post("/api/v1/projects", &json!({ "name": "Acme secret project, too" })).await.expect(201);
        ann.post("/api/v1/auth/api-keys", &json!({ "name": "Acme secret key, too" })).await.expect(201);
        ann.post("/api/v1/orgs", &json!({ "name": "Acme secret branch" })).await.expect(201);
        let second = json!({ "email": "latecomer@acme.example", "role": "viewer" });
        ann.post("/api/v1/invitations", &second).await.expect(201);
        for language in ["de", "en"] {
            ann.patch("/api/v1/user/config", &json!({ "language": language })).await.expect(200);
        }
        house.signed_in_again(&ann).await;
        let viewer = json!({ "role": "viewer" });
        let teams = ann.get("/api/v1/teams").await.expect(200);
        for team in [teams.str("/data/0/id"), teams.str("/data/1/id")] {
            ann.put(&format!("/api/v1/projects/{}/teams/{team}", project.str("/id")), &viewer).await.expect(200);
        }
        for user in [&max.user, &vera.user] {
            ann.put(&format!("/api/v1/teams/{}/members/{user}", team.str("/id")), &viewer).await.expect(200);
            ann.put(&format!("/api/v1/projects/{}/members/{user}", project.str("/id")), &viewer).await.expect(200);
        }
        let bea = house.join(&bob, "Bea", "member").await;
        let bobs_team = bob.post("/api/v1/teams", &json!({ "name": "Beta team" })).await.expect(201);
        let bobs_project = bob.post("/api/v1/projects", &json!({ "name": "Beta project" })).await.expect(201);
        let bobs = bob.post("/api/v1/auth/api-keys", &json!({ "name": "Beta key" })).await.expect(201);
        let domain = json!({ "domain": "secret.acme.example", "role": "viewer" });
        let domain = ann.post("/api/v1/mail-domains", &domain).await.expect(201);
        let second = json!({ "domain": "secret.acme.test", "role": "viewer" });
        ann.post("/api/v1/mail-domains", &second).await.expect(201);
        let (provider, route) = provider(&ann).await;
        let budget = json!({ "level": "organization", "period": "month", "amount_micros": 1_000, "currency": "USD", "kind": "soft" });
        ann.post("/api/v1/budgets", &budget).await.expect(201);
        let budget = ann.post("/api/v1/budgets", &budget).await.expect(201);
        let question = json!({ "model": "rowhouse-extractive", "messages": [{ "role": "user", "content": "Acme secret question" }] });
        for _ in 0..2 {
            ann.post("/v1/chat/completions", &question).await.expect(200);
        }
        let limit = json!({ "level": "organization", "operation": "exports", "requests_per_minute": 1_000_000 });
        ann.post("/api/v1/limits", &limit).await.expect(201);
        let limit = json!({ "level": "organization", "operation": "mails", "requests_per_minute": 1_000_000 });
        let limit = ann.post("/api/v1/limits", &limit).await.expect(201);
        let second = json!({ "level": "project", "operation": "exports", "concurrency": 1000 });
        ann.post("/api/v1/limits", &second).await.expect(201);
        let known = Known::build(house, &ann, &max, team.str("/id")).await;
        let bobs_collection = bob.post("/api/v1/collections", &json!({ "name": "Beta collection" })).await.expect(201);
        let bobs_thread = bob.post("/api/v1/threads", &json!({ "title": "Beta thread" })).await.expect(201);
        let webhook = webhook(&ann).await;
        let sessions = ann.get("/api/v1/auth/sessions").await.expect(200);
        let ids = BTreeMap::from([
            ("teams", team.str("/id").to_owned()),
            ("projects", project.str("/id").to_owned()),
            ("roles", role.str("/id").to_owned()),
            ("members", max.user.clone()),
            ("people", max.user.clone()),
            ("invitations", invitation.str("/id").to_owned()),
            ("api-keys", key.str("/id").to_owned()),
            ("limits", limit.str("/id").to_owned()),
            ("sessions", sessions.str("/data/0/id").to_owned()),
            ("budgets", budget.str("/id").to_owned()),
            ("mail-domains", domain.str("/id").to_owned()),
            ("providers", provider),
            ("webhooks", webhook),
            ("aliases", "acme-secret-route".to_owned()),
            ("models", "acme-secret-model".to_owned()),
            ("orgs", ann.org.clone()),
            ("collections", known.collection.clone()),
            ("users", max.user.clone()),
            ("documents", known.document),
            ("threads", known.thread),
            ("messages", known.message),
            ("jobs", known.job),
            ("sources", known.source),
        ]);
        let own = BTreeMap::from([
            ("teams", bobs_team.str("/id").to_owned()),
            ("projects", bobs_project.str("/id").to_owned()),
            ("members", bea.user),
            ("api-keys", bobs.str("/id").to_owned()),
            ("orgs", bob.org.clone()),
            ("collections", bobs_collection.str("/id").to_owned()),
            ("threads", bobs_thread.str("/id").to_owned()),
        ]);
        let member = json!({ "role": "viewer" });
        let bodies = BTreeMap::from([
            ("/api/v1/teams", json!({ "name": "Another team" })),
            (
                "/api/v1/limits",
                json!({ "level": "organization", "operation": "mails", "requests_per_minute": 1_000_000 }),
            ),
            ("/api/v1/limits/{id}", json!({ "requests_per_minute": 2_000_000 })),
            ("/api/v1/user/connections/notion", json!({ "token": "ntn_of_nobody" })),
            ("/api/v1/teams/{id}", json!({ "name": "Another name" })),
            ("/api/v1/teams/{id}/members/{user_id}", member.clone()),
            ("/api/v1/projects", json!({ "name": "Another project" })),
            ("/api/v1/projects/{id}", json!({ "name": "Another name" })),
            ("/api/v1/projects/{id}/members/{user_id}", member.clone()),
            ("/api/v1/projects/{id}/teams/{team_id}", member.clone()),
            ("/api/v1/roles", json!({ "name": "Another role", "description": "x", "permissions": [] })),
            ("/api/v1/roles/{id}", json!({ "name": "Another name" })),
            ("/api/v1/members/{user_id}", member),
            ("/api/v1/invitations", json!({ "email": "other@example.com", "role": "viewer" })),
            ("/api/v1/auth/api-keys", json!({ "name": "Another key" })),
            ("/api/v1/auth/api-keys/{id}", json!({ "name": "Another name" })),
            ("/api/v1/orgs/{org_id}/lifetimes", json!({ "access_token": 600 })),
            (
                "/api/v1/budgets",
                json!({ "level": "user", "id": max.user, "period": "day", "amount_micros": 5, "currency": "USD", "kind": "soft" }),
            ),
            ("/api/v1/budgets/{id}", json!({ "amount_micros": 2_000 })),
            (
                "/api/v1/budgets/{id}/increase",
                json!({ "amount_micros": 5, "until": "2027-01-01T00:00:00Z", "reason": "x" }),
            ),
            ("/api/v1/collections", json!({ "name": "Another collection" })),
            ("/api/v1/collections/{id}", json!({ "name": "Another name" })),
            ("/api/v1/collections/{id}/sources", json!({ "urls": ["https://secret.acme.example/other"] })),
            ("/api/v1/sources/{id}", json!({ "name": "Another name" })),
            ("/api/v1/collections/{id}/documents/web", json!({ "url": "https://secret.acme.example/page" })),
            ("/api/v1/collections/{id}/documents/text", json!({ "title": "Another text", "text": "Words." })),
            ("/api/v1/documents/{id}", json!({ "title": "Another title" })),
            ("/api/v1/knowledge/embedding", json!({ "provider": "embedded", "model": "rowhouse-minilm" })),
            ("/api/v1/threads", json!({ "title": "Another thread" })),
            ("/api/v1/threads/{id}", json!({ "title": "Another title" })),
            ("/api/v1/threads/{id}/messages/{message_id}/feedback", json!({ "rating": 1 })),
            (
                "/api/v1/threads/{id}/messages/{message_id}/correction",
                json!({ "collection_id": known.collection, "text": "Thirty days." }),
            ),
            ("/api/v1/mail-domains", json!({ "domain": "other.acme.example", "role": "viewer" })),
            ("/api/v1/mail-domains/{id}", json!({ "joining": true })),
            ("/api/v1/mail-domains/join", json!({ "org_id": ann.org })),
            ("/api/v1/providers", json!({ "kind": "anthropic", "api_key": "another-secret-key" })),
            ("/api/v1/providers/{id}", json!({ "name": "Another name" })),
            ("/api/v1/webhooks", json!({ "url": "https://hooks.acme.example/other", "events": ["budget.threshold"] })),
            ("/api/v1/webhooks/{id}", json!({ "description": "Another one" })),
            ("/api/v1/models/aliases/{alias}", route),
            ("/api/v1/feedback", json!({ "text": "Another word", "page": "/ask" })),
            ("/api/v1/orgs/{org_id}", json!({ "name": "Another name" })),
            ("/api/v1/operator/people", json!({ "email": "other@example.com", "name": "Another person" })),
            ("/api/v1/orgs/{org_id}/transfer", json!({ "user_id": max.user })),
        ]);
        let mut marks: Vec<String> =
            ["Acme secret", "newcomer@acme.example", "secret.acme.example", "Ann's house"].map(str::to_owned).into();
        marks.extend(ids.values().filter(|id| **id != ann.org).cloned());
        let bobs_key = bob.with_token(Some(bobs.str("/key")));
        Self { ann, adi, max, vera, bob, bobs_key, bodies, marks, ids, bobs: own }
    }

    /// Acme's person with a role.
    pub(crate) fn as_role(&self, role: Builtin) -> &Client {
        match role {
            Builtin::Owner => &self.ann,
            Builtin::Admin => &self.adi,
            Builtin::Member => &self.max,
            Builtin::Viewer => &self.vera,
        }
    }

    /// Signs one of the world's people in anew.
    pub(crate) async fn sign_in(&self, house: &TestHouse, name: &str) -> Client {
        let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        let answer = house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
        house.visitor().with_token(Some(answer.str("/access_token")))
    }

    /// A path with Acme's ids.
    pub(crate) fn real(&self, path: &str) -> String {
        fill(path, |noun| self.ids.get(noun).cloned())
    }

    /// A path with Beta's ids, as far as it has such things.
    pub(crate) fn of_beta(&self, path: &str) -> String {
        fill(path, |noun| self.bobs.get(noun).cloned())
    }

    /// A path with ids that never existed.
    pub(crate) fn invented(path: &str) -> String {
        fill(path, |_| None)
    }

    /// A path of Beta's own things with one of Acme's ids in the last place, and the same with one that never existed there;
    /// for paths with two ids.
    pub(crate) fn mixed(&self, path: &str) -> Option<(String, String)> {
        let (outer, inner) = path.rsplit_once("/{")?;
        if !outer.contains('{') {
            return None;
        }
        let outer = fill(outer, |noun| self.bobs.get(noun).cloned());
        let noun = outer.rsplit('/').next()?;
        let rest = inner.split_once('}')?.1;
        let with = |id: &str| format!("{outer}/{id}{rest}");
        Some((with(self.ids.get(noun)?), with(invented_id(noun))))
    }

    /// Queries that refer to something: path, the query with `?` where the id goes, Acme's id, an id that never existed.
    pub(crate) fn queries(&self) -> Vec<(&'static str, &'static str, &str, &'static str)> {
        let about = |path, query, noun| (path, query, self.ids[noun].as_str(), invented_id(noun));
        vec![
            about("/api/v1/access/explain", "permission=org.read&user_id=", "members"),
            about("/api/v1/access/explain", "permission=teams.read&team_id=", "teams"),
            about("/api/v1/access/explain", "permission=projects.read&project_id=", "projects"),
            about("/api/v1/collections", "project_id=", "projects"),
            about("/api/v1/audit", "object=", "teams"),
            about("/api/v1/audit", "actor=", "members"),
            about("/api/v1/audit/export", "object=", "teams"),
        ]
    }

    /// A path with ids that never existed, inside Acme.
    pub(crate) fn invented_within(world: &Self, path: &str) -> String {
        Self::invented(&path.replace("{org_id}", &world.ann.org))
    }

    /// Bodies that refer to something: method, path, the body with `"?"` where the id goes, Acme's id, an id that never existed.
    pub(crate) fn references(&self) -> Vec<(Method, String, Value, Value, Value)> {
        let refer = |method: Method, path: &str, body: Value, noun: &str| {
            (method, path.to_owned(), body, json!(self.ids[noun]), json!(invented_id(noun)))
        };
        let post = |path: &str, body: Value, noun: &str| refer(Method::POST, path, body, noun);
        let invite = |teams: Value, projects: Value, role: &str| json!({ "email": "x@example.com", "role": role, "teams": teams, "projects": projects });
        let (org, team, project) = (&self.bobs["orgs"], &self.bobs["teams"], &self.bobs["projects"]);
        let (bea, role) = (&self.bobs["members"], json!({ "role": "?" }));
        let limiting = |level: &str| json!({ "level": level, "id": "?", "period": "day", "amount_micros": 5, "currency": "USD", "kind": "soft" });
        vec![
            post("/api/v1/budgets", limiting("team"), "teams"),
            post("/api/v1/budgets", limiting("project"), "projects"),
            post("/api/v1/budgets", limiting("key"), "api-keys"),
            post("/api/v1/budgets", limiting("user"), "members"),
            post("/api/v1/budgets", limiting("organization"), "orgs"),
            post("/api/v1/teams", json!({ "name": "Below", "parent_id": "?" }), "teams"),
            post("/api/v1/auth/api-keys", json!({ "name": "Key", "project_id": "?" }), "projects"),
            post(
                "/api/v1/invitations",
                invite(json!([{ "team_id": "?", "role": "viewer" }]), json!([]), "viewer"),
                "teams",
            ),
            post(
                "/api/v1/invitations",
                invite(json!([]), json!([{ "project_id": "?", "role": "viewer" }]), "viewer"),
                "projects",
            ),
            post("/api/v1/invitations", invite(json!([]), json!([]), "?"), "roles"),
            post("/api/v1/providers", json!({ "kind": "openai", "api_key": "a-key", "project_id": "?" }), "projects"),
            refer(
                Method::PUT,
                "/api/v1/models/aliases/own",
                json!({ "targets": [{ "provider": "?", "model": "m" }] }),
                "providers",
            ),
            refer(Method::PUT, "/api/v1/knowledge/embedding", json!({ "provider": "?", "model": "m" }), "providers"),
            post("/api/v1/collections", json!({ "name": "Mine", "project_id": "?" }), "projects"),
            post("/api/v1/threads", json!({ "project_id": "?" }), "projects"),
            post("/api/v1/limits", json!({ "level": "project", "id": "?", "concurrency": 9 }), "projects"),
            post("/api/v1/limits", json!({ "level": "user", "id": "?", "concurrency": 9 }), "members"),
            post("/api/v1/limits", json!({ "level": "key", "id": "?", "concurrency": 9 }), "api-keys"),
            post("/api/v1/mail-domains/join", json!({ "org_id": "?" }), "orgs"),
            post(
                "/api/v1/mail-domains",
                json!({ "domain": "b.example", "role": "viewer", "teams": [{ "team_id": "?", "role": "viewer" }] }),
                "teams",
            ),
            post(&format!("/api/v1/orgs/{org}/transfer"), json!({ "user_id": "?" }), "members"),
            refer(Method::PATCH, &format!("/api/v1/teams/{team}"), json!({ "parent_id": "?" }), "teams"),
            refer(Method::PATCH, &format!("/api/v1/members/{bea}"), role.clone(), "roles"),
            refer(Method::PUT, &format!("/api/v1/teams/{team}/members/{bea}"), role.clone(), "roles"),
            refer(Method::PUT, &format!("/api/v1/projects/{project}/members/{bea}"), role.clone(), "roles"),
            refer(Method::PUT, &format!("/api/v1/projects/{project}/teams/{team}"), role, "roles"),
            refer(Method::PUT, "/api/v1/auth/active-org", json!({ "org_id": "?" }), "orgs"),
        ]
    }
}

/// What Acme knows.
struct Known {
    collection: String,
    document: String,
    thread: String,
    message: String,
    job: String,
    source: String,
}

impl Known {
    async fn build(house: &TestHouse, ann: &Client, max: &Client, team: &str) -> Self {
        let collection = json!({ "name": "Acme secret collection", "access": "shared" });
        ann.post("/api/v1/collections", &collection).await.expect(201);
        let collection = ann.post("/api/v1/collections", &collection).await.expect(201).str("/id").to_owned();
        for with in [format!("users/{}", max.user), format!("teams/{team}")] {
            ann.put(&format!("/api/v1/collections/{collection}/shares/{with}"), &json!({})).await.expect(200);
        }
        let scope = house.scope(ann).await;
        house.document(&scope, &collection, "Acme secret document", &["Acme secret text"]).await;
        let texts = ["Acme secret text", "Acme secret ending"];
        let document = house.document(&scope, &collection, "Acme secret document, too", &texts).await;
        let thread = json!({ "title": "Acme secret thread", "access": "shared" });
        ann.post("/api/v1/threads", &thread).await.expect(201);
        let thread = ann.post("/api/v1/threads", &thread).await.expect(201).str("/id").to_owned();
        for with in [format!("users/{}", max.user), format!("teams/{team}")] {
            ann.put(&format!("/api/v1/threads/{thread}/shares/{with}"), &json!({})).await.expect(200);
        }
        let message = house.answer(&scope, &thread, &[document]).await.to_string();
        let source = json!({ "urls": ["https://secret.acme.example/page"], "name": "Acme secret pages" });
        let url = format!("/api/v1/collections/{collection}/sources");
        ann.post(&url, &source).await.expect(201);
        let source = ann.post(&url, &source).await.expect(201).str("/id").to_owned();
        let job = house.import(&scope, &collection, &["Acme secret file", "Acme secret file, too"]).await.to_string();
        Self { collection, document: document.to_string(), thread, message, job, source }
    }
}

/// Two webhooks at a host that there is not, and two messages to the first; its id.
async fn webhook(ann: &Client) -> String {
    let body = json!({ "url": "https://hooks.acme.example/Acme%20secret", "events": ["budget.threshold"], "description": "Acme secret hook" });
    let id = ann.post("/api/v1/webhooks", &body).await.expect(201).str("/id").to_owned();
    ann.post("/api/v1/webhooks", &body).await.expect(201);
    for _ in 0..2 {
        ann.post(&format!("/api/v1/webhooks/{id}/test"), &json!({})).await.expect(202);
    }
    id
}

/// A provider of Acme, and a body for an alias that leads to it.
async fn provider(ann: &Client) -> (String, Value) {
    let body = json!({
        "kind": "openai", "base_url": "https://secret.acme.example/v1", "api_key": "acme-secret-key-9Zq1", "models": ["acme-secret-model"],
    });
    ann.post("/api/v1/providers", &body).await.expect(201);
    let id = ann.post("/api/v1/providers", &body).await.expect(201).str("/id").to_owned();
    let route = json!({ "targets": [{ "provider": id, "model": "acme-secret-model" }] });
    for alias in ["acme-secret-route", "acme-secret-route-too"] {
        ann.put(&format!("/api/v1/models/aliases/{alias}"), &route).await.expect(200);
    }
    (id, route)
}

/// Puts a value where a body says `"?"`.
pub(crate) fn set(body: &mut Value, value: &Value) {
    match body {
        Value::String(text) if text == "?" => *body = value.clone(),
        Value::Array(list) => list.iter_mut().for_each(|item| set(item, value)),
        Value::Object(map) => map.values_mut().for_each(|item| set(item, value)),
        _ => {}
    }
}

fn invented_id(noun: &str) -> &'static str {
    INVENTED.iter().find(|(known, _)| *known == noun).map_or("nothing", |(_, id)| id)
}

/// Fills the ids of a path by the noun before each.
fn fill(path: &str, id: impl Fn(&str) -> Option<String>) -> String {
    let mut noun = "";
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            return id(noun).unwrap_or_else(|| invented_id(noun).to_owned());
        }
        noun = part;
        part.to_owned()
    });
    parts.collect::<Vec<_>>().join("/")
}
