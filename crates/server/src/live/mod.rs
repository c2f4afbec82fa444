//! What changes in an organisation, told to who is there, as far as they see it: so that two browsers show the same.
//!
//! Only the names of nouns are told (`teams`, `collections`), which the listener then reads anew through their own routes. Of what not
//! everybody sees (projects, collections with their documents, conversations) a change is told to a listener when what they see is
//! another than before, and to nobody else: that a colleague works on something private shows nowhere.

mod changes;
mod feed;
mod nouns;

pub(crate) use self::feed::Log;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get(
        "/api/v1/events",
        "Tells what changes in the organisation, as far as the caller sees it.",
        changes::events,
    )
}
