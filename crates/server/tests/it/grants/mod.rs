//! Random grants against a naive reader of the rules: what people see, find, are told of and get for an answer, on both engines.

mod papers;
mod talks;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, both_stores};

use self::papers::Papers;
use self::talks::Talk;
use crate::collections::{PATH, ids, project, share, team, url};

both_stores! {
    async fn what_is_seen_found_and_answered_is_what_a_naive_model_says(house) {
        for seed in [1, 2] {
            Model::build(&house, seed).await.run(&house, 70).await;
        }
    }
}

/// Random draws that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        // Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n as u64).expect("below n")
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

struct Known {
    id: String,
    maker: usize,
    project: Option<usize>,
    access: &'static str,
    users: BTreeSet<usize>,
    teams: BTreeSet<usize>,
}

/// The numbers that follow a word in a text.
fn numbers(text: &str, word: &str) -> BTreeSet<usize> {
    let digits = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    text.split(word).skip(1).filter_map(digits).collect()
}

/// An organisation as a naive reader of the rules knows it.
struct Model {
    dice: Dice,
    people: Vec<Client>,
    /// Whether a person reads knowledge by their role at the organisation, and whether they reach private projects by it.
    by_role: Vec<(bool, bool)>,
    teams: Vec<(String, Option<usize>)>,
    projects: Vec<(String, bool)>,
    in_team: BTreeSet<(usize, usize)>,
    in_project: BTreeSet<(usize, usize)>,
    team_in_project: BTreeSet<(usize, usize)>,
    collections: Vec<Known>,
    talks: Vec<Talk>,
    /// Draws of their own: what is drawn for conversations changes nothing else.
    talk_dice: Dice,
    papers: Papers,
    paper_dice: Dice,
}

impl Model {
    async fn build(house: &TestHouse, seed: u64) -> Self {
        let name = |person: &str| format!("{person}{seed}");
        let ann = house.sign_up(&name("Ann")).await;
        house.on_plan(&ann.org, "enterprise").await;
        let role = json!({ "name": "Blind", "permissions": ["org.read", "teams.read"] });
        let blind = ann.post("/api/v1/roles", &role).await.expect(201).str("/id").to_owned();
        let mut people = vec![ann.clone()];
        for (person, role) in
            [("Adi", "admin"), ("Max", "member"), ("Vera", "viewer"), ("Cleo", "member"), ("Bert", &blind)]
        {
            people.push(house.join(&ann, &name(person), role).await);
        }
        let by_role = vec![(true, true), (true, true), (true, false), (true, false), (true, false), (false, false)];
        let mut teams: Vec<(String, Option<usize>)> = Vec::new();
        for above in [None, Some(0), Some(1), Some(0), None] {
            let id = team(&ann, &format!("T{}", teams.len()), above.map(|at: usize| teams[at].0.as_str())).await;
            teams.push((id, above));
        }
        let mut projects = Vec::new();
        for open in [true, false, false] {
            projects.push((project(&ann, &format!("P{}", projects.len()), open).await, open));
        }
        Self {
            dice: Dice(seed),
            people,
            by_role,
            teams,
            projects,
            in_team: BTreeSet::new(),
            in_project: BTreeSet::new(),
            team_in_project: BTreeSet::new(),
            collections: Vec::new(),
            talks: Vec::new(),
            talk_dice: Dice(seed ^ 0x5bd1_e995),
            papers: Papers::default(),
            paper_dice: Dice(seed ^ 0x27d4_eb2f),
        }
    }

    /// Whether a person is in a team, directly or in one below it.
    fn is_in(&self, person: usize, team: usize) -> bool {
        let mut direct = self.in_team.iter().filter(|(who, _)| *who == person).map(|(_, team)| *team);
        direct.any(|mut at| {
            loop {
                if at == team {
                    return true;
                }
                match self.teams[at].1 {
                    Some(above) => at = above,
                    None => return false,
                }
            }
        })
    }

