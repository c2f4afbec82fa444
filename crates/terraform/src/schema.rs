//! What a resource or a data source is configured with, and what becomes of each attribute.

use crate::protocol::{self, Block, Schema};
use crate::value::{Object, Value};

/// Types, as the protocol writes them.
pub(crate) const TEXT: &str = r#""string""#;
pub(crate) const FLAG: &str = r#""bool""#;
pub(crate) const NUMBER: &str = r#""number""#;
pub(crate) const TEXTS: &str = r#"["set","string"]"#;
pub(crate) const TEXT_BY_NAME: &str = r#"["map","string"]"#;
pub(crate) const NUMBER_BY_NAME: &str = r#"["map","number"]"#;
pub(crate) const FLAG_BY_NAME: &str = r#"["map","bool"]"#;

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    kind: &'static str,
    about: &'static str,
    pub(crate) source: Source,
    /// Whether it is hidden when it is shown.
    sensitive: bool,
    /// Whether something else is made when it changes.
    pub(crate) fixed: bool,
}

/// Where the value of an attribute comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The configuration, which must have it.
    Required,
    /// The configuration, which may leave it out.
    Optional,
    /// The configuration, or this when it is left out.
    Usual(Usual),
    /// The server alone.
    Server,
}

/// What an attribute is when it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usual {
    Empty,
    False,
    NoneByName,
}

impl Usual {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Empty => Value::from(""),
            Self::False => Value::Bool(false),
            Self::NoneByName => Value::Map(Object::new()),
        }
    }
}

impl Attribute {
    const fn of(name: &'static str, kind: &'static str, source: Source, about: &'static str) -> Self {
        Self { name, kind, about, source, sensitive: false, fixed: false }
    }

    /// One that the configuration must have.
    pub(crate) const fn required(name: &'static str, kind: &'static str, about: &'static str) -> Self {
        Self::of(name, kind, Source::Required, about)
    }

    /// One that the configuration may leave out.
    pub(crate) const fn optional(name: &'static str, kind: &'static str, about: &'static str) -> Self {
        Self::of(name, kind, Source::Optional, about)
    }

    /// One that is something usual when the configuration leaves it out.
    pub(crate) const fn usual(name: &'static str, kind: &'static str, usual: Usual, about: &'static str) -> Self {
        Self::of(name, kind, Source::Usual(usual), about)
    }

    /// One that the server tells.
    pub(crate) const fn told(name: &'static str, kind: &'static str, about: &'static str) -> Self {
        Self::of(name, kind, Source::Server, about)
    }

    /// With another value something else is made.
    pub(crate) const fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    /// A secret.
    pub(crate) const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// Whether the configuration can set it.
    pub(crate) fn is_settable(&self) -> bool {
        self.source != Source::Server
    }

    fn described(&self) -> protocol::Attribute {
        protocol::Attribute {
            name: self.name.to_owned(),
            kind: self.kind.as_bytes().to_vec(),
            description: self.about.to_owned(),
            required: self.source == Source::Required,
            optional: matches!(self.source, Source::Optional | Source::Usual(_)),
            computed: matches!(self.source, Source::Server | Source::Usual(_)),
            sensitive: self.sensitive,
        }
    }
}

/// The schema of these attributes.
pub(crate) fn described(about: &str, attributes: &[Attribute]) -> Schema {
    let attributes = attributes.iter().map(Attribute::described).collect();
    Schema { version: 0, block: Some(Block { attributes, description: about.to_owned() }) }
}
