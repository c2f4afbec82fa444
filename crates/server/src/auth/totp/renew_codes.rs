//! `POST /api/v1/auth/recovery-codes`: makes new recovery codes, with a code of the second factor or one of those before,
//! which are void from then on.

use tenancy::factors;

use super::{Code, RecoveryCodes};
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Created;

pub(crate) async fn renew_codes(person: Person, Body(body): Body<Code>) -> Result<Created<RecoveryCodes>> {
    person.require_fresh()?;
    let (user, session) = (person.user(), person.session().id);
    let recovery_codes = factors::renew_codes(person.house(), user, session, &body.code, person.origin()).await?;
    person.remember(Created(RecoveryCodes { recovery_codes })).await
}
