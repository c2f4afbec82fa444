//! Reading a file of plans, such that all its mistakes are told at once, each with its plan and field.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use super::{Each, Feature, MAX_LIMIT, Meter, Plan, PlanName, Plans};

/// One mistake in a file of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The plan that holds it, if it is in one and the plan can be named.
    pub plan: Option<String>,
    /// The field, such as `limits.seats`; empty when it is the file as a whole.
    pub field: String,
    /// What the field must be.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plan) = &self.plan {
            write!(f, "plan `{plan}`, ")?;
        }
        if !self.field.is_empty() {
            write!(f, "field `{}` ", self.field)?;
        }
        f.write_str(&self.problem)
    }
}

/// A file that does not describe plans: all its mistakes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct InvalidPlans(pub Vec<Mistake>);

impl Plans {
    /// Reads a file on top of the plans given, with that plan as the default one unless the file names another.
    pub(super) fn read(text: &str, default: Option<PlanName>, mut plans: Vec<Plan>) -> Result<Self, InvalidPlans> {
        let mut file: Table = toml::from_str(text).map_err(|error| InvalidPlans(vec![not_toml(text, &error)]))?;
        let mut reader = Reader::default();
        let named = file.remove("default").and_then(|value| reader.parsed("default", &value));
        let mut seen = BTreeSet::new();
        for (index, value) in reader.tables(file.remove("plan")).into_iter().enumerate() {
            if let Some(plan) = reader.plan(index, value) {
                if !seen.insert(plan.name.clone()) {
                    reader.mistake("name", "must not stand twice in a file");
                }
                match plans.iter_mut().find(|old| old.name == plan.name) {
                    Some(old) => *old = plan,
                    None => plans.push(plan),
                }
            }
        }
        reader.plan = None;
        reader.unknown(&file, "");
        // Only when all else is right: a plan that could not be read would be missed here once more.
        if reader.mistakes.is_empty() {
            match named.or(default) {
                None => reader.mistake("default", "is missing: it names the plan of new organisations"),
                Some(name) => match plans.iter().position(|plan| plan.name == name) {
                    None => reader.mistake("default", &format!("must name one of the plans; `{name}` is none")),
                    Some(default) => return Ok(Self { plans, default }),
                },
            }
        }
        Err(InvalidPlans(reader.mistakes))
    }
}

/// Says what is wrong with the text as TOML, and in which line: the crate's own text spans several lines, too many for
/// a log.
fn not_toml(text: &str, error: &toml::de::Error) -> Mistake {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Mistake { plan: None, field: String::new(), problem: format!("line {line} must be TOML: {}", error.message()) }
}

/// Walks through a file by hand instead of by serde, to find all mistakes at once and to name the plan and the field of
/// each.
#[derive(Default)]
struct Reader {
    /// The plan that is being read.
    plan: Option<String>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn mistake(&mut self, field: &str, problem: &str) {
        self.mistakes.push(Mistake { plan: self.plan.clone(), field: field.to_owned(), problem: problem.to_owned() });
    }

    /// Complains about all that is left in a table whose known fields were taken out.
    fn unknown(&mut self, table: &Table, within: &str) {
        for field in table.keys() {
            self.mistake(&format!("{within}{field}"), "is not known");
        }
    }

    fn tables(&mut self, value: Option<Value>) -> Vec<Value> {
        match value {
            None => Vec::new(),
            Some(Value::Array(tables)) => tables,
            Some(_) => {
                self.mistake("plan", "must be a list of plans: write [[plan]] with two brackets");
                Vec::new()
            }
        }
    }

    /// Reads one plan; `None` when any of its fields has a mistake.
    fn plan(&mut self, index: usize, value: Value) -> Option<Plan> {
        // Until its name is known a plan is called by its place in the file.
        self.plan = Some(format!("number {}", index + 1));
        let Value::Table(mut table) = value else {
            self.mistake("plan", "must be a table: write [[plan]]");
            return None;
        };
        let name: Option<PlanName> = self.field(&mut table, "name", Self::parsed);
        self.plan = name.as_ref().map(ToString::to_string).or(self.plan.take());
        let title = self.field(&mut table, "title", |reader, field, value| reader.words(field, value, 60));
        let description = self.field(&mut table, "description", |reader, field, value| reader.words(field, value, 400));
        let features = self.field(&mut table, "features", Self::features);
        let limits = self.field(&mut table, "limits", Self::limits);
        self.unknown(&table, "");
        Some(Plan { name: name?, title: title?, description: description?, limits: limits?, features: features? })
    }

