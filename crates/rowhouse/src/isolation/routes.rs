//! Every route that the server says it has, called by a stranger who knows the real ids.

use std::time::Duration;

use domain::Time;
use http::Method;
use serde_json::Value;

use super::caller::{Answer, Caller, Content};
use super::schema::{self, Description};
use super::tenant::{SHARED, Tenant};
use crate::Outcome;
use crate::output::Report;

/// What is made under a name that each organisation chooses for itself: the same name in another is no refusal.
const NAMED_BY_EACH: &str = "/api/v1/models/aliases/{alias}";

/// One route of the server.
struct Route<'a> {
    method: Method,
    path: &'a str,
    operation: &'a Value,
}

impl Route<'_> {
    /// What it asks of its caller, as the server says.
    fn asks(&self) -> &str {
        self.operation["x-access"].as_str().unwrap_or_default()
    }

    /// Whether it is about an organisation, the selected one or one that the path names.
    fn is_tenants(&self) -> bool {
        ["organization", "local"].contains(&self.asks())
    }
}

/// Calls each as nobody, as the other organisation's owner, and with its key.
pub(super) async fn check(one: &Tenant, other: &Tenant, visitor: &Caller, now: Time, report: &mut Report) -> Outcome {
    let document = visitor.must(&Method::GET, "/api/openapi.json", &Value::Null).await?;
    let description = Description { document, soon: now + Duration::from_hours(1) };
    let key = visitor.with_token(&other.key);
    for route in routes(&description.document) {
        let body = description.body(route.operation);
        let content = match &body {
            _ if schema::takes_file(route.operation) => Content::File(SHARED),
            Some(body) => Content::Json(body),
            None => Content::Nothing,
        };
        // An organisation that the path names is not selected as well.
        let owner =
            if route.path.contains("{org_id}") { other.owner.without("x-rowhouse-org") } else { other.owner.clone() };
        // A key may less than its maker, and whoever is denied all the time is asked to wait: it reads.
        let strangers = [&owner, &key];
        let strangers = if route.method == Method::GET { &strangers[..] } else { &strangers[..1] };
        let outcome = judge(&route, &content, one, visitor, strangers).await?;
        report.note(format!("route {} {}", route.method, route.path), outcome.map(str::to_owned));
    }
    Ok(())
}

fn routes(document: &Value) -> Vec<Route<'_>> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (name, operation) in item.as_object().into_iter().flatten().filter(|(_, one)| !one["x-access"].is_null()) {
            if let Ok(method) = Method::from_bytes(name.to_uppercase().as_bytes()) {
                routes.push(Route { method, path, operation });
            }
        }
    }
    routes
}

async fn judge(
    route: &Route<'_>,
    content: &Content<'_>,
    one: &Tenant,
    visitor: &Caller,
    strangers: &[&Caller],
) -> Outcome<Result<&'static str, String>> {
    if route.asks() == "public" {
        return Ok(Ok("belongs to nobody, open to all"));
    }
    if (&route.method, route.path) == (&Method::PUT, NAMED_BY_EACH) {
        return Ok(Ok("each organisation gives its own names: see `models`"));
    }
    let asked = |path: String| format!("{path}{}", schema::query(route.operation));
    let real = asked(fill(route.path, |noun| one.ids.get(noun).cloned()));
    let never = asked(fill(route.path, |_| None));
    let nobody = visitor.send(&route.method, &real, content).await?;
    if nobody.status != 401 {
        return Ok(Err(format!("nobody in particular is answered {}", nobody.told())));
    }
    let mut found = "closed to nobody in particular";
    for stranger in strangers {
        if route.path.contains('{') || route.asks() == "operator" {
            let answer = stranger.send(&route.method, &real, content).await?;
            let invented = stranger.send(&route.method, &never, content).await?;
            if let Err(wrong) = alike(&answer, &invented) {
                return Ok(Err(wrong));
            }
            found = "another's is as unknown as what never was";
        } else if route.method == Method::GET {
            let shown = stranger.send(&route.method, &real, content).await?;
            if let Some(mark) = one.marks().into_iter().find(|mark| shown.text.contains(mark)) {
                return Ok(Err(format!("shows {mark} of another organisation")));
            }
            found = "shows nothing of another's";
        }
        // What is about the caller's own account is theirs to change, and not for a check.
        if route.is_tenants() && !route.path.contains("{org_id}") {
            let selecting = stranger.in_org(&one.probe.org.to_string()).send(&route.method, &never, content).await?;
            let nowhere = stranger.in_org(&invented("orgs")).send(&route.method, &never, content).await?;
            if let Err(wrong) = alike(&selecting, &nowhere) {
                return Ok(Err(format!("when another's organisation is selected: {wrong}")));
            }
            if !route.path.contains('{') && route.method != Method::GET {
                found = "another's organisation cannot be selected";
            }
        }
    }
    Ok(Ok(found))
}

/// Whether two answers are the same, and a refusal that was given after the id was looked for.
fn alike(real: &Answer, invented: &Answer) -> Result<(), String> {
    if real != invented {
        return Err(format!("told apart: another's id gives {}, an invented one {}", real.told(), invented.told()));
    }
    if ![403, 404].contains(&real.status) {
        return Err(format!("not tried: {} for both", real.told()));
    }
    Ok(())
}

/// Fills the ids of a path by the noun before each; what has none gets an id of the right form that never was.
fn fill(path: &str, id: impl Fn(&str) -> Option<String>) -> String {
    let mut noun = "";
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            return id(noun).unwrap_or_else(|| invented(noun));
        }
        noun = part;
        part.to_owned()
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Prefixes of ids, by the noun before them in a path.
const PREFIXES: [(&str, &str); 22] = [
    ("teams", "tea"),
    ("projects", "prj"),
    ("roles", "rol"),
    ("members", "usr"),
    ("people", "usr"),
    ("users", "usr"),
    ("invitations", "inv"),
    ("api-keys", "key"),
    ("sessions", "ses"),
    ("limits", "lim"),
    ("orgs", "org"),
    ("mails", "mai"),
    ("erasures", "era"),
    ("mail-domains", "dom"),
    ("providers", "prv"),
    ("budgets", "bud"),
    ("webhooks", "whk"),
    ("overrides", "ovr"),
    ("collections", "col"),
    ("documents", "doc"),
    ("jobs", "job"),
    ("threads", "thr"),
];

fn invented(noun: &str) -> String {
    match PREFIXES.iter().find(|(known, _)| *known == noun) {
        Some((_, prefix)) => format!("{prefix}_01932d6f4b7a7c3e9a51c0ffee15600d"),
        None if noun == "messages" => "trn_01932d6f4b7a7c3e9a51c0ffee15600d".into(),
        None => "never-made".into(),
    }
}
