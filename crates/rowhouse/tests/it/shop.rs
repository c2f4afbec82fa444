//! Data on either engine, a scripted model server beside it, and the servers that are started and killed on them.

use std::path::Path;

use domain::Ambient;
use serde_json::{Value, json};
use store::Engine;
use tempfile::TempDir;
use testing::process::{Reply, free_port, run};
use testing::{Database, ScriptedUpstream, Server};
use tokio::runtime::Runtime;

use crate::{BINARY, written};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MODEL: &str = "gpt-4o-mini";
/// A model whose calls cost ten cents each, whatever they read and write.
pub(crate) const DIME: &str = "dime";
const PRICES: &str = r#"
    [[list]]
    version = "dime-1"
    from = "2026-01-01T00:00:00Z"
    [[list.price]]
    model = "dime"
    input = 0
    output = 0
    request = 100_000
"#;

/// What stays while servers come and go.
pub(crate) struct Shop {
    folder: TempDir,
    /// Where the upstream lives.
    pub(crate) runtime: Runtime,
    pub(crate) upstream: ScriptedUpstream,
    pub(crate) database: Option<Database>,
    /// Where its server listens.
    pub(crate) port: u16,
    arguments: Vec<String>,
}

/// Somebody with an organisation of their own, and a key for programs.
pub(crate) struct Owner {
    pub(crate) token: String,
    pub(crate) org: String,
    pub(crate) user: String,
    pub(crate) key: String,
    pub(crate) key_id: String,
}

impl Shop {
    /// A shop without data, and plans without an end.
    pub(crate) fn open(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let upstream = runtime.block_on(ScriptedUpstream::start());
        let plans = include_str!("../../../domain/data/plans.toml");
        let wide: Vec<&str> = plans.lines().map(widened).collect();
        std::fs::write(folder.path().join("plans.toml"), wide.join("\n")).expect("written");
        std::fs::write(folder.path().join("prices.toml"), PRICES).expect("written");
        let settings = format!(
            "openai_api_key = 'sk-1'\nopenai_base_url = '{}'\n\
             plans = 'plans.toml'\nprices = 'prices.toml'\n",
            upstream.openai_url()
        );
        std::fs::write(folder.path().join("rowhouse.toml"), settings).expect("written");
        let database = (engine == Engine::Postgres).then(|| runtime.block_on(Database::empty(&Ambient::system())));
        let mut arguments = Vec::new();
        if let Some(database) = &database {
            let given = ["--database-url", database.url(), "--database-role-prefix", database.role_prefix()];
            arguments =
                [&given[..], &["--database-connections", "6"]].concat().into_iter().map(str::to_owned).collect();
        }
        Self { folder, runtime, upstream, database, port: free_port(), arguments }
    }

    /// The folder of the settings, and of the data on the embedded engine.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server, always at the same address: access tokens are issued by it.
    pub(crate) fn start(&self) -> Server {
        self.start_at(self.port, &[])
    }

    /// Starts it with more settings.
    pub(crate) fn start_with(&self, more: &[&str]) -> Server {
        self.start_at(self.port, more)
    }

    /// Starts another server beside the first, known to people by the same address.
    pub(crate) fn start_another(&self) -> Server {
        let known = format!("http://127.0.0.1:{}", self.port);
        self.start_at(free_port(), &["--public-url", &known])
    }

    fn start_at(&self, port: u16, more: &[&str]) -> Server {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Server::start(BINARY, self.path(), port, &arguments)
    }

    /// Runs a command with the shop's settings: whether all went well, and what it printed.
    pub(crate) fn run(&self, command: &[&str], more: &[&str]) -> (bool, String) {
        let own = self.arguments.iter().map(String::as_str);
        let arguments: Vec<&str> = command.iter().copied().chain(own).chain(more.iter().copied()).collect();
        let output = run(BINARY, self.path(), &arguments);
        (output.status.success(), written(&output))
    }

    /// Checks the books at the command line.
    pub(crate) fn verify(&self, more: &[&str]) -> (bool, String) {
        self.run(&["usage", "verify"], more)
    }

    /// Asks `rowhouse doctor`.
    pub(crate) fn doctor(&self) -> (bool, String) {
        self.run(&["doctor"], &[])
    }

    /// Signs somebody up and makes them a key.
    pub(crate) fn owner(server: &Server, name: &str) -> Owner {
        let email = format!("{}@example.com", name.to_lowercase());
        let body = json!({ "email": email, "password": "wet paint on the porch", "name": name });
        let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
        let text = |pointer: &str| signed_up.str(pointer).to_owned();
        let (token, org, user) = (text("/access_token"), text("/organization/id"), text("/user/id"));
        let made = post(server, &token, "/api/v1/auth/api-keys", &json!({ "name": "app" }));
        Owner { key: made.str("/key").to_owned(), key_id: made.str("/id").to_owned(), token, org, user }
    }
}

/// A line of the plans without its limit.
fn widened(line: &'static str) -> &'static str {
    match line.split_once(" = ").map(|(name, _)| name) {
        Some("requests") => "requests = 9_007_199_254_740_991",
        Some("tokens") => "tokens = 9_007_199_254_740_991",
        Some("documents") => "documents = 1_000_000",
        Some("concurrency") => "concurrency = 100_000",
        _ => line,
    }
}

/// Makes something.
pub(crate) fn post(server: &Server, token: &str, path: &str, body: &Value) -> Reply {
    let made = server.send("POST", path, Some(token), Some(body)).expect("answered");
    assert_eq!(made.status, 201, "{made:?}");
    made
}

/// Looks at something.
pub(crate) fn get(server: &Server, token: &str, path: &str) -> Value {
    let found = server.send("GET", path, Some(token), None).expect("answered");
    assert_eq!(found.status, 200, "{found:?}");
    found.json
}

/// A hard budget for all times; gives its id.
pub(crate) fn budget(server: &Server, owner: &Owner, level: &str, id: Option<&str>, micros: i64) -> String {
    let body = json!({
        "level": level, "id": id, "period": "total", "amount_micros": micros, "currency": "USD", "kind": "hard"
    });
    post(server, &owner.token, "/api/v1/budgets", &body).str("/id").to_owned()
}

/// The whole usage log.
pub(crate) fn rows(server: &Server, token: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut path = "/api/v1/usage/logs?limit=200".to_owned();
    loop {
        let page = get(server, token, &path);
        rows.extend(page["data"].as_array().expect("rows").clone());
        let Some(cursor) = page["next_cursor"].as_str() else { return rows };
        path = format!("/api/v1/usage/logs?limit=200&cursor={cursor}");
    }
}
