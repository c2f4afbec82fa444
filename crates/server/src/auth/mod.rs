//! Accounts and credentials.

mod active_org;
mod browser;
mod email;
mod jwks;
mod login;
mod logout;
mod me;
mod password;
mod refresh;
mod sessions;
pub(crate) mod signup;
mod step_up;
pub(crate) mod tokens;
mod totp;
mod verify;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use verify::submit::MailedToken;

use crate::routes::Routes;

/// A mail address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    email: domain::email::Email,
}

/// The rest goes on by mail. Says nothing about whom the address belongs to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MailSent {
    /// `mail_sent`.
    status: &'static str,
}

impl Default for MailSent {
    fn default() -> Self {
        Self { status: "mail_sent" }
    }
}

pub(crate) fn routes(routes: Routes) -> Routes {
    factors(credentials(sign_in(routes)))
}

fn sign_in(routes: Routes) -> Routes {
    routes
        .post(
            "/api/v1/auth/signup",
            "Signs up a person and makes their personal organisation; where mail addresses are verified, by mail.",
            signup::signup,
        )
        .post("/api/v1/auth/register", "The same as signup, under the name that older clients know.", signup::signup)
        .post(
            "/api/v1/auth/verify",
            "Verifies a mail address with a mailed token, and signs in.",
            verify::submit::submit,
        )
        .post("/api/v1/auth/verify/resend", "Mails a new link for verification.", verify::resend::resend)
        .post("/api/v1/auth/login", "Signs in with a password, and a code when the second factor is on.", login::login)
        .post("/api/v1/auth/refresh", "Exchanges a refresh token for the next pair of tokens.", refresh::refresh)
        .post("/api/v1/auth/logout", "Ends this session.", logout::logout)
        .post("/api/v1/auth/session", "Signs in with a cookie.", browser::create::create)
        .get("/api/v1/auth/session", "Tells who is signed in with this cookie.", browser::show::show)
        .delete("/api/v1/auth/session", "Ends this session and takes its cookie back.", browser::delete::delete)
        .get("/api/v1/auth/me", "Tells who is calling, where, and what they may do.", me::me)
        .put(
            "/api/v1/auth/active-org",
            "Makes another organisation the active one of this session.",
            active_org::select,
        )
        .get("/api/v1/auth/sessions", "Lists where the caller is signed in.", sessions::list::list)
        .delete("/api/v1/auth/sessions", "Ends all sessions but this one.", sessions::delete_others::delete_others)
        .delete("/api/v1/auth/sessions/{id}", "Ends a session of the caller.", sessions::delete::delete)
        .get("/api/v1/auth/jwks", "Shows the public keys that access tokens are signed with.", jwks::jwks)
        .get("/.well-known/jwks.json", "The same as auth/jwks, where clients look for it.", jwks::jwks)
}

fn credentials(routes: Routes) -> Routes {
    routes
        .put("/api/v1/auth/password", "Sets a new password.", password::change::change)
        .post("/api/v1/auth/password/forgot", "Mails a link for a new password.", password::forgot::forgot)
        .post("/api/v1/auth/password/reset", "Sets a new password with a mailed token.", password::reset::reset)
        .post("/api/v1/auth/email", "Asks for another mail address.", email::change::change)
        .post("/api/v1/auth/email/confirm", "Confirms a new mail address with a mailed token.", email::confirm::confirm)
        .post(
            "/api/v1/auth/email/undo",
            "Takes a change of the mail address back with a mailed token.",
            email::undo::undo,
        )
}

fn factors(routes: Routes) -> Routes {
    routes
        .post("/api/v1/auth/step-up", "Shows a factor again, for what takes a fresh one.", step_up::step_up)
        .post("/api/v1/auth/totp", "Prepares a second factor.", totp::create::create)
        .delete("/api/v1/auth/totp", "Turns the second factor off.", totp::delete::delete)
        .post("/api/v1/auth/totp/confirm", "Turns the second factor on.", totp::confirm::confirm)
        .post("/api/v1/auth/recovery-codes", "Makes new recovery codes.", totp::renew_codes::renew_codes)
}
