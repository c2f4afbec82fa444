//! Terraform's values, and how they travel: as `MessagePack` with Terraform, as JSON with Rowhouse and in saved states.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::protocol::DynamicValue;

/// How deep values may be nested: what this provider has is three deep.
const DEPTH: u16 = 16;

/// A value. A list that comes from Terraform is a set here, and is kept in order, so that equal sets are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// None.
    Null,
    /// Not known before something else is made.
    Unknown,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Self>),
    Map(Object),
}

/// Values by name: a resource, or what it was configured with.
pub(crate) type Object = BTreeMap<String, Value>;

/// Bytes that are no value of this provider.
#[derive(Debug, thiserror::Error)]
#[error("a value cannot be read: {0}")]
pub(crate) struct Unreadable(String);

impl Value {
    /// Reads a value as Terraform sends it; nothing sent is null.
    pub(crate) fn read(sent: Option<&DynamicValue>) -> Result<Self, Unreadable> {
        match sent {
            None => Ok(Self::Null),
            Some(sent) if !sent.msgpack.is_empty() => {
                let read = rmpv::decode::read_value_with_max_depth(&mut sent.msgpack.as_slice(), DEPTH.into());
                Self::of_msgpack(read.map_err(|error| Unreadable(error.to_string()))?)
            }
            Some(sent) => Self::read_json(&sent.json),
        }
    }

    /// Reads a value as it is saved; nothing saved is null.
    pub(crate) fn read_json(saved: &[u8]) -> Result<Self, Unreadable> {
        if saved.is_empty() {
            return Ok(Self::Null);
        }
        let json: Json = serde_json::from_slice(saved).map_err(|error| Unreadable(error.to_string()))?;
        Ok(Self::from(&json))
    }

    /// Writes it as Terraform reads it.
    pub(crate) fn send(&self) -> DynamicValue {
        let mut msgpack = Vec::new();
        rmpv::encode::write_value(&mut msgpack, &self.msgpack()).expect("memory takes all that is written");
        DynamicValue { msgpack, json: Vec::new() }
    }

    /// As Rowhouse reads it. What is not known is not sent before it is.
    pub(crate) fn json(&self) -> Json {
        match self {
            Self::Null | Self::Unknown => Json::Null,
            Self::Bool(it) => (*it).into(),
            Self::Number(it) => (*it).into(),
            Self::Text(it) => it.as_str().into(),
            Self::List(all) => all.iter().map(Self::json).collect(),
            Self::Map(all) => all.iter().map(|(name, it)| (name.clone(), it.json())).collect(),
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it holds by name, if it does.
    pub(crate) fn object(self) -> Option<Object> {
        match self {
            Self::Map(object) => Some(object),
            _ => None,
        }
    }

    /// Whether something in it is not known yet.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::List(all) => all.iter().any(Self::is_open),
            Self::Map(all) => all.values().any(Self::is_open),
            _ => false,
        }
    }

    fn of_msgpack(read: rmpv::Value) -> Result<Self, Unreadable> {
        let no_text = || Unreadable("a text is not UTF-8".to_owned());
        Ok(match read {
            rmpv::Value::Nil => Self::Null,
            // Whatever the extension says about it: a value that is not known yet.
            rmpv::Value::Ext(..) => Self::Unknown,
            rmpv::Value::Boolean(it) => Self::Bool(it),
            rmpv::Value::Integer(it) => {
                Self::Number(it.as_i64().ok_or_else(|| Unreadable(format!("{it} is too large")))?)
            }
            rmpv::Value::String(it) => Self::Text(it.into_str().ok_or_else(no_text)?),
            rmpv::Value::Array(all) => {
                let mut all = all.into_iter().map(Self::of_msgpack).collect::<Result<Vec<_>, _>>()?;
                all.sort();
                Self::List(all)
            }
            rmpv::Value::Map(all) => {
                let entry = |(name, it): (rmpv::Value, rmpv::Value)| match name {
                    rmpv::Value::String(name) => Ok((name.into_str().ok_or_else(no_text)?, Self::of_msgpack(it)?)),
                    other => Err(Unreadable(format!("{other} is no name"))),
                };
                Self::Map(all.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
            other @ (rmpv::Value::F32(_) | rmpv::Value::F64(_) | rmpv::Value::Binary(_)) => {
                return Err(Unreadable(format!("{other} is neither text nor a whole number")));
            }
        })
    }

    fn msgpack(&self) -> rmpv::Value {
        match self {
            Self::Null => rmpv::Value::Nil,
            Self::Unknown => rmpv::Value::Ext(0, vec![0]),
            Self::Bool(it) => (*it).into(),
            Self::Number(it) => (*it).into(),
            Self::Text(it) => it.as_str().into(),
            Self::List(all) => rmpv::Value::Array(all.iter().map(Self::msgpack).collect()),
            Self::Map(all) => {
                rmpv::Value::Map(all.iter().map(|(name, it)| (name.as_str().into(), it.msgpack())).collect())
            }
        }
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(it) => Self::Bool(*it),
            Json::Number(it) => it.as_i64().map_or(Self::Null, Self::Number),
            Json::String(it) => Self::Text(it.clone()),
            Json::Array(all) => {
                let mut all: Vec<Self> = all.iter().map(Self::from).collect();
                all.sort();
                Self::List(all)
            }
            Json::Object(all) => Self::Map(all.iter().map(|(name, it)| (name.clone(), Self::from(it))).collect()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was_sent() {
        let mut value = Value::from(&json!({
            "id": "rol_1", "gone": null, "open": true, "limit": 9_007_199_254_740_991_i64,
            "permissions": ["b", "a"], "teams": { "tea_1": "member" },
        }));
        let Value::Map(object) = &mut value else { panic!("an object") };
        object.insert("link".to_owned(), Value::Unknown);
        assert_eq!(Value::read(Some(&value.send())).expect("read"), value);
        assert!(value.is_open());
        assert_eq!(value.json()["permissions"], json!(["a", "b"]), "a set has one order");
        assert_eq!(Value::read(None).expect("read"), Value::Null);
    }

    #[test]
    fn whatever_terraform_knows_of_an_unknown_value_it_is_unknown() {
        // A refined one: not null, of an extension type of its own.
        let refined = DynamicValue { msgpack: vec![0xc7, 3, 12, 0x81, 1, 0xc2], json: Vec::new() };
        assert_eq!(Value::read(Some(&refined)).expect("read"), Value::Unknown);
    }

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        for wrong in [&[0x93, 1][..], &[0xca, 0, 0, 0, 0], &[0xc4, 1, 0], &[0xa1, 0xff], &[0x81, 1, 1], &[0x91; 100]] {
            let sent = DynamicValue { msgpack: wrong.to_vec(), json: Vec::new() };
            assert!(Value::read(Some(&sent)).is_err(), "{wrong:?}");
        }
        assert!(Value::read_json(b"{").is_err());
    }
}
