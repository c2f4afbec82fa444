//! `POST /api/v1/invitations/confirm`: lets in whoever opened an invitation under another address than the invited one, on the word of
//! whoever reads the invited mailbox.

use tenancy::invitations;

use crate::auth::MailedToken;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn confirm(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Done> {
    let (tx, joined) = invitations::confirm(visitor.house(), body.token.expose(), visitor.origin()).await?;
    let reply = visitor.commit(tx, Done).await?;
    visitor.house().settle(joined.organisation.id).await;
    Ok(reply)
}
