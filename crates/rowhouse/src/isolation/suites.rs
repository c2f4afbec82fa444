//! What one organisation does, and what another notices of it: nothing. Each check looks at the first organisation too, so that one in
//! which nothing happened at all does not count.

use http::Method;
use serde_json::{Value, json};

use super::caller::{Caller, Content};
use super::tenant::{EMBEDDED, QUESTION, SHARED, Tenant};
use crate::Outcome;
use crate::output::Report;

/// What a check found, or what is wrong.
type Found = Result<String, String>;

/// Runs all of them.
pub(super) async fn check(one: &Tenant, other: &Tenant, visitor: &Caller, report: &mut Report) -> Outcome {
    report.note("people: profiles, members, a claimed user id", people(one, other).await?);
    report.note("settings: one person's change", settings(one, other).await?);
    report.note("knowledge: search", search(one, other).await?);
    report.note("knowledge: answers", answers(one, other).await?);
    report.note("knowledge: naming another's collection", naming(one, other).await?);
    report.note("knowledge: the same text in both, deleted in one", same_text(one, other).await?);
    report.note("conversations, jobs and lists: cursors", cursors(one, other).await?);
    report.note("models: the same name for them in both", names(one, other).await?);
    report.note("usage and quota: a call of one", usage(one, other).await?);
    report.note("limits: one organisation at its limit", limits(one, other).await?);
    report.note("caches: the same Idempotency-Key in both", repeated(one, other).await?);
    tokens(one, other, visitor, report).await
}

async fn people(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    for path in ["/api/v1/user/profile", "/api/v1/members", "/api/v1/auth/me"] {
        let own = one.owner.get(path).await?;
        if !own.text.contains(&one.probe.email) {
            return Ok(Err(format!("{path} does not show its own person: {}", own.told())));
        }
        let claimed = other.owner.with("x-user-id", &one.probe.user.to_string()).get(path).await?;
        if !claimed.text.contains(&other.probe.email) || shows(&claimed.text, one) {
            return Ok(Err(format!("{path} shows somebody else")));
        }
    }
    Ok(Ok("each shows their own".into()))
}

async fn settings(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    const PATH: &str = "/api/v1/user/config";
    let before = other.owner.get(PATH).await?;
    one.owner.must(&Method::PATCH, PATH, &json!({ "time_zone": "Pacific/Chatham" })).await?;
    if !one.owner.get(PATH).await?.text.contains("Pacific/Chatham") {
        return Ok(Err("a change was not kept".into()));
    }
    let after = other.owner.get(PATH).await?;
    Ok(same(before == after, "the other's stay as they were", "the other's changed with it"))
}

async fn search(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let ask = json!({ "query": format!("password of the cellar door {}", one.word), "explain": true });
    if !one.owner.post("/api/v1/search", &ask).await?.text.contains(&one.word) {
        return Ok(Err("an organisation does not find its own".into()));
    }
    for caller in [&other.owner, &other.owner.with_token(&other.key)] {
        let found = caller.post("/api/v1/search", &ask).await?;
        // The query itself may be said again; what leads to a document may not.
        let results = found.json()["results"].to_string() + &found.json()["explain"].to_string();
        if !found.is_success()
            || one.ids.values().any(|id| results.contains(id.as_str()))
            || results.contains(&one.word)
        {
            return Ok(Err(format!("another's passage, or no answer: {}", found.told())));
        }
        if !results.contains(&other.word) {
            return Ok(Err("the other does not find its own".into()));
        }
    }
    Ok(Ok("each finds its own alone".into()))
}

async fn answers(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let path = format!("/api/v1/threads/{}/messages", other.ids["threads"]);
    let question = json!({ "content": QUESTION, "model": EMBEDDED });
    let answer = other.owner.post(&path, &question).await?;
    let told = answer.text.contains(&other.word) && !shows(&answer.text, one);
    Ok(same(told, "the same question is answered from one's own", "the answer is from elsewhere"))
}

async fn naming(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let asks = |id: &str| json!({ "query": "cellar", "collections": [id] });
    let real = other.owner.post("/api/v1/search", &asks(&one.ids["collections"])).await?;
    let never = other.owner.post("/api/v1/search", &asks("col_01932d6f4b7a7c3e9a51c0ffee15600d")).await?;
    Ok(same(real == never && !real.is_success(), "as unknown as one that never was", "told apart, or searched"))
}

/// Both keep a text of the same words: each has its own document of it, and one's deletion leaves the other's.
async fn same_text(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let content = format!("/api/v1/documents/{}/content", other.shared);
    let before = other.owner.get(&content).await?;
    let own = format!("/api/v1/documents/{}", one.shared);
    one.owner.must(&Method::DELETE, &own, &Value::Null).await?;
    if one.owner.get(&own).await?.status != 404 {
        return Ok(Err("a deleted document is still there".into()));
    }
    let after = other.owner.get(&content).await?;
    let kept = before == after && after.text.contains(&SHARED[..40]) && one.shared != other.shared;
    Ok(same(kept, "the other's stays, byte for byte", "the other's went or changed with it"))
}

/// A place in one's list is no place in another's.
async fn cursors(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let mut tried = 0;
    for path in [
        "/api/v1/threads",
        "/api/v1/jobs",
        "/api/v1/collections",
        "/api/v1/audit",
        "/api/v1/usage/logs",
        "/api/v1/teams",
    ] {
        let page = one.owner.get(&format!("{path}?limit=1")).await?.json();
        let Some(cursor) = page["next_cursor"].as_str() else { continue };
        let taken = other.owner.get(&format!("{path}?limit=1&cursor={cursor}")).await?;
        let invented = other.owner.get(&format!("{path}?limit=1&cursor=AAAA")).await?;
        if taken != invented || taken.is_success() {
            return Ok(Err(format!("{path} takes another's cursor: {}", taken.told())));
        }
        tried += 1;
    }
    Ok(same(tried > 0, "another's are no cursors", "no list has a second page, so nothing is known"))
}

