//! `DELETE /api/v1/mail-domains/{id}`: gives a mail domain up; who joined by it stays. No key does it.

use domain::MailDomainId;
use domain::access::can;
use tenancy::mail_domains;

use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn give_up(caller: Caller<can::OrgSecurity>, Path(id): Path<MailDomainId>) -> Result<Done> {
    caller.require_person()?;
    let tx = caller.told(mail_domains::give_up(caller.house(), caller.scope(), id).await, id).await?;
    caller.commit_control(tx, Done).await
}
