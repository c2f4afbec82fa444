//! Commands beside `serve`: what they print, and with which code they end.

use serde_json::{Value, json};
use testing::Server;
use testing::process::{command, files_below, free_port, run};

use crate::{BINARY, written};

#[test]
fn config_check_explains_each_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let right = run(BINARY, folder.path(), &["config", "check"]);
    assert!(right.status.success(), "{}", written(&right));
    let file = folder.path().join("rowhouse.toml");
    std::fs::write(&file, "lisen = '127.0.0.1:1'\nopen_files = 'many'\n").expect("written");
    let mistakes = run(BINARY, folder.path(), &["config", "check", "--public-url", "rowhouse.example.com"]);
    assert_eq!(mistakes.status.code(), Some(1));
    let text = written(&mistakes);
    for part in [
        "did you mean `listen`?",
        "`open_files` must be a whole number",
        "--public-url must be an address with its scheme",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // The same mistakes keep a server from starting.
    let refused = run(BINARY, folder.path(), &["serve"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(written(&refused).contains("did you mean `listen`?"), "{}", written(&refused));
    std::fs::remove_file(&file).expect("removed");
    let inside = folder.path().join("data/master.key");
    let inside = run(BINARY, folder.path(), &["serve", "--master-key-file", &inside.display().to_string()]);
    assert_eq!(inside.status.code(), Some(2));
    assert!(written(&inside).contains("must not be inside the data folder"), "{}", written(&inside));
    let missing = run(BINARY, folder.path(), &["config", "check", "--config", "nowhere.toml"]);
    assert!(written(&missing).contains("nowhere.toml cannot be read"), "{}", written(&missing));
}

#[test]
fn a_variable_that_is_no_text_is_a_mistake_only_when_it_is_ours() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let check =
        |name: &str| command(BINARY, folder.path(), &["config", "check"]).env(name, bytes).output().expect("run");
    let foreign = check("GREETING");
    assert!(foreign.status.success(), "{}", written(&foreign));
    let ours = check("ROWHOUSE_MAIL_FROM");
    assert_eq!(ours.status.code(), Some(1));
    assert!(written(&ours).contains("mistake: ROWHOUSE_MAIL_FROM must be text in UTF-8"), "{}", written(&ours));
}

#[test]
fn secrets_are_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut check = command(BINARY, folder.path(), &["config", "check"]);
    check
        .env("ROWHOUSE_DATABASE_URL", "postgres://u:hush-hush@db/rowhouse")
        .env("ROWHOUSE_SMTP_URL", "smtp://u:hush-hush@mail");
    let text = written(&check.output().expect("run"));
    assert!(!text.contains("hush-hush") && text.contains("***"), "{text}");
    let mut wrong = command(BINARY, folder.path(), &["serve"]);
    wrong.env("ROWHOUSE_DATABASE_URL", "mysql://u:hush-hush@db").env("ROWHOUSE_SMTP_URL", "smtp://u:hush-hush@:x");
    let text = written(&wrong.output().expect("run"));
    assert!(!text.contains("hush-hush") && text.contains("ROWHOUSE_DATABASE_URL must be"), "{text}");
}

#[test]
fn commands_that_look_make_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["mail", "list"][..],
        &["doctor"],
        &["audit", "verify"],
        &["usage", "verify"],
        &["demo", "--verify"],
        &["keys", "rotate-master"],
        &["migrate"],
    ] {
        let output = run(BINARY, folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(written(&output).contains("there is no data in"), "{}", written(&output));
    }
    assert!(!folder.path().join("data").exists() && !folder.path().join("keys").exists());
    assert_eq!(run(BINARY, folder.path(), &["nonsense"]).status.code(), Some(2));
}

#[test]
fn documents_are_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |arguments: &[&str]| {
        let output = run(BINARY, folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", written(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let document: Value = serde_json::from_str(&text(&["openapi"])).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    for (document, part) in [
        (&["docs", "matrix"][..], "| `org.read` |"),
        (&["docs", "errors"], "| `not_found` | 404 |"),
        (&["docs", "settings"], "`ROWHOUSE_MASTER_KEY_FILE`"),
        (&["docs", "migrations"], "0001_house"),
        (&["migrate", "--print"], "CREATE TABLE people"),
        (&["migrate", "--print", "postgres"], "rowhouse_app"),
        (&["version"], "rowhouse "),
    ] {
        assert!(text(document).contains(part), "{part} is not in {document:?}");
    }
}

#[test]
fn what_could_not_be_written_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
    let lost = command(BINARY, folder.path(), &["docs", "errors"]).stdout(full).output().expect("run");
    assert_eq!(lost.status.code(), Some(1), "{}", written(&lost));
    assert!(written(&lost).contains("rowhouse: standard output cannot be written: "), "{}", written(&lost));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let closed = command(BINARY, folder.path(), &["docs", "errors"]).stdout(writer).output().expect("run");
    assert!(closed.status.success() && closed.stderr.is_empty(), "{}", written(&closed));
}

