//! What was taken, counted in this process: the whole truth when it is the only one, its share of it when the shared count is away.

use std::sync::Mutex;

use domain::{Id, OrgId, Time};

use super::cell::{Cell, Rate, Verdict};
use super::pass::Shortfall;
use super::rule::{Bound, Place};
use crate::accounts::Map;
use crate::books::locked;

/// Organisations are parted among so many locks.
const SHARDS: usize = 64;
/// The most cells of one organisation. They empty within an hour, most within a minute; whoever fills all of them waits for that.
const CELLS: usize = 20_000;

/// What a call takes at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) place: Place,
    pub(super) bound: Bound,
    /// So many pieces; a slot is one.
    pub(super) cost: u64,
}

/// How one place stands afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing {
    Cell(Cell),
    Slots,
}

#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    cell: Cell,
    empty_at: Time,
    /// Whether the shared count knows it. What was taken while that was away is told to it afterwards.
    told: bool,
}

impl Kept {
    fn new(cell: Cell, rate: Rate, told: bool) -> Self {
        Self { cell, empty_at: cell.at + rate.empty_in(cell), told }
    }
}

#[derive(Default)]
struct Table {
    cells: Map<Place, Kept>,
    /// What calls of this process hold.
    taken: Map<Place, u64>,
}

impl Table {
    fn drop_empty(&mut self, now: Time) {
        self.cells.retain(|_, kept| kept.empty_at > now);
    }
}

pub(super) struct Local(Box<[Mutex<Map<OrgId, Table>>]>);

impl Local {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    fn shard(&self, org: OrgId) -> &Mutex<Map<OrgId, Table>> {
        // The last bits of an id are random.
        &self.0[usize::from(org.uuid().as_bytes()[15]) % SHARDS]
    }

    /// Takes everything, or nothing and says what is missing. Of several nodes each has its share: the bounds are those of this node,
    /// what was last heard from the shared count is not.
    pub(super) fn take(&self, org: OrgId, asks: &[Ask], now: Time, nodes: u64) -> Result<Vec<Standing>, Shortfall> {
        let mut shard = locked(self.shard(org));
        let table = shard.entry(org).or_default();
        if table.cells.len() + asks.len() > CELLS {
            table.drop_empty(now);
            if table.cells.len() + asks.len() > CELLS {
                return Err(Shortfall::crowded());
            }
        }
        let (mut before, mut after) = (Vec::with_capacity(asks.len()), Vec::with_capacity(asks.len()));
        let mut missing = None;
        for (n, ask) in asks.iter().enumerate() {
            match ask.bound {
                Bound::Rate(rate) => {
                    let mut cell = table.cells.get(&ask.place).copied().unwrap_or_default();
                    if cell.told {
                        cell.cell.owed = cell.cell.owed.div_ceil(nodes.max(1));
                    }
                    let verdict = rate.take(cell.cell, now, ask.cost);
                    let fits = if let Verdict::Fits(with) = verdict { Some(with) } else { None };
                    before.push(Standing::Cell(rate.at(cell.cell, now)));
                    after.push(Standing::Cell(fits.unwrap_or_default()));
                    missing = Shortfall::worse(missing, n, verdict);
                }
                Bound::Slots(slots) => {
                    let taken = table.taken.get(&ask.place).copied().unwrap_or(0);
                    before.push(Standing::Slots);
                    after.push(Standing::Slots);
                    if taken + ask.cost > slots {
                        missing = Shortfall::worse(missing, n, Verdict::Wait(Shortfall::SLOT));
                    }
                }
            }
        }
        let standings = if missing.is_none() { after } else { before };
        for (ask, standing) in asks.iter().zip(&standings) {
            match (ask.bound, standing) {
                // A refusal notes the time, too: else a clock that was set back would leave the cell full until it has caught up.
                (Bound::Rate(rate), Standing::Cell(cell))
                    if missing.is_none() || table.cells.contains_key(&ask.place) =>
                {
                    table.cells.insert(ask.place, Kept::new(*cell, rate, false));
                }
                (Bound::Slots(_), _) if missing.is_none() => *table.taken.entry(ask.place).or_default() += ask.cost,
                _ => {}
            }
        }
        match missing {
            Some(missing) => Err(missing.with(standings)),
            None => Ok(standings),
        }
    }

