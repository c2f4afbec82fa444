//! `rowhouse ask`: asks a server for an answer from an organisation's documents, with an API key. Why not from the data folder:
//! decision 16.

use std::str::FromStr as _;
use std::time::Duration;

use egress::{Allowed, Body, Egress, Endpoint, Limits, Policy, Request};
use serde_json::{Value, json};

use crate::output::{print, print_json};
use crate::{Failed, Outcome, because};

/// The variable that holds the key. On the command line others on the machine could read it.
pub(crate) const KEY: &str = "ROWHOUSE_API_KEY";
/// Where a server listens when nobody says otherwise.
pub(crate) const URL: &str = "http://127.0.0.1:8080";
/// The longest answer to wait for.
const LIMITS: Limits = Limits {
    head: Duration::from_mins(1),
    idle: Duration::from_mins(2),
    total: Duration::from_mins(15),
    size: 64 << 20,
};
/// Things of a kind that are looked through for a name.
const LISTED: u32 = 200;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) question: &'a str,
    /// The organisation's short label, or its id.
    pub(crate) org: &'a str,
    /// A project's name or id.
    pub(crate) project: Option<&'a str>,
    /// Names or ids of collections; all that can be seen when there are none.
    pub(crate) collections: Vec<&'a str>,
    pub(crate) url: &'a str,
    pub(crate) json: bool,
}

pub(crate) fn ask(asking: &Asking<'_>) -> Outcome {
    let key = std::env::var(KEY).map_err(|_| because(format!("put an API key into {KEY}")))?;
    let base = Endpoint::new(asking.url).map_err(|error| because(format!("--url {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(because)?;
    runtime.block_on(async {
        // Whoever runs the command says which server it is, wherever that may be.
        let host = Allowed::from_str(base.host()).map_err(because)?;
        let egress = Egress::new(Policy { allow: vec![host], own: Vec::new() });
        let mut client = Client { egress, base, key: key.trim().to_owned(), org: None, project: None };
        client.enter(asking).await?;
        let collections = client.collections(&asking.collections).await?;
        let thread = client.json("POST", "api/v1/threads", Some(&json!({}))).await?;
        let mut body = json!({ "content": asking.question });
        if !collections.is_empty() {
            body["collections"] = collections.into();
        }
        let path = format!("api/v1/threads/{}/messages", thread["id"].as_str().unwrap_or_default());
        client.answer(&path, &body, asking.json).await
    })
}

struct Client {
    egress: Egress,
    base: Endpoint,
    key: String,
    org: Option<String>,
    project: Option<String>,
}

impl Client {
    /// Finds the organisation and the project that were named.
    async fn enter(&mut self, asking: &Asking<'_>) -> Outcome {
        let me = self.json("GET", "api/v1/auth/me", None).await?;
        let own = me["organizations"].as_array().cloned().unwrap_or_default();
        let wanted = |one: &&Value| [&one["slug"], &one["id"]].iter().any(|name| name.as_str() == Some(asking.org));
        let mut fitting = own.iter().filter(wanted);
        let org =
            fitting.next().ok_or_else(|| because(format!("the key is not for an organisation {}", asking.org)))?;
        if fitting.next().is_some() {
            return Err(because(format!("several organisations are called {}: name one by its id", asking.org)));
        }
        self.org = org["id"].as_str().map(str::to_owned);
        if let Some(project) = asking.project {
            self.project = Some(self.named("projects", "prj_", project).await?);
        }
        Ok(())
    }

    async fn collections(&self, names: &[&str]) -> Outcome<Vec<String>> {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.named("collections", "col_", name).await?);
        }
        Ok(ids)
    }

    /// The id of what has this name, or is this id.
    async fn named(&self, kind: &str, prefix: &str, name: &str) -> Outcome<String> {
        if name.starts_with(prefix) {
            return Ok(name.to_owned());
        }
        let list = self.json("GET", &format!("api/v1/{kind}?limit={LISTED}"), None).await?;
        let all = list["data"].as_array().cloned().unwrap_or_default();
        let mut fitting = all.iter().filter(|one| one["name"].as_str() == Some(name));
        match (fitting.next().and_then(|one| one["id"].as_str()), fitting.next()) {
            (Some(id), None) => Ok(id.to_owned()),
            (None, _) => Err(because(format!("there is nothing called {name} among the {kind} that the key can see"))),
            (Some(_), Some(_)) => Err(because(format!("several {kind} are called {name}: name one by its id"))),
        }
    }

    async fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let answer = self.send(method, path, body, "application/json").await?;
        let bytes = answer.whole().await.map_err(|error| because(format!("{}: {error}", self.base.host())))?;
        serde_json::from_slice(&bytes).map_err(|_| because("the server's answer is no JSON: is it Rowhouse?"))
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>, accept: &str) -> Outcome<Body> {
        let mut request = http::Request::builder().method(method).header("accept", accept);
        request = request.header("authorization", format!("Bearer {}", self.key));
        if let Some(org) = &self.org {
            request = request.header("x-rowhouse-org", org);
        }
        if let Some(project) = &self.project {
            request = request.header("x-rowhouse-project", project);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let (head, ()) = request.body(()).map_err(|_| because(format!("{KEY} is no key")))?.into_parts();
        let endpoint = self.base.join(path).map_err(because)?;
        let request =
            Request { method: head.method, endpoint, headers: head.headers, body: bytes.into(), limits: LIMITS };
        let unreachable = |error| because(format!("{} cannot be asked: {error}", self.base.host()));
        let answer = self.egress.send(request).await.map_err(unreachable)?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        let bytes = answer.body.whole().await.map_err(unreachable)?;
        let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Err(refused(&told).unwrap_or_else(|| because(format!("the server answered {}", answer.status))))
    }

    /// Asks, prints the answer while it comes, and then where it is from.
    async fn answer(&self, path: &str, body: &Value, as_json: bool) -> Outcome {
        let mut events = self.send("POST", path, Some(body), "text/event-stream").await?;
        let (mut rest, mut said) = (Vec::new(), String::new());
        while let Some(bytes) =
            events.chunk().await.map_err(|error| because(format!("the answer broke off: {error}")))?
        {
            rest.extend_from_slice(&bytes);
            while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = rest.drain(..end + 2).collect();
                let event = String::from_utf8_lossy(&event);
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let (Some(name), Some(data)) = (field("event: "), field("data: ")) else { continue };
                let data: Value = serde_json::from_str(data).unwrap_or_default();
                match name {
                    "delta" if !as_json => {
                        let text = shown(data["content"].as_str().unwrap_or_default());
                        print(&text);
                        said.push_str(&text);
                    }
                    "message" => return told(&data, &said, as_json),
                    "error" => return Err(refused(&data).unwrap_or_else(|| because("the server gave no answer"))),
                    _ => {}
                }
            }
        }
        Err(because("the answer broke off"))
    }
}