#[test]
fn an_operator_is_made_and_looks_around() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "wet paint on the porch\n").expect("written");
    let create = |email: &str| {
        let password = password.display().to_string();
        run(
            BINARY,
            folder.path(),
            &["operator", "create", "--email", email, "--name", "Op", "--password-file", &password],
        )
    };
    let made = create("op@example.com");
    assert!(made.status.success(), "{}", written(&made));
    let new = format!("There was no data in {}", folder.path().join("data").display());
    assert!(written(&made).contains(&new), "{}", written(&made));
    let again = create("op@example.com");
    assert_eq!(again.status.code(), Some(1));
    assert!(!written(&again).contains(&new), "{}", written(&again));
    assert!(written(&again).contains("taken"), "{}", written(&again));
    assert_eq!(create("nobody").status.code(), Some(2));

    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let body = json!({ "email": "op@example.com", "password": "wet paint on the porch" });
    assert_eq!(server.send("POST", "/api/v1/auth/login", None, Some(&body)).expect("answered").status, 200);
    let refused = server.send("GET", "/api/v1/auth/me", Some("nonsense"), None).expect("answered");
    assert_eq!(refused.status, 401);
    let request = refused.str("/error/request_id").to_owned();
    std::thread::sleep(std::time::Duration::from_millis(500));
    // Commands work beside a running server.
    let explained = run(BINARY, folder.path(), &["auth", "explain", &request]);
    assert!(explained.status.success(), "{}", written(&explained));
    assert!(written(&explained).contains("Malformed"), "{}", written(&explained));
    let listed = run(BINARY, folder.path(), &["mail", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert!(listed["data"].is_array());
    let unknown = run(BINARY, folder.path(), &["auth", "explain", "req_unknown"]);
    assert_eq!(unknown.status.code(), Some(1));
}

/// `SQLite` holds a lock on each file that is open: without it, a command beside the server takes itself for the last one that has it open,
/// and removes the log that the server goes on writing.
#[test]
fn a_server_holds_the_lock_of_a_file_that_it_has_open() {
    use rustix::fs::{FlockOperation, fcntl_lock};
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(BINARY, folder.path(), free_port(), &[]);
    let body = json!({ "email": "ada@example.com", "password": "wet paint on the porch", "name": "Ada" });
    let ada = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
    let token = Some(ada.str("/access_token"));
    let own = ada.str("/organization/id").trim_start_matches("org_").to_owned();
    let make = |name: &str| {
        let made = server.send("POST", "/api/v1/teams", token, Some(&json!({ "name": name }))).expect("answered");
        assert_eq!(made.status, 201, "{made:?}");
    };
    make("Before");
    let mut files = files_below(&folder.path().join("data/orgs"));
    files.retain(|file| {
        file.extension().is_some_and(|ending| ending == "db") && file.display().to_string().contains(&own)
    });
    let [file] = &files[..] else { panic!("one file: {files:?}") };
    let is_held = || {
        let opened = std::fs::File::options().read(true).write(true).open(file).expect("opened");
        fcntl_lock(opened, FlockOperation::NonBlockingLockExclusive).is_err()
    };
    assert!(is_held());
    for arguments in [&["audit", "verify"][..], &["doctor"], &["usage", "verify"]] {
        let looked = run(BINARY, folder.path(), arguments);
        assert!(looked.status.success(), "{}", written(&looked));
        make(arguments[0]);
        assert!(is_held(), "after {arguments:?}");
    }
}

/// An organisation that nobody uses becomes cold by the time of its file, however often somebody looks whether it is whole.
#[test]
fn whether_an_organisation_is_whole_is_no_use_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["demo"][..], &["audit", "verify"]] {
        let made = run(BINARY, folder.path(), arguments);
        assert!(made.status.success(), "{}", written(&made));
    }
    let mut files = files_below(&folder.path().join("data/orgs"));
    files.retain(|file| file.extension().is_some_and(|ending| ending == "db"));
    assert!(!files.is_empty());
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * 365);
    for file in &files {
        std::fs::File::open(file).and_then(|file| file.set_modified(long_ago)).expect("set");
    }
    for arguments in [&["doctor"][..], &["audit", "verify"]] {
        let looked = run(BINARY, folder.path(), arguments);
        assert!(looked.status.success(), "{}", written(&looked));
        for file in &files {
            let used_at = std::fs::metadata(file).and_then(|about| about.modified()).expect("there");
            assert_eq!(used_at, long_ago, "{arguments:?} used {}", file.display());
        }
    }
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(BINARY, folder.path(), &["demo"]);
    assert!(made.status.success(), "{}", written(&made));
    let doctor = || run(BINARY, folder.path(), &["doctor"]);
    let well = doctor();
    assert!(well.status.success(), "{}", written(&well));
    let data = folder.path().join("data");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).expect("set");
    let open = doctor();
    assert_eq!(open.status.code(), Some(1));
    assert!(written(&open).contains("run chmod 0700"), "{}", written(&open));
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).expect("set");

    let file = files_below(&data.join("orgs")).into_iter().find(|file| file.extension().is_some_and(|e| e == "db"));
    let file = file.expect("an organisation's file");
    let mut bytes = std::fs::read(&file).expect("read");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let damaged = doctor();
    assert_eq!(damaged.status.code(), Some(1));
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    assert!(written(&damaged).contains(&format!("FAIL  org_{name}")), "{}", written(&damaged));
    assert!(written(&damaged).contains("2 are whole"), "{}", written(&damaged));

    let rotated = run(BINARY, folder.path(), &["keys", "rotate-master"]);
    assert!(rotated.status.success(), "{}", written(&rotated));
    let migrated = run(BINARY, folder.path(), &["migrate"]);
    assert!(written(&migrated).contains("0001_house"), "{}", written(&migrated));

    std::fs::write(
        folder.path().join("keys/master.key"),
        "rowhouse-master-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    )
    .expect("written");
    let wrong_key = doctor();
    assert!(written(&wrong_key).contains("FAIL  house key"), "{}", written(&wrong_key));
}
