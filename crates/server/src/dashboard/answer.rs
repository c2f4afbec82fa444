//! What is answered where no route of the API is.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::{Dashboard, File};
use crate::App;
use crate::http::error::Problem;

/// How the addresses of pages begin; the rest of each is the dashboard's own matter (`dashboard/src/app/router.tsx`). The links in
/// mails are among them (`tenancy/src/letters.rs`).
const PAGES: [&str; 16] = [
    "",
    "login",
    "signup",
    "forgot-password",
    "reset-password",
    "verify-email",
    "confirm-email",
    "undo-email",
    "keep-account",
    "invitations",
    "mail-domains",
    "welcome",
    "o",
    "account",
    "operator",
    "guide",
];

/// How the addresses of programs begin: what is not there is told to them in JSON.
const PROGRAMS: [&str; 7] = ["api", "v1", ".well-known", "assets", "healthz", "readyz", "metrics"];

/// What stands in the first page where its nonce belongs.
const NONCE: &str = "STYLE_NONCE";

const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
    <title>Rowhouse</title><h1>Rowhouse is running, without its dashboard</h1><p>This program was built without it. Install Node 20 \
    or newer, run <code>make build</code> or <code>make run</code>, and start it again.<p>The API is all there: \
    <a href=\"/api/docs\">its documentation</a>.</html>\n";

/// Answers a file of the dashboard, its first page, or that there is nothing.
pub(crate) async fn fallback(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::not_found().into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let files = app.dashboard;
    if path != "index.html"
        && let Some(file) = files.find(path)
    {
        return sent(file, &headers);
    }
    let first = path.split('/').next().unwrap_or("");
    if PAGES.contains(&first) {
        return page(&app, files, StatusCode::OK);
    }
    let reads_pages =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    if reads_pages && !PROGRAMS.contains(&first) {
        page(&app, files, StatusCode::NOT_FOUND)
    } else {
        Problem::not_found().into_response()
    }
}

fn sent(file: &File, headers: &HeaderMap) -> Response {
    let coded = file.coded(headers);
    let tag = format!("\"{}-{}\"", file.hash, coded.coding.unwrap_or("plain"));
    // What is in `assets` has a hash in its name: another content has another name.
    let keep = if file.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known =
        headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(&tag));
    let described = [(CACHE_CONTROL, keep), (VARY, "Accept-Encoding"), (ETAG, tag.as_str())];
    if known {
        return (StatusCode::NOT_MODIFIED, described).into_response();
    }
    let mut response = (described, [(CONTENT_TYPE, kind(file.path))], coded.bytes).into_response();
    if let Some(coding) = coded.coding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The first page. It is made anew for each answer, with a nonce that nobody could guess: for the style elements that the page's library
/// computes in the browser. Scripts have none; they come from files alone, and text becomes markup nowhere.
fn page(app: &App, files: Dashboard, status: StatusCode) -> Response {
    let nonce = app.house.store.ambient().bytes::<16>().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types default"
    );
    let built = files.find("index.html").and_then(|file| file.plain).map(|bytes| String::from_utf8_lossy(bytes));
    let text = built.map_or_else(|| UNBUILT.to_owned(), |text| text.replace(NONCE, &nonce));
    let described = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        // Without a tag: no two are the same, and a nonce must not come back.
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, policy.as_str()),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    (status, described, text).into_response()
}
