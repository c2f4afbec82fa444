//! Starting, stopping, and what lies on the disk meanwhile.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use testing::Server;
use testing::process::{command, files_below, free_port, run, send};

use crate::{BINARY, written};

#[test]
fn the_first_start_makes_everything_and_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &["--demo", "on"]);
    let printed = server.printed();
    for part in [
        &format!("is open at http://{}", server.address),
        &folder.path().join("data").display().to_string(),
        &folder.path().join("keys/master.key").display().to_string(),
        "ada@acme.example",
        tenancy::demo::PASSWORD,
        "rowhouse mail list",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    let body = json!({ "email": "ada@acme.example", "password": tenancy::demo::PASSWORD });
    assert_eq!(server.send("POST", "/api/v1/auth/login", None, Some(&body)).expect("answered").status, 200);
    let verified = run(BINARY, folder.path(), &["demo", "--verify"]);
    assert!(verified.status.success(), "{}", written(&verified));
    let (code, _) = server.terminate();
    assert_eq!(code, Some(0));
    // The next start leaves the world alone.
    let server = Server::start(BINARY, folder.path(), free_port(), &["--demo", "on"]);
    assert!(!server.printed().contains("ada@acme.example"), "{}", server.printed());
}

#[test]
fn others_do_not_come_in_with_the_password_of_the_demo_world() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(BINARY, folder.path(), &["demo"]);
    assert!(made.status.success(), "{}", written(&made));
    let public = ["--public-url", "https://rowhouse.example.com"];
    let listen = format!("127.0.0.1:{}", free_port());
    let refused = run(BINARY, folder.path(), &[&["serve", "--listen", &listen], &public[..]].concat());
    assert_eq!(refused.status.code(), Some(1), "{}", written(&refused));
    for part in ["ada@acme.example", "dan@acme.example", "turn `demo` on"] {
        assert!(written(&refused).contains(part), "{part} is not in {}", written(&refused));
    }
    let doctor = |more: &[&str]| run(BINARY, folder.path(), &[&["doctor"], more].concat());
    let ill = doctor(&public);
    assert_eq!(ill.status.code(), Some(1));
    assert!(written(&ill).contains("FAIL  demo world"), "{}", written(&ill));
    assert!(doctor(&[]).status.success());
    // It may be meant.
    let server = Server::start(BINARY, folder.path(), free_port(), &[&public[..], &["--demo", "on"]].concat());
    assert_eq!(server.terminate().0, Some(0));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let second = run(BINARY, folder.path(), &["serve", "--listen", &format!("127.0.0.1:{}", free_port())]);
    assert_eq!(second.status.code(), Some(1));
    assert!(written(&second).contains("another rowhouse uses"), "{}", written(&second));
    // Other data on the same port.
    let other = tempfile::tempdir().expect("a folder");
    let third = run(BINARY, other.path(), &["serve", "--listen", &server.address]);
    assert_eq!(third.status.code(), Some(1));
    assert!(written(&third).contains("something else listens there"), "{}", written(&third));
    assert!(!other.path().join("data/control.db").exists(), "a server that cannot be reached makes nothing");
}

#[test]
fn a_running_request_may_end_when_the_server_stops() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" }).to_string();
    let head = format!(
        "POST /api/v1/auth/signup HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = std::net::TcpStream::connect(&server.address).expect("connected");
    stream.write_all(head.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(200));
    let address = server.address.clone();
    let stopping = std::thread::spawn(move || server.terminate());
    std::thread::sleep(Duration::from_millis(300));
    assert!(std::net::TcpStream::connect(&address).is_err(), "nobody new is let in");
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (code, took) = stopping.join().expect("it ends");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

const PROVIDER_KEYS: [&str; 3] = ["sk-planted-operator-Kd83hs", "sk-planted-tenant-Wq19zz", "planted-header-Lm55tt"];

#[test]
fn a_request_that_does_not_end_is_cut_off_when_the_server_stops() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &["--drain-seconds", "1"]);
    let mut stream = std::net::TcpStream::connect(&server.address).expect("connected");
    let head = "POST /api/v1/auth/signup HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\
                expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("sent");
    // The server asks for the body, which never comes: the request is running.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).expect("asked");
    assert!(asked.starts_with(b"HTTP/1.1 100 Continue"));
    let (code, took) = server.terminate();
    assert_eq!(code, Some(0));
    assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&took), "{took:?}");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
}

