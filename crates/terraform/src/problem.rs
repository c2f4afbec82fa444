//! What goes wrong, as Terraform shows it.

use client::Error;

use crate::protocol::{AttributePath, Diagnostic, Severity, Step};
use crate::schema::Attribute;
use crate::value::Unreadable;

/// Something that went wrong with a resource, a data source or the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What, in a sentence.
    summary: String,
    /// What can be done about it.
    detail: String,
    /// The attribute that it is about.
    attribute: Option<String>,
}

impl Problem {
    pub(crate) fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { summary: summary.into(), detail: detail.into(), attribute: None }
    }

    /// About an attribute.
    pub(crate) fn at(self, attribute: &str) -> Self {
        Self { attribute: Some(attribute.to_owned()), ..self }
    }

    /// What was planned cannot be done any more.
    pub(crate) fn outdated(what: &str) -> Self {
        Self::new(
            format!("{what} was changed or deleted since this was planned"),
            "Nothing was done. Plan again, and see what has become of it.",
        )
    }

    /// As Terraform reads it, of something with these attributes.
    pub(crate) fn told(self, attributes: &[Attribute]) -> Diagnostic {
        let known = |name: &String| attributes.iter().any(|attribute| attribute.name == name);
        let step = |attribute_name| AttributePath { steps: vec![Step { attribute_name }] };
        Diagnostic {
            severity: Severity::Error.into(),
            summary: self.summary,
            detail: self.detail,
            attribute: self.attribute.filter(known).map(step),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => {
                // Fields inside of others are told as `teams[0].role`.
                let field = refused.param.as_deref().and_then(|param| param.split(['[', '.']).next());
                let summary = refused.message.clone();
                let about = refused.request_id.as_deref().map(|id| format!(" The operator finds it as {id}."));
                let detail = format!("{refused}{}", about.unwrap_or_default());
                Self { summary, detail, attribute: field.map(str::to_owned) }
            }
            other => Self::new("Rowhouse cannot be asked", format!("{other}.")),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        Self::new("Terraform sent what this provider cannot read", error.to_string())
    }
}