    fn reads_in(&self, person: usize, project: usize) -> bool {
        let (by_role, all) = self.by_role[person];
        (by_role && (all || self.projects[project].1))
            || self.in_project.contains(&(person, project))
            || self.team_in_project.iter().any(|(team, at)| *at == project && self.is_in(person, *team))
    }

    fn sees(&self, person: usize, known: &Known) -> bool {
        let there = known.project.map_or(self.by_role[person].0, |project| self.reads_in(person, project));
        let anywhere = there || self.by_role[person].0;
        let shared = known.users.contains(&person) || known.teams.iter().any(|team| self.is_in(person, *team));
        match known.access {
            "project" => there,
            "private" => known.maker == person && anywhere,
            _ => (known.maker == person || shared) && anywhere,
        }
    }

    async fn run(mut self, house: &TestHouse, steps: usize) {
        for step in 0..steps {
            house.clock.advance(std::time::Duration::from_millis(2));
            self.step(house).await;
            self.shares_talks().await;
            if step % 14 == 5 && self.collections.len() > 2 {
                self.publishes(house).await;
            }
            if step % 7 == 6 {
                self.check(step).await;
                self.hears(step).await;
                self.asks(step).await;
            }
        }
        let hidden = self.collections.iter().filter(|one| !self.sees(0, one)).count();
        assert!(
            self.collections.len() > 8 && hidden > 1,
            "{} of {} are hidden from Ann",
            hidden,
            self.collections.len()
        );
        self.papers.are_there();
        let shared = self.talks.iter().filter(|one| !one.users.is_empty() || !one.teams.is_empty()).count();
        assert!(shared > 0, "none of {} conversations is shared", self.talks.len());
    }

    async fn step(&mut self, house: &TestHouse) {
        let ann = self.people[0].clone();
        let (person, team, project) = (self.dice.below(6), self.dice.below(5), self.dice.below(3));
        let (user, team_id) = (self.people[person].user.clone(), self.teams[team].0.clone());
        let project_id = self.projects[project].0.clone();
        let role = json!({ "role": *self.dice.one(&["viewer", "member"]) });
        match self.dice.below(if self.collections.len() < 6 { 8 } else { 16 }) {
            0 => {
                ann.put(&format!("/api/v1/teams/{team_id}/members/{user}"), &role).await.expect(200);
                self.in_team.insert((person, team));
            }
            1 => {
                let there = self.in_team.remove(&(person, team));
                let answer = ann.delete(&format!("/api/v1/teams/{team_id}/members/{user}")).await;
                assert_eq!(answer.status, if there { 204 } else { 404 });
            }
            2 => {
                ann.put(&format!("/api/v1/projects/{project_id}/members/{user}"), &role).await.expect(200);
                self.in_project.insert((person, project));
            }
            // Ann became a member of the projects by making them; an owner reaches them all the same.
            3 if self.in_project.remove(&(person, project)) => {
                ann.delete(&format!("/api/v1/projects/{project_id}/members/{user}")).await.expect(204);
            }
            4 => {
                ann.put(&format!("/api/v1/projects/{project_id}/teams/{team_id}"), &role).await.expect(200);
                self.team_in_project.insert((team, project));
            }
            5 => {
                let there = self.team_in_project.remove(&(team, project));
                let answer = ann.delete(&format!("/api/v1/projects/{project_id}/teams/{team_id}")).await;
                assert_eq!(answer.status, if there { 204 } else { 404 });
            }
            3 | 6..=9 => {
                let place = self.dice.one(&[None, Some(0), Some(1), Some(2)]).to_owned();
                let access = *self.dice.one(&["private", "shared", "shared", "project"]);
                let body =
                    json!({ "name": "C", "access": access, "project_id": place.map(|at: usize| &self.projects[at].0) });
                let answer = self.people[person].post(PATH, &body).await;
                if answer.status == 201 {
                    // Each has a word in common with all others, and one of its own.
                    let text = format!("The heron stands in the water of pond{}.", self.collections.len());
                    let scope = house.scope(&self.people[person]).await;
                    house
                        .document(&scope, answer.str("/id"), &format!("Title{}", self.collections.len()), &[&text])
                        .await;
                    self.collections.push(Known {
                        id: answer.str("/id").to_owned(),
                        maker: person,
                        project: place,
                        access,
                        users: BTreeSet::new(),
                        teams: BTreeSet::new(),
                    });
                }
            }
            10 => {
                let open = !self.projects[project].1;
                ann.patch(&format!("/api/v1/projects/{project_id}"), &json!({ "open": open })).await.expect(200);
                self.projects[project].1 = open;
            }
            11 => {
                let at = self.dice.below(self.collections.len());
                let access = *self.dice.one(&["private", "shared", "project"]);
                let maker = &self.people[self.collections[at].maker];
                let answer = maker.patch(&url(&self.collections[at].id), &json!({ "access": access })).await;
                let known = &mut self.collections[at];
                if answer.status == 200 && known.access != access {
                    known.access = access;
                    known.users.clear();
                    known.teams.clear();
                }
            }
            12 | 13 => {
                let at = self.dice.below(self.collections.len());
                let maker = &self.people[self.collections[at].maker];
                if share(maker, &self.collections[at].id, &format!("users/{user}")).await == 200 {
                    self.collections[at].users.insert(person);
                }
            }
            14 => {
                let at = self.dice.below(self.collections.len());
                let maker = &self.people[self.collections[at].maker];
                if share(maker, &self.collections[at].id, &format!("teams/{team_id}")).await == 200 {
                    self.collections[at].teams.insert(team);
                }
            }
            _ => {
                let at = self.dice.below(self.collections.len());
                let (maker, id) = (&self.people[self.collections[at].maker], &self.collections[at].id);
                if maker.delete(&format!("{PATH}/{id}/shares/users/{user}")).await.status == 204 {
                    assert!(self.collections[at].users.remove(&person));
                }
            }
        }
    }

