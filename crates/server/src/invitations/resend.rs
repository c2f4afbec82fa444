//! `POST /api/v1/invitations/{id}/resend`: mails a new link; the old one is void. One that has ended is open again.

use domain::InvitationId;
use domain::access::can;
use tenancy::invitations;

use super::SentView;
use crate::http::body::Path;
use crate::http::caller::{Caller, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::Found;

pub(crate) async fn resend(
    metered: Metered<Caller<can::InvitationsCreate>, meters::Mails>,
    Path(id): Path<InvitationId>,
) -> Result<Found<SentView>> {
    let (caller, _pass) = metered.through();
    let outcome = invitations::resend(caller.house(), caller.scope(), id, caller.fresh()).await;
    let (tx, sent) = caller.told(outcome, id).await?;
    caller.commit_control(tx, Found(SentView::new(caller.house(), sent))).await
}
