//! Why somebody is turned away at a door.

use crate::Error;

/// Why a credential or a selection was refused. The caller learns little of it; `rowhouse auth explain` tells the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credential came with the request.
    #[error("no credential came with the request")]
    Missing,
    /// It has the form of no credential.
    #[error("the credential has the form of none that this server gives out")]
    Malformed,
    /// The token's header is not the one this server writes.
    #[error("the token's header asks for something this server never issues (algorithm, type or extra fields)")]
    Header,
    /// No such signing key.
    #[error("the token was signed with a key that this server does not know")]
    SigningKey,
    /// The signature does not fit.
    #[error("the signature does not fit the token")]
    Signature,
    /// Issuer or audience are another's.
    #[error("the token was issued by or for somebody else")]
    Audience,
    /// It is not valid yet.
    #[error("the token is not valid yet; look at the clocks")]
    NotYet,
    /// It has expired.
    #[error("the credential has expired")]
    Expired,
    /// There is none such.
    #[error("no session or key with this secret exists")]
    Unknown,
    /// The session has ended.
    #[error("the session was ended: by logout, by a password change, or by an administrator")]
    SessionEnded,
    /// The key has expired.
    #[error("the API key has expired")]
    KeyExpired,
    /// The key was revoked.
    #[error("the API key was revoked, or its rotation's grace period is over")]
    KeyRevoked,
    /// The key may not be used from this address.
    #[error("the API key may not be used from this address")]
    Address,
    /// The person's account is suspended.
    #[error("the person's account is suspended")]
    PersonSuspended,
    /// The caller does not belong to the organisation that was selected, or it does not exist.
    #[error("the organisation that was selected is not one of the caller's")]
    NotAMember,
    /// The caller's stay in the organisation is suspended.
    #[error("the caller's membership is suspended")]
    MembershipSuspended,
    /// The session is older, or has rested longer, than the organisation that was selected allows.
    #[error("the session is too old for the organisation that was selected, by its own limits")]
    SessionTooOld,
    /// The access token is older than the organisation that was selected allows; the session is not.
    #[error("the access token is too old for the organisation that was selected, by its own limits")]
    TokenTooOld,
    /// The caller belongs to no organisation.
    #[error("the caller belongs to no organisation")]
    Homeless,
    /// The route is for operators of the installation.
    #[error("the route is for operators of the installation, and the caller is none")]
    NotAnOperator,
    /// The route is about a person's own account.
    #[error("the route is about a person's own account, and the credential is an API key")]
    NotAPerson,
    /// A change with a session cookie that no page of this site, or of one that is listed, can be shown to have sent.
    #[error("a change with a session cookie came without the token of its session, or from a page of another site")]
    Forged,
}

/// What stops a caller at a door.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The caller is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}
