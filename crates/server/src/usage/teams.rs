//! The roll-up by team: each with what was used in it, and with what was used in it and all below.

use std::collections::BTreeMap;

use domain::id::Uuid;
use domain::text::TeamName;
use domain::{Id, TeamId};
use store::Tx;
use store::ledger::summary::{Group, Sums};
use store::org::teams;

/// Teams read at a time.
const PAGE: i64 = 500;
/// More steps than a tree has levels.
const STEPS: usize = 100;

/// A team's place, deleted ones included.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) parent: Option<TeamId>,
    pub(super) name: TeamName,
    pub(super) deleted: bool,
}

/// What was used in a team, and in it with all below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RolledUp {
    pub(super) own: Sums,
    pub(super) with_below: Sums,
}

/// All teams of the organisation, deleted ones included.
/// # Errors
/// As the database.
pub(super) async fn tree(tx: &mut Tx) -> store::Result<BTreeMap<TeamId, Place>> {
    let mut tree = BTreeMap::new();
    let mut after = None;
    loop {
        let page = teams::list(tx, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let place = |team: teams::Team| (team.id, Place { parent: team.parent_id, name: team.name, deleted: false });
        tree.extend(page.into_iter().map(place));
    }
    after = None;
    loop {
        let page = teams::former(tx, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let place =
            |team: teams::FormerTeam| (team.id, Place { parent: team.parent_id, name: team.name, deleted: true });
        tree.extend(page.into_iter().map(place));
    }
    Ok(tree)
}

/// Adds what each team used to all teams above it. What counts to no team stands under none.
pub(super) fn roll_up(
    groups: &[Group<Option<Uuid>>],
    tree: &BTreeMap<TeamId, Place>,
) -> BTreeMap<Option<TeamId>, RolledUp> {
    let mut rolled: BTreeMap<Option<TeamId>, RolledUp> = BTreeMap::new();
    for group in groups {
        let team = group.key.map(TeamId::from_uuid);
        let own = rolled.entry(team).or_default();
        own.own = own.own.and(group.sums);
        if team.is_none() {
            own.with_below = own.own;
        }
        let chain = std::iter::successors(team, |team| tree.get(team).and_then(|place| place.parent));
        for above in chain.take(STEPS) {
            let sums = &mut rolled.entry(Some(above)).or_default().with_below;
            *sums = sums.and(group.sums);
        }
    }
    rolled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_below_counts_above_and_all_adds_up() {
        let id = |n: u128| TeamId::from_uuid(Uuid::from_u128(n));
        let place = |parent: Option<u128>| Place {
            parent: parent.map(id),
            name: TeamName::new("a team").expect("a name"),
            deleted: false,
        };
        let tree = BTreeMap::from([(id(1), place(None)), (id(2), place(Some(1))), (id(3), place(Some(2)))]);
        let group = |key: Option<u128>, cost_micros| Group {
            key: key.map(Uuid::from_u128),
            sums: Sums { cost_micros, operations: 1, ..Sums::default() },
        };
        let groups = [group(None, 1), group(Some(1), 10), group(Some(3), 100), group(Some(9), 1000)];
        let rolled = roll_up(&groups, &tree);
        let costs: Vec<_> =
            rolled.iter().map(|(team, sums)| (*team, sums.own.cost_micros, sums.with_below.cost_micros)).collect();
        let expected = [(None, 1, 1), (Some(id(1)), 10, 110), (Some(id(2)), 0, 100), (Some(id(3)), 100, 100)];
        assert_eq!(costs[..4], expected);
        assert_eq!(costs[4], (Some(id(9)), 1000, 1000), "a team that nobody knows is not lost");
        assert_eq!(costs.iter().map(|(_, own, _)| own).sum::<i64>(), 1111);
    }
}
