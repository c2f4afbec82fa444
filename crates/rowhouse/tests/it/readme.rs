//! The first five minutes of the README, line by line as they stand there.

use std::process::{Command, Stdio};

use testing::Server;
use testing::process::{self, free_port};

use crate::{BINARY, written};

const README: &str = include_str!("../../../../README.md");

/// The lines for a shell in the part of the README under a heading.
fn shell_lines(heading: &str) -> String {
    let part = README.split("\n## ").find_map(|part| part.strip_prefix(heading)).expect("the heading is there");
    let blocks = part.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("the block ends"));
    blocks.collect::<Vec<_>>().join("echo\n")
}

#[test]
fn the_first_five_minutes_of_the_readme_go_as_written() {
    if !Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &["--demo", "on"]);
    let lines = format!("{}\necho\n{}", shell_lines("The first five minutes"), shell_lines("Ask your documents"));
    assert!(lines.contains("http://127.0.0.1:8080"), "{lines}");
    let ask = format!("{BINARY} ask --url http://{}", server.address);
    let lines = lines.replace("127.0.0.1:8080", &server.address).replace("target/debug/rowhouse ask", &ask);
    let script = format!("set -euo pipefail\n{lines}\necho\ncurl -s $url/auth/me -H \"authorization: Bearer $max\"\n");
    let mut bash = Command::new("bash");
    bash.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let done = bash.args(["-c", &script]).stdin(Stdio::null()).output().expect("bash runs");
    let text = written(&done);
    assert!(done.status.success(), "{text}");
    for part in [
        "\"name\":\"Acme Paint\",\"slug\":\"acme-paint\",\"plan\":\"free\"",
        "\"token_type\":\"Bearer\",\"expires_in\":600",
        "\"email\":\"max@example.com\",\"role\":\"member\"",
        "\"key\":\"rh_live_",
        "\"action\":\"api_key.created\"",
        "\"action\":\"member.joined\"",
        "210 euros",
        "30 April",
        "HR-B2",
        "I do not know from your documents.",
        "[1] Support runbook",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("\"error\""), "{text}");
    let me = text.lines().last().expect("the last answer");
    assert!(me.contains("Acme Paint"), "Max belongs to Ann's organisation: {me}");
}

#[test]
fn what_the_readme_tells_the_operator_works_beside_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &["--demo", "on"]);
    let mut tried = 0;
    for line in shell_lines("For the operator").lines() {
        let Some(command) = line.split('#').next().and_then(|line| line.strip_prefix("target/debug/rowhouse ")) else {
            continue;
        };
        let arguments: Vec<&str> = command.split_whitespace().collect();
        // In the README it listens where it does by default.
        let output =
            process::command(BINARY, folder.path(), &arguments).env("ROWHOUSE_LISTEN", &server.address).output();
        let output = output.expect("the binary starts");
        // Who makes an operator is asked for a password, and here nobody answers.
        let asks = arguments.starts_with(&["operator", "create"]);
        assert!(
            output.status.success() || asks && written(&output).contains("password"),
            "{line}: {}",
            written(&output)
        );
        tried += 1;
    }
    assert!(tried >= 5, "{tried} commands");
}