/// Each organisation names models as it likes.
async fn names(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let path = format!("/api/v1/models/aliases/{}", one.ids["aliases"]);
    let before = one.owner.get(&path).await?;
    let own = json!({ "targets": [{ "provider": "embedded", "model": EMBEDDED }] });
    let made = other.owner.must(&Method::PUT, &path, &own).await?;
    let between = one.owner.get(&path).await?;
    other.owner.must(&Method::DELETE, &path, &Value::Null).await?;
    let after = one.owner.get(&path).await?;
    let apart =
        before.is_success() && before == between && between == after && !shows(&made["targets"].to_string(), one);
    Ok(same(apart, "each means its own", "the other's name changed the one's"))
}

async fn usage(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    const PATHS: [&str; 3] = ["/api/v1/usage/summary", "/api/v1/usage/quota", "/api/v1/usage/logs"];
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for path in PATHS {
        own.push(one.owner.get(path).await?.text);
        others.push(other.owner.get(path).await?.text);
    }
    let question =
        json!({ "model": EMBEDDED, "messages": [{ "role": "user", "content": format!("{} is told.", one.word) }] });
    one.owner.must(&Method::POST, "/v1/chat/completions", &question).await?;
    for (at, path) in PATHS.iter().enumerate() {
        if one.owner.get(path).await?.text == own[at] {
            return Ok(Err(format!("{path} does not show a call of the organisation's own")));
        }
        if other.owner.get(path).await?.text != others[at] {
            return Ok(Err(format!("{path} of the other changed with it")));
        }
    }
    Ok(Ok("counted for the one, unseen by the other".into()))
}

async fn limits(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    const PATH: &str = "/api/v1/audit/export";
    let limit = json!({ "level": "organization", "operation": "exports", "requests_per_minute": 1 });
    one.owner.must(&Method::POST, "/api/v1/limits", &limit).await?;
    let mut refused = false;
    for _ in 0..3 {
        refused |= one.owner.get(PATH).await?.status == 429;
    }
    if !refused {
        return Ok(Err("a limit of one in a minute lets three through".into()));
    }
    let free = other.owner.get(PATH).await?;
    Ok(same(free.is_success(), "the other's calls go on", "the other is limited with it"))
}

async fn repeated(one: &Tenant, other: &Tenant) -> Outcome<Found> {
    let body = json!({ "name": "Same name in both" });
    let send = async |tenant: &Tenant| {
        let caller = tenant.owner.with("idempotency-key", "the-same-key-in-both");
        caller.send(&Method::POST, "/api/v1/teams", &Content::Json(&body)).await
    };
    let (first, again, others) = (send(one).await?, send(one).await?, send(other).await?);
    if first.json()["id"] != again.json()["id"] || !first.is_success() {
        return Ok(Err("a repeated request is not answered as the first time".into()));
    }
    let apart = others.is_success() && others.json()["id"] != first.json()["id"];
    Ok(same(apart, "each gets its own answer", "the other is given the one's answer"))
}

/// Credentials that are wrong, each shown to a route that a right one opens.
async fn tokens(one: &Tenant, other: &Tenant, visitor: &Caller, report: &mut Report) -> Outcome {
    const PATH: &str = "/api/v1/teams";
    let right = visitor.with_token(&one.tokens.0).in_org(&one.probe.org.to_string()).get(PATH).await?;
    report.note("tokens: a right one", same(right.is_success(), "opens", "does not open, so nothing is known"));
    let split = |token: &str| -> [String; 3] {
        let mut parts = token.split('.').map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    };
    let ([head, payload, signature], [_, others_payload, others_signature]) =
        (split(&one.tokens.0), split(&other.tokens.0));
    // {"alg":"none","typ":"at+jwt"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let mut changed = other.key.clone();
    let last = changed.pop();
    changed.push(if last == Some('0') { '1' } else { '0' });
    let wrong = [
        ("no signature, `alg` none", format!("{none}.{payload}.")),
        ("another's signature", format!("{head}.{payload}.{others_signature}")),
        ("another's claims", format!("{head}.{others_payload}.{signature}")),
        ("a token for renewal in place of one for access", one.tokens.1.clone()),
        ("an API key with one letter changed", changed),
    ];
    for (what, token) in wrong {
        let answer = visitor.with_token(&token).get(PATH).await?;
        report.note(format!("tokens: {what}"), same(answer.status == 401, "refused", &answer.told()));
    }
    for (what, token) in [("access token", &other.tokens.0), ("API key", &other.key)] {
        let caller = visitor.with_token(token);
        let real = caller.in_org(&one.probe.org.to_string()).get(PATH).await?;
        let never = caller.in_org("org_01932d6f4b7a7c3e9a51c0ffee15600d").get(PATH).await?;
        let outcome = same(real == never && real.status == 404, "as unknown as one that never was", &real.told());
        report.note(format!("tokens: another's {what} that selects this organisation"), outcome);
    }
    Ok(())
}

fn shows(text: &str, tenant: &Tenant) -> bool {
    tenant.marks().into_iter().any(|mark| text.contains(mark))
}

fn same(holds: bool, found: &str, wrong: &str) -> Found {
    if holds { Ok(found.to_owned()) } else { Err(wrong.to_owned()) }
}