#[test]
fn a_log_that_cannot_be_written_keeps_nobody_from_an_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("127.0.0.1:{}", free_port());
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
    let mut serve = command(BINARY, folder.path(), &["serve", "--listen", &address, "--log", "debug"]);
    let mut server = serve.stdout(Stdio::null()).stderr(full).spawn().expect("the binary starts");
    let began = Instant::now();
    let answered = loop {
        match send(&address, "GET", "/healthz", None, None) {
            Err(_) if began.elapsed() < Duration::from_secs(20) => std::thread::sleep(Duration::from_millis(20)),
            outcome => break outcome,
        }
    };
    let _ = server.kill();
    let _ = server.wait();
    assert_eq!(answered.expect("answered").status, 200);
}

#[test]
fn headers_are_bounded() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let ask = |length: usize| {
        let mut stream = std::net::TcpStream::connect(&server.address).expect("connected");
        let head =
            format!("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {}\r\n\r\n", "x".repeat(length));
        let _ = stream.write_all(head.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert!(ask(16 << 10).starts_with("HTTP/1.1 200"));
    assert!(ask(32 << 10).starts_with("HTTP/1.1 413"), "{}", ask(32 << 10));
    // Far above it nothing is read to the end.
    assert!(ask(65 << 10).starts_with("HTTP/1.1 431"), "{}", ask(65 << 10));
    assert_eq!(server.send("GET", "/healthz", None, None).expect("answered").status, 200);
}

#[test]
fn a_plan_of_the_operators_own_is_in_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plans.toml");
    let plan = |seats: &str| {
        format!(
            "default = 'club'\n[[plan]]\nname = 'club'\ntitle = 'Club'\ndescription = 'For a club.'\nfeatures = []\n[plan.limits]\n\
             requests = 7\ntokens = 8\nseats = {seats}\nstorage = 9\ndocuments = 1\nschedules = 1\nprospects = 1\nmails = 1\nconcurrency = 1\n\
             teams = 1\nprojects = 1\nroles = 1\napi_keys = 1\n"
        )
    };
    std::fs::write(&file, plan("0")).expect("written");
    let arguments = ["--plans", &file.display().to_string()];
    let refused = run(BINARY, folder.path(), &[&["serve", "--listen", "127.0.0.1:0"], &arguments[..]].concat());
    assert_eq!(refused.status.code(), Some(2), "{}", written(&refused));
    assert!(written(&refused).contains("club") && written(&refused).contains("seats"), "{}", written(&refused));
    std::fs::write(&file, plan("2")).expect("written");
    let server = Server::start(BINARY, folder.path(), free_port(), &arguments);
    let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" });
    let ada = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    assert_eq!(ada.str("/organization/plan"), "club");
    let token = Some(ada.str("/access_token"));
    let entitlements = format!("/api/v1/orgs/{}/entitlements", ada.str("/organization/id"));
    let told = server.send("GET", &entitlements, token, None).expect("answered");
    assert_eq!(told.json["limits"]["requests"]["value"], 7, "{told:?}");
    let invite = |name: &str| {
        let body = json!({ "email": format!("{name}@example.com"), "role": "member" });
        server.send("POST", "/api/v1/invitations", token, Some(&body)).expect("answered").status
    };
    assert_eq!([invite("max"), invite("eve")], [201, 402], "there are two seats");
}

