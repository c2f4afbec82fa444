//! What people say about the installation: a mail to those who run it, and nothing else is kept.

use domain::UserId;
use store::audit::Event;
use store::control::{mails, people};
use store::{Actor, ControlTx, Origin, Turn};

use crate::{Error, House, Result, letters, throttle};

/// The longest text, in characters.
pub const LONGEST: usize = 4000;
/// The longest name of a page, in characters.
pub const LONGEST_PAGE: usize = 200;
/// Operators who are told at most.
const OPERATORS: i64 = 10;

/// What somebody says.
#[derive(Debug, Clone)]
pub struct Said {
    /// In their words.
    pub text: String,
    /// How likely they would recommend it, from 0 to 10.
    pub score: Option<u8>,
    /// The page that they were on.
    pub page: Option<String>,
}

/// Tells the operators; the caller commits.
/// # Errors
/// [`Error::Invalid`] when a part is too long; [`Error::Throttled`] after five an hour.
pub async fn tell(house: &House, user: UserId, said: Said, origin: &Origin) -> Result<ControlTx> {
    let invalid = |field: &'static str, rule: String| Error::Invalid { field, rule };
    if said.text.trim().is_empty() || said.text.chars().count() > LONGEST {
        return Err(invalid("text", format!("must have 1 to {LONGEST} characters")));
    }
    if said.score.is_some_and(|score| score > 10) {
        return Err(invalid("score", "must be from 0 to 10".into()));
    }
    let is_name = |page: &String| page.chars().count() <= LONGEST_PAGE && !page.chars().any(char::is_control);
    if !said.page.as_ref().is_none_or(is_name) {
        return Err(invalid("page", format!("must be one line of at most {LONGEST_PAGE} characters")));
    }
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    throttle::charge_feedback(&mut tx, house, user).await?;
    let by = people::get(&mut tx, user).await?;
    for operator in people::operators(&mut tx, OPERATORS).await? {
        mails::queue(&mut tx, letters::feedback(house, &operator, &by, &said)).await?;
    }
    tx.record_house(&Actor::Person(user), origin, Event::new("feedback.given", user)).await?;
    Ok(tx)
}
