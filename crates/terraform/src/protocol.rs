//! The messages of Terraform's plugin protocol 6 that this provider reads and writes. The field numbers are the protocol's; what is
//! never read here is left out, and skipped when it comes.

#![expect(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "the protocol is as it is")]

use std::collections::BTreeMap;

use prost::Message;

/// A value by itself, as `MessagePack`; Terraform may also send JSON.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) msgpack: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) json: Vec<u8>,
}

/// What a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Severity {
    Invalid = 0,
    Error = 1,
    Warning = 2,
}

/// What is told to whoever runs Terraform.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Diagnostic {
    #[prost(enumeration = "Severity", tag = "1")]
    pub(crate) severity: i32,
    #[prost(string, tag = "2")]
    pub(crate) summary: String,
    #[prost(string, tag = "3")]
    pub(crate) detail: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) attribute: Option<AttributePath>,
}

/// Where in a value something is.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributePath {
    #[prost(message, repeated, tag = "1")]
    pub(crate) steps: Vec<Step>,
}

/// One step of a path; here always the name of an attribute.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Step {
    #[prost(string, tag = "1")]
    pub(crate) attribute_name: String,
}

/// A saved state, as JSON.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RawState {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) json: Vec<u8>,
}

/// What a provider, a resource or a data source is configured with.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Schema {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
}

/// The attributes of a schema.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Block {
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(string, tag = "4")]
    pub(crate) description: String,
}

/// One attribute.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// Its type, as JSON.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) kind: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) description: String,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
}

/// A request without anything in it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Nothing {}

/// Answers `GetProviderSchema`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProviderSchema {
    #[prost(message, optional, tag = "1")]
    pub(crate) provider: Option<Schema>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) resource_schemas: BTreeMap<String, Schema>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub(crate) data_source_schemas: BTreeMap<String, Schema>,
}

/// Asks whether a configuration of the provider is good, or hands it over.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValidateProvider {
    #[prost(message, optional, tag = "1")]
    pub(crate) config: Option<DynamicValue>,
}

/// Answers `ValidateProviderConfig`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValidatedProvider {
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Hands the provider its configuration.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Configure {
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

/// Asks about a configuration of a resource or a data source, or for the data.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OfKind {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

/// Answers with nothing but what went wrong.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Told {
    #[prost(message, repeated, tag = "1")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Asks for a saved state in today's form.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Upgrade {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) raw_state: Option<RawState>,
}

/// Answers `UpgradeResourceState`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Upgraded {
    #[prost(message, optional, tag = "1")]
    pub(crate) upgraded_state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Asks how a resource is now.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Read {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) current_state: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
}

/// Answers `ReadResource`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WasRead {
    #[prost(message, optional, tag = "1")]
    pub(crate) new_state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
}

/// Asks what a resource would become.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Plan {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) proposed_new_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(crate) config: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) prior_private: Vec<u8>,
}

/// Answers `PlanResourceChange`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Planned {
    #[prost(message, optional, tag = "1")]
    pub(crate) planned_state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) requires_replace: Vec<AttributePath>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) planned_private: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Asks to make a resource what was planned.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Apply {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior_state: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) planned_state: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) planned_private: Vec<u8>,
}

/// Answers `ApplyResourceChange`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Applied {
    #[prost(message, optional, tag = "1")]
    pub(crate) new_state: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) private: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Asks for something that exists to be taken into the state.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Import {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(string, tag = "2")]
    pub(crate) id: String,
}

/// Answers `ImportResourceState`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Imported {
    #[prost(message, repeated, tag = "1")]
    pub(crate) imported_resources: Vec<ImportedResource>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Something that was taken into the state.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImportedResource {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) state: Option<DynamicValue>,
}

/// Answers `ReadDataSource`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Data {
    #[prost(message, optional, tag = "1")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}
