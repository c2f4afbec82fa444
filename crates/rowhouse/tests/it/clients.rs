//! The official clients of OpenAI and Anthropic, as their registries give them out: they work by another base URL and another key.
//!
//! The programs stand in `examples/models/`, and the versions of the clients with them. A client is installed once, below the folder
//! of build results, and stays there for later runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testing::ScriptedUpstream;
use testing::Server;
use testing::packages::{installed, is_installed, pip};
use testing::process::{free_port, send};
use testing::upstream::Script;

use crate::ask::knows;
use crate::{BINARY, TOGETHER, written};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/models");
const README: &str = include_str!("../../../../README.md");
/// Where the README's server listens.
const USUAL: &str = "127.0.0.1:8080";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
const EMBEDDINGS: &str = "/v1/embeddings";
/// What the scripted upstream plays: one model of each dialect, with prices that come with Rowhouse. Each client asks both.
const SCRIPTED: &str = "gpt-4o-mini claude-haiku-4-5";
/// What the document says that is asked.
const SAYS: &str = "opens at nine";

#[test]
fn the_official_clients_for_python_work_by_url_and_key_alone() {
    if !is_installed("python3 -m pip") {
        return;
    }
    let packages = installed(TOGETHER, EXAMPLES, "python3", &["requirements.txt"], pip);
    let place = Place::new();
    let python = || {
        let mut python = place.program("python3");
        python.env("PYTHONPATH", &packages).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    };
    for program in ["openai_client.py", "anthropic_client.py"] {
        run(python().arg(Path::new(EXAMPLES).join(program)));
    }
    place.each_call_was_made_once_and_charged();
    // The README's own lines, with the address and the key of this run.
    let blocks: Vec<&str> = README.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let lines = blocks.concat().replace(USUAL, &place.server.address).replace("rh_live_…", &place.key);
    assert!(lines.contains(&place.server.address) && lines.contains(&place.key), "{lines}");
    assert!(blocks[0].trim_end().lines().count() <= 6, "{lines}");
    let said = run(python().args(["-c", &lines]));
    assert!(said.contains("The office opens at nine.") && said.contains("\n384 "), "{said}");
    place.each_answer_is_a_row_with_a_cost();
}

#[test]
fn the_official_clients_for_javascript_work_by_url_and_key_alone() {
    if !is_installed("node") || !is_installed("npm") {
        return;
    }
    let packages = installed(TOGETHER, EXAMPLES, "node", &["package.json", "package-lock.json"], |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(folder);
        npm
    });
    let place = Place::new();
    // A program finds its packages beside itself.
    let folder = place.folder.path().join("programs");
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(packages.join("node_modules"), folder.join("node_modules")).expect("a link");
    for program in ["openai_client.mjs", "anthropic_client.mjs"] {
        std::fs::copy(Path::new(EXAMPLES).join(program), folder.join(program)).expect("copied");
        run(place.program("node").arg(folder.join(program)));
    }
    place.each_call_was_made_once_and_charged();
}

/// Runs a program to its good end, and says what it printed.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = written(&output);
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

