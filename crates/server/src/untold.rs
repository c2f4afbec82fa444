//! Organisations in which something waits to be told: each once, in the order in which they came. One that fails waits longer each time,
//! and holds up none of the others.

use std::collections::VecDeque;
use std::time::Duration;

use domain::OrgId;
use store::Scope;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Organisations that wait at most; the others are heard of when something is next done there.
const MOST: usize = 1000;
/// How long after the first failure it is tried again; then after twice as long each time, up to the longest pause.
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_hours(1);
/// How often it is tried, for most of a day; after that it is told with the organisation's next news.
const TRIES: u32 = 24;

/// How an organisation's turn ended.
#[derive(Clone, Copy)]
pub(crate) enum Told {
    /// Nothing is left.
    All,
    /// There may be more: it has another turn, behind the others.
    More,
    /// It is to be tried again.
    Failed,
}

/// The organisations that wait, and the news of more.
pub(crate) struct Untold {
    news: mpsc::Receiver<Scope>,
    line: Line<Scope>,
}

impl Untold {
    pub(crate) fn new(news: mpsc::Receiver<Scope>) -> Self {
        Self { news, line: Line(VecDeque::new()) }
    }

    /// Waits until it is an organisation's turn; none when there will be no more news.
    pub(crate) async fn next(&mut self) -> Option<Turn<Scope>> {
        loop {
            while let Ok(scope) = self.news.try_recv() {
                self.hear(scope);
            }
            if let Some(turn) = self.line.take(Instant::now()) {
                return Some(turn);
            }
            if let Some(due) = self.line.due() {
                tokio::select! {
                    heard = self.news.recv() => self.hear(heard?),
                    () = sleep_until(due) => {}
                }
            } else {
                let heard = self.news.recv().await?;
                self.hear(heard);
            }
        }
    }

    /// Ends a turn.
    pub(crate) fn end(&mut self, turn: Turn<Scope>, told: Told) {
        self.line.put_back(turn, told, Instant::now());
    }

    fn hear(&mut self, scope: Scope) {
        self.line.hear(scope.org(), scope, Instant::now());
    }
}

/// An organisation's turn.
pub(crate) struct Turn<T> {
    org: OrgId,
    pub(crate) scope: T,
    due: Instant,
    /// How often it failed on end.
    failures: u32,
}

struct Line<T>(VecDeque<Turn<T>>);

impl<T> Line<T> {
    /// Adds an organisation, unless it waits already: news neither puts it before the others nor shortens its pause.
    fn hear(&mut self, org: OrgId, scope: T, now: Instant) {
        if self.0.len() < MOST && self.0.iter().all(|turn| turn.org != org) {
            self.0.push_back(Turn { org, scope, due: now, failures: 0 });
        }
    }

    /// When the next turn is due.
    fn due(&self) -> Option<Instant> {
        self.0.iter().map(|turn| turn.due).min()
    }

    /// Takes the turn that has been due longest.
    fn take(&mut self, now: Instant) -> Option<Turn<T>> {
        let due = self.0.iter().enumerate().filter(|(_, turn)| turn.due <= now);
        let (first, _) = due.min_by_key(|(_, turn)| turn.due)?;
        self.0.remove(first)
    }

    fn put_back(&mut self, turn: Turn<T>, told: Told, now: Instant) {
        let Turn { org, scope, failures, .. } = turn;
        match told {
            Told::More => self.0.push_back(Turn { org, scope, due: now, failures: 0 }),
            Told::Failed if failures + 1 < TRIES => {
                let due = now + pause_after(failures + 1);
                self.0.push_back(Turn { org, scope, due, failures: failures + 1 });
            }
            Told::All | Told::Failed => {}
        }
    }
}

fn pause_after(failures: u32) -> Duration {
    (PAUSE * 2_u32.saturating_pow(failures.saturating_sub(1).min(16))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use domain::Id as _;
    use domain::id::Uuid;

    use super::*;

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    /// The organisations whose turns are due, in their order.
    fn due(line: &mut Line<()>, now: Instant) -> Vec<OrgId> {
        std::iter::from_fn(|| line.take(now)).map(|turn| turn.org).collect()
    }

    #[test]
    fn one_that_fails_or_has_much_holds_up_nobody() {
        let (mut line, start) = (Line(VecDeque::new()), Instant::now());
        for number in [1, 2, 3, 1] {
            line.hear(org(number), (), start + Duration::from_millis(1));
        }
        let now = start + Duration::from_millis(2);
        let first = line.take(now).expect("the first");
        assert_eq!(first.org, org(1));
        line.put_back(first, Told::Failed, now);
        // What is heard of it meanwhile shortens no pause.
        line.hear(org(1), (), now);
        let second = line.take(now).expect("the second");
        line.put_back(second, Told::More, now);
        assert_eq!(due(&mut line, now), [org(3), org(2)], "each once");
        assert_eq!(line.due(), Some(now + PAUSE));
        line.hear(org(4), (), now + PAUSE);
        assert_eq!(due(&mut line, now + PAUSE), [org(1), org(4)]);
    }

    #[test]
    fn one_that_always_fails_is_tried_ever_more_seldom_and_then_no_more() {
        let (mut line, start) = (Line(VecDeque::new()), Instant::now());
        line.hear(org(1), (), start);
        let (mut now, mut tries) = (start, 0);
        while let Some(due) = line.due() {
            assert!(due >= now && due <= now + LONGEST);
            now = due;
            let turn = line.take(now).expect("it is due");
            line.put_back(turn, Told::Failed, now);
            tries += 1;
        }
        assert_eq!(tries, TRIES);
        assert!(now > start + Duration::from_hours(12));
    }
}
