//! The client, and servers that ask it to come back later.

use client::{Client, Error};
use domain::Ambient;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that gives these answers, one to each connection; in the end it gives back the requests.
async fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut request = vec![0; 4096];
            let mut length = 0;
            // The bodies here end in a brace; what has none ends with its head.
            while !request[..length].ends_with(b"}") && !request[..length].ends_with(b"\r\n\r\n") {
                length += stream.read(&mut request[length..]).await.expect("it is asked");
            }
            requests.push(String::from_utf8_lossy(&request[..length]).to_lowercase());
            stream.write_all(answer.as_bytes()).await.expect("it is answered");
        }
        requests
    });
    (url, served)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn wait(seconds: u32) -> String {
    let told = r#"{"error":{"code":"rate_limited","message":"Too many requests."}}"#;
    answer("429 Too Many Requests", &format!("retry-after: {seconds}\r\n"), told)
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn who_is_asked_to_wait_waits_and_sends_the_same_again() {
    let (url, served) = server(vec![wait(1), answer("201 Created", "etag: \"1\"\r\n", r#"{"id":"x"}"#)]).await;
    let client = Client::new(&url, "rh_live_1", Ambient::system()).expect("a client");
    let made = client.post("api/v1/roles", &json!({ "name": "Auditor" })).await.expect("made");
    assert_eq!((made.etag(), made.json().expect("JSON")), (Some("\"1\""), json!({ "id": "x" })));
    let requests = served.await.expect("served");
    let key = header(&requests[0], "idempotency-key").expect("a key");
    assert_eq!(key.len(), 32);
    assert_eq!(header(&requests[1], "idempotency-key"), Some(key));
    assert_eq!(header(&requests[1], "authorization"), Some("bearer rh_live_1"));
    assert!(requests.iter().all(|request| request.ends_with(r#"{"name":"auditor"}"#)), "{requests:?}");
}

#[tokio::test]
async fn nobody_waits_for_an_hour_nor_again_and_again() {
    let (url, served) = server(vec![wait(3600)]).await;
    let client = Client::new(&url, "rh_live_1", Ambient::system()).expect("a client");
    let refused = client.get("api/v1/roles").await.expect_err("refused");
    assert_eq!(refused.code(), Some("rate_limited"));
    assert_eq!(served.await.expect("served").len(), 1);
    let (url, served) = server(vec![wait(0); 5]).await;
    let client = Client::new(&url, "rh_live_1", Ambient::system()).expect("a client");
    let refused = client.delete("api/v1/roles/x", Some("\"1\"")).await.expect_err("refused");
    assert_eq!(refused.code(), Some("rate_limited"));
    let requests = served.await.expect("served");
    assert_eq!(header(&requests[4], "if-match"), Some("\"1\""));
}

#[tokio::test]
async fn what_can_be_no_server_and_no_key_is_told_before_anything_is_sent() {
    let client = |url: &str, key: &str| Client::new(url, key, Ambient::system());
    for url in ["", "localhost:8080", "ftp://localhost", "http://ann@localhost", "http://localhost/?x=1"] {
        assert!(matches!(client(url, "rh_live_1"), Err(Error::Address(_))), "{url}");
    }
    for key in ["", "  ", "rh\nlive", "rh\u{0}live"] {
        assert!(matches!(client("http://localhost", key), Err(Error::Credential)), "{key:?}");
    }
    let (url, served) = server(vec![answer("200 OK", "", "<html>")]).await;
    let found = client(&url, "rh_live_1").expect("a client").get("x").await.expect("answered");
    assert!(matches!(found.json(), Err(Error::NotRowhouse)));
    served.await.expect("served");
}