#[test]
fn nothing_that_was_planted_is_found_on_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let operator = ["--openai-api-key", PROVIDER_KEYS[0]];
    let server = Server::start(BINARY, folder.path(), free_port(), &operator);
    let needles =
        ["planted-secret-a8Zq17", "planted-text-Bm42xw", "planted-person-77Kq", "planted.address@example.com"];
    let body = json!({
        "email": needles[3], "password": needles[0], "name": needles[2], "organization_name": "planted-house-91"
    });
    let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    assert_eq!(signed_up.status, 201, "{signed_up:?}");
    let tokens = [signed_up.str("/access_token"), signed_up.str("/refresh_token")];
    let team = server.send("POST", "/api/v1/teams", Some(tokens[0]), Some(&json!({ "name": needles[1] })));
    assert_eq!(team.expect("answered").status, 201);
    // Providers' keys: the operator's in the environment of the server, and one that an organisation brings.
    let provider = json!({
        "kind": "openai", "api_key": PROVIDER_KEYS[1], "headers": { "x-planted": PROVIDER_KEYS[2] }, "models": ["gpt-4o-mini"]
    });
    let provider = server.send("POST", "/api/v1/providers", Some(tokens[0]), Some(&provider)).expect("answered");
    assert_eq!(provider.status, 201, "{provider:?}");
    let routed = server.send("GET", "/api/v1/models/gpt-4o-mini", Some(tokens[0]), None).expect("answered");
    assert_eq!(routed.str("/targets/0/provider"), provider.str("/id"));
    let data = folder.path().join("data");
    let key = std::fs::read_to_string(folder.path().join("keys/master.key")).expect("a key");
    let secrets: Vec<&[u8]> = needles
        .iter()
        .chain(&tokens)
        .chain(&PROVIDER_KEYS)
        .map(|text| text.as_bytes())
        .chain([key.trim().as_bytes(), b"planted-house-91", b"CREATE TABLE", b"SQLite format 3"])
        .collect();
    let search = |when: &str| {
        let files = files_below(&data);
        assert!(files.len() >= 3, "{files:?}");
        for file in files {
            let bytes = std::fs::read(&file).expect("readable");
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|window| window == *secret);
                assert!(!found, "{} holds {} {when}", file.display(), String::from_utf8_lossy(secret));
            }
        }
    };
    assert!(
        files_below(&data).iter().any(|file| file.display().to_string().ends_with("-wal")),
        "there is a log to search"
    );
    search("while it runs");
    server.kill();
    search("after a crash");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    assert_eq!(server.terminate().0, Some(0));
    search("after a stop");
    // Nor does the log tell.
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    assert!(!log.contains(needles[0]) && !log.contains(tokens[0]) && !log.contains(tokens[1]), "{log}");
    assert!(PROVIDER_KEYS.iter().all(|key| !log.contains(key)), "{log}");
}

#[test]
fn metrics_stand_on_an_address_of_their_own_and_name_no_tenant() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = format!("127.0.0.1:{}", free_port());
    let server = Server::start(BINARY, folder.path(), free_port(), &["--metrics-listen", &metrics]);
    let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" });
    let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    assert_eq!(server.send("GET", "/metrics", None, None).expect("answered").status, 404);
    let page = send(&metrics, "GET", "/metrics", None, None).expect("answered").text;
    assert!(
        page.contains("rowhouse_requests_total{method=\"POST\",route=\"/api/v1/auth/signup\",status=\"201\"} 1"),
        "{page}"
    );
    assert!(!page.contains(signed_up.str("/organization/id")) && !page.contains(signed_up.str("/user/id")), "{page}");
}

#[test]
fn a_strict_ledger_is_on_the_disk_before_each_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = format!("127.0.0.1:{}", free_port());
    let server =
        Server::start(BINARY, folder.path(), free_port(), &["--metrics-listen", &metrics, "--strict-ledger", "on"]);
    let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" });
    let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    let flushes = || -> u64 {
        let page = send(&metrics, "GET", "/metrics", None, None).expect("answered").text;
        let line = page.lines().find_map(|line| line.strip_prefix("rowhouse_ledger_flushes_total "));
        line.map_or(0, |count| count.parse().expect("a number"))
    };
    let message = json!([{ "role": "user", "content": "When does the office open? It opens at nine." }]);
    for calls in 1..=5 {
        let question = json!({ "model": "rowhouse-extractive", "messages": message, "stream": calls % 2 == 0 });
        let token = Some(signed_up.str("/access_token"));
        let answered = server.send("POST", "/v1/chat/completions", token, Some(&question)).expect("answered");
        assert_eq!((answered.status, flushes()), (200, calls), "{answered:?}");
    }
}
