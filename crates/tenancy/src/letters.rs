//! What Rowhouse writes to people. Each letter says what it is, who asked, how long it holds, and what to do if it was not you.
//!
//! A link's secret stands in these letters and nowhere else.

use domain::email::Email;
use domain::{OrgId, Time, UserId};
use store::Origin;
use store::control::api_keys::Expiring;
use store::control::erasures::Erasure;
use store::control::invitations::Invitation;
use store::control::mails::NewMail;
use store::control::memberships::Member;
use store::control::people::Person;
use store::org::webhooks::Because;

use crate::House;
use crate::alerts::Passed;
use crate::feedback::Said;
use crate::sources::Failing;
use crate::webhooks::Disabled;

/// A letter being written to somebody.
struct Letter<'a> {
    house: &'a House,
    to: &'a Email,
    name: Option<&'a str>,
    person: Option<UserId>,
    organisation: Option<OrgId>,
    subject: &'static str,
    paragraphs: Vec<String>,
}

impl<'a> Letter<'a> {
    fn to(house: &'a House, person: &'a Person, subject: &'static str) -> Self {
        Self {
            house,
            to: &person.email,
            name: Some(person.name.as_str()),
            person: Some(person.id),
            organisation: None,
            subject,
            paragraphs: Vec::new(),
        }
    }

    fn say(mut self, paragraph: impl Into<String>) -> Self {
        self.paragraphs.push(paragraph.into());
        self
    }

    /// Adds a link, and the same for who has no browser at hand.
    fn link(self, page: &str, call: &str, token: &str, until: Time) -> Self {
        let house = &self.house.rules.public_url;
        let text = format!(
            "    {house}/{page}?token={token}\n\nWithout a browser: POST {house}/api/v1/{call} with the token\n\n    {token}"
        );
        self.say(text).say(format!("The link works once, until {} UTC.", minute(until)))
    }

    fn seal(self) -> NewMail {
        let greeting = self.name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
        let text = self.paragraphs.join("\n\n");
        let house = &self.house.rules.public_url;
        let body = format!("{greeting}\n\n{text}\n\nRowhouse at {house}\n");
        NewMail {
            recipient: self.to.clone(),
            person: self.person,
            organisation: self.organisation,
            subject: self.subject.into(),
            body,
        }
    }
}

