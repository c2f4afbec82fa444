//! `GET /api/v1/auth/session`: who is signed in with this cookie, and the token that a page sends with each change.

use store::control::people;

use super::BrowserSession;
use crate::http::caller::Person;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;

/// 404 for who is signed in with a token: there is no session in a browser.
pub(crate) async fn show(person: Person) -> Result<Found<BrowserSession>> {
    let session = person.session();
    if !session.browser {
        return Err(Problem::not_found());
    }
    let mut tx = person.store().read_control().await?;
    let somebody = people::get(&mut tx, person.user()).await?;
    Ok(Found(BrowserSession::new(person.store(), somebody, session.id)))
}
