//! The second factor.

pub(super) mod confirm;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod renew_codes;

use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A code of the second factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    code: SecretText,
}

/// Codes for who has lost the second factor; each can be used once. They are shown this once.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}
