//! What a source brings into a collection of the same world, each paper with readers at random: people, groups, or all who see it.

use std::collections::BTreeSet;
use std::time::Duration;

use connectors::source::Readers;
use serde_json::json;
use store::org::knowledge::documents;
use testing::{Shelf, TestHouse};

use super::{Dice, Known, Model, numbers};
use crate::sources::{over, set_up};

/// Papers, and groups of the source.
const PAPERS: usize = 6;
const GROUPS: usize = 3;

/// Who reads a paper, of those who see the collection: everybody, or these people and groups.
type Named = Option<(BTreeSet<usize>, BTreeSet<usize>)>;

/// What the source says.
#[derive(Clone, Default)]
struct Said {
    papers: Vec<Named>,
    groups: Vec<BTreeSet<usize>>,
}

/// A source in one of the collections, as it was at its last round.
#[derive(Default)]
pub(super) struct Papers {
    /// The source, and which collection it is in.
    source: Option<(String, usize)>,
    said: Said,
}

impl Papers {
    /// Some are for everybody who sees the collection, others are not.
    pub(super) fn are_there(&self) {
        let open = self.said.papers.iter().filter(|paper| paper.is_none()).count();
        assert!(self.source.is_some() && open > 0 && open < PAPERS, "{open} of {PAPERS} papers are for everybody");
    }
}

fn some(dice: &mut Dice, of: usize) -> BTreeSet<usize> {
    (0..of).filter(|_| dice.below(3) == 0).collect()
}

/// Who reads a paper. The first is for everybody and the second never, so that there are both at any time.
fn named(dice: &mut Dice, paper: usize) -> Named {
    let is_narrow = dice.below(3) > 0;
    (paper == 1 || (paper > 0 && is_narrow)).then(|| (some(dice, 6), some(dice, GROUPS)))
}

impl Model {
    /// Whether a person reads a paper.
    fn reads_paper(&self, person: usize, paper: &Named) -> bool {
        let Some((_, around)) = &self.papers.source else { return false };
        let is_named = paper.as_ref().is_none_or(|(people, groups)| {
            people.contains(&person) || groups.iter().any(|group| self.papers.said.groups[*group].contains(&person))
        });
        is_named && self.sees(person, &self.collections[*around])
    }

    /// The papers that a person reads, where the collection is one of these.
    pub(super) fn papers_of(&self, person: usize, inside: impl Fn(&Known) -> bool) -> BTreeSet<usize> {
        let there = self.papers.source.as_ref().is_some_and(|(_, around)| inside(&self.collections[*around]));
        let all = self.papers.said.papers.iter().enumerate();
        all.filter(|(_, paper)| there && self.reads_paper(person, paper)).map(|(at, _)| at).collect()
    }

    /// How many circles these papers are in.
    pub(super) fn circles_of(&self, papers: &BTreeSet<usize>) -> usize {
        let sets: BTreeSet<_> = papers.iter().filter_map(|at| self.papers.said.papers[*at].as_ref()).collect();
        sets.len()
    }

    /// What is told of papers is of those that the person reads, all of them.
    pub(super) fn is_told_of_papers(
        &self,
        person: usize,
        text: &str,
        inside: impl Fn(&Known) -> bool,
        who: &str,
    ) -> usize {
        let expected = self.papers_of(person, inside);
        assert_eq!(numbers(text, "of lake"), expected, "{who}: {text}");
        self.circles_of(&expected)
    }

    /// The source says something else, and a round brings that; the first time it is set up. Nothing happens when who made its collection
    /// may not ask it.
    pub(super) async fn publishes(&mut self, house: &TestHouse) {
        let dice = &mut self.paper_dice;
        let mut said = self.papers.said.clone();
        if said.papers.is_empty() {
            said.groups = (0..GROUPS).map(|_| some(dice, 6)).collect();
            said.papers = (0..PAPERS).map(|at| named(dice, at)).collect();
        } else {
            let (paper, group) = (dice.below(PAPERS), dice.below(GROUPS));
            said.papers[paper] = named(dice, paper);
            said.groups[group] = some(dice, 6);
        }
        let address = |at: &usize| self.people[*at].email.clone();
        let name = |at: &usize| format!("group{at}");
        for (at, people) in said.groups.iter().enumerate() {
            let people: Vec<String> = people.iter().map(address).collect();
            house.shelf.group(&name(&at), &people.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for (at, paper) in said.papers.iter().enumerate() {
            let readers = paper.as_ref().map_or(Readers::Collection, |(people, groups)| Readers::Only {
                people: people.iter().map(address).collect(),
                groups: groups.iter().map(name).collect(),
            });
            house.shelf.put(&format!("paper {at}"), &format!("The heron stands in the water of lake{at}."), readers);
        }
        let around = self.papers.source.as_ref().map_or(self.collections.len() - 1, |(_, around)| *around);
        let known = &self.collections[around];
        let maker = &self.people[known.maker];
        let source = match &self.papers.source {
            None => set_up(maker, &known.id, &Shelf::source()).await,
            Some((id, _)) => maker.post(&format!("/api/v1/sources/{id}/sync"), &json!({})).await,
        };
        // Whoever lost their place asks for nothing; what the source says by now is not known then.
        if ![201, 202].contains(&source.status) {
            return;
        }
        let source = source.str("/id").to_owned();
        over(maker, &source).await;
        (self.papers.source, self.papers.said) = (Some((source, around)), said);
        let scope = house.scope(&self.people[0]).await;
        for _ in 0..600 {
            let mut tx = house.store().open(&scope).read().await.expect("begins");
            let open = documents::open(&mut tx, None, 500).await.expect("listed");
            // The world's own documents are there without anybody who reads them.
            if open.iter().all(|document| document.source != "web") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("what came is not read");
    }
}
