//! Turns rows into structs: a serde deserializer over named columns, so a row type is a plain `#[derive(Deserialize)]` struct.
//!
//! The format is not human readable: ids read 16 bytes, times read microseconds.

use std::sync::Arc;

use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};

use super::value::Value;
use crate::error::{Error, Result};

/// One row of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T> {
        T::deserialize(RowReader(self)).map_err(|error| Error::bug(format!("a row does not fit its type: {error}")))
    }
}

/// A column that holds JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: serde::Serialize> Json<T> {
    /// The text.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// In an audit entry it stands as what it holds.
impl<T: serde::Serialize> serde::Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> de::Deserialize<'de> for Json<T> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Self).map_err(de::Error::custom)
    }
}

type Failure = de::value::Error;

struct RowReader(Row);

impl<'de> de::Deserializer<'de> for RowReader {
    type Error = Failure;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Row { columns, values } = self.0;
        visitor.visit_map(Columns { names: columns, values: values.into_iter(), at: 0, next: None })
    }

    /// What may be nothing is nothing to serde when its column is missing: so a statement that forgot one would tell of none.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let columns = &self.0.columns;
        match fields.iter().find(|field| !columns.iter().any(|column| column == **field)) {
            Some(missing) => Err(de::Error::custom(format_args!("{name} has no column {missing}"))),
            None => self.deserialize_map(visitor),
        }
    }

    /// A row of several columns read as a tuple, in their order.
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_seq(Values(self.0.values.into_iter()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_option(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.single()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_seq(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_bytes(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_bool(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_any(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_any(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.single()?.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char unit_struct tuple_struct identifier ignored_any
    }
}

impl RowReader {
    /// The value of a row of one column.
    fn single(self) -> Result<Field, Failure> {
        let mut values = self.0.values.into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(Field(value)),
            _ => Err(de::Error::custom("expected a row of one column")),
        }
    }
}

struct Columns {
    names: Arc<[String]>,
    values: std::vec::IntoIter<Value>,
    at: usize,
    next: Option<Value>,
}

impl<'de> de::MapAccess<'de> for Columns {
    type Error = Failure;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        let Some(value) = self.values.next() else { return Ok(None) };
        self.next = Some(value);
        let name: &str = &self.names[self.at];
        self.at += 1;
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let value = self.next.take().ok_or_else(|| de::Error::custom("a value before its key"))?;
        seed.deserialize(Field(value)).map_err(|error| {
            let name: &str = &self.names[self.at - 1];
            de::Error::custom(format_args!("column {name}: {error}"))
        })
    }
}

struct Values(std::vec::IntoIter<Value>);

impl<'de> de::SeqAccess<'de> for Values {
    type Error = Failure;

    fn next_element_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.0.next().map(|value| seed.deserialize(Field(value))).transpose()
    }
}

/// One value of a row.
struct Field(Value);

impl<'de> de::Deserializer<'de> for Field {
    type Error = Failure;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null(_) => visitor.visit_none(),
            Value::I64(v) => visitor.visit_i64(v),
            Value::F64(v) => visitor.visit_f64(v),
            Value::Bool(v) => visitor.visit_bool(v),
            Value::Text(v) => visitor.visit_string(v),
            Value::Bytes(v) => visitor.visit_byte_buf(v),
            Value::Uuid(v) => visitor.visit_bytes(v.as_bytes()),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::I64(v) => visitor.visit_bool(v != 0),
            other => Field(other).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null(_) => visitor.visit_none(),
            other => visitor.visit_some(Field(other)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    /// Bytes read as a list of numbers, which is how serde sees `Vec<u8>` and `[u8; 32]`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Bytes(v) => visitor.visit_seq(de::value::SeqDeserializer::new(v.into_iter())),
            other => Field(other).deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Text(v) => visitor.visit_enum(v.into_deserializer()),
            other => Field(other).deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::value::Kind;
    use domain::{Id, OrgId, Time};

    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Example {
        id: OrgId,
        at: Time,
        open: bool,
        note: Option<String>,
        status: domain::status::OrgStatus,
        bytes: Vec<u8>,
        list: Json<Vec<u8>>,
    }

    #[test]
    fn a_row_becomes_a_struct() {
        let columns: Arc<[String]> = ["id", "at", "open", "note", "status", "bytes", "list"].map(str::to_owned).into();
        let id = OrgId::from_uuid(uuid::Uuid::from_u128(9));
        for (raw, open) in
            [(Value::Bytes(id.uuid().as_bytes().to_vec()), Value::I64(1)), (Value::Uuid(id.uuid()), Value::Bool(true))]
        {
            let values = vec![
                raw,
                Value::I64(5),
                open,
                Value::Null(Kind::Text),
                Value::Text("past_due".into()),
                Value::Bytes(vec![1, 2]),
                Value::Text("[3]".into()),
            ];
            let row: Example = Row { columns: columns.clone(), values }.read().expect("the row fits");
            assert_eq!(
                row,
                Example {
                    id,
                    at: Time::from_micros(5),
                    open: true,
                    note: None,
                    status: domain::status::OrgStatus::PastDue,
                    bytes: vec![1, 2],
                    list: Json(vec![3]),
                }
            );
        }
    }

    #[test]
    fn a_column_that_a_statement_forgot_is_missed() {
        #[derive(serde::Deserialize, Debug)]
        struct Short {
            at: Time,
            note: Option<String>,
        }
        let row = |columns: &[&str]| Row {
            columns: columns.iter().map(ToString::to_string).collect(),
            values: vec![Value::I64(5); columns.len()],
        };
        let forgotten = row(&["at"]).read::<Short>().expect_err("there is no note").to_string();
        assert!(forgotten.contains("Short has no column note"), "{forgotten}");
        let mut whole = row(&["note", "at", "more"]);
        whole.values[0] = Value::Null(Kind::Text);
        let Short { at, note } = whole.read().expect("the row fits");
        assert_eq!((at, note), (Time::from_micros(5), None));
    }

    #[test]
    fn a_row_becomes_a_tuple_or_a_single_value() {
        let row = |values: Vec<Value>| Row {
            columns: ["a", "b"][..values.len()].iter().map(ToString::to_string).collect(),
            values,
        };
        assert_eq!(
            row(vec![Value::I64(1), Value::Text("x".into())]).read::<(i64, String)>().expect("fits"),
            (1, "x".into())
        );
        assert_eq!(row(vec![Value::I64(7)]).read::<i64>().expect("fits"), 7);
        assert_eq!(row(vec![Value::Null(Kind::I64)]).read::<Option<i64>>().expect("fits"), None);
        assert!(row(vec![Value::I64(1), Value::I64(2)]).read::<i64>().is_err());
    }
}
