//! `rowhouse ask`: asks a server for an answer from an organisation's documents, with an API key. Why not from the data folder:
//! decision 16.

use client::{Client, Refused, shown};
use serde_json::{Value, json};

use super::remote::{self, Door};
use crate::output::{print, print_json};
use crate::{Failed, Outcome, because};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) question: &'a str,
    pub(crate) door: Door<'a>,
    /// A project's name or id.
    pub(crate) project: Option<&'a str>,
    /// Names or ids of collections; all that can be seen when there are none.
    pub(crate) collections: Vec<&'a str>,
    pub(crate) json: bool,
}

pub(crate) fn ask(asking: &Asking<'_>) -> Outcome {
    remote::at(&asking.door, async |mut client| {
        if let Some(project) = asking.project {
            client.enter_project(project).await?;
        }
        let mut collections = Vec::new();
        for name in &asking.collections {
            collections.push(client.named("collections", "col_", name).await?);
        }
        let thread = client.post("api/v1/threads", &json!({})).await?.json()?;
        let mut body = json!({ "content": asking.question });
        if !collections.is_empty() {
            body["collections"] = collections.into();
        }
        let path = format!("api/v1/threads/{}/messages", thread["id"].as_str().unwrap_or_default());
        answer(&client, &path, &body, asking.json).await
    })
}

/// Asks, prints the answer while it comes, and then where it is from.
async fn answer(client: &Client, path: &str, body: &Value, as_json: bool) -> Outcome {
    let mut events = client.stream(path, body).await?;
    let (mut rest, mut said) = (Vec::new(), String::new());
    while let Some(bytes) = events.chunk().await.map_err(|error| because(format!("the answer broke off: {error}")))? {
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
                "error" => {
                    let refused = Refused::read(&data).map(because);
                    return Err(refused.unwrap_or_else(|| because("the server gave no answer")));
                }
                _ => {}
            }
        }
    }
    Err(because("the answer broke off"))
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
