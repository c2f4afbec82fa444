//! The closed set of values that both engines bind and give back.

use domain::access::PermissionSet;
use domain::role::Role;
use domain::status::{OrgStatus, Standing};
use domain::{Id, Time};
use uuid::Uuid;

/// What kind a value is; a missing value has one too, since PostgreSQL wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole number, 64 bits.
    I64,
    /// Floating point, 64 bits.
    F64,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID: 16 bytes in `SQLite`, `uuid` in PostgreSQL.
    Uuid,
}

/// A value on its way to or from a database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// No value, of a kind.
    Null(Kind),
    /// Whole number.
    I64(i64),
    /// Floating point.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID.
    Uuid(Uuid),
}

/// What can be bound to a statement.
pub(crate) trait Bind {
    /// The kind of value it becomes.
    const KIND: Kind;
    /// The value it becomes.
    fn value(self) -> Value;
}

impl<T: Bind> Bind for Option<T> {
    const KIND: Kind = T::KIND;
    fn value(self) -> Value {
        self.map_or(Value::Null(T::KIND), T::value)
    }
}

macro_rules! bind {
    ($($type:ty => $kind:ident, |$v:ident| $value:expr;)+) => {
        $(impl Bind for $type {
            const KIND: Kind = Kind::$kind;
            fn value(self) -> Value {
                let $v = self;
                Value::$kind($value)
            }
        })+
    };
}

bind! {
    i64 => I64, |v| v;
    i32 => I64, |v| i64::from(v);
    u32 => I64, |v| i64::from(v);
    f64 => F64, |v| v;
    bool => Bool, |v| v;
    String => Text, |v| v;
    &str => Text, |v| v.to_owned();
    &String => Text, |v| v.clone();
    Vec<u8> => Bytes, |v| v;
    &[u8] => Bytes, |v| v.to_vec();
    [u8; 32] => Bytes, |v| v.to_vec();
    &[u8; 32] => Bytes, |v| v.to_vec();
    Time => I64, |v| v.micros();
    Role => Text, |v| v.to_string();
    OrgStatus => Text, |v| v.as_str().to_owned();
    Standing => Text, |v| v.as_str().to_owned();
    PermissionSet => Text, |v| serde_json::to_string(&v).unwrap_or_default();
}

macro_rules! bind_ids {
    ($($id:ident)+) => { $(impl Bind for domain::$id {
        const KIND: Kind = Kind::Uuid;
        fn value(self) -> Value {
            Value::Uuid(self.uuid())
        }
    })+ };
}

bind_ids! {
    OrgId UserId TeamId ProjectId MembershipId RoleId InvitationId SessionId ApiKeyId AuditId MailId TicketId DeliveryId
    OverrideId MailDomainId ErasureId UsageId BudgetId LimitId AgentId RunId ProviderId HolderId AliasId
    CollectionId DocumentId ChunkId ThreadId TurnId JobId SourceId
    WebhookId MessageId
}

macro_rules! bind_texts {
    ($($text:ty),+ $(,)?) => { $(impl Bind for &$text {
        const KIND: Kind = Kind::Text;
        fn value(self) -> Value {
            Value::Text(self.as_str().to_owned())
        }
    })+ };
}

bind_texts! {
    domain::text::PersonName, domain::text::OrgName, domain::text::TeamName, domain::text::ProjectName, domain::text::RoleName,
    domain::text::KeyName, domain::text::CollectionName, domain::text::ProviderName, domain::text::Description, domain::email::Email,
    domain::models::AliasName,
}

/// Where a page begins that goes on after an id, or the first page: below all ids. `id > $1` is sought in an index;
/// `$1 IS NULL OR id > $1` would be looked for from the beginning.
pub(crate) fn after_id<I: Id>(last: Option<I>) -> I {
    last.unwrap_or_else(|| I::from_uuid(Uuid::nil()))
}

/// As [`after_id`], for lists that begin with the newest: above all ids.
pub(crate) fn before_id<I: Id>(last: Option<I>) -> I {
    last.unwrap_or_else(|| I::from_uuid(Uuid::max()))
}
