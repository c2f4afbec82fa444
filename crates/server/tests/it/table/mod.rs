//! The table of all routes: each is called as nobody, with broken credentials, as each role, and as another organisation that knows
//! the real ids. A route that is added is in the table by itself; what it cannot judge stands in [`REVIEWED`].

mod log;
mod repeated;
mod world;

use axum::http::Method;
use domain::access::Permission;
use domain::role::Builtin;
use serde_json::json;
use server::{Access, Listed};
use testing::{Answer, Client, TestHouse};
use world::World;

/// Routes that the comparison of roles leaves out, each with its reason.
const REVIEWED: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/orgs/{org_id}/leave", "the last owner may not, whatever their role allows"),
    ("GET", "/api/v1/access/explain", "about oneself anybody may ask"),
];

fn is_reviewed(route: &Listed) -> bool {
    REVIEWED.iter().any(|(method, path, _)| route.method == *method && route.path == *path)
}

/// A body that the route would take, as far as its form goes; the values are real ids of Acme.
fn body(route: &Listed, world: &World) -> Option<serde_json::Value> {
    if route.method == Method::GET || route.method == Method::DELETE {
        return None;
    }
    Some(world.bodies.get(route.path).cloned().unwrap_or_else(|| json!({})))
}

async fn call(client: &Client, route: &Listed, path: &str, world: &World) -> Answer {
    client.with("x-request-id", "table-of-routes").send(route.method.clone(), path, body(route, world).as_ref()).await
}

/// Routes that anybody may call answer strangers too; all others must not.
fn guarded(house: &TestHouse) -> Vec<Listed> {
    house.routes().iter().filter(|route| route.access != Access::Public).cloned().collect()
}

