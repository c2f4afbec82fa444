//! Why there is no answer.

use std::sync::Arc;
use std::time::Duration;

use domain::status::OrgStatus;
use gateway::UpstreamError;

use crate::limit::{Refused, Shortage};
use crate::rates::{self, Limited};
use crate::rules::Unclear;

/// Why a call was not made, or gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The state of the organisation lets nothing run that costs money.
    #[error("an organisation that is {} spends nothing", .0.as_str())]
    Stopped(OrgStatus),
    /// A limit has no room.
    #[error("a limit has no room")]
    Short(Box<Shortage>),
    /// A rate limit has no room.
    #[error("a rate limit has no room")]
    Limited(Box<Limited>),
    /// Nobody knows what the model costs, at this service tier.
    #[error("the model {model} has no price{}", tier.as_ref().map(|tier| format!(" at the service tier {tier}")).unwrap_or_default())]
    NoPrice {
        /// The model.
        model: String,
        /// The tier, when it is that which has no price.
        tier: Option<String>,
    },
    /// A budget is in a currency without a rate.
    #[error(transparent)]
    Unclear(Unclear),
    /// Too many calls wait for the ledger.
    #[error("too many calls wait for the ledger")]
    Crowded,
    /// All upstreams of the route have failed of late.
    #[error("the upstream is resting after failures")]
    Resting {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// The upstream gave no answer.
    #[error(transparent)]
    Upstream(Box<UpstreamError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<store::Error>),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Short(shortage) => Self::Short(shortage),
            Refused::Crowded => Self::Crowded,
            Refused::Store(error) => Self::Store(error),
        }
    }
}

impl From<rates::Refused> for Failed {
    fn from(refused: rates::Refused) -> Self {
        match refused {
            rates::Refused::Limited(limited) => Self::Limited(limited),
            rates::Refused::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Unclear> for Failed {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::Store(error) => error.into(),
            other @ Unclear::NoRate(_) => Self::Unclear(other),
        }
    }
}
