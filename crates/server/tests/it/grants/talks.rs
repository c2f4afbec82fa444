//! Conversations in the same world: with whom they are shared at random, who reads them, and what of their citations.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Model, numbers};
use crate::collections::ids;

/// A conversation with an answer in it.
pub(super) struct Talk {
    pub(super) id: String,
    pub(super) maker: usize,
    pub(super) access: &'static str,
    pub(super) users: BTreeSet<usize>,
    pub(super) teams: BTreeSet<usize>,
    /// The collections that the answer cites.
    pub(super) cited: BTreeSet<usize>,
}

/// Who may ask: by their role at the organisation, in the order of [`Model::people`].
const ASKS: [bool; 6] = [true, true, true, false, true, false];

impl Model {
    fn reads(&self, person: usize, talk: &Talk) -> bool {
        let shared = talk.users.contains(&person) || talk.teams.iter().any(|team| self.is_in(person, *team));
        ASKS[person] && (talk.maker == person || talk.access == "project" || (talk.access == "shared" && shared))
    }

    /// Whose conversation it is shares one with somebody, ends that, or changes who reads it.
    pub(super) async fn shares_talks(&mut self) {
        if self.talks.is_empty() {
            return;
        }
        let (at, person, team) =
            (self.talk_dice.below(self.talks.len()), self.talk_dice.below(6), self.talk_dice.below(5));
        let access = *self.talk_dice.one(&["private", "shared", "shared", "project"]);
        let (user, team_id) = (&self.people[person].user, &self.teams[team].0);
        let maker = &self.people[self.talks[at].maker];
        let path = format!("/api/v1/threads/{}", self.talks[at].id);
        let is_shared = self.talks[at].access == "shared";
        match self.talk_dice.below(8) {
            0 => {
                maker.patch(&path, &json!({ "access": access })).await.expect(200);
                let talk = &mut self.talks[at];
                if talk.access != access {
                    talk.access = access;
                    talk.users.clear();
                    talk.teams.clear();
                }
            }
            1 => {
                let there = self.talks[at].users.remove(&person);
                let answer = maker.delete(&format!("{path}/shares/users/{user}")).await;
                assert_eq!(answer.status, if there { 204 } else { 404 });
            }
            2 => {
                let there = self.talks[at].teams.remove(&team);
                let answer = maker.delete(&format!("{path}/shares/teams/{team_id}")).await;
                assert_eq!(answer.status, if there { 204 } else { 404 });
            }
            3 | 4 => {
                let answer = maker.put(&format!("{path}/shares/teams/{team_id}"), &json!({})).await;
                assert_eq!(answer.status, if is_shared { 200 } else { 409 }, "{}", answer.text);
                if is_shared {
                    self.talks[at].teams.insert(team);
                }
            }
            _ => {
                let answer = maker.put(&format!("{path}/shares/users/{user}"), &json!({})).await;
                assert_eq!(answer.status, if is_shared { 200 } else { 409 }, "{}", answer.text);
                if is_shared {
                    self.talks[at].users.insert(person);
                }
            }
        }
    }

    /// What somebody reads of conversations is what is theirs and what reaches them; of citations, what they see now.
    pub(super) async fn hears(&self, step: usize) {
        for (person, client) in self.people.iter().enumerate() {
            let list = client.get("/api/v1/threads?shared=true&limit=200").await;
            let listed = if list.status == 403 { Vec::new() } else { ids(&list.json) };
            for talk in &self.talks {
                let (reads, what) =
                    (self.reads(person, talk), format!("person {person}, {}, after step {step}", talk.id));
                assert_eq!(listed.contains(&talk.id.as_str()), reads && talk.access != "private", "{what}");
                let told = client.get(&format!("/api/v1/threads/{}/messages", talk.id)).await;
                assert_eq!(told.status, if reads { 200 } else { 404 }, "{what}: {}", told.text);
                if reads {
                    let shown: BTreeSet<usize> =
                        talk.cited.iter().copied().filter(|at| self.sees(person, &self.collections[*at])).collect();
                    assert_eq!(numbers(&told.text, "Title"), shown, "{what}: {}", told.text);
                }
            }
        }
    }
}