/// A time as people read it, to the minute.
fn minute(time: Time) -> String {
    time.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// From where and when something was asked for.
fn asked(house: &House, origin: &Origin) -> String {
    let address = if origin.address.is_empty() { "an unknown address" } else { &origin.address };
    format!("It was asked for at {} UTC from {address}.", minute(house.store.ambient().now()))
}

/// To who has signed up: shows that the address is theirs.
pub(crate) fn verify(house: &House, person: &Person, token: &str, until: Time, origin: &Origin) -> NewMail {
    Letter::to(house, person, "Verify your mail address")
        .say("somebody has signed up with this mail address. If it was you, open this link to begin:")
        .link("verify-email", "auth/verify", token, until)
        .say(asked(house, origin))
        .say("If it was not you, do nothing: without the link the account cannot be used.")
        .seal()
}

/// To who has an account already and signs up again.
pub(crate) fn account_exists(house: &House, person: &Person, origin: &Origin) -> NewMail {
    let url = &house.rules.public_url;
    Letter::to(house, person, "You have an account already")
        .say("somebody wants to use this mail address for an account, but it has one already. Nothing was changed.")
        .say(format!("If it was you, sign in at {url}, or ask there for a new password if you have lost it."))
        .say(asked(house, origin))
        .say("If it was not you, there is nothing to do.")
        .seal()
}

/// To an operator: what somebody says about the installation.
pub(crate) fn feedback(house: &House, operator: &Person, by: &Person, said: &Said) -> NewMail {
    let page = said.page.as_ref().map(|page| format!(" on the page {page}")).unwrap_or_default();
    let score = said.score.map(|score| format!(" They would recommend it with {score} of 10.")).unwrap_or_default();
    let text: Vec<String> = said.text.lines().map(|line| format!("> {line}")).collect();
    let letter = Letter::to(house, operator, "What somebody says about Rowhouse")
        .say(format!("{} ({}) says{page}:{score}", by.name, by.email))
        .say(text.join("\n"))
        .say("What they wrote is theirs: be careful with its links.");
    // It goes with whoever wrote it.
    Letter { person: Some(by.id), ..letter }.seal()
}

/// To who has lost the password.
pub(crate) fn reset(house: &House, person: &Person, token: &str, until: Time, origin: &Origin) -> NewMail {
    Letter::to(house, person, "Set a new password")
        .say("somebody has asked for a new password for your account. If it was you, set it here:")
        .link("reset-password", "auth/password/reset", token, until)
        .say(asked(house, origin))
        .say("Setting it ends all your sessions. If it was not you, do nothing: your password stays as it is.")
        .seal()
}

/// To somebody for whom an operator has made an account.
pub(crate) fn enrolled(house: &House, person: &Person, token: &str, until: Time) -> NewMail {
    let url = &house.rules.public_url;
    Letter::to(house, person, "Your account is ready")
        .say(format!(
            "an operator of {url} has made an account for you with this mail address. Set your password here to begin:"
        ))
        .link("reset-password", "auth/password/reset", token, until)
        .say(format!("Later than that, ask for a new password at {url}."))
        .say("If you do not expect it, do nothing: without a password nobody can sign in.")
        .seal()
}

/// To who has a new password.
pub(crate) fn password_changed(house: &House, person: &Person, origin: &Origin) -> NewMail {
    let url = &house.rules.public_url;
    Letter::to(house, person, "Your password was changed")
        .say("the password of your account was changed, and your other sessions were ended.")
        .say(asked(house, origin))
        .say(format!("If it was not you, ask for a new password at {url} at once and look through your sessions."))
        .seal()
}

/// To the new address of who wants to change it.
pub(crate) fn confirm_email<'a>(
    house: &'a House,
    person: &'a Person,
    new: &'a Email,
    token: &str,
    until: Time,
    origin: &Origin,
) -> NewMail {
    let letter = Letter { to: new, ..Letter::to(house, person, "Confirm your new mail address") };
    letter
        .say("this is to become the mail address of your account. If you want that, open this link:")
        .link("confirm-email", "auth/email/confirm", token, until)
        .say(asked(house, origin))
        .say("If it was not you, do nothing: without the link nothing changes.")
        .seal()
}

/// To the address that is being given up: before and after the change.
pub(crate) fn undo_email(
    house: &House,
    person: &Person,
    changed: bool,
    token: &str,
    until: Time,
    origin: &Origin,
) -> NewMail {
    let (subject, what) = if changed {
        ("Your mail address was changed", "the mail address of your account was changed: this one is no longer it.")
    } else {
        ("Your mail address is to be changed", "somebody has asked to change the mail address of your account.")
    };
    Letter::to(house, person, subject)
        .say(what)
        .say(asked(house, origin))
        .say("If it was you, there is nothing to do. If it was not you, take it back here:")
        .link("undo-email", "auth/email/undo", token, until)
        .say("Taking it back ends all your sessions, and you set a new password.")
        .seal()
}

/// To somebody whose refresh token was used by two.
pub(crate) fn token_reused(house: &House, person: &Person, origin: &Origin) -> NewMail {
    Letter::to(house, person, "A session of yours was ended")
        .say(
            "a token of one of your sessions was used a second time. That happens when somebody has copied it, so the \
             session was ended, for the copy and for you: sign in again.",
        )
        .say(format!("The program calls itself {:?}.", origin.agent))
        .say(asked(house, origin))
        .say("If you do not know that address, change your password and look through your sessions.")
        .seal()
}

/// What was done to a second factor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Factor {
    On,
    Off,
    NewCodes,
}

/// To somebody whose second factor was changed.
pub(crate) fn factor_changed(house: &House, person: &Person, change: Factor, origin: &Origin) -> NewMail {
    let (subject, what) = match change {
        Factor::On => ("Your second factor is on", "signing in to your account takes a code from now on."),
        Factor::Off => ("Your second factor is off", "signing in to your account takes no code any more."),
        Factor::NewCodes => ("You have new recovery codes", "new recovery codes were made; the old ones are void."),
    };
    let url = &house.rules.public_url;
    Letter::to(house, person, subject)
        .say(what)
        .say("Your other sessions were ended.")
        .say(asked(house, origin))
        .say(format!("If it was not you, ask for a new password at {url} at once."))
        .seal()
}

