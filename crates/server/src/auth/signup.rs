//! `POST /api/v1/auth/signup`: a person and their personal organisation, in one step; where mail addresses are verified, the mail
//! carries on.

use domain::email::Email;
use domain::password::NewPassword;
use domain::plan::PlanName;
use domain::text::{OrgName, PersonName};
use domain::{OrgId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::organisations::{Belonging, Organisation};
use store::control::people::Person;
use tenancy::signup::{self, Newcomer};

use super::MailSent;
use super::tokens::TokenPair;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::{Accepted, Created, Either, Once};

/// Who signs up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUp {
    email: Email,
    password: NewPassword,
    name: PersonName,
    #[serde(default)]
    organization_name: Option<OrgName>,
}

/// A person who has signed up and is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SignedUp {
    user: User,
    organization: Home,
    #[serde(flatten)]
    tokens: TokenPair,
}

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: Email,
    pub(crate) name: PersonName,
}

/// An organisation, in brief.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Home {
    pub(crate) id: OrgId,
    pub(crate) name: OrgName,
    pub(crate) slug: String,
    pub(crate) plan: PlanName,
}

impl Home {
    /// An organisation of somebody's.
    pub(crate) fn of(belonging: &Belonging) -> Self {
        let Belonging { id, name, slug, plan, .. } = belonging;
        Self { id: *id, name: name.clone(), slug: slug.clone(), plan: plan.clone() }
    }
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        Self { id: person.id, email: person.email, name: person.name }
    }
}

impl From<Organisation> for Home {
    fn from(organisation: Organisation) -> Self {
        Self { id: organisation.id, name: organisation.name, slug: organisation.slug, plan: organisation.plan }
    }
}

/// 202 with the same body for known and unknown addresses where mail addresses are verified; else 201 at once.
pub(crate) async fn signup(
    visitor: Visitor,
    Body(body): Body<SignUp>,
) -> Result<Either<Once<Created<SignedUp>>, Accepted<MailSent>>> {
    let newcomer =
        Newcomer { email: body.email, password: body.password, name: body.name, organisation: body.organization_name };
    if visitor.house().rules.verify_mail {
        signup::by_mail(visitor.house(), newcomer, visitor.origin()).await?;
        return visitor.remember(Accepted(MailSent::default())).await.map(Either::That);
    }
    let signed_up = signup::immediately(visitor.house(), newcomer, visitor.origin()).await?;
    let reply = SignedUp {
        user: signed_up.person.into(),
        organization: signed_up.organisation.into(),
        tokens: signed_up.tokens.into(),
    };
    visitor.remember(Once(Created(reply))).await.map(Either::This)
}
