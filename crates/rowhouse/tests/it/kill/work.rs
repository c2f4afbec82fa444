//! What is done while the server is killed, and what of it was acknowledged. Each worker has things of its own, so that it knows
//! exactly how they are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::process::{Reply, send, send_keyed};

use super::Dice;
use super::house::{PASSWORD, Somebody, World};

/// People each worker sends in and out.
const PEOPLE: usize = 12;
/// How often one address may be invited within an hour.
const INVITATIONS: usize = 5;
/// Organisations that one person may make.
const ORGANISATIONS: usize = 20;

/// Somebody who is invited, comes and goes.
pub(super) struct Guest {
    pub(super) who: Somebody,
    /// How often they were invited.
    invited: usize,
    /// The link they have and have not used.
    link: Option<String>,
    /// Whether they belong to the organisation.
    pub(super) inside: bool,
    /// Organisations that they made.
    pub(super) made: BTreeMap<String, Made>,
}

/// An organisation that a guest made.
pub(super) struct Made {
    name: String,
    pub(super) closed: bool,
    /// Whether its making was in doubt: then it is finished in the background, and nobody enters it before.
    resumed: bool,
}

/// One thing to do; all that it takes to ask for it again.
#[derive(Debug, Clone)]
enum Operation {
    MakeTeam(String),
    RenameTeam(String, String),
    DeleteTeam(String),
    Invite(usize),
    Accept(usize, String),
    Leave(usize),
    MakeKey,
    RotateKey(String),
    SignUp(String),
    MakeOrg(usize, String),
    CloseOrg(usize, String, String),
}

/// Somebody who works, and what they know to be done.
pub(super) struct Worker {
    number: usize,
    dice: Dice,
    owner: Somebody,
    /// The team that everybody who is invited is put into.
    pub(super) everybody: Option<String>,
    /// Their teams, with their names.
    pub(super) teams: BTreeMap<String, String>,
    /// Teams that they made and deleted again.
    pub(super) deleted: Vec<String>,
    pub(super) guests: Vec<Guest>,
    pub(super) invitations: Vec<String>,
    /// How often somebody came, and went.
    pub(super) joined: usize,
    pub(super) left: usize,
    /// The key, by id and secret, and those it has replaced.
    pub(super) key: Option<(String, String)>,
    pub(super) replaced: Vec<(String, String)>,
    /// Addresses of people who signed up.
    pub(super) signed_up: Vec<String>,
    /// What was asked for and not answered, with its Idempotency-Key.
    in_doubt: Option<(String, Operation)>,
    begun: usize,
    pub(super) acknowledged: usize,
}

impl Worker {
    pub(super) fn new(world: &mut World, number: usize, seed: u64) -> Self {
        let guest = |who| Guest { who, invited: 0, link: None, inside: false, made: BTreeMap::new() };
        let guests = world.sign_up_all(PEOPLE).into_iter().map(guest).collect();
        Self {
            number,
            dice: Dice::new(seed),
            owner: world.owner.clone(),
            everybody: None,
            teams: BTreeMap::new(),
            deleted: Vec::new(),
            guests,
            invitations: Vec::new(),
            joined: 0,
            left: 0,
            key: None,
            replaced: Vec::new(),
            signed_up: Vec::new(),
            in_doubt: None,
            begun: 0,
            acknowledged: 0,
        }
    }

    /// The organisation that the guests are invited into.
    pub(super) fn host(&self) -> String {
        self.owner.org.to_string()
    }

