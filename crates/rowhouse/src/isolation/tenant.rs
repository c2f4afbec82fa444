//! One of the two organisations of a check: a probe with one of everything in it, made through the API like anybody's.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tenancy::House;
use tenancy::probes::Probe;

use super::caller::{Caller, Content};
use crate::{Outcome, because};

/// How long a document may take until it is found by words and by meaning.
const READING: Duration = Duration::from_secs(30);
/// How often is looked.
const PAUSE: Duration = Duration::from_millis(100);

/// What both organisations keep in the same words: told apart by whose it is alone.
pub(super) const SHARED: &str =
    "The gate of the north yard opens at seven in the morning, and the caretaker has the key.";

/// What each answers from its own document.
pub(super) const QUESTION: &str = "What is the password of the cellar door?";
/// The model inside the program: a check asks nobody else, and costs nothing.
pub(super) const EMBEDDED: &str = "rowhouse-extractive";

/// An organisation of the check, with its owner signed in.
pub(super) struct Tenant {
    pub(super) probe: Probe,
    pub(super) owner: Caller,
    /// Its API key.
    pub(super) key: String,
    /// The owner's access token, and the one that renews it.
    pub(super) tokens: (String, String),
    /// Its ids, by the noun before them in a path.
    pub(super) ids: BTreeMap<&'static str, String>,
    /// A word that is written in all that it has, and nowhere else.
    pub(super) word: String,
    /// The document that holds [`SHARED`].
    pub(super) shared: String,
}

impl Tenant {
    /// Signs its owner in, and puts one of everything into it.
    pub(super) async fn fill(house: &House, visitor: &Caller, probe: Probe) -> Outcome<Self> {
        let word = format!("w{}", store::hex(&house.store.ambient().bytes::<8>()));
        let signed_in = json!({ "email": probe.email, "password": probe.password });
        let tokens = visitor.must(&Method::POST, "/api/v1/auth/login", &signed_in).await?;
        let access = text(&tokens, "access_token");
        let owner = visitor.with_token(&access).in_org(&probe.org.to_string());
        let mut tenant = Self {
            owner,
            key: String::new(),
            tokens: (access, text(&tokens, "refresh_token")),
            ids: BTreeMap::new(),
            shared: String::new(),
            word,
            probe,
        };
        tenant.furnish().await?;
        Ok(tenant)
    }

    /// What stands in its things, and what leads to them: nothing of it may be shown to anybody else. Its organisation's id is left
    /// out: whoever names it is answered with it, and finds it in their own log.
    pub(super) fn marks(&self) -> Vec<&str> {
        let ids = self.ids.iter().filter(|(noun, _)| **noun != "orgs").map(|(_, id)| id.as_str());
        ids.chain([self.word.as_str(), self.probe.email.as_str(), self.key.as_str()]).collect()
    }

    /// A text that it alone keeps.
    pub(super) fn secret(&self) -> String {
        format!("The password of the cellar door is {}. Nobody else knows it.", self.word)
    }

    async fn furnish(&mut self) -> Outcome {
        let word = self.word.clone();
        let (org, user) = (self.probe.org.to_string(), self.probe.user.to_string());
        for (noun, id) in [("orgs", &org), ("members", &user), ("users", &user), ("people", &user)] {
            self.ids.insert(noun, id.clone());
        }
        self.made("teams", "/api/v1/teams", json!({ "name": format!("{word} team") })).await?;
        self.made("projects", "/api/v1/projects", json!({ "name": format!("{word} project") })).await?;
        let role = json!({ "name": format!("{word} role"), "description": word, "permissions": ["audit.read"] });
        self.made("roles", "/api/v1/roles", role).await?;
        // Mail to this top-level domain goes nowhere.
        let invitation = json!({ "email": format!("{word}@probe.invalid"), "role": "viewer" });
        self.made("invitations", "/api/v1/invitations", invitation).await?;
        let key = self.made("api-keys", "/api/v1/auth/api-keys", json!({ "name": format!("{word} key") })).await?;
        self.key = text(&key, "key");
        let budget = json!({ "level": "organization", "period": "total", "amount_micros": 1_000_000_000, "currency": "USD", "kind": "soft" });
        self.made("budgets", "/api/v1/budgets", budget).await?;
        let limit = json!({ "level": "organization", "operation": "mails", "requests_per_minute": 1_000_000 });
        self.made("limits", "/api/v1/limits", limit).await?;
        let domain = json!({ "domain": format!("{word}.invalid"), "role": "viewer" });
        self.made("mail-domains", "/api/v1/mail-domains", domain).await?;
        let url = format!("https://{word}.invalid");
        let provider = json!({ "kind": "openai", "base_url": format!("{url}/v1"), "api_key": format!("{word}-key"), "models": [format!("{word}-model")] });
        let provider = self.made("providers", "/api/v1/providers", provider).await?;
        let alias = json!({ "targets": [{ "provider": provider["id"], "model": format!("{word}-model") }] });
        self.owner.must(&Method::PUT, &format!("/api/v1/models/aliases/{word}-alias"), &alias).await?;
        self.ids.insert("aliases", format!("{word}-alias"));
        self.ids.insert("models", format!("{word}-model"));
        let webhook = json!({ "url": url, "events": ["budget.threshold"], "description": word });
        self.made("webhooks", "/api/v1/webhooks", webhook).await?;
        let collection =
            self.made("collections", "/api/v1/collections", json!({ "name": format!("{word} collection") })).await?;
        let texts = format!("/api/v1/collections/{}/documents/text", text(&collection, "id"));
        let told = json!({ "title": format!("{word} note"), "text": self.secret() });
        let told = self.owner.must(&Method::POST, &texts, &told).await?;
        self.ids.insert("documents", text(&told["document"], "id"));
        self.ids.insert("jobs", text(&told, "job_id"));
        let same = json!({ "title": format!("{word} yard"), "text": SHARED });
        let same = self.owner.must(&Method::POST, &texts, &same).await?;
        self.shared = text(&same["document"], "id");
        self.read(&self.ids["documents"].clone()).await?;
        self.read(&self.shared.clone()).await?;
        let thread = self.made("threads", "/api/v1/threads", json!({ "title": format!("{word} thread") })).await?;
        let messages = format!("/api/v1/threads/{}/messages", text(&thread, "id"));
        let question = json!({ "content": QUESTION, "model": EMBEDDED });
        let message = self.owner.must(&Method::POST, &messages, &question).await?;
        if !message.to_string().contains(&word) {
            return Err(because(
                "the check cannot be prepared: an organisation's own question is not answered from its own document",
            ));
        }
        self.ids.insert("messages", text(&message, "id"));
        let sessions = self.owner.must(&Method::GET, "/api/v1/auth/sessions", &Value::Null).await?;
        self.ids.insert("sessions", text(&sessions["data"][0], "id"));
        Ok(())
    }

    /// Makes a thing, and remembers its id.
    async fn made(&mut self, noun: &'static str, path: &str, body: Value) -> Outcome<Value> {
        let made = self.owner.must(&Method::POST, path, &body).await?;
        self.ids.insert(noun, text(&made, "id"));
        Ok(made)
    }

    /// Waits until a document is found.
    async fn read(&self, document: &str) -> Outcome {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < READING {
            let answer =
                self.owner.send(&Method::GET, &format!("/api/v1/documents/{document}"), &Content::Nothing).await?;
            let shown = answer.json();
            match shown["status"].as_str() {
                Some("ready") if shown["passages"] == shown["embedded"] => return Ok(()),
                Some("failed") => break,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(because(format!(
            "the check cannot be prepared: the document {document} is not read; does the server take documents in?"
        )))
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
