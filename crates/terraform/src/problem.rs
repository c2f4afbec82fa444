//! What goes wrong, as Terraform shows it.

use client::Error;

use crate::protocol::{AttributePath, Diagnostic, Severity, Step};
use crate::schema::Attribute;
use crate::value::{Object, Unreadable};

/// Something that went wrong with a resource, a data source or the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What, in a sentence.
    summary: String,
    /// What can be done about it.
    detail: String,
    /// The attribute that it is about.
    attribute: Option<String>,
    /// What was made all the same.
    pub(crate) made: Option<Object>,
}

impl Problem {
    pub(crate) fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { summary: summary.into(), detail: detail.into(), attribute: None, made: None }
    }

    /// About an attribute.
    pub(crate) fn at(self, attribute: &str) -> Self {
        Self { attribute: Some(attribute.to_owned()), ..self }
    }

    /// After something was made, which is not as it was wanted.
    pub(crate) fn after(self, made: Object) -> Self {
        Self { made: Some(made), ..self }
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
                let names = [Some(refused.code.as_str()), refused.request_id.as_deref()].into_iter().flatten();
                let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
                let hint = refused.hint().map(|hint| format!("{hint} ")).unwrap_or_default();
                let problem = Self::new(refused.message.clone(), format!("{hint}({})", names.join(", ")));
                field.map_or(problem.clone(), |field| problem.at(field))
            }
            Error::Unreachable { .. } => Self::new("Rowhouse cannot be reached", format!("{error}.")),
            other => Self::new(format!("The provider cannot go on: {other}"), ""),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        Self::new("Terraform sent what this provider cannot read", error.to_string())
    }
}
