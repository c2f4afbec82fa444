//! Accounts and credentials.

mod login;
mod me;
mod signup;
pub(crate) mod tokens;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .post("/api/v1/auth/signup", "Signs up a person and makes their personal organisation.", signup::signup)
        .post("/api/v1/auth/register", "The same as signup, under the name that older clients know.", signup::signup)
        .post("/api/v1/auth/login", "Signs in with a password, and a code when the second factor is on.", login::login)
        .get("/api/v1/auth/me", "Tells who is calling, where, and what they may do.", me::me)
}