    /// What somebody finds, counts, is told of and gets for an answer is what they see, and nothing of the rest.
    async fn asks(&mut self, step: usize) {
        let asked = json!({ "query": "Where does the heron stand?", "limit": 100, "explain": true });
        for (person, client) in self.people.iter().enumerate() {
            let seen = |known: &Known| self.sees(person, known);
            let answer = client.post("/api/v1/search", &asked).await;
            self.is_told(person, &answer, seen, &format!("person {person} after step {step}"));
            for (project, (id, _)) in self.projects.iter().enumerate() {
                if self.reads_in(person, project) {
                    let inside = |known: &Known| known.project == Some(project) && seen(known);
                    let answer = client.with("x-rowhouse-project", id).post("/api/v1/search", &asked).await;
                    self.is_told(
                        person,
                        &answer,
                        inside,
                        &format!("person {person} in project {project} after step {step}"),
                    );
                }
            }
        }
        let person = self.dice.below(self.people.len());
        let access = *self.talk_dice.one(&["private", "shared", "shared", "project"]);
        let client = &self.people[person];
        let made = client.post("/api/v1/threads", &json!({ "access": access })).await;
        if made.status != 201 {
            assert_eq!(made.status, 403, "{}", made.text);
            return;
        }
        let url = format!("/api/v1/threads/{}/messages", made.str("/id"));
        let answer = client.post(&url, &json!({ "content": "Where does the heron stand?" })).await.expect(201);
        let seen: BTreeSet<usize> =
            (0..self.collections.len()).filter(|at| self.sees(person, &self.collections[*at])).collect();
        let (cited, quoted) = (numbers(&answer.text, "Title"), numbers(&answer.text, "pond"));
        let papers = self.papers_of(person, |_| true);
        assert!(
            cited.is_subset(&seen)
                && quoted.is_subset(&seen)
                && numbers(&answer.text, "of lake").is_subset(&papers)
                && numbers(&answer.text, "paper ").is_subset(&papers),
            "person {person} after step {step}: {}",
            answer.text
        );
        assert_eq!(
            answer.json["unknown"],
            json!(seen.is_empty() && papers.is_empty()),
            "person {person} after step {step}: {}",
            answer.text
        );
        let (users, teams) = (BTreeSet::new(), BTreeSet::new());
        self.talks.push(Talk { id: made.str("/id").to_owned(), maker: person, access, users, teams, cited });
    }

