//! The way out through real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use egress::{Egress, Endpoint, Error, Limits, Policy, Request, Response};
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

fn egress(allow: &str) -> Egress {
    Egress::new(Policy { allow: vec![allow.parse().expect("an entry")], own: Vec::new() })
}

fn get(address: SocketAddr, limits: Limits) -> Request {
    let endpoint = Endpoint::new(&format!("http://{address}/x")).expect("a good URL");
    Request { method: Method::GET, endpoint, headers: HeaderMap::new(), body: Bytes::new(), limits }
}

/// Reads a request's head, and gives it.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut bytes).await.expect("bytes"), 0, "the request is whole");
    }
    String::from_utf8(bytes).expect("text")
}

/// Answers one request with these bytes while it is sent, and keeps the connection open until the other side closes it.
async fn exchange(answer: &'static str, limits: Limits) -> Result<Response, Error> {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.expect("it is read");
        let _ = stream.read(&mut [0]).await;
    });
    egress("127.0.0.1").send(get(address, limits)).await
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let response = exchange(answer, Limits::default()).await.expect("an answer");
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn the_request_asks_for_no_compression_and_names_the_host() {
    let (listener, address) = listen().await;
    let send = tokio::spawn(async move { egress("127.0.0.1").send(get(address, Limits::default())).await.map(|_| ()) });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let head = head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("it is read");
    send.await.expect("no panic").expect("an answer");
    assert!(head.starts_with("GET /x HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {address}\r\n")) && head.contains("accept-encoding: identity\r\n"), "{head}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_on() {
    let limits = Limits { size: 4, ..Limits::default() };
    let response = exchange("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345", limits).await.expect("a head");
    assert!(matches!(response.body.whole().await, Err(Error::TooLarge(4))));
}

#[tokio::test]
async fn time_runs_out_at_each_stage() {
    let short = Duration::from_millis(100);
    let head = exchange("", Limits { head: short, ..Limits::default() }).await;
    assert!(matches!(head, Err(Error::Timeout(_))), "{head:?}");
    for limits in [Limits { idle: short, ..Limits::default() }, Limits { total: short, ..Limits::default() }] {
        let response = exchange("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n1", limits).await.expect("a head");
        let body = response.body.whole().await;
        assert!(matches!(body, Err(Error::Timeout(_))), "{body:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_is_replaced() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("it is read");
        }
    });
    let egress = egress("127.0.0.1");
    for _ in 0..3 {
        egress.send(get(address, Limits::default())).await.expect("an answer");
    }
    server.await.expect("each came over a connection of its own");
}

#[tokio::test]
async fn dropping_an_answer_closes_its_connection_at_once() {
    let (listener, address) = listen().await;
    let egress = egress("127.0.0.1");
    let send = tokio::spawn(async move { egress.send(get(address, Limits::default())).await });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    head(&mut stream).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n1").await.expect("it is read");
    let mut response = send.await.expect("no panic").expect("a head");
    assert_eq!(response.body.chunk().await.expect("a part").as_deref(), Some(&b"1"[..]));
    drop(response);
    // Nothing more is sent, so only the end of the connection can end this.
    let ended = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0])).await.expect("within a second");
    assert!(matches!(ended, Ok(0) | Err(_)));
}

#[tokio::test]
async fn names_are_checked_by_where_they_lead() {
    let (listener, address) = listen().await;
    let endpoint = Endpoint::new(&format!("https://localhost:{}", address.port())).expect("a good URL");
    let request = Request { endpoint, ..get(address, Limits::default()) };
    let refused = Egress::new(Policy::default()).send(request.clone()).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    // What speaks no TLS is no server to speak with, allowed or not.
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("it is read");
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let failed = egress("localhost").send(request).await.expect_err("no TLS there");
    assert!(matches!(failed, Error::Connect(..)) && !failed.sent(), "{failed:?}");
}
