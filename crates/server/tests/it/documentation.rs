//! The OpenAPI document and its reader, as they are served.

use axum::http::Method;

testing::both_stores! {
    async fn every_route_is_in_the_document(house) {
        let document = house.visitor().get("/api/openapi.json").await.expect(200);
        assert_eq!(document.str("/openapi"), "3.1.0");
        let paths = document.json["paths"].as_object().expect("paths");
        for route in house.routes() {
            let told = &paths[route.path][route.method.as_str().to_lowercase()];
            assert!(told["summary"].is_string(), "{} {}", route.method, route.path);
        }
        let told: usize = paths.values().filter_map(|path| path.as_object()).map(serde_json::Map::len).sum();
        assert_eq!(told, house.routes().len(), "and nothing else");
    }

    async fn what_is_served_is_what_stands_in_the_repository(house) {
        let served = house.visitor().get("/api/openapi.json").await.expect(200);
        assert!(served.text == server::openapi::document(), "they differ");
        assert!(served.json["components"]["schemas"]["CreateApiKey"]["required"].is_array(), "bodies are described");
    }

    async fn the_reader_asks_no_other_site(house) {
        let page = house.visitor().get("/api/docs").await.expect(200);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["cross-origin-opener-policy"], "same-origin");
        assert!(page.headers.contains_key("permissions-policy"));
        let mut parts = vec![page.text.clone()];
        for path in page.text.split('"').filter(|text| text.starts_with("/api/docs/")) {
            parts.push(house.visitor().get(path).await.expect(200).text);
        }
        assert_eq!(parts.len(), 3, "a page, a script, a style");
        for part in parts {
            assert!(!part.contains("http://") && !part.contains("https://") && !part.contains("src=\"//"), "{part}");
        }
        // A page of documentation takes no orders.
        assert_eq!(house.visitor().send(Method::POST, "/api/docs", None).await.expect(405).code(), "method_not_allowed");
    }
}
