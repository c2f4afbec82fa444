//! Finding things by their names: organisations, and what is in them.

use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{Client, Error, Result};

/// Things on a page of a list: the most that there can be.
const PAGE: u32 = 200;
/// Pages of a list: a server that never ends one is not followed for ever.
const PAGES: u32 = 500;

impl Client {
    /// Selects an organisation by its short label or its id, among those that the credential is for.
    /// # Errors
    /// [`Error::Elsewhere`] when it is for none such, [`Error::Several`] when the label names more than one.
    pub async fn enter(&mut self, name: &str) -> Result<()> {
        let me = self.get("api/v1/auth/me").await?.json()?;
        let own = me["organizations"].as_array().cloned().unwrap_or_default();
        let mut fitting =
            own.iter().filter(|one| [&one["slug"], &one["id"]].iter().any(|it| it.as_str() == Some(name)));
        let org = fitting.next().ok_or_else(|| Error::Elsewhere(name.to_owned()))?;
        if fitting.next().is_some() {
            return Err(Error::Several { kind: "organisations", name: name.to_owned() });
        }
        self.org = Some(header(&org["id"])?);
        Ok(())
    }

    /// Selects a project of the organisation by its name or its id.
    /// # Errors
    /// As [`Client::named`].
    pub async fn enter_project(&mut self, name: &str) -> Result<()> {
        self.project = Some(header(&Value::String(self.named("projects", "prj_", name).await?))?);
        Ok(())
    }

    /// All of a list, page by page. The path may have a query.
    /// # Errors
    /// When a page is refused, or not answered.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let with = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{with}limit={PAGE}");
        let (mut all, mut page) = (Vec::new(), first.clone());
        for _ in 0..PAGES {
            let mut found = self.get(&page).await?.json()?;
            let Value::Array(data) = found["data"].take() else { return Err(Error::NotRowhouse) };
            all.extend(data);
            let Some(cursor) = found["next_cursor"].as_str() else { break };
            page = format!("{first}&cursor={}", escaped(cursor));
        }
        Ok(all)
    }

    /// The id of what has this name in a list of the organisation, or is this id.
    /// # Errors
    /// [`Error::Unknown`] and [`Error::Several`].
    pub async fn named(&self, kind: &'static str, prefix: &str, name: &str) -> Result<String> {
        if name.starts_with(prefix) {
            return Ok(name.to_owned());
        }
        let all = self.list(&format!("api/v1/{kind}")).await?;
        let mut fitting = all.iter().filter(|one| one["name"].as_str() == Some(name));
        match (fitting.next().and_then(|one| one["id"].as_str()), fitting.next()) {
            (Some(id), None) => Ok(id.to_owned()),
            (None, _) => Err(Error::Unknown { kind, name: name.to_owned() }),
            (Some(_), Some(_)) => Err(Error::Several { kind, name: name.to_owned() }),
        }
    }

    /// The id of a member with this mail address, or of this id.
    /// # Errors
    /// [`Error::Unknown`].
    pub async fn member(&self, person: &str) -> Result<String> {
        if person.starts_with("usr_") {
            return Ok(person.to_owned());
        }
        let all = self.list("api/v1/members").await?;
        let is = |one: &&Value| one["email"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(person));
        let found = all.iter().find(is).and_then(|one| one["user_id"].as_str());
        found.map(str::to_owned).ok_or_else(|| Error::Unknown { kind: "members", name: person.to_owned() })
    }
}

/// Text as a part of a path or a query.
#[must_use]
pub fn escaped(text: &str) -> String {
    // What stays as it is in a path: letters, digits, and what ids are made of.
    const PART: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');
    utf8_percent_encode(text, PART).to_string()
}

fn header(id: &Value) -> Result<HeaderValue> {
    id.as_str().and_then(|id| HeaderValue::try_from(id).ok()).ok_or(Error::NotRowhouse)
}
