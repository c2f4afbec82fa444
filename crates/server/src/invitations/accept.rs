//! `POST /api/v1/invitations/accept`: accepts an invitation, for the person who is signed in with the invited address.

use domain::role::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::invitations::{self, AnotherAddress};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Found;
use crate::orgs::OrgView;

/// The link. Nothing else: what is given was settled by the inviter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptInvitation {
    /// What the link holds behind `token=`.
    token: String,
}

/// Where the person belongs now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Joined {
    organization: OrgView,
    role: Role,
}

/// A link that was never made, was used, was revoked or has ended gets the same 404. Whoever has a good link that was sent to
/// another address, or has not verified theirs, gets one 403 for both.
pub(crate) async fn accept(person: Person, Body(body): Body<AcceptInvitation>) -> Result<Found<Joined>> {
    let house = person.house();
    let (tx, joined) = match invitations::accept(house, person.user(), &body.token, person.origin()).await? {
        Ok(joined) => joined,
        Err(AnotherAddress(invitation)) => {
            let message = "This invitation is for another mail address, or yours is not verified yet.";
            return Err(person.deny(invitation.org_id, invitation.id, message).await);
        }
    };
    let org = joined.organisation.id;
    let reply = Joined { organization: joined.organisation.into(), role: joined.membership.role };
    let reply = person.commit(tx, Found(reply)).await?;
    // The teams and projects that were promised, before the answer.
    house.settle(org).await;
    Ok(reply)
}
