//! `rowhouse org`: an organisation as its people see it, and what it pays for.

use domain::plan::{Feature, Meter};
use serde_json::{Value, json};

use super::remote::{Door, at, tell, text, when};
use crate::Outcome;
use crate::output::Columns;

/// What it is called, and how it stands.
pub(crate) fn show(door: &Door<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let org = client.get(&format!("api/v1/orgs/{}", client.org())).await?.json()?;
        let mut columns = Columns::default();
        for name in ["id", "name", "slug", "plan"] {
            columns.row([name, &text(&org[name])]);
        }
        columns.row(["status", &standing(&org)]);
        columns.row(["time zone", &text(&org["time_zone"])]);
        columns.row(["since", &when(&org["created_at"])]);
        tell(as_json, &org, columns);
        Ok(())
    })
}

/// What it pays for: its plan, how it stands, what is included and used, and what differs from the plan until when.
pub(crate) fn plan(door: &Door<'_>, as_json: bool) -> Outcome {
    at(door, async |client| {
        let path = format!("api/v1/orgs/{}", client.org());
        let org = client.get(&path).await?.json()?;
        let entitlements = client.get(&format!("{path}/entitlements")).await?.json()?;
        // What is used is shown to those who may see what is spent.
        let quota = match client.get("api/v1/usage/quota").await {
            Ok(answer) => answer.json()?,
            Err(error) if error.code() == Some("forbidden") => Value::Null,
            Err(error) => return Err(error.into()),
        };
        let all = json!({ "organization": org, "entitlements": entitlements, "quota": quota });
        tell(as_json, &all, told(&org, &entitlements, &quota));
        Ok(())
    })
}

fn told(org: &Value, entitlements: &Value, quota: &Value) -> String {
    let mut columns = Columns::default();
    columns.row(["what", "included", "used", ""]);
    for meter in Meter::ALL {
        let limit = &entitlements["limits"][meter.as_str()];
        let row = used(*meter, &limit["value"], entitlements, quota);
        let mut remark = exception(limit);
        if meter.is_monthly() {
            let anew = row.map(|row| when(&row["resets_at"])).filter(|time| time != "-");
            remark.insert(0, anew.map_or("a month".to_owned(), |time| format!("a month, anew on {time}")));
        }
        let taken = row.map_or("-".to_owned(), |row| text(row.get("seats").unwrap_or(&row["used"])));
        columns.row([meter.as_str(), &text(&limit["value"]), &taken, &remark.join("; ")]);
    }
    let mut said = format!(
        "{} is on the plan {}. It is {}.\n\n{columns}\n",
        text(&org["name"]),
        text(&entitlements["plan"]),
        standing(org)
    );
    for feature in Feature::ALL {
        let grant = &entitlements["features"][feature.as_str()];
        let remark: String = exception(grant).iter().map(|part| format!(" ({part})")).collect();
        let has = if grant["granted"] == true { "included" } else { "not included" };
        said.push_str(&format!("{has}: {}{remark}\n", feature.as_str().replace('_', " ")));
    }
    if quota.is_null() {
        said.push_str("\nWhat is used takes a key whose scopes name usage.read.\n");
    }
    said
}

/// The row that says how much of something is used, as far as it is counted.
fn used<'a>(meter: Meter, limit: &Value, entitlements: &'a Value, quota: &'a Value) -> Option<&'a Value> {
    if meter == Meter::Seats {
        return Some(&entitlements["used"]);
    }
    let rows = quota["data"].as_array()?;
    let is_plan = |row: &&Value| row["level"] == "organization" && &row["limit"] == limit;
    rows.iter().filter(is_plan).find(|row| row["counted"] == meter.as_str())
}

/// What differs from the plan, and until when.
fn exception(one: &Value) -> Vec<String> {
    if one["source"] != "override" {
        return Vec::new();
    }
    let until = one["until"].is_string().then(|| format!(" until {}", when(&one["until"])));
    vec![format!("an exception from the plan{}", until.unwrap_or_default())]
}

/// How it stands, in words.
fn standing(org: &Value) -> String {
    match org["status"].as_str().unwrap_or_default() {
        "active" => "active".to_owned(),
        "past_due" => "past due: a payment is late, and nothing that costs money runs".to_owned(),
        "suspended" => "suspended: its owners can read and export, nobody can change anything".to_owned(),
        "closing" => format!("closing: it is erased on {}, unless an owner restores it", when(&org["closes_at"])),
        _ => text(&org["status"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_as_sentences_with_each_exception_and_its_end() {
        let org = json!({ "name": "Acme", "status": "past_due" });
        let limits: serde_json::Map<String, Value> = Meter::ALL
            .iter()
            .map(|meter| (meter.as_str().to_owned(), json!({ "value": 5, "source": "plan", "until": null })))
            .collect();
        let mut entitlements = json!({ "plan": "pro", "limits": limits, "features": {}, "used": { "seats": 2 } });
        entitlements["limits"]["tokens"] =
            json!({ "value": 9, "source": "override", "until": "2026-12-24T18:30:00.000000Z" });
        let quota = json!({
            "data": [
                { "level": "organization", "counted": "tokens", "limit": 9, "used": 4, "resets_at": "2026-12-01T00:00:00.000000Z" },
                { "level": "user", "counted": "requests", "limit": 5, "used": 3 },
            ],
        });
        let said = told(&org, &entitlements, &quota);
        assert!(said.starts_with("Acme is on the plan pro. It is past due: a payment is late, and"), "{said}");
        let row = |name: &str| said.lines().find(|line| line.starts_with(name)).expect("a row").to_owned();
        assert_eq!(
            row("tokens").split_whitespace().collect::<Vec<_>>().join(" "),
            "tokens 9 4 a month, anew on 2026-12-01 00:00 UTC; an exception from the plan until 2026-12-24 18:30 UTC"
        );
        assert_eq!(row("seats").split_whitespace().collect::<Vec<_>>(), ["seats", "5", "2"]);
        assert_eq!(row("requests").split_whitespace().nth(2), Some("-"), "a person's limit is not the plan's: {said}");
        assert!(told(&org, &entitlements, &Value::Null).contains("usage.read"));
    }
}
