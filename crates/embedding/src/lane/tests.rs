//! The queue by itself, with work that is told when to go on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::*;

/// One thread that says which text it begins, and ends it when it is told to.
struct Stepped {
    lane: Arc<Lane<String>>,
    begun: Receiver<String>,
    go: Sender<()>,
}

impl Stepped {
    fn new(most: usize) -> Self {
        let (begins, begun) = channel();
        let (go, gone) = channel();
        let gone = Arc::new(Mutex::new(gone));
        let lane = Lane::new("stepped", 1, most, move || {
            let (begins, gone) = (begins.clone(), gone.clone());
            move |text: &str| {
                let _ = begins.send(text.to_owned());
                let _ = gone.lock().expect("locked").recv();
                Ok(text.to_uppercase())
            }
        });
        Self { lane: Arc::new(lane), begun, go }
    }

    /// A caller who waits for its texts in the background, and stands in the queue now.
    async fn caller(&self, texts: &[&str]) -> tokio::task::JoinHandle<Result<Vec<String>, Error>> {
        let (lane, texts) = (self.lane.clone(), owned(texts));
        let (before, more) = (self.lane.waiting(), texts.len());
        let caller = tokio::spawn(async move { lane.run(texts).await });
        while self.lane.waiting() < before + more && !caller.is_finished() {
            tokio::task::yield_now().await;
        }
        caller
    }

    fn begins(&self) -> String {
        self.begun.recv_timeout(Duration::from_secs(20)).expect("the next text")
    }

    fn step(&self) {
        self.go.send(()).expect("the thread lives");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// A lane whose one thread is busy with "first".
async fn busy(most: usize) -> (Stepped, tokio::task::JoinHandle<Result<Vec<String>, Error>>) {
    let stepped = Stepped::new(most);
    let lane = stepped.lane.clone();
    let first = tokio::spawn(async move { lane.run(owned(&["first"])).await });
    while stepped.lane.0.lock().threads == 0 {
        tokio::task::yield_now().await;
    }
    let begun = loop {
        tokio::task::yield_now().await;
        if let Ok(text) = stepped.begun.try_recv() {
            break text;
        }
    };
    assert_eq!(begun, "first");
    (stepped, first)
}

#[tokio::test]
async fn callers_take_turns() {
    let (stepped, first) = busy(8).await;
    let many = stepped.caller(&["a1", "a2", "a3"]).await;
    let few = stepped.caller(&["b1"]).await;
    for next in ["a1", "b1", "a2", "a3"] {
        stepped.step();
        assert_eq!(stepped.begins(), next);
    }
    stepped.step();
    assert_eq!(first.await.expect("joined").expect("worked"), ["FIRST"]);
    assert_eq!(few.await.expect("joined").expect("worked"), ["B1"]);
    assert_eq!(many.await.expect("joined").expect("worked"), ["A1", "A2", "A3"], "in the order of the call");
}

#[tokio::test]
async fn more_than_the_bound_is_refused_at_once() {
    let (stepped, _first) = busy(2).await;
    let (_one, _two) = (stepped.caller(&["1"]).await, stepped.caller(&["2"]).await);
    assert_eq!(stepped.lane.run(owned(&["3"])).await, Err(Error::Busy));
    assert_eq!(stepped.lane.run(Vec::new()).await, Ok(Vec::new()), "nothing is no work");
    for _ in 0..3 {
        stepped.step();
    }
}

#[tokio::test]
async fn whoever_goes_away_leaves_nothing_behind() {
    let (stepped, first) = busy(2).await;
    let gone = stepped.caller(&["x1", "x2", "x3"]).await;
    assert_eq!(stepped.lane.waiting(), 3);
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    assert_eq!(stepped.lane.waiting(), 0, "at once, not when its turn comes");
    first.abort();
    let last = stepped.caller(&["y"]).await;
    stepped.step();
    assert_eq!(stepped.begins(), "y");
    stepped.step();
    assert_eq!(last.await.expect("joined").expect("worked"), ["Y"]);
}

#[tokio::test]
async fn a_panic_fails_its_call_alone() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let lane = Lane::new("panicking", 1, 8, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        |text: &str| match text {
            "panic" => panic!("on purpose"),
            "fail" => Err(Error::Failed("so".into())),
            text => Ok(text.len()),
        }
    });
    assert_eq!(lane.run(owned(&["a", "panic", "abc"])).await, Err(Error::Failed("it panicked".into())));
    assert_eq!(lane.run(owned(&["ab", "fail"])).await, Err(Error::Failed("so".into())));
    assert_eq!(lane.run(owned(&["ab", "abc"])).await, Ok(vec![2, 3]));
    assert_eq!(made.load(Ordering::SeqCst), 2, "fresh tools after a panic, and only then");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_each_get_their_own() {
    let lane = Arc::new(Lane::new("many", 3, 1000, || |text: &str| Ok(text.to_owned())));
    let callers: Vec<_> = (0..200)
        .map(|caller| {
            let lane = lane.clone();
            tokio::spawn(async move {
                let texts: Vec<String> = (0..caller % 7).map(|n| format!("{caller}-{n}")).collect();
                assert_eq!(lane.run(texts.clone()).await, Ok(texts));
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("its own");
    }
    assert_eq!(lane.waiting(), 0);
}