    /// Corrects what was taken from a cell.
    pub(super) fn correct(&self, org: OrgId, place: Place, rate: Rate, now: Time, by: i64) {
        let mut shard = locked(self.shard(org));
        if let Some(kept) = shard.get_mut(&org).and_then(|table| table.cells.get_mut(&place)) {
            *kept = Kept::new(rate.correct(kept.cell, now, by), rate, kept.told);
        }
    }

    /// Notes slots that the shared count gave.
    pub(super) fn occupy(&self, org: OrgId, places: impl Iterator<Item = Place>) {
        let mut shard = locked(self.shard(org));
        for place in places {
            *shard.entry(org).or_default().taken.entry(place).or_default() += 1;
        }
    }

    /// Gives slots back.
    pub(super) fn vacate(&self, org: OrgId, places: impl Iterator<Item = Place>) {
        let mut shard = locked(self.shard(org));
        let Some(table) = shard.get_mut(&org) else { return };
        for place in places {
            if let Some(taken) = table.taken.get_mut(&place) {
                *taken -= 1;
                if *taken == 0 {
                    table.taken.remove(&place);
                }
            }
        }
    }

    /// What the shared count is yet to be told of a place; from now on it counts as told.
    pub(super) fn carry(&self, org: OrgId, place: Place, rate: Rate, now: Time) -> u64 {
        let mut shard = locked(self.shard(org));
        match shard.get_mut(&org).and_then(|table| table.cells.get_mut(&place)) {
            Some(kept) if !kept.told => {
                kept.told = true;
                rate.at(kept.cell, now).owed
            }
            _ => 0,
        }
    }

    /// Takes it back: the shared count did not hear of it.
    pub(super) fn uncarry(&self, org: OrgId, place: Place) {
        let mut shard = locked(self.shard(org));
        if let Some(kept) = shard.get_mut(&org).and_then(|table| table.cells.get_mut(&place)) {
            kept.told = false;
        }
    }

    /// Remembers what the shared count said of a call that takes so many pieces (none when it was refused), to go on from there should
    /// it be away. Answers come in any order, and some when this node counts alone already: nothing it knows of is forgotten for one.
    pub(super) fn mirror(&self, org: OrgId, place: Place, rate: Rate, said: Cell, taken: u64) {
        let mut shard = locked(self.shard(org));
        let table = shard.entry(org).or_default();
        let kept = match table.cells.get(&place) {
            None if table.cells.len() >= CELLS => return,
            None => Kept::new(said, rate, true),
            Some(kept) => {
                let missed = if kept.told { 0 } else { i64::try_from(taken).unwrap_or(i64::MAX) };
                let known = rate.correct(kept.cell, said.at, missed);
                Kept::new(Cell { owed: known.owed.max(said.owed), ..said }, rate, kept.told)
            }
        };
        table.cells.insert(place, kept);
    }

    /// Forgets what is empty.
    pub(super) fn tidy(&self, now: Time) {
        for shard in &self.0 {
            locked(shard).retain(|_, table| {
                table.drop_empty(now);
                !table.cells.is_empty() || !table.taken.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::limits::Level;

    use super::super::rule::{Counts, Reach};
    use super::*;

    #[test]
    fn an_answer_that_comes_late_makes_nobody_forget_what_was_taken_alone() {
        let (local, org, now) = (Local::new(), OrgId::from_uuid(domain::id::Uuid::from_u128(7)), Time::from_micros(1));
        let rate = Rate::per_minute(4);
        let place =
            Place { level: Level::Organization, subject: org.uuid(), counts: Counts::Requests, reach: Reach::All };
        let ask = [Ask { place, bound: Bound::Rate(rate), cost: 1 }];
        let said = |calls| match rate.take(Cell::default(), now, calls) {
            Verdict::Fits(cell) => cell,
            other => panic!("{other:?}"),
        };
        // Two are counted by the server, whose answers come in the wrong order.
        local.mirror(org, place, rate, said(2), 1);
        local.mirror(org, place, rate, said(1), 1);
        // It goes away: a third is taken alone; then the answer to a fourth comes, which it had counted before.
        local.take(org, &ask, now, 1).expect("it fits");
        local.mirror(org, place, rate, said(3), 1);
        assert!(local.take(org, &ask, now, 1).is_err(), "four of four are taken");
    }
}
