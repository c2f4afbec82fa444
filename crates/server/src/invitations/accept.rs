//! `POST /api/v1/invitations/accept`: accepts an invitation, for the person who is signed in.

use domain::role::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::invitations;

use crate::auth::MailSent;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Accepted, Either, Found};
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

impl From<invitations::Joined> for Joined {
    fn from(joined: invitations::Joined) -> Self {
        Self { organization: joined.organisation.into(), role: joined.membership.role }
    }
}

/// A link that was never made, was used, was revoked or has ended gets the same 404. Under another verified address than the invited
/// one it is 202: the invited mailbox is asked. Whoever has not verified theirs gets 403.
pub(crate) async fn accept(
    person: Person,
    Body(body): Body<AcceptInvitation>,
) -> Result<Either<Found<Joined>, Accepted<MailSent>>> {
    let house = person.house();
    match invitations::accept(house, person.user(), &body.token, person.origin()).await? {
        invitations::Accepted::Joined(tx, joined) => {
            let org = joined.organisation.id;
            let reply = person.commit(tx, Found((*joined).into())).await?;
            // The teams and projects that were promised, before the answer.
            house.settle(org).await;
            Ok(Either::This(reply))
        }
        invitations::Accepted::Asked(tx) => person.commit(tx, Accepted(MailSent::default())).await.map(Either::That),
        invitations::Accepted::Unverified(invitation) => {
            let message = "Verify your mail address first; then open the invitation again.";
            Err(person.deny(invitation.org_id, invitation.id, message).await)
        }
    }
}