/// To somebody who used a recovery code.
pub(crate) fn recovery_code_used(house: &House, person: &Person, left: i64, origin: &Origin) -> NewMail {
    Letter::to(house, person, "A recovery code was used")
        .say(format!("one of your recovery codes was used; {left} are left."))
        .say(asked(house, origin))
        .say("If it was not you, change your password and make new codes at once.")
        .seal()
}

/// To an invited mailbox, when somebody with another address has opened the invitation.
pub(crate) fn confirm_joining(
    house: &House,
    invitation: &Invitation,
    person: &Person,
    organisation: &str,
    token: &str,
    origin: &Origin,
) -> NewMail {
    let to = &invitation.email;
    let letter = Letter {
        house,
        to,
        name: None,
        // It names who asks, and goes when they go.
        person: Some(person.id),
        organisation: Some(invitation.org_id),
        subject: "Confirm who joins by your invitation",
        paragraphs: Vec::new(),
    };
    letter
        .say(format!(
            "you were invited to {organisation}. Somebody has opened that invitation under another mail address: {} calls itself {:?}.",
            person.email,
            person.name.as_str()
        ))
        .say("If that is you, or you want them to join in your place, open this link:")
        .link("invitations/confirm", "invitations/confirm", token, invitation.expires_at)
        .say(asked(house, origin))
        .say("If you do not know them, do nothing: without the link they do not get in.")
        .seal()
}

/// To a mailbox of those who run a mail domain.
pub(crate) fn prove_domain(
    house: &House,
    address: &Email,
    organisation: (OrgId, &str),
    domain: &str,
    token: &str,
    until: Time,
    origin: &Origin,
) -> NewMail {
    let (id, organisation) = organisation;
    let letter = Letter {
        house,
        to: address,
        name: None,
        person: None,
        organisation: Some(id),
        subject: "Confirm your organisation's mail domain",
        paragraphs: Vec::new(),
    };
    letter
        .say(format!(
            "the organisation {organisation:?} says that {domain} is its mail domain. If you confirm that, everybody with a mail \
             address there can join it by themselves. If it is so, open this link:"
        ))
        .link("mail-domains/confirm", "mail-domains/confirm", token, until)
        .say(asked(house, origin))
        .say("If it is not, or you do not know that organisation, do nothing: without the link nobody joins.")
        .seal()
}

/// To who runs an organisation in which a threshold of a limit was passed.
pub(crate) fn threshold(house: &House, to: &Member, id: OrgId, organisation: &str, passed: &Passed) -> NewMail {
    let Passed { what, percent, used, limit, hard, resets_at, exhausted_at, .. } = passed;
    let letter = Letter {
        house,
        to: &to.email,
        name: Some(to.name.as_str()),
        person: Some(to.user_id),
        organisation: Some(id),
        subject: "",
        paragraphs: Vec::new(),
    };
    let letter =
        letter.say(format!("{what} of {organisation} is used to {percent} %: {used} of {limit} have been used."));
    let letter = match (percent >= &100, hard, exhausted_at) {
        (true, true, _) => letter.say("What does not fit any more is refused."),
        (true, false, _) => letter.say("It only warns: calls go on."),
        (false, _, Some(at)) => {
            letter.say(format!("If things go on as they did so far, it is used up at {} UTC.", minute(*at)))
        }
        (false, _, None) => letter,
    };
    let letter = match resets_at {
        Some(at) => letter.say(format!("It begins anew at {} UTC.", minute(*at))),
        None => letter.say("It does not begin anew by itself."),
    };
    let url = &house.rules.public_url;
    let letter = match passed.counted.as_str() {
        "documents" | "storage" => {
            letter.say(format!("What each collection takes is told at {url}/api/v1/collections."))
        }
        _ => letter.say(format!("What it was used for is told at {url}/api/v1/usage/summary.")),
    };
    NewMail { subject: format!("{what} is used to {percent} %"), ..letter.seal() }
}

