//! `rowhouse ask`: an answer with its sources at the command line, or the code that says that there is none.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::Server;
use testing::process::{command, free_port};

use crate::{BINARY, written};

/// Brings a text into a collection that everybody sees, and waits until it can be asked.
pub(crate) fn knows(server: &Server, token: &str, name: &str, text: &str) {
    let send = |method: &str, path: &str, body: Option<&Value>| {
        server.send(method, path, Some(token), body).expect("answered")
    };
    let collection = send("POST", "/api/v1/collections", Some(&json!({ "name": "Office", "access": "project" })));
    let form = format!(
        "--rim\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n--rim--\r\n"
    );
    let request = format!(
        "POST /api/v1/collections/{}/documents HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=rim\r\ncontent-length: {}\r\n\r\n{form}",
        collection.str("/id"),
        server.address,
        form.len()
    );
    let mut stream = TcpStream::connect(&server.address).expect("connected");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 202"), "{answer}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let path = format!("/api/v1/documents/{}", body["document"]["id"].as_str().expect("an id"));
    let began = Instant::now();
    loop {
        let shown = send("GET", &path, None).json;
        if shown["status"] == "ready" && shown["passages"] == shown["embedded"] {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30) && shown["status"] != "failed", "{shown}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_question_at_the_command_line_is_answered_with_its_sources() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let body = json!({ "email": "ann@example.com", "password": "wet paint on the porch", "name": "Ann" });
    let ann = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    let token = ann.str("/access_token").to_owned();
    knows(
        &server,
        &token,
        "hours.md",
        "# House rules\n\n## Hours\n\nThe office opens at nine. The canteen is closed on Mondays.\n",
    );
    let made = json!({ "name": "desk" });
    let key = server.send("POST", "/api/v1/auth/api-keys", Some(&token), Some(&made)).expect("answered");
    let me = server.send("GET", "/api/v1/auth/me", Some(&token), None).expect("answered");
    let slug = me.str("/organization/slug").to_owned();
    let url = format!("http://{}", server.address);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let ask = |key: &str, arguments: &[&str]| {
        let all = [&["ask"], arguments, &["--url", &url]].concat();
        let output = command(BINARY, elsewhere.path(), &all).env("ROWHOUSE_API_KEY", key).output().expect("it runs");
        (output.status.code(), written(&output))
    };
    let asked = "When does the office open?";
    let (code, said) = ask(key.str("/key"), &[asked, "--org", &slug]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The office opens at nine. [1]"), "{said}");
    assert!(said.contains("\n[1] House rules, Hours\n"), "{said}");
    let (code, said) = ask(key.str("/key"), &[asked, "--org", &slug, "--collection", "Office", "--json"]);
    let json: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (code, &json["unknown"], &json["citations"][0]["title"]),
        (Some(0), &json!(false), &json!("House rules"))
    );
    let (code, said) = ask(key.str("/key"), &["Who won the election?", "--org", &slug]);
    assert_eq!((code, said.trim()), (Some(3), "I do not know from your documents."));
    let failures = [
        (key.str("/key"), vec![asked, "--org", "elsewhere"], "the key is not for an organisation elsewhere"),
        (
            key.str("/key"),
            vec![asked, "--org", &slug, "--collection", "Cellar"],
            "nothing called Cellar among the collections",
        ),
        (
            key.str("/key"),
            vec![asked, "--org", &slug, "--project", "Cellar"],
            "nothing called Cellar among the projects",
        ),
        ("rh_live_wrong", vec![asked, "--org", &slug], "(unauthenticated)"),
        (key.str("/key"), vec![" ", "--org", &slug], "(invalid_field)"),
    ];
    for (key, arguments, why) in failures {
        let (code, said) = ask(key, &arguments);
        assert!(code == Some(1) && said.contains(why) && !said.contains(key), "{code:?} {said}");
    }
    let none = command(BINARY, elsewhere.path(), &["ask", asked, "--org", &slug]).output().expect("it runs");
    assert!(!none.status.success() && written(&none).contains("ROWHOUSE_API_KEY"), "{}", written(&none));
    assert!(std::fs::read_dir(elsewhere.path()).expect("a folder").next().is_none(), "it makes nothing where it runs");
}