    /// Works until the server is gone.
    pub(super) fn work(&mut self, stop: &AtomicBool, address: &str) {
        while !stop.load(Ordering::SeqCst) {
            let again = self.in_doubt.is_some();
            let (key, operation) = self.in_doubt.take().unwrap_or_else(|| self.draw());
            if !self.attempt(address, key, operation, again) {
                // The server is gone, or has too much to do.
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Asks once more for what is in doubt, until it is answered.
    pub(super) fn settle(&mut self, address: &str) {
        let began = Instant::now();
        while let Some((key, operation)) = self.in_doubt.take() {
            let what = format!("{operation:?}");
            self.attempt(address, key, operation, true);
            assert!(began.elapsed() < Duration::from_secs(20), "{what} stays in doubt");
        }
    }

    /// What to do next.
    fn draw(&mut self) -> (String, Operation) {
        self.begun += 1;
        let name = format!("w{} n{}", self.number, self.begun);
        let key = format!("{name} {}", self.owner.user);
        let Some(_) = &self.everybody else { return (key, Operation::MakeTeam(name)) };
        let Some((current, _)) = self.key.clone() else { return (key, Operation::MakeKey) };
        let guest = self.dice.roll(self.guests.len());
        let team = (!self.teams.is_empty()).then(|| self.dice.roll(self.teams.len()));
        let team = team.and_then(|at| self.teams.keys().nth(at).cloned());
        let open = self.guests[guest].made.iter().find(|(_, made)| !made.closed && !made.resumed);
        let open = open.map(|(org, made)| (org.clone(), made.name.clone()));
        let operation = match (self.dice.roll(100), team) {
            (0..12, Some(team)) => Operation::RenameTeam(team, name),
            (12..22, Some(team)) => Operation::DeleteTeam(team),
            (22..60, _) => match &self.guests[guest] {
                Guest { inside: true, .. } => Operation::Leave(guest),
                Guest { link: Some(link), .. } => Operation::Accept(guest, link.clone()),
                Guest { invited, .. } if *invited < INVITATIONS => Operation::Invite(guest),
                _ => Operation::MakeTeam(name),
            },
            (60..70, _) => Operation::RotateKey(current),
            (70..72, _) => Operation::SignUp(format!("new-{}-{}@example.com", self.number, self.begun)),
            (72..78, _) => match open {
                Some((org, name)) => Operation::CloseOrg(guest, org, name),
                None if self.guests[guest].made.len() < ORGANISATIONS => Operation::MakeOrg(guest, name),
                None => Operation::MakeTeam(name),
            },
            _ => Operation::MakeTeam(name),
        };
        (key, operation)
    }

    /// Asks for something; says whether it was done. Else it is in doubt.
    fn attempt(&mut self, address: &str, key: String, operation: Operation, again: bool) -> bool {
        match self.ask(address, &key, &operation) {
            Ok(reply) if is_done(&operation, &reply) => {
                self.note(operation, &reply, again);
                self.acknowledged += 1;
                true
            }
            Ok(reply) => {
                assert!(may_be_repeated(&reply), "{operation:?}: {reply:?}");
                self.in_doubt = Some((key, operation));
                false
            }
            Err(_) => {
                self.in_doubt = Some((key, operation));
                false
            }
        }
    }

    fn ask(&self, address: &str, key: &str, operation: &Operation) -> std::io::Result<Reply> {
        let owner = Some(self.owner.token.as_str());
        let guest = |at: usize| Some(self.guests[at].who.token.as_str());
        let post = |token, path: &str, body: Value| send_keyed(address, "POST", path, token, Some(&body), Some(key));
        match operation {
            Operation::MakeTeam(name) => post(owner, "/api/v1/teams", json!({ "name": name })),
            Operation::RenameTeam(id, name) => {
                send(address, "PATCH", &format!("/api/v1/teams/{id}"), owner, Some(&json!({ "name": name })))
            }
            Operation::DeleteTeam(id) => send(address, "DELETE", &format!("/api/v1/teams/{id}"), owner, None),
            Operation::Invite(at) => {
                let teams = json!([{ "team_id": self.everybody, "role": "viewer" }]);
                let body = json!({ "email": self.guests[*at].who.email, "role": "viewer", "teams": teams });
                post(owner, "/api/v1/invitations", body)
            }
            Operation::Accept(at, link) => post(guest(*at), "/api/v1/invitations/accept", json!({ "token": link })),
            Operation::Leave(at) => post(guest(*at), &format!("/api/v1/orgs/{}/leave", self.owner.org), json!({})),
            Operation::MakeKey => post(owner, "/api/v1/auth/api-keys", json!({ "name": "Key" })),
            Operation::RotateKey(id) => {
                post(owner, &format!("/api/v1/auth/api-keys/{id}/rotate"), json!({ "grace_seconds": 0 }))
            }
            Operation::SignUp(email) => {
                let body = json!({ "email": email, "password": PASSWORD, "name": "Somebody" });
                post(None, "/api/v1/auth/signup", body)
            }
            Operation::MakeOrg(at, name) => post(guest(*at), "/api/v1/orgs", json!({ "name": name })),
            Operation::CloseOrg(at, id, name) => {
                let path = format!("/api/v1/orgs/{id}?confirm={}", name.replace(' ', "%20"));
                send(address, "DELETE", &path, guest(*at), None)
            }
        }
    }

    /// Writes down what was done.
    fn note(&mut self, operation: Operation, reply: &Reply, resumed: bool) {
        match operation {
            Operation::MakeTeam(name) => {
                let id = reply.str("/id").to_owned();
                if self.everybody.is_none() {
                    self.everybody = Some(id);
                } else {
                    self.teams.insert(id, name);
                }
            }
            Operation::RenameTeam(id, name) => {
                self.teams.insert(id, name);
            }
            Operation::DeleteTeam(id) => {
                self.teams.remove(&id);
                self.deleted.push(id);
            }
            Operation::Invite(at) => {
                self.guests[at].invited += 1;
                self.guests[at].link = Some(reply.str("/token").to_owned());
                self.invitations.push(reply.str("/id").to_owned());
            }
            Operation::Accept(at, _) => {
                self.guests[at].link = None;
                self.guests[at].inside = true;
                self.joined += 1;
            }
            Operation::Leave(at) => {
                self.guests[at].inside = false;
                self.left += 1;
            }
            Operation::MakeKey | Operation::RotateKey(_) => {
                let fresh = (reply.str("/id").to_owned(), reply.str("/key").to_owned());
                self.replaced.extend(self.key.replace(fresh));
            }
            Operation::SignUp(email) => self.signed_up.push(email),
            Operation::MakeOrg(at, name) => {
                self.guests[at].made.insert(reply.str("/id").to_owned(), Made { name, closed: false, resumed });
            }
            Operation::CloseOrg(at, id, name) => {
                self.guests[at].made.insert(id, Made { name, closed: true, resumed: false });
            }
        }
    }
}

fn code(reply: &Reply) -> &str {
    reply.json["error"]["code"].as_str().unwrap_or("")
}

/// Whether an answer says that it is done. What was in doubt and has no key for its repetition may say so in other words.
fn is_done(operation: &Operation, reply: &Reply) -> bool {
    let succeeded = (200..300).contains(&reply.status);
    match operation {
        Operation::DeleteTeam(_) => succeeded || reply.status == 404,
        Operation::CloseOrg(..) => succeeded || (reply.status, code(reply)) == (409, "conflict"),
        // The answer holds tokens, so it is not given twice; and a crash may have come between the effect and its answer.
        Operation::SignUp(_) => succeeded || ["already_done", "taken"].contains(&code(reply)),
        _ => succeeded,
    }
}

/// Whether an answer leaves open what happened, or tells to come back: a statement of before the kill may still be at work.
fn may_be_repeated(reply: &Reply) -> bool {
    let held_up = reply.status == 503 || reply.status == 429 || code(reply) == "request_running";
    held_up || (code(reply) == "taken" && reply.text.contains("Idempotency-Key"))
}

/// The receipts of erasures that an operator was shown.
#[derive(Default)]
pub(super) struct Receipts {
    pub(super) seen: BTreeMap<String, Value>,
}

impl Receipts {
    /// Looks at them until the server is gone.
    pub(super) fn read(&mut self, stop: &AtomicBool, address: &str, operator: &str) {
        while !stop.load(Ordering::SeqCst) {
            if let Ok(reply) = send(address, "GET", "/api/v1/operator/erasures?limit=200", Some(operator), None) {
                let complete = reply.json["data"].as_array().into_iter().flatten();
                for receipt in complete.filter(|receipt| receipt["erased_at"].is_string()) {
                    self.seen.insert(receipt["subject"].as_str().expect("text").to_owned(), receipt.clone());
                }
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    }
}