testing::both_stores! {
    async fn nobody_gets_in_anywhere(house) {
        let world = World::build(&house).await;
        for route in guarded(&house) {
            let answer = call(&house.visitor(), &route, &world.real(route.path), &world).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{} {}", route.method, route.path);
            // The header that other systems take for an identity is no such thing here.
            let claimed = house.visitor().with("x-user-id", &world.ann.user).with("x-rowhouse-org", &world.ann.org);
            let answer = call(&claimed, &route, &world.real(route.path), &world).await;
            assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
        }
    }

    async fn broken_credentials_open_nothing(house) {
        let world = World::build(&house).await;
        let expired = house.sign_up("Gone").await;
        house.clock.advance(std::time::Duration::from_hours(1));
        let ann = world.sign_in(&house, "ann").await;
        let token = ann.token.clone().expect("signed in");
        let parts: Vec<&str> = token.split('.').collect();
        let ended = ended(&house, &ann).await;
        let none = b64(br#"{"alg":"none","typ":"at+jwt"}"#);
        let signature_off = format!("{}.{}.{}", parts[0], parts[1], b64(&[7; 64]));
        let broken = [
            ("expired", expired.token.clone().expect("signed in")),
            ("alg none", format!("{none}.{}.", parts[1])),
            ("another signature", signature_off),
            ("another payload", format!("{}.{}.{}", parts[0], b64(br#"{"sub":"x"}"#), parts[2])),
            ("of another house", TestHouse::sqlite().await.sign_up("Ann").await.token.expect("signed in")),
            ("rightly signed, for another address", for_another_address(&house, &ann).await),
            ("a refresh token", expired.refresh.clone()),
            ("an expired key", ended.expired_key),
            ("a revoked key", ended.revoked_key),
            ("a key of the right form", "rh_live_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000".into()),
            ("nothing", String::new()),
        ];
        for route in guarded(&house) {
            for (what, credential) in &broken {
                let answer = call(&house.visitor().with_token(Some(credential)), &route, &world.real(route.path), &world).await;
                assert_eq!(answer.status, 401, "{what}: {} {} {}", route.method, route.path, answer.text);
            }
            let answer = call(&ended.browser, &route, &world.real(route.path), &world).await;
            assert_eq!(answer.status, 401, "an ended cookie: {} {} {}", route.method, route.path, answer.text);
        }
    }

    async fn a_token_that_was_signed_out_opens_nothing(house) {
        let world = World::build(&house).await;
        let ann = world.sign_in(&house, "ann").await;
        ann.post("/api/v1/auth/logout", &json!({})).await.expect(204);
        for route in guarded(&house) {
            let answer = call(&ann, &route, &world.real(route.path), &world).await;
            assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
        }
    }

    async fn another_organisation_cannot_tell_real_ids_from_invented_ones(house) {
        let world = World::build(&house).await;
        for stranger in [&world.bob, &world.bobs_key] {
            for route in guarded(&house) {
                if route.path.contains('{') {
                    let real = call(stranger, &route, &world.real(route.path), &world).await;
                    let invented = call(stranger, &route, &World::invented(route.path), &world).await;
                    assert_eq!(real.text, invented.text, "{} {}", route.method, route.path);
                    assert_eq!(real.status, invented.status, "{} {}", route.method, route.path);
                    assert_eq!(real.headers, invented.headers, "{} {}", route.method, route.path);
                    assert!(!(200..300).contains(&real.status), "{} {}: {}", route.method, route.path, real.text);
                }
                if matches!(route.access, Access::Organisation(_) | Access::Local(_)) {
                    let selecting = stranger.in_org(&world.ann.org);
                    let answer = call(&selecting, &route, &world.real(route.path), &world).await;
                    assert_eq!(answer.status, 404, "selecting: {} {} {}", route.method, route.path, answer.text);
                    let nowhere = stranger.in_org("org_01932d6f4b7a7c3e9a51c0ffee15600d");
                    let never = call(&nowhere, &route, &world.real(route.path), &world).await;
                    if !route.path.contains("{org_id}") {
                        assert_eq!(answer.text, never.text, "{} {}", route.method, route.path);
                    }
                }
                // Changes to their own account are the stranger's business, and would sign them out.
                if route.method == Method::GET {
                    let shown = call(stranger, &route, &world.real(route.path), &world).await.text;
                    for secret in &world.marks {
                        assert!(!shown.contains(secret), "{} {} shows {secret}", route.method, route.path);
                    }
                }
            }
        }
    }

    async fn anothers_id_beside_an_own_one_is_as_unknown_as_an_invented_one(house) {
        let world = World::build(&house).await;
        let mut tried = 0;
        for route in guarded(&house) {
            let Some((real, invented)) = world.mixed(route.path) else { continue };
            let (real, invented) =
                (call(&world.bob, &route, &real, &world).await, call(&world.bob, &route, &invented, &world).await);
            assert!((400..500).contains(&real.status), "{} {}: {}", route.method, route.path, real.text);
            assert_eq!((&real.text, &real.headers), (&invented.text, &invented.headers), "{} {}", route.method, route.path);
            tried += 1;
        }
        assert!(tried >= 6, "{tried} routes with two ids");
    }

    async fn foreign_ids_inside_queries_are_as_unknown_as_invented_ones(house) {
        let world = World::build(&house).await;
        let bob = world.bob.with("x-request-id", "table-of-routes");
        for (path, query, real, invented) in world.queries() {
            let ask = async |id: &str| bob.get(&format!("{path}?{query}{id}")).await;
            let (real, invented) = (ask(real).await, ask(invented).await);
            assert_eq!((real.status, &real.text), (invented.status, &invented.text), "{path}?{query}");
        }
    }

    async fn a_cursor_is_for_one_list_of_one_caller(house) {
        let world = World::build(&house).await;
        let document = house.visitor().get("/api/openapi.json").await.expect(200);
        for route in house.routes().iter().filter(|route| route.access != Access::Operator) {
            let parameters = &document.json["paths"][route.path][route.method.as_str().to_lowercase()]["parameters"];
            let takes_cursor = |list: &Vec<serde_json::Value>| list.iter().any(|one| one["name"] == "cursor");
            if !parameters.as_array().is_some_and(takes_cursor) {
                continue;
            }
            let path = world.real(route.path);
            let page = world.ann.get(&format!("{path}?limit=1")).await.expect(200);
            let cursor = page.json["next_cursor"].as_str().unwrap_or_else(|| panic!("{path} has one page: {}", page.text));
            world.ann.get(&format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
            for other in [&world.bob, world.as_role(Builtin::Admin), &world.bobs_key] {
                let other = other.with("x-request-id", "table-of-routes");
                let taken = other.get(&format!("{path}?limit=1&cursor={cursor}")).await;
                let invented = other.get(&format!("{path}?limit=1&cursor=AAAA")).await;
                assert!([400, 403, 404].contains(&taken.status), "{path}: {}", taken.text);
                assert_eq!(taken.text, invented.text, "{path}");
            }
        }
    }

    async fn foreign_ids_inside_bodies_are_as_unknown_as_invented_ones(house) {
        let world = World::build(&house).await;
        for (method, path, field, real, invented) in world.references() {
            let send = async |value: &serde_json::Value| {
                let mut body = field.clone();
                world::set(&mut body, value);
                world.bob.with("x-request-id", "table-of-routes").send(method.clone(), &path, Some(&body)).await
            };
            let (real, invented) = (send(&real).await, send(&invented).await);
            assert!(real.status >= 400, "{method} {path} took a foreign id: {}", real.text);
            assert_eq!(real.text, invented.text, "{method} {path}");
        }
    }

    async fn what_operators_do_does_not_exist_for_anybody_else(house) {
        let world = World::build(&house).await;
        let keys_of_an_operator = key_of_an_operator(&house).await;
        let others = [&world.ann, world.as_role(Builtin::Viewer), &world.bob, &world.bobs_key, &keys_of_an_operator];
        let mut tried = 0;
        for route in house.routes().iter().filter(|route| route.access == Access::Operator) {
            for who in others {
                let nowhere = call(who, route, "/api/v1/nowhere", &world).await;
                for path in [world.real(route.path), World::invented(route.path)] {
                    let answer = call(who, route, &path, &world).await;
                    let what = format!("{} {path}: {}", route.method, answer.text);
                    assert_eq!((answer.status, &answer.text, &answer.headers), (404, &nowhere.text, &nowhere.headers), "{what}");
                }
            }
            tried += 1;
        }
        assert!(tried > 15, "{tried} routes of operators");
    }

    async fn each_role_may_what_the_matrix_says(house) {
        let world = World::build(&house).await;
        for role in [Builtin::Viewer, Builtin::Member, Builtin::Admin, Builtin::Owner] {
            let client = world.as_role(role);
            for route in guarded(&house).into_iter().filter(|route| !is_reviewed(route)) {
                let (permission, local) = match route.access {
                    Access::Organisation(permission) => (permission, false),
                    Access::Local(permission) => (permission, true),
                    _ => continue,
                };
                // Real things would be gone after the first who may delete them: form and rights are judged on invented ones.
                let path = World::invented_within(&world, route.path);
                let answer = call(client, &route, &path, &world).await;
                let holds = role.permissions().contains(permission);
                let refused = answer.status == 403 && answer.code() == "forbidden";
                let what = format!("{role:?} {} {} ({permission}): {}", route.method, route.path, answer.text);
                if holds {
                    assert!(!refused || permission == Permission::ProjectsAll, "{what}");
                    assert_ne!(answer.status, 401, "{what}");
                } else if local {
                    assert!(answer.status == 404 || refused || answer.json["data"] == json!([]) || answer.status == 422, "{what}");
                } else {
                    assert!(refused, "{what}");
                }
            }
        }
    }

    async fn no_body_makes_a_route_fail(house) {
        let world = World::build(&house).await;
        let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
        let bodies = [
            "", "null", "[]", "\"text\"", "{", "{\"name\":1}", "{\"unknown\":true}", "{\"name\":null}", "{\"name\":{\"a\":1}}",
            "{\"id\":\"x\"}", "{\"org_id\":\"x\",\"owner_id\":\"x\"}", &deep, &large, "{\"name\":\"a\\u0000b\"}", "\u{FEFF}{}",
        ];
        for route in house.routes().iter().filter(|route| route.method != Method::GET && route.method != Method::DELETE) {
            for body in bodies {
                let path = World::invented_within(&world, route.path);
                let raw = serde_json::Value::String(body.to_owned());
                let answer = world.ann.send(route.method.clone(), &path, Some(&raw)).await;
                let what = format!("{} {} {:.60}: {}", route.method, route.path, body, answer.text);
                assert!(answer.status < 500, "{what}");
                assert!((400..500).contains(&answer.status) || answer.status < 300 && answer.status >= 200, "{what}");
                if answer.status >= 400 {
                    // Anthropic's clients look for it beside the error.
                    let ids = [&answer.json["error"]["request_id"], &answer.json["request_id"]];
                    assert!(ids.iter().any(|id| id.is_string()), "{what}");
                }
            }
        }
    }

    async fn a_field_that_nobody_knows_is_refused_by_name(house) {
        let world = World::build(&house).await;
        let olga = house.operator("Olga").await;
        let document = house.visitor().get("/api/openapi.json").await.expect(200);
        let unknown = json!({ "surely_unknown": 1 });
        let mut tried = 0;
        for route in house.routes() {
            let told = &document.json["paths"][route.path][route.method.as_str().to_lowercase()];
            // Forms with files have no fields of JSON.
            if told["requestBody"]["content"]["application/json"].is_null() {
                continue;
            }
            let client = if route.access == Access::Operator { &olga } else { &world.ann };
            let path = World::invented_within(&world, route.path);
            let answer = client.send(route.method.clone(), &path, Some(&unknown)).await;
            let what = format!("{} {}: {}", route.method, route.path, answer.text);
            assert_eq!((answer.status, answer.code()), (422, "invalid_field"), "{what}");
            assert_eq!(answer.str("/error/param"), "surely_unknown", "{what}");
            tried += 1;
        }
        assert!(tried > 40, "{tried} routes with a body");
    }

    async fn no_query_makes_a_list_fail(house) {
        let world = World::build(&house).await;
        for route in house.routes().iter().filter(|route| route.method == Method::GET) {
            for query in ["?limit=-1", "?limit=x", "?limit=999999999999", "?cursor=%00", "?cursor=AAAA", "?what=1", "?limit=1&limit=2"] {
                let path = World::invented_within(&world, route.path) + query;
                let answer = world.ann.get(&path).await;
                assert!(answer.status < 500, "{path}: {}", answer.text);
            }
        }
    }
}

/// The list of routes and what each asks for, as reviewed.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_routes() {
    let house = TestHouse::sqlite().await;
    let lines: Vec<String> = house
        .routes()
        .iter()
        .map(|route| {
            let asks = match route.access {
                Access::Public => "anybody".into(),
                Access::Credential => "any credential".into(),
                Access::Person => "person".into(),
                Access::Operator => "operator".into(),
                Access::Organisation(permission) => permission.to_string(),
                Access::Local(permission) => format!("{permission} (also held locally)"),
            };
            format!("{:<7}{:<52}{asks}", route.method.as_str(), route.path)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// A key that somebody made who is an operator, too.
async fn key_of_an_operator(house: &TestHouse) -> Client {
    use store::control::people::{self, Person};
    let olga = house.sign_up("Olga").await;
    let key = olga.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201);
    let user = olga.user.parse().expect("an id");
    let mut tx = house.store().begin_control(store::Turn::Person(user)).await.expect("begun");
    let person = people::get(&mut tx, user).await.expect("there");
    people::update(&mut tx, &Person { operator: true, ..person }).await.expect("written");
    let event = store::audit::Event::new("operator.made", user);
    tx.record_house(&store::Actor::System, &store::Origin::default(), event).await.expect("recorded");
    tx.commit().await.expect("committed");
    olga.get("/api/v1/operator/plans").await.expect(200);
    house.visitor().with_token(Some(key.str("/key")))
}

/// Credentials that were good once.
struct Ended {
    expired_key: String,
    revoked_key: String,
    browser: Client,
}

async fn ended(house: &TestHouse, ann: &Client) -> Ended {
    let soon = (house.clock_now() + std::time::Duration::from_mins(1)).to_string();
    let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Short", "expires_at": soon })).await.expect(201);
    let revoked = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Revoked" })).await.expect(201);
    ann.delete(&format!("/api/v1/auth/api-keys/{}", revoked.str("/id"))).await.expect(204);
    let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
    let browser = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
    let cookie = browser.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let browser = house.visitor().with("cookie", &cookie).with("x-rowhouse-csrf", browser.str("/csrf_token"));
    browser.get("/api/v1/auth/me").await.expect(200);
    browser.delete("/api/v1/auth/session").await.expect(204);
    house.clock.advance(std::time::Duration::from_secs(61));
    Ended { expired_key: key.str("/key").to_owned(), revoked_key: revoked.str("/key").to_owned(), browser }
}

/// A token for the caller's own session, signed with the house's own key, of an issuer at another address.
async fn for_another_address(house: &TestHouse, who: &Client) -> String {
    use base64::Engine as _;
    let payload = who.token.as_deref().and_then(|token| token.split('.').nth(1)).expect("a payload");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).expect("base64");
    let said: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    let claims = store::tokens::Claims {
        user: said["sub"].as_str().and_then(|id| id.parse().ok()).expect("a person"),
        session: said["sid"].as_str().and_then(|id| id.parse().ok()).expect("a session"),
        org: None,
    };
    let settings = store::Settings { issuer: "http://elsewhere.example".into(), ..house.settings().clone() };
    let elsewhere = store::Store::start(&settings, house.store().ambient().clone()).await.expect("opens");
    store::tokens::sign(&elsewhere, claims, std::time::Duration::from_mins(10)).await.expect("signed")
}

/// Every route that does something says in its signature what it costs, or stands in the list of those that cost nothing, each group
/// with its reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_does_something_is_metered_or_reviewed() {
    let house = TestHouse::sqlite().await;
    let reviewed: Vec<&str> =
        include_str!("unmetered.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let named = |route: &Listed| format!("{:<7}{}", route.method.as_str(), route.path);
    let missing: Vec<String> = house
        .routes()
        .iter()
        .filter(|route| route.method != Method::GET && route.meter.is_none())
        .map(named)
        .filter(|route| !reviewed.contains(&route.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "give them a meter (http/caller/metered.rs), or list them in unmetered.txt with a reason:\n{}",
        missing.join("\n")
    );
    let unmetered: Vec<String> = house.routes().iter().filter(|route| route.meter.is_none()).map(named).collect();
    let idle: Vec<&&str> = reviewed.iter().filter(|line| !unmetered.iter().any(|route| route == **line)).collect();
    assert!(idle.is_empty(), "these are gone, or have a meter: {idle:?}");
    let metered: Vec<String> =
        house.routes().iter().filter_map(|route| Some(format!("{:<64}{}", named(route), route.meter?))).collect();
    insta::assert_snapshot!(metered.join("\n"), @r"
    GET    /api/v1/audit/export                                     exports
    POST   /api/v1/collections/{id}/documents                       documents
    POST   /api/v1/collections/{id}/documents/archive               documents
    POST   /api/v1/collections/{id}/documents/text                  documents
    POST   /api/v1/collections/{id}/documents/web                   documents
    POST   /api/v1/collections/{id}/sources                         documents
    PUT    /api/v1/documents/{id}/content                           documents
    GET    /api/v1/documents/{id}/original                          exports
    POST   /api/v1/invitations                                      mails
    POST   /api/v1/invitations/{id}/resend                          mails
    POST   /api/v1/mail-domains                                     mails
    POST   /api/v1/mail-domains/{id}/verify                         mails
    POST   /api/v1/search                                           search
    POST   /api/v1/sources/{id}/sync                                documents
    GET    /api/v1/threads/{id}/export                              exports
    POST   /api/v1/threads/{id}/messages                            chat
    POST   /api/v1/threads/{id}/messages/{message_id}/correction    documents
    POST   /v1/chat/completions                                     chat
    POST   /v1/embeddings                                           embeddings
    POST   /v1/messages                                             chat
    POST   /v1/responses                                            chat
    ");
}

fn b64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