    fn is_told(&self, person: usize, answer: &Answer, seen: impl Fn(&Known) -> bool, who: &str) {
        let expected: BTreeSet<&str> =
            self.collections.iter().filter(|one| seen(one)).map(|one| one.id.as_str()).collect();
        if answer.status == 403 && expected.is_empty() {
            return;
        }
        assert_eq!(answer.status, 200, "{who}: {}", answer.text);
        let circles = self.is_told_of_papers(person, &answer.text, &seen, who);
        // Circles are told by what is in them.
        let of = |list: &'_ Value| -> BTreeSet<String> {
            let id = |one: &Value| one["collection_id"].as_str().expect("an id").to_owned();
            let is_known = |id: &String| self.collections.iter().any(|known| known.id == *id);
            list.as_array().expect("a list").iter().map(id).filter(is_known).collect()
        };
        let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(of(&answer.json["results"]), expected, "{who}");
        assert_eq!(of(&answer.json["explanation"]["collections"]), expected, "{who}");
        assert_eq!(
            (&answer.json["collections"], &answer.json["explanation"]["left_out"]),
            (&json!(expected.len() + circles), &json!([])),
            "{who}"
        );
        for (at, known) in self.collections.iter().enumerate().filter(|(_, known)| !seen(known)) {
            let hidden = [format!("pond{at}."), format!("Title{at}\""), known.id.clone()];
            assert!(hidden.iter().all(|word| !answer.text.contains(word.as_str())), "{who}: {}", answer.text);
        }
    }

    async fn check(&self, step: usize) {
        let of = |list: &Value| -> BTreeSet<String> { ids(list).into_iter().map(str::to_owned).collect() };
        for (person, client) in self.people.iter().enumerate() {
            let told: BTreeMap<&str, bool> =
                self.collections.iter().map(|known| (known.id.as_str(), self.sees(person, known))).collect();
            let expected: BTreeSet<String> =
                told.iter().filter(|(_, seen)| **seen).map(|(id, _)| (*id).to_owned()).collect();
            let answer = client.get(&format!("{PATH}?limit=200")).await;
            let circles = self.circles_of(&self.papers_of(person, |_| true));
            let listed = if answer.status == 403 { BTreeSet::new() } else { of(&answer.expect(200).json) };
            assert!(listed.is_superset(&expected), "person {person} after step {step}");
            assert_eq!(listed.len(), expected.len() + circles, "person {person} after step {step}");
            for (id, seen) in told {
                let status = client.get(&url(id)).await.status;
                assert_eq!(status, if seen { 200 } else { 404 }, "person {person}, {id}, after step {step}");
            }
            for (project, (id, _)) in self.projects.iter().enumerate() {
                let answer = client.with("x-rowhouse-project", id).get(&format!("{PATH}?limit=200")).await;
                if !self.reads_in(person, project) {
                    assert_eq!(answer.status, 404, "person {person} in project {project} after step {step}");
                    continue;
                }
                let inside = |known: &&Known| known.project == Some(project) && self.sees(person, known);
                let expected: BTreeSet<String> =
                    self.collections.iter().filter(inside).map(|known| known.id.clone()).collect();
                let circles = self.circles_of(&self.papers_of(person, |known| inside(&known)));
                let listed = of(&answer.expect(200).json);
                assert!(listed.is_superset(&expected), "person {person} in {project} after step {step}");
                assert_eq!(listed.len(), expected.len() + circles, "person {person} in {project} after step {step}");
            }
        }
    }
}
