//! `POST /api/v1/auth/recovery-codes`: makes new recovery codes; the ones before are void.

use tenancy::factors;

use super::RecoveryCodes;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Created;

pub(crate) async fn renew_codes(person: Person) -> Result<Created<RecoveryCodes>> {
    person.require_fresh()?;
    let (user, session) = (person.user(), person.session().id);
    let recovery_codes = factors::renew_codes(person.house(), user, session, person.origin()).await?;
    person.remember(Created(RecoveryCodes { recovery_codes })).await
}
