//! The smallest body that a route takes, made from the description that the server gives of itself. Its form must be right, so that the
//! server gets as far as looking for what the path names.

use domain::Time;
use serde_json::{Map, Value, json};

/// How deep a description is followed.
const DEPTH: usize = 8;

/// The description of a server: an OpenAPI document.
pub(super) struct Description {
    pub(super) document: Value,
    /// A time that is to come, and not far away.
    pub(super) soon: Time,
}

impl Description {
    /// A body for an operation; nothing when it takes none, or not as JSON.
    pub(super) fn body(&self, operation: &Value) -> Option<Value> {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            return None;
        }
        let mut body = self.sample(schema, DEPTH);
        // A change that changes nothing may be refused before anything is looked for.
        if body.as_object().is_some_and(Map::is_empty)
            && let Some(properties) = self.resolved(schema)["properties"].as_object()
            && let Some((name, first)) = properties.iter().next()
        {
            body[name] = self.sample(first, DEPTH);
        }
        Some(body)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
        name.and_then(|path| self.document.pointer(path)).unwrap_or(schema)
    }

    fn sample(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolved(schema);
        if depth == 0 {
            return Value::Null;
        }
        if schema["format"] == "date-time" {
            return json!(self.soon);
        }
        let first = |list: &Value| list.as_array().and_then(|list| list.first()).cloned();
        if let Some(value) =
            first(&schema["examples"]).or_else(|| first(&schema["enum"])).or_else(|| schema.get("const").cloned())
        {
            return value;
        }
        for composed in ["allOf", "anyOf", "oneOf"] {
            let parts = schema[composed].as_array().map_or(&[][..], Vec::as_slice);
            if let Some(part) = parts.iter().find(|part| part["type"] != "null") {
                return self.sample(part, depth - 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("object") | None => {
                let named = |name: &Value| {
                    let name = name.as_str()?;
                    Some((name.to_owned(), self.sample(&schema["properties"][name], depth - 1)))
                };
                Value::Object(schema["required"].as_array().into_iter().flatten().filter_map(named).collect())
            }
            Some("array") => json!([self.sample(&schema["items"], depth - 1)]),
            Some("integer" | "number") => schema["minimum"].as_i64().map_or(json!(1), |least| json!(least.max(1))),
            Some("boolean") => json!(true),
            _ if schema["format"] == "email" => json!("somebody@probe.invalid"),
            _ => {
                json!("x".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1)).unwrap_or(1).clamp(1, 64)))
            }
        }
    }
}

/// Whether an operation takes a file.
pub(super) fn takes_file(operation: &Value) -> bool {
    !operation["requestBody"]["content"]["multipart/form-data"].is_null()
}

/// The query that an operation cannot do without.
pub(super) fn query(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needed = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
    let pairs: Vec<String> = needed.filter_map(|one| Some(format!("{}=x", one["name"].as_str()?))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
