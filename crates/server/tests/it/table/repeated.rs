//! `Idempotency-Key` on every POST: a request that is sent twice, at once and one after the other, takes effect once and gets the
//! same answer; under the same key another body is refused. A POST that is added has no place here, and fails.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use server::Listed;
use store::audit::{Event, Filter};
use store::control::people::{self, Person};
use store::control::{mails, organisations};
use store::org::audits;
use store::{Actor, Origin, Turn};
use testing::{Answer, Client, PASSWORD, TestHouse};

use super::World;
use crate::logins::second_factor;
use crate::providers::{answering, open};

/// POST routes that take no key, each with its reason.
const WITHOUT: &[(&str, &str)] = &[
    ("/v1/chat/completions", DIALECT),
    ("/v1/embeddings", DIALECT),
    ("/v1/messages", DIALECT),
    ("/v1/responses", DIALECT),
];
const DIALECT: &str =
    "the makers of these clients know no key: a call that is repeated is another call, and what models say is not kept";

/// What the repetition of a request gets.
enum Again {
    /// The first answer, with nothing written and nothing done.
    Same,
    /// The first answer of a route that only looks something up.
    Looks,
    /// 409 `already_done`: the answer let its holder in, and is not kept.
    AlreadyDone,
    /// Another refusal, since the effect itself took from the caller what the request needs.
    Refused(u16, &'static str),
}

/// A request that has something to do, once.
struct Prepared {
    who: Client,
    path: String,
    body: Option<Value>,
    /// Whether the body comes as a form with a file of that text.
    file: bool,
    again: Again,
}

#[expect(clippy::unnecessary_wraps, reason = "the lists below are of requests that there may be none of")]
fn takes(who: &Client, path: &str, body: Value) -> Option<Prepared> {
    Some(Prepared { who: who.clone(), path: path.to_owned(), body: Some(body), file: false, again: Again::Same })
}

#[expect(clippy::unnecessary_wraps, reason = "the lists below are of requests that there may be none of")]
fn bare(who: &Client, path: &str) -> Option<Prepared> {
    Some(Prepared { who: who.clone(), path: path.to_owned(), body: None, file: false, again: Again::Same })
}

fn answered_with(again: Again, prepared: Option<Prepared>) -> Option<Prepared> {
    prepared.map(|prepared| Prepared { again, ..prepared })
}

/// Makes somebody as they are where addresses are verified, and theirs is not yet.
async fn unverify(house: &TestHouse, somebody: &Client) {
    let user = somebody.user.parse().expect("an id");
    let mut tx = house.store().begin_control(Turn::Person(user)).await.expect("begun");
    let person = people::get(&mut tx, user).await.expect("there");
    people::update(&mut tx, &Person { verified_at: None, ..person }).await.expect("written");
    tx.record_house(&Actor::System, &Origin::default(), Event::new("person.unverified", user)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

/// What people do with their own accounts; `anybody` has just signed up as a person of that name.
async fn own_account(house: &TestHouse, path: &str, name: &str, anybody: &Client) -> Option<Prepared> {
    let visitor = house.visitor();
    let token = async |to: &str, subject: &str| json!({ "token": house.mailed_token(to, subject).await });
    let (email, moved) = (&anybody.email, format!("{name}@moved.example"));
    let signs_in = json!({ "email": email, "password": PASSWORD });
    match path {
        "/api/v1/auth/login" | "/api/v1/auth/session" => {
            answered_with(Again::AlreadyDone, takes(&visitor, path, signs_in))
        }
        "/api/v1/auth/signup" | "/api/v1/auth/register" => {
            let body = json!({ "email": moved, "password": PASSWORD, "name": "Somebody" });
            answered_with(Again::AlreadyDone, takes(&visitor, path, body))
        }
        "/api/v1/auth/refresh" => {
            let body = json!({ "refresh_token": anybody.refresh });
            answered_with(Again::AlreadyDone, takes(&visitor, path, body))
        }
        // Whoever is signed out is nobody.
        "/api/v1/auth/logout" => answered_with(Again::Refused(401, "unauthenticated"), bare(anybody, path)),
        "/api/v1/feedback" => takes(anybody, path, json!({ "text": "I like it." })),
        "/api/v1/auth/step-up" => takes(anybody, path, json!({ "password": PASSWORD })),
        "/api/v1/auth/password/forgot" => takes(&visitor, path, json!({ "email": email })),
        "/api/v1/auth/verify/resend" => {
            unverify(house, anybody).await;
            takes(&visitor, path, json!({ "email": email }))
        }
        "/api/v1/auth/verify" => {
            unverify(house, anybody).await;
            visitor.post("/api/v1/auth/verify/resend", &json!({ "email": email })).await.expect(202);
            let body = token(email, "Verify your mail address").await;
            answered_with(Again::AlreadyDone, takes(&visitor, path, body))
        }
        "/api/v1/auth/password/reset" => {
            visitor.post("/api/v1/auth/password/forgot", &json!({ "email": email })).await.expect(202);
            let mut body = token(email, "Set a new password").await;
            body["password"] = json!("an entirely new one");
            takes(&visitor, path, body)
        }
        "/api/v1/auth/email" => takes(anybody, path, json!({ "email": moved })),
        "/api/v1/auth/email/confirm" => {
            anybody.post("/api/v1/auth/email", &json!({ "email": moved })).await.expect(202);
            takes(&visitor, path, token(&moved, "Confirm your new mail address").await)
        }
        "/api/v1/auth/email/undo" => {
            anybody.post("/api/v1/auth/email", &json!({ "email": moved })).await.expect(202);
            takes(&visitor, path, token(email, "Your mail address is to be changed").await)
        }
        "/api/v1/auth/totp" => bare(anybody, path),
        "/api/v1/auth/totp/confirm" => {
            let enrolment = anybody.post("/api/v1/auth/totp", &json!({})).await.expect(201);
            let code = testing::code(enrolment.str("/secret"), house.clock_now());
            takes(anybody, path, json!({ "code": code }))
        }
        "/api/v1/auth/recovery-codes" => {
            let (_, codes) = second_factor(house, anybody).await;
            takes(anybody, path, json!({ "code": codes[0] }))
        }
        "/api/v1/user/profile/restore" => {
            anybody.delete("/api/v1/user/profile").await.expect(200);
            takes(&visitor, path, token(email, "Your account will be deleted").await)
        }
        _ => None,
    }
}

/// Coming into an organisation, going, and handing it on.
async fn belonging(house: &TestHouse, path: &str, name: &str, anybody: &Client, host: &Client) -> Option<Prepared> {
    let invite = async |to: &str| {
        let body = json!({ "email": to, "role": "viewer" });
        json!({ "token": host.post("/api/v1/invitations", &body).await.expect(201).str("/token") })
    };
    let claim = async |domain: &str| {
        let body = json!({ "domain": domain, "role": "viewer" });
        host.post("/api/v1/mail-domains", &body).await.expect(201);
        let subject = "Confirm your organisation's mail domain";
        json!({ "token": house.mailed_token(&format!("postmaster@{domain}"), subject).await })
    };
    match path {
        "/api/v1/invitations/preview" => {
            answered_with(Again::Looks, takes(&house.visitor(), path, invite(&anybody.email).await))
        }
        "/api/v1/invitations/accept" => takes(anybody, path, invite(&anybody.email).await),
        "/api/v1/invitations/confirm" => {
            let work = format!("{name}@work.example");
            anybody.post("/api/v1/invitations/accept", &invite(&work).await).await.expect(202);
            let token = house.mailed_token(&work, "Confirm who joins by your invitation").await;
            takes(&house.visitor(), path, json!({ "token": token }))
        }
        "/api/v1/mail-domains/confirm" => takes(&house.visitor(), path, claim("confirmed.example").await),
        "/api/v1/mail-domains/join" => {
            let link = claim("example.com").await;
            house.visitor().post("/api/v1/mail-domains/confirm", &link).await.expect(204);
            takes(anybody, path, json!({ "org_id": host.org }))
        }
        "/api/v1/orgs" => takes(anybody, path, json!({ "name": "A branch" })),
        "/api/v1/orgs/{org_id}/leave" => {
            house.bring(host, anybody, name, "viewer").await;
            bare(anybody, &format!("/api/v1/orgs/{}/leave", host.org))
        }
        "/api/v1/orgs/{org_id}/restore" => {
            let own = format!("/api/v1/orgs/{}", anybody.org);
            anybody.delete(&format!("{own}?confirm={name}'s%20house")).await.expect(200);
            bare(anybody, &format!("{own}/restore"))
        }
        "/api/v1/orgs/{org_id}/transfer" => {
            let heir = house.join(anybody, &format!("Heir of {name}").replace(' ', "-"), "member").await;
            let own = format!("/api/v1/orgs/{}/transfer", anybody.org);
            // The caller is an admin now, who hands nothing on.
            answered_with(Again::Refused(403, "forbidden"), takes(anybody, &own, json!({ "user_id": heir.user })))
        }
        _ => None,
    }
}

/// What an owner does inside Acme.
async fn inside(path: &str, world: &World) -> Option<Prepared> {
    let ann = &world.ann;
    let known = || world.bodies.get(path).and_then(|body| takes(ann, path, body.clone()));
    match path {
        "/api/v1/auth/api-keys"
        | "/api/v1/budgets"
        | "/api/v1/collections"
        | "/api/v1/invitations"
        | "/api/v1/mail-domains"
        | "/api/v1/projects"
        | "/api/v1/providers"
        | "/api/v1/roles"
        | "/api/v1/teams"
        | "/api/v1/threads"
        | "/api/v1/webhooks" => known(),
        "/api/v1/webhooks/{id}/rotate-secret" | "/api/v1/webhooks/{id}/test" => {
            takes(ann, &world.real(path), json!({}))
        }
        "/api/v1/limits" => {
            takes(ann, path, json!({ "level": "organization", "operation": "runs", "requests_per_minute": 1_000_000 }))
        }
        "/api/v1/search" => answered_with(Again::Looks, takes(ann, path, json!({ "query": "secret" }))),
        "/api/v1/threads/{id}/messages" => {
            let question = json!({ "content": "What is the secret?", "model": "rowhouse-extractive" });
            takes(ann, &world.real(path), question)
        }
        "/api/v1/collections/{id}/documents" | "/api/v1/collections/{id}/documents/archive" => {
            let prepared = takes(ann, &world.real(path), json!({ "text": "A file that comes twice." }));
            prepared.map(|prepared| Prepared { file: true, ..prepared })
        }
        "/api/v1/collections/{id}/documents/web" => {
            let page = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\nA web page.";
            takes(ann, &world.real(path), json!({ "url": answering(page).await }))
        }
        "/api/v1/collections/{id}/sources" => takes(ann, &world.real(path), world.bodies.get(path)?.clone()),
        "/api/v1/sources/{id}/sync" => {
            // Another round begins when the first one is over.
            for _ in 0..1200 {
                let shown = ann.get(&world.real("/api/v1/sources/{id}")).await.expect(200);
                if ["done", "failed"].contains(&shown.str("/status")) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            bare(ann, &world.real(path))
        }
        "/api/v1/collections/{id}/documents/text" => {
            takes(ann, &world.real(path), json!({ "title": "Twice", "text": "A text that comes twice." }))
        }
        "/api/v1/threads/{id}/messages/{message_id}/correction" => {
            takes(ann, &world.real(path), world.bodies.get(path)?.clone())
        }
        "/api/v1/auth/api-keys/{id}/rotate" | "/api/v1/invitations/{id}/resend" => bare(ann, &world.real(path)),
        "/api/v1/mail-domains/{id}/verify" => takes(ann, &world.real(path), json!({ "mailbox": "admin" })),
        "/api/v1/providers/{id}/test" => {
            let base_url =
                answering("HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"data\":[]}").await;
            let body = json!({ "kind": "openai", "base_url": base_url, "api_key": "a-key" });
            let made = ann.post("/api/v1/providers", &body).await.expect(201);
            bare(ann, &format!("/api/v1/providers/{}/test", made.str("/id")))
        }
        _ => None,
    }
}

/// What operators do.
async fn operating(path: &str, operator: &Client, host: &Client) -> Option<Prepared> {
    match path {
        "/api/v1/operator/people" => {
            takes(operator, path, json!({ "email": "enrolled@example.com", "name": "Somebody" }))
        }
        "/api/v1/operator/orgs/{organisation}/overrides" => {
            let exception = json!({ "kind": "feature", "feature": "custom_roles", "granted": true });
            let path = path.replace("{organisation}", &host.org);
            takes(operator, &path, json!({ "exception": exception, "reason": "a test" }))
        }
        "/api/v1/operator/orgs/{organisation}/mail-domains/{id}/verify" => {
            let body = json!({ "domain": "vouched.example", "role": "viewer" });
            let made = host.post("/api/v1/mail-domains", &body).await.expect(201);
            bare(operator, &path.replace("{organisation}", &host.org).replace("{id}", made.str("/id")))
        }
        _ => None,
    }
}

/// How much has been done so far: the entries of each log but for denials, and the mails.
async fn effects(house: &TestHouse) -> BTreeMap<String, i64> {
    let count = |list: usize| i64::try_from(list).expect("few");
    let store = house.store();
    let mut tx = store.read_control().await.expect("begun");
    let all = organisations::list(&mut tx, None, 1000).await.expect("listed");
    let mails = mails::list(&mut tx, None, 1000).await.expect("listed").len();
    drop(tx);
    let entries = store.verify_house().await.expect("walked").entries;
    let mut done = BTreeMap::from([("mails".to_owned(), count(mails)), ("house".to_owned(), entries)]);
    for organisation in all {
        store.deliver(organisation.id).await.expect("delivered");
        let scope = store.inspect(organisation.id).await.expect("there");
        let mut tx = store.open(&scope).read().await.expect("begun");
        let entries = audits::list(&mut tx, Filter::default(), i64::MAX, 1000).await.expect("listed");
        let changes = entries.iter().filter(|entry| entry.action != "access.denied").count();
        done.insert(organisation.id.to_string(), count(changes));
    }
    done
}

/// What makes an answer the same as another one.
fn answer(answer: &Answer) -> (u16, &str, Vec<Option<&axum::http::HeaderValue>>) {
    let headers = ["content-type", "etag", "set-cookie"].map(|name| answer.headers.get(name));
    (answer.status, &answer.text, headers.to_vec())
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

/// Sends a request again and again under one key.
async fn repeat(house: &TestHouse, route: &Listed, prepared: Prepared) {
    let Prepared { who, path, body, file, again } = prepared;
    let keyed = who.with("idempotency-key", "once").with("x-request-id", "table-of-routes");
    let put = async |body: Option<&Value>| match body {
        Some(body) if file => keyed.upload(&path, "twice.txt", body.to_string().as_bytes()).await,
        body => keyed.send(Method::POST, &path, body).await,
    };
    let send = async || put(body.as_ref()).await;
    let before = effects(house).await;
    let (one, two) = tokio::join!(send(), send());
    let (first, second) = if is_success(&one) && !is_replayed(&one) { (one, two) } else { (two, one) };
    let what = format!("{}: {} {} and {} {}", route.path, first.status, first.text, second.status, second.text);
    assert!(is_success(&first) && !is_replayed(&first), "{what}");
    match again {
        _ if second.code() == "request_running" => {}
        Again::Same | Again::Looks => {
            assert!(is_replayed(&second) && answer(&first) == answer(&second), "{what}");
        }
        Again::AlreadyDone => assert_eq!(second.code(), "already_done", "{what}"),
        Again::Refused(status, code) => assert_eq!((second.status, second.code()), (status, code), "{what}"),
    }
    let done = effects(house).await;
    assert_eq!(done == before, matches!(again, Again::Looks), "{what}");
    let third = send().await;
    let what = format!("{}: {} {} after {what}", route.path, third.status, third.text);
    match again {
        Again::Same | Again::Looks => assert!(is_replayed(&third) && answer(&first) == answer(&third), "{what}"),
        Again::AlreadyDone => assert_eq!((third.status, third.code()), (409, "already_done"), "{what}"),
        Again::Refused(status, code) => assert_eq!((third.status, third.code()), (status, code), "{what}"),
    }
    let mut other = body.clone().unwrap_or_else(|| json!({}));
    other["another"] = json!("body");
    let mismatch = put(Some(&other)).await;
    let what = format!("{}: {} {}", route.path, mismatch.status, mismatch.text);
    match again {
        Again::Refused(status, code) => assert_eq!((mismatch.status, mismatch.code()), (status, code), "{what}"),
        _ => assert_eq!((mismatch.status, mismatch.code()), (422, "idempotency_mismatch"), "{what}"),
    }
    assert_eq!(effects(house).await, done, "{}: it took effect more than once", route.path);
}

testing::both_stores! {
    in open();
    async fn every_post_that_is_repeated_takes_effect_once(house) {
        let world = World::build(&house).await;
        let operator = house.operator("Olga").await;
        let mut missing = Vec::new();
        let posts = house.routes().iter().filter(|route| route.method == Method::POST);
        for (number, route) in posts.enumerate() {
            if WITHOUT.iter().any(|(path, _)| *path == route.path) {
                continue;
            }
            let name = format!("p{number}");
            let anybody = house.sign_up(&name).await;
            let mut prepared = own_account(&house, route.path, &name, &anybody).await;
            if prepared.is_none() {
                prepared = belonging(&house, route.path, &name, &anybody, &world.ann).await;
            }
            if prepared.is_none() {
                prepared = inside(route.path, &world).await;
            }
            if prepared.is_none() {
                prepared = operating(route.path, &operator, &world.ann).await;
            }
            match prepared {
                Some(prepared) => repeat(&house, route, prepared).await,
                None => missing.push(route.path),
            }
        }
        assert!(missing.is_empty(), "say above what these have to do, or why they take no key: {missing:?}");
        let gone = WITHOUT.iter().filter(|(path, _)| !house.routes().iter().any(|route| route.path == *path));
        assert_eq!(gone.count(), 0, "a route in the list of those without a key is gone");
    }

    async fn a_call_of_a_model_is_made_as_often_as_it_is_asked_for(house) {
        let ann = house.sign_up("Ann").await.with("idempotency-key", "once");
        let question = |text: &str| json!({ "model": "rowhouse-extractive", "max_tokens": 50, "messages": [{ "role": "user", "content": text }] });
        for path in ["/v1/chat/completions", "/v1/messages"] {
            for _ in 0..2 {
                let answer = ann.post(path, &question("What is a porch? A porch is a roof before a door.")).await.expect(200);
                assert!(!is_replayed(&answer));
            }
            ann.post(path, &question("Another question, and a porch.")).await.expect(200);
            // The larger bodies of these routes are taken with a key, too.
            let large = ann.post(path, &question(&"A porch is a roof. ".repeat(80_000))).await;
            assert_ne!(large.status, 413, "{}", large.text);
        }
    }
}