    fn field<T>(
        &mut self,
        table: &mut Table,
        field: &str,
        read: impl Fn(&mut Self, &str, &Value) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = table.remove(field) else {
            self.mistake(field, "is missing");
            return None;
        };
        read(self, field, &value)
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.mistake(field, "must be text in quotes");
            return None;
        };
        text.parse().map_err(|error: T::Err| self.mistake(field, &error.to_string())).ok()
    }

    fn words(&mut self, field: &str, value: &Value, max: usize) -> Option<String> {
        let text = value.as_str().map(str::trim).filter(|text| (1..=max).contains(&text.chars().count()));
        if text.is_none() {
            self.mistake(field, &format!("must be text of 1 to {max} characters in quotes"));
        }
        text.map(str::to_owned)
    }

    fn features(&mut self, field: &str, value: &Value) -> Option<BTreeSet<Feature>> {
        let Some(list) = value.as_array() else {
            self.mistake(field, "must be a list such as [\"custom_roles\"], perhaps empty");
            return None;
        };
        let read: Vec<_> = list.iter().map(|value| self.parsed(field, value)).collect();
        read.into_iter().collect()
    }

    fn limits(&mut self, field: &str, value: &Value) -> Option<Each<Meter, u64>> {
        let Some(mut table) = value.as_table().cloned() else {
            self.mistake(field, "must be a table: write [plan.limits]");
            return None;
        };
        let read = Each::of(|meter: Meter| {
            self.limit(&format!("{field}.{meter}"), meter, table.remove(meter.as_str()).as_ref())
        });
        self.unknown(&table, &format!("{field}."));
        let whole = read.iter().all(|(_, limit)| limit.is_some());
        whole.then(|| Each::of(|meter| read.get(meter).unwrap_or_default()))
    }

    fn limit(&mut self, field: &str, meter: Meter, value: Option<&Value>) -> Option<u64> {
        let Some(value) = value else {
            self.mistake(field, "is missing");
            return None;
        };
        let smallest = meter.smallest();
        let limit = value.as_integer().and_then(|limit| u64::try_from(limit).ok());
        let limit = limit.filter(|limit| (smallest..=MAX_LIMIT).contains(limit));
        if limit.is_none() {
            self.mistake(field, &format!("must be a whole number from {smallest} to {MAX_LIMIT}, without quotes"));
        }
        limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PlanName {
        PlanName::new(text).expect("a good name")
    }

    fn team() -> String {
        let limits: Vec<_> = Meter::ALL.iter().map(|meter| format!("{meter} = 7")).collect();
        [
            "[[plan]]",
            "name = \"team\"",
            "title = \"Team\"",
            "description = \"Ours.\"",
            "features = [\"audit_export\"]",
            "[plan.limits]",
            &limits.join("\n"),
            "",
        ]
        .join("\n")
    }

    /// The mistakes of a file whose one plan had some text replaced.
    fn mistakes(from: &str, to: &str) -> String {
        let text = format!("default = \"team\"\n{}", team());
        assert!(text.contains(from), "{from}");
        Plans::parse(&text.replacen(from, to, 1)).expect_err("a bad file").to_string()
    }

    #[test]
    fn an_operators_file_adds_and_replaces_plans() {
        let added = Plans::builtin().merge(&team()).expect("a good file");
        let names: Vec<_> = added.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["free", "pro", "enterprise", "team"]);
        assert_eq!(added.default_plan().name, name("free"));

        let replaced = Plans::builtin().merge(&team().replace("\"team\"", "\"free\"")).expect("a good file");
        let names: Vec<_> = replaced.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["free", "pro", "enterprise"]);
        assert_eq!(*replaced.default_plan().limits.get(Meter::Requests), 7);

        let other = Plans::builtin().merge(&format!("default = \"team\"\n{}", team())).expect("a good file");
        assert_eq!(other.default_plan().name, name("team"));
        assert_eq!(Plans::builtin().merge("").expect("an empty file changes nothing"), Plans::builtin());
    }

    #[test]
    fn each_mistake_names_its_plan_and_field() {
        assert_eq!(mistakes("seats = 7\n", ""), "plan `team`, field `limits.seats` is missing");
        assert_eq!(mistakes("mails = 7", "mail = 7\nmails = 7"), "plan `team`, field `limits.mail` is not known");
        assert_eq!(mistakes("title =", "price = 5\ntitle ="), "plan `team`, field `price` is not known");
        assert_eq!(mistakes("title = \"Team\"\n", ""), "plan `team`, field `title` is missing");
        assert_eq!(
            mistakes("\"Team\"", "\" \""),
            "plan `team`, field `title` must be text of 1 to 60 characters in quotes"
        );
        assert_eq!(
            mistakes("\"audit_export\"", "\"audit\""),
            "plan `team`, field `features` must be one of `custom_roles`, `audit_export`, `member_activity`"
        );
        for wrong in ["-1", "\"7\"", "7.0", "9007199254740992"] {
            assert_eq!(
                mistakes("tokens = 7", &format!("tokens = {wrong}")),
                "plan `team`, field `limits.tokens` must be a whole number from 0 to 9007199254740991, without quotes"
            );
        }
        assert_eq!(
            mistakes("seats = 7", "seats = 0"),
            "plan `team`, field `limits.seats` must be a whole number from 1 to 9007199254740991, without quotes"
        );
        assert_eq!(
            mistakes("name = \"team\"", "name = \"Team!\""),
            "plan `number 1`, field `name` must be 1 to 40 of the characters a-z, 0-9, `_` and `-`"
        );
        assert_eq!(
            mistakes("default = \"team\"\n", ""),
            "field `default` is missing: it names the plan of new organisations"
        );
        assert_eq!(
            mistakes("default = \"team\"", "default = \"free\""),
            "field `default` must name one of the plans; `free` is none"
        );
        assert_eq!(mistakes("default =", "plans = 1\ndefault ="), "field `plans` is not known");
        assert_eq!(Plans::parse("plan = 5").expect_err("a bad file").0[0].field, "plan");
        assert!(mistakes("title = \"Team\"", "title = Team").starts_with("line 4 must be TOML: "));
        let twice = Plans::builtin().merge(&team().repeat(2)).expect_err("a bad file");
        assert_eq!(twice.to_string(), "plan `team`, field `name` must not stand twice in a file");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = team().replace("seats = 7\n", "").replace("\"Ours.\"", "5").replace("audit_export", "x");
        let error = Plans::builtin().merge(&text).expect_err("a bad file");
        let fields: Vec<_> = error.0.iter().map(|mistake| mistake.field.as_str()).collect();
        assert_eq!(fields, ["description", "features", "limits.seats"]);
    }
}
