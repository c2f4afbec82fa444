//! An orderly stop while models are called: what can end in the time that is left ends, what cannot is cut off, and each is settled as
//! what it was.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;
use testing::Server;
use testing::upstream::Script;

use crate::shop::{CHAT, DIME, MODEL, Owner, Shop, budget, get, rows};

/// How long requests may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(4);

#[test]
fn a_stop_settles_what_goes_on_without_its_client_and_what_it_cuts_off_on_files() {
    stopped(Engine::Sqlite);
}

#[test]
fn a_stop_settles_what_goes_on_without_its_client_and_what_it_cuts_off_on_postgres() {
    stopped(Engine::Postgres);
}

fn stopped(engine: Engine) {
    let shop = Shop::open(engine);
    let slow = Script { usage: Some((20, 10)), delay: Duration::from_millis(2_500), ..Script::default() };
    shop.upstream.script(MODEL, &slow);
    let endless = Script {
        text: "On and on. ".repeat(2_000),
        pieces: 2_000,
        gap: Duration::from_millis(20),
        ..Script::default()
    };
    shop.upstream.script(DIME, &endless);
    let drain = ["--drain-seconds", &DRAIN.as_secs().to_string()];
    let server = shop.start_with(&drain);
    let owner = Shop::owner(&server, "Ann");
    let budget = budget(&server, &owner, "organization", None, 1_000_000_000);

    let impatient = ask(&server, &owner, MODEL, false);
    shop.runtime.block_on(shop.upstream.until(|counts| counts.calls == 1));
    drop(impatient);
    let (code, took) = server.terminate();
    assert_eq!(code, Some(0));
    assert!(took > Duration::from_secs(1) && took < DRAIN, "it ended with the call, after {took:?}");

    let server = shop.start_with(&drain);
    let mut stream = ask(&server, &owner, DIME, true);
    let mut begun = [0; 4096];
    assert!(stream.read(&mut begun).expect("it begins") > 0);
    let (code, took) = server.terminate();
    assert_eq!(code, Some(0));
    assert!(took >= DRAIN && took < 3 * DRAIN, "the stream had {took:?}");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("[DONE]"), "it was cut off");

    let server = shop.start();
    let all = rows(&server, &owner.token);
    let of = |model: &str| -> &Value {
        all.iter().find(|row| row["model"] == model).unwrap_or_else(|| panic!("no row of {model} in {all:?}"))
    };
    let whole = of(MODEL);
    assert_eq!((&whole["outcome"], &whole["cost_micros"]), (&json!("ok"), &json!(9)), "{whole}");
    let cut = of(DIME);
    assert_eq!((&cut["outcome"], &cut["cost_micros"]), (&json!("cancelled"), &json!(100_000)), "{cut}");
    assert!(cut["output_tokens"].as_i64() > Some(10), "it is charged for what was received: {cut}");
    assert_eq!(all.len(), 2, "{all:?}");
    let shown = get(&server, &owner.token, &format!("/api/v1/budgets/{budget}"));
    assert_eq!((&shown["used_micros"], &shown["held_micros"]), (&json!(100_009), &json!(0)), "{shown}");
    assert_eq!(server.terminate().0, Some(0));
    let (clean, said) = shop.verify(&[]);
    assert!(clean && said.contains("2 rows"), "{said}");
}

/// Sends a call, and gives the connection over which its answer will come.
fn ask(server: &Server, owner: &Owner, model: &str, stream: bool) -> TcpStream {
    let messages = json!([{ "role": "user", "content": "When does the office open?" }]);
    let body = json!({ "model": model, "stream": stream, "messages": messages }).to_string();
    let mut connection = TcpStream::connect(&server.address).expect("it listens");
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        owner.key,
        body.len()
    );
    connection.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    connection
}
