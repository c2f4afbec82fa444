//! What a webhook is told by the real program, checked by the official library of Standard Webhooks as its registry gives it out.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use testing::Server;
use testing::packages::{installed, is_installed, pip};
use testing::process::free_port;

use crate::{BINARY, TOGETHER};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/webhooks");

#[test]
fn the_official_library_takes_what_a_webhook_is_told() {
    if !is_installed("python3 -m pip") {
        return;
    }
    let packages = installed(TOGETHER, EXAMPLES, "python3", &["requirements.txt"], pip);
    let folder = tempfile::tempdir().expect("a folder");
    let receiver = free_port();
    let settings = format!("egress_allow = '127.0.0.1:{receiver}'\n");
    std::fs::write(folder.path().join("rowhouse.toml"), settings).expect("written");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let body = json!({ "email": "ann@example.com", "password": "wet paint on the porch", "name": "Ann" });
    let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    let token = signed_up.str("/access_token");
    let body = json!({ "url": format!("http://127.0.0.1:{receiver}/in"), "events": ["budget.threshold"] });
    let hook = server.send("POST", "/api/v1/webhooks", Some(token), Some(&body)).expect("answered");
    let mut program = Command::new("python3")
        .arg(Path::new(EXAMPLES).join("receive.py"))
        .arg(receiver.to_string())
        .env("PYTHONPATH", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("WEBHOOK_SECRET", hook.str("/secret"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(program.stdout.take().expect("it is piped")).lines();
    let mut said = || said.next().expect("a line").expect("text");
    assert_eq!(said(), "listening");
    let test = format!("/api/v1/webhooks/{}/test", hook.str("/id"));
    let told = server.send("POST", &test, Some(token), Some(&json!({}))).expect("answered");
    assert_eq!(said(), format!("webhook.test {}", told.str("/id")));
    assert!(program.wait().expect("it ends").success());
}
