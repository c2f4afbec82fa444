//! Why something about accounts or organisations is not done, by what the caller can do about it.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials do not fit. Says no more: not whether the address is known.
    #[error("the mail address, the password or the code is wrong")]
    Credentials,
    /// The second factor is asked for.
    #[error("a code of the second factor is needed")]
    CodeNeeded,
    /// Too many tries; says when to come back.
    #[error("too many tries")]
    Throttled {
        /// Seconds to wait.
        seconds: u64,
    },
    /// A password, address or name breaks a rule; names the field.
    #[error("{field}: {rule}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// The rule in words.
        rule: String,
    },
    /// A link or token is unknown, used or too old; says no more.
    #[error("the link or token is not valid any more; ask for a new one")]
    Ticket,
    /// A refresh token is not the living one of its family; says no more.
    #[error("the refresh token is not valid any more; sign in again")]
    Refresh,
    /// A factor must be shown again before this.
    #[error("show your password or a code again first: POST /api/v1/auth/step-up")]
    StepUp,
    /// Something may not be done by this caller.
    #[error("{0}")]
    Forbidden(String),
    /// Something stands against it that the caller can change.
    #[error("{0}")]
    Conflict(String),
    /// The plan does not hold it.
    #[error("the plan {plan} does not include {entitlement}")]
    Entitlement {
        /// The meter or feature.
        entitlement: &'static str,
        /// The plan.
        plan: String,
    },
    /// The plan holds no more of it.
    #[error("the plan {plan} includes {most} {what}")]
    Allowance {
        /// The meter.
        what: &'static str,
        /// How many.
        most: u64,
        /// The plan.
        plan: String,
    },
    /// There are as many as there may be.
    #[error("there may be {most} {what} at the most")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many.
        most: i64,
    },
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
