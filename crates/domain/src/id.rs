//! Identifiers: a prefix that names the kind and a UUIDv7 inside, one Rust type per kind.
//!
//! In JSON and URLs an id is text (`org_0192...`, 32 lower-case hexadecimal digits after the prefix). In a database it is the
//! bare 16 bytes, so serde formats that are not human readable carry bytes.

use std::fmt;

use crate::Time;

pub use uuid::Uuid;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an id that starts with `{0}_` followed by 32 lower-case hexadecimal digits")]
pub struct InvalidId(pub &'static str);

/// What all id types share; lets the store bind any of them.
pub trait Id: Copy + fmt::Display {
    /// The kind's prefix, without the underscore.
    const PREFIX: &'static str;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// Wraps a UUID that is known to be of this kind.
    fn from_uuid(uuid: Uuid) -> Self;
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(InvalidId(prefix))?;
    let canonical = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    // One spelling per id: otherwise caches and audit entries would see several names for one thing.
    if !canonical {
        return Err(InvalidId(prefix));
    }
    Uuid::try_parse(digits).map_err(|_| InvalidId(prefix))
}

struct Reader<T>(std::marker::PhantomData<T>);

impl<T: Id> serde::de::Visitor<'_> for Reader<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id that starts with `{}_`", T::PREFIX)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        parse(T::PREFIX, text).map(T::from_uuid).map_err(E::custom)
    }
    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        Uuid::from_slice(bytes).map(T::from_uuid).map_err(E::custom)
    }
}

/// The id of what follows from something else, such as a mail about an event: the same whenever it is asked for. It sorts among the
/// ids of that time; `hash` says what it is about.
#[must_use]
pub fn derived<T: Id>(at: Time, hash: &[u8; 32]) -> T {
    let millis = u64::try_from(at.micros() / 1000).unwrap_or(0);
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    T::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

macro_rules! id {
    ($name:ident, $prefix:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn uuid(self) -> Uuid {
                self.0
            }
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse($prefix, text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(self.0.as_bytes())
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let reader = Reader::<Self>(std::marker::PhantomData);
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(reader)
                } else {
                    deserializer.deserialize_bytes(reader)
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$"),
                    "description": $doc,
                    "examples": [concat!($prefix, "_01932d6f4b7a7c3e9a51c0ffee15600d")],
                })
            }
        }
    };
}

id!(OrgId, "org", "An organisation, the tenant.");
id!(UserId, "usr", "A person, who may belong to many organisations.");
id!(TeamId, "tea", "A team: a group of people inside an organisation.");
id!(ProjectId, "prj", "A project: a group of things inside an organisation.");
id!(MembershipId, "mem", "One stay of one person in one organisation; a later stay has another id.");
id!(RoleId, "rol", "A custom role of an organisation.");
id!(InvitationId, "inv", "An invitation into an organisation.");
id!(SessionId, "ses", "A signed-in device: a browser session or a family of tokens.");
id!(ApiKeyId, "key", "An API key.");
id!(AuditId, "aud", "An audit entry.");
id!(MailId, "mai", "A mail in the outbox.");
id!(TicketId, "tic", "A single-use link that was mailed to somebody.");
id!(DeliveryId, "del", "A change decided in the control database that is on its way into an organisation's store.");
id!(OverrideId, "ovr", "An exception from an organisation's plan.");
id!(MailDomainId, "dom", "A mail domain that an organisation has claimed.");
id!(UsageId, "usg", "A metered operation: a row of the usage log, or the hold that becomes one.");
id!(ErasureId, "era", "The receipt of an erasure.");
id!(BudgetId, "bud", "A budget.");
id!(LimitId, "lim", "Whatever carries a limit: a budget, an organisation's plan, an API key.");
id!(AgentId, "agt", "An agent.");
id!(RunId, "run", "One run of an agent or a workflow.");
id!(ProviderId, "prv", "A provider of models, with its key.");
id!(AliasId, "als", "A name of the organisation's own for models.");
id!(WebhookId, "whk", "An address that is told of events.");
id!(MessageId, "msg", "A message to a webhook about an event; the same at each try.");
id!(HolderId, "hol", "A running program that holds amounts in the ledger.");
id!(CollectionId, "col", "A collection of documents.");
id!(DocumentId, "doc", "A document.");
id!(ChunkId, "chk", "A passage of a document.");
id!(ThreadId, "thr", "A conversation.");
id!(TurnId, "trn", "A turn of a conversation: a question or an answer.");
id!(JobId, "job", "Work that waits or goes on.");
id!(SourceId, "src", "A source of documents elsewhere.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_per_id() {
        let id = OrgId::from_uuid(Uuid::from_u128(0x0193_2d6f_4b7a_7c3e_9a51_c0ff_ee15_600d));
        let text = id.to_string();
        assert_eq!(text, "org_01932d6f4b7a7c3e9a51c0ffee15600d");
        assert_eq!(text.parse::<OrgId>(), Ok(id));
        for wrong in [
            "usr_01932d6f4b7a7c3e9a51c0ffee15600d",
            "org_01932D6F4B7A7C3E9A51C0FFEE15600D",
            "org_01932d6f-4b7a-7c3e-9a51-c0ffee15600d",
            "org_01932d6f4b7a7c3e9a51c0ffee15600",
            "01932d6f4b7a7c3e9a51c0ffee15600d",
            "org_",
            "",
        ] {
            assert_eq!(wrong.parse::<OrgId>(), Err(InvalidId("org")), "{wrong}");
        }
    }

    #[test]
    fn json_carries_text() {
        let id = TeamId::from_uuid(Uuid::from_u128(7));
        let json = serde_json::to_string(&id).expect("ids serialise");
        assert_eq!(json, "\"tea_00000000000000000000000000000007\"");
        assert_eq!(serde_json::from_str::<TeamId>(&json).expect("ids parse"), id);
    }
}
