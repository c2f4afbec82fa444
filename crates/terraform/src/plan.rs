//! What a resource would become: the part of the protocol that asks nobody.

use crate::schema::{Attribute, Source};
use crate::value::{Object, Value};

/// A planned change.
#[derive(Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) state: Object,
    /// The attributes because of which something else must be made.
    pub(crate) replace: Vec<&'static str>,
}

/// Plans a resource that is to be, out of how it is, what Terraform proposes, and what is configured.
pub(crate) fn plan(attributes: &[Attribute], prior: Option<&Object>, proposed: &Object, config: &Object) -> Planned {
    let null = Value::Null;
    let (mut state, mut replace) = (Object::new(), Vec::new());
    for attribute in attributes {
        let configured = config.get(attribute.name).unwrap_or(&null);
        let was = prior.map(|prior| prior.get(attribute.name).unwrap_or(&null));
        let planned = match attribute.source {
            Source::Required | Source::Optional => proposed.get(attribute.name).unwrap_or(&null).clone(),
            Source::Usual(usual) if *configured == Value::Null => usual.value(),
            Source::Usual(_) => configured.clone(),
            Source::Server => was.cloned().unwrap_or(Value::Unknown),
        };
        if attribute.fixed && was.is_some_and(|was| *was != planned) {
            replace.push(attribute.name);
        }
        state.insert(attribute.name.to_owned(), planned);
    }
    Planned { state, replace }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{TEXT, Usual};

    const ATTRIBUTES: &[Attribute] = &[
        Attribute::told("id", TEXT, ""),
        Attribute::required("email", TEXT, "").fixed(),
        Attribute::usual("description", TEXT, Usual::Empty, ""),
        Attribute::optional("parent_id", TEXT, ""),
    ];

    fn object(json: &serde_json::Value) -> Object {
        Value::from(json).object().expect("an object")
    }

    #[test]
    fn what_is_new_gets_its_id_later_and_what_is_left_out_is_usual() {
        let config = object(&json!({ "id": null, "email": "a@b.c", "description": null, "parent_id": null }));
        let planned = plan(ATTRIBUTES, None, &config, &config);
        assert_eq!(planned.state["id"], Value::Unknown);
        assert_eq!((&planned.state["description"], &planned.state["parent_id"]), (&Value::from(""), &Value::Null));
        assert_eq!(planned.replace, [""; 0]);
    }

    #[test]
    fn what_is_left_out_again_is_usual_again() {
        let prior = object(&json!({ "id": "1", "email": "a@b.c", "description": "old", "parent_id": "2" }));
        let config = object(&json!({ "id": null, "email": "a@b.c", "description": null, "parent_id": null }));
        // Terraform proposes to keep what the server could have set.
        let proposed = object(&json!({ "id": "1", "email": "a@b.c", "description": "old", "parent_id": null }));
        let planned = plan(ATTRIBUTES, Some(&prior), &proposed, &config);
        assert_eq!(
            planned.state,
            object(&json!({ "id": "1", "email": "a@b.c", "description": "", "parent_id": null }))
        );
        assert_eq!(planned.replace, [""; 0]);
    }

    #[test]
    fn another_value_of_something_fixed_makes_something_else() {
        let prior = object(&json!({ "id": "1", "email": "a@b.c", "description": "", "parent_id": null }));
        let mut config = prior.clone();
        config.insert("email".to_owned(), Value::Unknown);
        assert_eq!(plan(ATTRIBUTES, Some(&prior), &config, &config).replace, ["email"]);
        assert_eq!(plan(ATTRIBUTES, Some(&prior), &prior, &prior).replace, [""; 0]);
    }
}
