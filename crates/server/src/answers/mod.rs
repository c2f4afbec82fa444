//! Answers: a question in a conversation is answered out of what the person sees, each claim with the passage it comes from.
//!
//! The passages are found with the rights of whoever asks, at that moment; a model is given these and nothing else; what it cites is
//! held against them. Calls of models go through the one door, where they are counted.

mod ask;
mod compose;
mod events;
pub(crate) mod model;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.post("/api/v1/threads/{id}/messages", "Asks a question and answers it from the documents.", ask::ask)
}
