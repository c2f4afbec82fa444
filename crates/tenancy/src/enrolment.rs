//! People whom an operator enrols: with the password that they had elsewhere, or with a letter by which they set one.

use std::time::Duration;

use domain::email::Email;
use domain::text::{OrgName, PersonName};
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::mails;
use store::control::people::{self, Person};
use store::control::tickets::Purpose;
use store::{Actor, ControlTx, Origin, Turn};

use crate::imported_hash::ImportedHash;
use crate::{Error, House, Result, letters, links, orgs};

/// How long the link of the letter holds, as long as an invitation's.
const LETTER: Duration = Duration::from_hours(72);

/// Whom to enrol.
#[derive(Debug)]
pub struct Enrolment {
    /// Their mail address.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
    /// What their organisation is called; after the person when left out.
    pub organisation: Option<OrgName>,
    /// The hash of their password elsewhere; without it they get a letter and set one.
    pub password: Option<ImportedHash>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
}

/// Enrols a person, with an organisation of their own as if they had signed up. The transaction is ready to be committed; after that
/// the organisation must be finished ([`orgs::finish`]).
/// # Errors
/// [`store::Error::Taken`] when the address is in use; [`Error::Invalid`] when the name cannot be an organisation's.
pub async fn enrol(
    house: &House,
    operator: UserId,
    origin: &Origin,
    enrolment: Enrolment,
) -> Result<(ControlTx, Person, OrgId)> {
    let Enrolment { email, name, organisation, password, verified } = enrolment;
    let organisation = match organisation {
        Some(organisation) => organisation,
        None => OrgName::new(name.as_str())
            .map_err(|rule| Error::Invalid { field: "organization_name", rule: rule.to_string() })?,
    };
    let imported = password.is_some();
    let ambient = house.store.ambient();
    let person = Person {
        password_hash: password.map(ImportedHash::into_text),
        // Where addresses are not verified at all, nobody would ever ask.
        verified_at: (verified || !house.rules.verify_mail).then_some(ambient.now()),
        ..Person::new(ambient, email, name)
    };
    let mut tx = house.store.begin_control(Turn::Free).await?;
    people::insert(&mut tx, &person).await?;
    let actor = Actor::Operator(operator);
    let made = orgs::insert_as(house, &mut tx, &actor, person.id, organisation, true, origin).await?;
    if !imported {
        let (token, until) = links::issue_for(house, &mut tx, Purpose::Reset, person.id, &person.email, LETTER).await?;
        mails::queue(&mut tx, letters::enrolled(house, &person, &token, until)).await?;
    }
    let event =
        Event::new("person.enrolled", person.id).after(&person).detail(json!({ "password_imported": imported }));
    tx.record_house(&actor, origin, event).await?;
    Ok((tx, person, made.id))
}
