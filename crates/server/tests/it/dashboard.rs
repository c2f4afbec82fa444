//! Pages: what gets one, what never does, and in which words they come.

use std::io::Write;
use std::sync::LazyLock;

use axum::http::Method;
use serde_json::json;
use server::{Dashboard, File};
use testing::Wish;

const SCRIPT: &str = "export const door = 'green';\n";

/// A first page, a script that is kept compressed, and a font that is not.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(SCRIPT.as_bytes()).expect("written");
    let gzip: &'static [u8] = gzip.finish().expect("compressed").leak();
    let page: &'static [u8] = b"<meta name=\"style-nonce\" nonce=\"STYLE_NONCE\"><p>the first page";
    let file = |path, hash, plain, gzip, brotli| File { path, hash, plain, gzip, brotli };
    vec![
        file("assets/main-abc.js", "0123456789abcdef", None, Some(gzip), Some(b"by brotli")),
        file("assets/inter-abc.woff2", "1123456789abcdef", Some(b"font"), None, None),
        file("favicon.svg", "2123456789abcdef", Some(b"<svg/>"), None, None),
        file("index.html", "3123456789abcdef", Some(page), None, None),
    ]
});

fn built() -> Wish {
    Wish { dashboard: Dashboard(&FILES), ..Wish::default() }
}

testing::both_stores! {
    in built();
    async fn addresses_of_pages_get_the_first_page_under_a_strict_policy(house) {
        let visitor = house.visitor();
        let mut nonces = std::collections::BTreeSet::new();
        for path in ["/", "/login", "/o/acme/keys?create=true", "/o/acme/documents/a.pdf", "/reset-password?token=x", "/invitations/accept"] {
            let page = visitor.get(path).await.expect(200);
            assert!(page.text.contains("the first page"), "{path}");
            assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
            assert_eq!(page.headers["cache-control"], "no-cache");
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert_eq!(page.headers["x-content-type-options"], "nosniff");
            assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin");
            assert!(page.headers.get("etag").is_none(), "a nonce must not come back");
            let policy = page.headers["content-security-policy"].to_str().expect("text");
            assert!(!policy.contains("unsafe"), "{policy}");
            for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"] {
                assert!(policy.contains(part), "{part} is not in {policy}");
            }
            let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
            assert_eq!(nonce.len(), 32);
            assert!(page.text.contains(&format!("nonce=\"{nonce}\"")) && !page.text.contains("STYLE_NONCE"), "{}", page.text);
            assert!(nonces.insert(nonce.to_owned()), "each page has a nonce of its own");
        }
    }

    async fn addresses_of_programs_never_get_a_page(house) {
        let browser = house.visitor().with("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        for path in ["/api", "/api/v1/nothing", "/v1/nothing", "/.well-known/nothing", "/assets/gone.js", "/metrics", "/readyz/x"] {
            let answer = browser.get(path).await.expect(404);
            assert_eq!(answer.headers["content-type"], "application/json", "{path}");
            assert!(!answer.text.contains("<p>"), "{path}");
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = browser.send(method.clone(), "/login", Some(&json!({}))).await.expect(404);
            assert_eq!(answer.code(), "not_found", "{method}");
        }
        // A reader of pages who mistypes gets one that says so, a program an error that it can read.
        let page = browser.get("/no/such/page").await.expect(404);
        assert!(page.text.contains("the first page"));
        assert_eq!(house.visitor().get("/no/such/page").await.expect(404).code(), "not_found");
        assert_eq!(house.visitor().get("/index.html").await.expect(404).code(), "not_found");
    }

    async fn files_come_in_the_smallest_form_that_is_read(house) {
        let visitor = house.visitor();
        let path = "/assets/main-abc.js";
        for (accepted, coding, text) in [("gzip, deflate, br", Some("br"), Some("by brotli")), ("gzip, br;q=0", Some("gzip"), None), ("identity", None, Some(SCRIPT))] {
            let file = visitor.with("accept-encoding", accepted).get(path).await.expect(200);
            assert_eq!(file.headers.get("content-encoding").map(|value| value.to_str().expect("text")), coding, "{accepted}");
            assert_eq!(file.headers["content-type"], "text/javascript; charset=utf-8");
            assert_eq!(file.headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(file.headers["vary"], "Accept-Encoding");
            if let Some(text) = text {
                assert_eq!(file.text, text);
            }
            let tag = file.headers["etag"].to_str().expect("text").to_owned();
            let again = visitor.with("accept-encoding", accepted).with("if-none-match", &tag).get(path).await.expect(304);
            assert_eq!((again.text.as_str(), again.headers["etag"].to_str().expect("text")), ("", tag.as_str()));
        }
        assert_eq!(visitor.get(path).await.expect(200).text, SCRIPT, "who says nothing gets it as it is");
        let font = visitor.with("accept-encoding", "br").get("/assets/inter-abc.woff2").await.expect(200);
        assert_eq!((font.text.as_str(), &font.headers["content-type"]), ("font", &"font/woff2".parse().expect("a value")));
        let sign = visitor.get("/favicon.svg").await.expect(200);
        assert_eq!(sign.headers["cache-control"], "no-cache", "its name stays when its content changes");
    }

}

testing::both_stores! {
    async fn a_program_without_a_dashboard_says_so_and_serves_the_api(house) {
        let page = house.visitor().get("/").await.expect(200);
        assert!(page.text.contains("without its dashboard") && page.text.contains("/api/docs"), "{}", page.text);
        house.visitor().get("/assets/main-abc.js").await.expect(404);
        house.visitor().get("/readyz").await.expect(200);
    }
}