/// A server with somebody who has three keys: one to work with, one without money, one without calls left.
struct Place {
    folder: tempfile::TempDir,
    /// Where the upstream lives.
    _runtime: tokio::runtime::Runtime,
    upstream: ScriptedUpstream,
    server: Server,
    metrics: String,
    token: String,
    key: String,
    poor: String,
    spent: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = format!("127.0.0.1:{}", free_port());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let upstream = runtime.block_on(ScriptedUpstream::start());
        let tool = Some(("weather".to_owned(), r#"{"city":"Oslo"}"#.to_owned()));
        upstream.script("", &Script { tool, ..Script::default() });
        // The best model that is set up writes the answers from the documents.
        upstream.script("claude-opus-4-5", &Script { text: format!("The office {SAYS} [1]."), ..Script::default() });
        let settings = format!(
            "openai_api_key = 'sk-1'\nopenai_base_url = '{}'\nanthropic_api_key = 'sk-2'\nanthropic_base_url = '{}'\n",
            upstream.openai_url(),
            upstream.anthropic_url()
        );
        std::fs::write(folder.path().join("rowhouse.toml"), settings).expect("written");
        let server = Server::start(BINARY, folder.path(), free_port(), &["--metrics-listen", &metrics]);
        let body = json!({ "email": "ann@example.com", "password": "wet paint on the porch", "name": "Ann" });
        let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
        let token = signed_up.str("/access_token").to_owned();
        let key = |body: &Value| {
            let made = server.send("POST", "/api/v1/auth/api-keys", Some(&token), Some(body)).expect("answered");
            made.str("/key").to_owned()
        };
        let poor = key(&json!({ "name": "poor", "budget_micros": 1, "currency": "USD" }));
        let spent = key(&json!({ "name": "spent", "calls_per_day": 1 }));
        let key = key(&json!({ "name": "app" }));
        let question = json!({ "model": "rowhouse-extractive", "messages": [{ "role": "user", "content": "Hello?" }] });
        knows(&server, &token, "hours.md", &format!("# Hours\n\nThe office {SAYS}.\n"));
        let only = server.send("POST", CHAT, Some(&spent), Some(&question)).expect("answered");
        assert_eq!(only.status, 200, "{only:?}");
        Self { folder, _runtime: runtime, upstream, server, metrics, token, key, poor, spent }
    }

    /// A program that knows the server and the keys, and nothing that its caller has for a provider or a proxy.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper.starts_with("OPENAI_") || upper.starts_with("ANTHROPIC_") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command.env("ROWHOUSE_URL", format!("http://{}", self.server.address));
        command.env("ROWHOUSE_KEY", &self.key).env("ROWHOUSE_POOR_KEY", &self.poor);
        command.env("ROWHOUSE_SPENT_KEY", &self.spent).env("ROWHOUSE_TOOLS_MODELS", SCRIPTED);
        command.env("ROWHOUSE_EMBEDDING_MODEL", "text-embedding-3-small").env("ROWHOUSE_ANSWERS", SAYS);
        command
    }

    /// How many answers a route gave, by status.
    fn answers(&self, route: &str) -> BTreeMap<String, u64> {
        let page = send(&self.metrics, "GET", "/metrics", None, None).expect("answered").text;
        let head = format!("rowhouse_requests_total{{method=\"POST\",route=\"{route}\",status=\"");
        let counts = page.lines().filter_map(|line| line.strip_prefix(&head)?.split_once("\"} "));
        counts.map(|(status, count)| (status.to_owned(), count.parse().expect("a number"))).collect()
    }

    /// Each refusal was asked for once: no client tried again what cannot help.
    fn each_call_was_made_once_and_charged(&self) {
        for route in [CHAT, MESSAGES] {
            let mut answers = self.answers(route);
            assert!(answers.remove("200").is_some_and(|count| count >= 2), "{route}: {answers:?}");
            let refused = ["400", "401", "402", "404", "429"].map(|status| (status.to_owned(), 1)).into();
            assert_eq!(answers, refused, "{route}");
        }
        assert_eq!(self.answers(EMBEDDINGS), [("200".to_owned(), 3)].into());
        // Whole, streamed, and refused; with tools twice of each of two models.
        assert_eq!(self.answers(RESPONSES), [("200".to_owned(), 6), ("400".to_owned(), 1)].into());
        // Each of two clients asked two models twice, once whole and once streamed, and one of them in two ways; that one asked for
        // vectors and twice for an answer from the documents, too.
        let served = self.upstream.served();
        assert_eq!((served.calls, served.complete), (15, 15), "{served:?}");
        self.each_answer_is_a_row_with_a_cost();
    }

    fn each_answer_is_a_row_with_a_cost(&self) {
        let routes = [CHAT, RESPONSES, MESSAGES, EMBEDDINGS];
        let given: u64 = routes.iter().filter_map(|route| self.answers(route).get("200").copied()).sum();
        let page = self.server.send("GET", "/api/v1/usage/logs?limit=200", Some(&self.token), None).expect("answered");
        let rows = page.json["data"].as_array().expect("rows");
        assert_eq!(rows.len() as u64, given, "{rows:#?}");
        for row in rows {
            // The embedding model inside the server is free.
            let free = row["model"] == "rowhouse-minilm";
            assert!(row["outcome"] == "ok" && (row["cost_micros"].as_i64() > Some(0)) != free, "{row:#}");
            assert!(row["key_id"].is_string() && row["tokens"].as_i64() > Some(0), "{row:#}");
        }
    }
}