/// To who set up a source of documents that is asked in vain.
pub(crate) fn source_fails(
    house: &House,
    person: &Person,
    id: OrgId,
    organisation: &str,
    failing: &Failing<'_>,
) -> NewMail {
    let Failing { source, name, failures, why, .. } = failing;
    let letter = Letter { organisation: Some(id), ..Letter::to(house, person, "A source of documents cannot be read") };
    let url = &house.rules.public_url;
    letter
        .say(format!(
            "you set up the source {name:?} in {organisation}. It was asked {failures} times in vain, and is asked ever more seldom now. \
             What went wrong last: {why}"
        ))
        .say("What was brought of it before is still found. You are told again only after it could be read in between.")
        .say(format!("How it is: {url}/api/v1/sources/{source}"))
        .seal()
}

/// To who runs an organisation of which a webhook was switched off.
pub(crate) fn webhook_disabled(
    house: &House,
    to: &Member,
    id: OrgId,
    organisation: &str,
    disabled: &Disabled,
) -> NewMail {
    let Disabled { webhook, host, because, .. } = disabled;
    let why = match because {
        Because::Gone => "it answered that it wants to be told nothing any more (410)",
        Because::Failing | Because::Asked => "it took none of many tries to tell it something, for most of a day",
    };
    let letter = Letter {
        house,
        to: &to.email,
        name: Some(to.name.as_str()),
        person: Some(to.user_id),
        organisation: Some(id),
        subject: "A webhook was switched off",
        paragraphs: Vec::new(),
    };
    let url = &house.rules.public_url;
    letter
        .say(format!("the webhook of {organisation} at {host} was switched off: {why}. It is told of no event any more."))
        .say(format!(
            "What it was to be told, and what it answered, is listed at {url}/api/v1/webhooks/{webhook}/deliveries. When it is \
             well again, switch it on with PATCH {url}/api/v1/webhooks/{webhook} and {{\"enabled\": true}}; what waits is sent then."
        ))
        .seal()
}

/// To the maker of an API key that ends soon.
pub(crate) fn key_ends(house: &House, key: &Expiring) -> NewMail {
    let url = &house.rules.public_url;
    let Expiring { id, org_id, user_id, name, public_id, expires_at, organisation, email } = key;
    let letter = Letter {
        house,
        to: email,
        name: None,
        person: Some(*user_id),
        organisation: Some(*org_id),
        subject: "An API key of yours ends soon",
        paragraphs: Vec::new(),
    };
    letter
        .say(format!(
            "your API key \"{name}\" ({public_id}) of {organisation} ends at {} UTC. What uses it will be refused from then on.",
            minute(*expires_at)
        ))
        .say(format!(
            "To go on, rotate it before:\n\n    POST {url}/api/v1/auth/api-keys/{id}/rotate\n\ngives you a new key with the same \
             rights and limits, and lets the old one live on for an hour, or for as long as you say, a day at the most."
        ))
        .say("If nothing uses it any more, there is nothing to do.")
        .seal()
}

/// To who is about to lose their account; with a link to keep it when it was they who asked.
pub(crate) fn leaving(house: &House, person: &Person, token: Option<&str>, until: Time, origin: &Origin) -> NewMail {
    let letter = Letter::to(house, person, "Your account will be deleted")
        .say(format!("your account will be deleted after {} UTC, and you were signed out everywhere.", minute(until)));
    match token {
        Some(token) => letter
            .say("Until then signing in keeps it, and so does this link:")
            .link("keep-account", "user/profile/restore", token, until)
            .say(asked(house, origin))
            .say("If it was not you, keep the account, and change its password at once.")
            .seal(),
        None => letter.say("The operator of the installation asked for it; until then they can take it back.").seal(),
    }
}

/// To who owned an organisation that was erased: the receipt.
pub(crate) fn erased(house: &House, owner: &Person, erasure: &Erasure) -> NewMail {
    let Erasure { id, subject, requested_at, .. } = erasure;
    Letter::to(house, owner, "Your organisation was erased")
        .say(format!(
            "the organisation {subject} was closed at {} UTC, and its time to be restored is over: its key was destroyed, and all that it held was removed.",
            minute(*requested_at)
        ))
        .say(format!("This is the receipt {id}; the operator keeps it, with a signature over these lines:"))
        .say(erasure.statement().unwrap_or_default().trim_end())
        .say(format!("Their SHA-256 is {}.", store::hex(erasure.hash.as_deref().unwrap_or_default())))
        .say("Your account goes on; you can make another organisation with it, or delete it.")
        .seal()
}
