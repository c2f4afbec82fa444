//! Somebody's role in a team or a project.

use client::Client;
use serde_json::json;

use super::{Made, Outcome, is_gone, part};
use crate::problem::Problem;
use crate::value::{Object, Value};

/// Where roles are held, and by whom.
#[derive(Debug)]
pub(super) struct Placement {
    /// The list of the places.
    pub(super) places: &'static str,
    /// The attribute with a place's id.
    pub(super) place: &'static str,
    /// The list of those who hold a role there.
    pub(super) holders: &'static str,
    /// The attribute with a holder's id.
    pub(super) holder: &'static str,
}

impl Placement {
    /// Gives the role, whatever was held there before.
    pub(super) async fn set(&self, client: &Client, wanted: &Object) -> Outcome<Made> {
        let role = wanted.get("role").map_or(serde_json::Value::Null, Value::json);
        client.put(&self.path(wanted), None, Some(&json!({ "role": role }))).await?;
        Ok(Made { state: wanted.clone(), etag: None })
    }

    pub(super) async fn read(&self, client: &Client, state: &Object) -> Outcome<Option<Made>> {
        let list = format!("api/v1/{}/{}/{}", self.places, part(state, self.place), self.holders);
        let all = match client.list(&list).await {
            Ok(all) => all,
            // The place itself is gone.
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let holder = state.get(self.holder).and_then(Value::text);
        let found = all.iter().find(|one| one[self.holder].as_str() == holder);
        Ok(found.map(|one| {
            let mut state = state.clone();
            state.insert("role".to_owned(), Value::from(&one["role"]));
            Made { state, etag: None }
        }))
    }

    pub(super) async fn delete(&self, client: &Client, state: &Object) -> Outcome<()> {
        match client.delete(&self.path(state), None).await {
            Err(error) if !is_gone(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn import(&self, id: &str) -> Outcome<Object> {
        let Some((place, holder)) = id.split_once('/') else {
            let detail =
                format!("It is imported as {}/{}, two ids with a stroke between them.", self.place, self.holder);
            return Err(Problem::new(format!("{id} names nothing"), detail));
        };
        Ok(Object::from([(self.place.to_owned(), place.into()), (self.holder.to_owned(), holder.into())]))
    }

    fn path(&self, object: &Object) -> String {
        let (place, holder) = (part(object, self.place), part(object, self.holder));
        format!("api/v1/{}/{place}/{}/{holder}", self.places, self.holders)
    }
}