/// Prints the end of an answer.
fn told(message: &Value, said: &str, as_json: bool) -> Outcome {
    let unknown = message["unknown"] == true;
    if as_json {
        print_json(message);
    } else {
        let content = shown(message["content"].as_str().unwrap_or_default());
        if content.trim() != said.trim() {
            // Some of what the model said is not in the documents.
            print(format!("{}What of it the documents say:\n\n{content}", if said.is_empty() { "" } else { "\n\n" }));
        }
        print(format!("\n{}", sources(message)));
    }
    if unknown { Err(Failed::Unknown) } else { Ok(()) }
}

/// The sources, a line each: number, title, headings, page.
fn sources(message: &Value) -> String {
    let mut text = String::new();
    for citation in message["citations"].as_array().into_iter().flatten() {
        let part = |name: &str| citation[name].as_str().map(shown).filter(|part| !part.is_empty());
        text.push_str(&format!("\n[{}] {}", citation["n"], part("title").unwrap_or_default()));
        // The outermost heading is often the title once more.
        let title = part("title").unwrap_or_default();
        let heading = part("heading").unwrap_or_default();
        let heading = heading.strip_prefix(&title).unwrap_or(&heading);
        let heading = heading.strip_prefix(" > ").unwrap_or(heading);
        if !heading.is_empty() {
            text.push_str(&format!(", {heading}"));
        }
        if let Some(page) = citation["page"].as_i64() {
            text.push_str(&format!(", page {page}"));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// A text without signs that a terminal obeys: documents and their titles are somebody's.
fn shown(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect()
}

/// What the server says against it.
fn refused(told: &Value) -> Option<Failed> {
    let message = told["error"]["message"].as_str()?;
    Some(because(format!("{} ({})", shown(message), told["error"]["code"].as_str().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_in_an_answer() {
        assert_eq!(shown("a\u{1b}[2Jb\u{7}\nc\u{9b}31m"), "a[2Jb\nc31m");
        let message = json!({ "citations": [
            { "n": 1, "title": "Travel\u{1b} policy", "heading": "Travel policy > 2 Hotels", "page": 1 },
            { "n": 2, "title": "Prices", "heading": "", "page": null },
        ] });
        assert_eq!(sources(&message), "\n[1] Travel policy, 2 Hotels, page 1\n[2] Prices\n");
    }
}
