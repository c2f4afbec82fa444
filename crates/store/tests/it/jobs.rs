//! The work that waits.

use std::time::Duration;

use domain::DocumentId;
use store::Turn;
use store::control::jobs;
use testing::both_stores;

both_stores! {
    async fn jobs_are_claimed_in_turns(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let [of_ann, of_bob] = [house.scope(&ann).await, house.scope(&bob).await];
        let ambient = house.store().ambient().clone();
        let documents: [DocumentId; 4] = [ambient.id(), ambient.id(), ambient.id(), ambient.id()];
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        for (at, (scope, document)) in [(&of_ann, documents[0]), (&of_ann, documents[1]), (&of_ann, documents[2]), (&of_bob, documents[3])].into_iter().enumerate() {
            let due = house.clock_now() + Duration::from_millis(at as u64);
            jobs::queue(&mut tx, scope.org(), "read", document, scope.user(), due).await.expect("queued");
        }
        tx.commit().await.expect("committed");
        let lease = Duration::from_mins(1);
        let claim = async |kind: &str| {
            let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
            let job = jobs::claim(&mut tx, kind, lease).await.expect("asked");
            tx.commit().await.expect("committed");
            job
        };
        assert_eq!(claim("read").await.expect("the first").document(), documents[0], "the others are not due");
        house.clock.advance(Duration::from_millis(10));
        assert!(claim("other").await.is_none());
        let of_bobs = claim("read").await.expect("one");
        assert_eq!((of_bobs.document(), of_bobs.org(), of_bobs.user(), of_bobs.attempts()), (documents[3], of_bob.org(), of_bob.user(), 1), "Ann has one under way");
        assert_eq!(claim("read").await.expect("one").document(), documents[1]);
        assert_eq!(claim("read").await.expect("one").document(), documents[2]);
        assert!(claim("read").await.is_none(), "all are under way");
        let entered = house.store().enter_for(&of_bobs).await.expect("entered");
        assert_eq!((entered.org(), entered.actor().on_behalf_of()), (of_bob.org(), Some(of_bob.user())));

        // A lease that ran out gives it to another; the first one's word counts no more.
        house.clock.advance(lease / 2);
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        assert!(jobs::prolong(&mut tx, &of_bobs, lease).await.expect("prolonged"));
        tx.commit().await.expect("committed");
        house.clock.advance(lease / 2);
        let again = claim("read").await.expect("one of Ann's");
        assert_eq!((again.org(), again.attempts()), (of_ann.org(), 2), "Bob's was prolonged");
        house.clock.advance(lease / 2);
        let taken = loop {
            let next = claim("read").await.expect("Bob's comes");
            if next.org() == of_bob.org() {
                break next;
            }
        };
        assert_eq!((taken.id(), taken.attempts()), (of_bobs.id(), 2));
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        assert!(!jobs::prolong(&mut tx, &of_bobs, lease).await.expect("somebody else has it"));
        jobs::done(&mut tx, &of_bobs).await.expect("nothing to do");
        jobs::later(&mut tx, &of_bobs, house.clock_now()).await.expect("nothing to do");
        tx.commit().await.expect("committed");
        while let Some(job) = claim("read").await {
            assert_eq!(job.org(), of_ann.org(), "Bob's is under way still");
        }

        // Put back until later.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::later(&mut tx, &taken, house.clock_now() + Duration::from_secs(5)).await.expect("put back");
        tx.commit().await.expect("committed");
        assert!(claim("read").await.is_none());
        house.clock.advance(Duration::from_secs(5));
        let third = claim("read").await.expect("it is due");
        assert_eq!((third.id(), third.attempts()), (of_bobs.id(), 3));

        // Queued anew while it is under way: what is going on is of yesterday.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        let same = jobs::queue(&mut tx, of_bob.org(), "read", documents[3], of_bob.user(), house.clock_now()).await.expect("queued");
        assert_eq!(same, third.id());
        jobs::done(&mut tx, &third).await.expect("nothing to do");
        assert!(!jobs::prolong(&mut tx, &third, lease).await.expect("it was queued anew"));
        tx.commit().await.expect("committed");
        let fresh = claim("read").await.expect("it is there");
        assert_eq!((fresh.id(), fresh.attempts()), (third.id(), 1));
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::done(&mut tx, &fresh).await.expect("done");
        tx.commit().await.expect("committed");
        house.clock.advance(lease * 3);
        let mut left = Vec::new();
        while let Some(job) = claim("read").await {
            left.push(job.org());
        }
        assert_eq!(left, [of_ann.org(); 3], "Bob's is done");
        assert_eq!(house.store().control_faults().await.expect("looked"), Vec::<String>::new());
    }

    async fn each_organisation_has_its_turn_beside_the_backlog_of_another(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let [of_ann, of_bob] = [house.scope(&ann).await, house.scope(&bob).await];
        let ambient = house.store().ambient().clone();
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        for at in 0..300 {
            let (document, due): (DocumentId, _) = (ambient.id(), house.clock_now() + Duration::from_millis(at));
            jobs::queue(&mut tx, of_ann.org(), "embed", document, of_ann.user(), due).await.expect("queued");
        }
        let last: DocumentId = ambient.id();
        jobs::queue(&mut tx, of_bob.org(), "embed", last, of_bob.user(), house.clock_now() + Duration::from_secs(1)).await.expect("queued");
        tx.commit().await.expect("committed");
        house.clock.advance(Duration::from_secs(2));
        let mut first = house.store().begin_control(Turn::Free).await.expect("begins");
        let one = jobs::claim(&mut first, "embed", Duration::from_mins(1)).await.expect("asked").expect("there is one");
        first.commit().await.expect("committed");
        let mut second = house.store().begin_control(Turn::Free).await.expect("begins");
        let other = jobs::claim(&mut second, "embed", Duration::from_mins(1)).await.expect("asked").expect("there is one");
        second.commit().await.expect("committed");
        assert_eq!((one.org(), other.org(), other.document()), (of_ann.org(), of_bob.org(), last));
        let mut third = house.store().begin_control(Turn::Free).await.expect("begins");
        let next = jobs::claim(&mut third, "embed", Duration::from_mins(1)).await.expect("asked").expect("there is one");
        third.commit().await.expect("committed");
        assert_eq!(next.org(), of_ann.org(), "Bob has no more");
    }

    async fn a_job_that_rests_comes_back_when_it_is_due_or_asked_for(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let (subject, hour): (DocumentId, _) = (house.store().ambient().id(), Duration::from_hours(1));
        let nudge = async || {
            let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
            jobs::nudge(&mut tx, scope.org(), "sync", subject, scope.user(), house.clock_now()).await.expect("queued");
            tx.commit().await.expect("committed");
        };
        let claim = async || {
            let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
            let job = jobs::claim(&mut tx, "sync", hour).await.expect("asked");
            tx.commit().await.expect("committed");
            job
        };
        let rest = async |job: &jobs::Job| {
            let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
            jobs::rest(&mut tx, job, house.clock_now() + hour).await.expect("put back");
            tx.commit().await.expect("committed");
        };
        nudge().await;
        let first = claim().await.expect("it is due");
        rest(&first).await;
        assert!(claim().await.is_none(), "it rests");
        house.clock.advance(hour);
        let second = claim().await.expect("it is due");
        assert_eq!((second.id(), second.attempts()), (first.id(), 1), "its attempts count anew");
        // Who had it before has no say.
        rest(&first).await;
        assert!(claim().await.is_none(), "it is under way");
        // Asked for while it is under way, it does not rest.
        nudge().await;
        assert!(claim().await.is_none(), "it is under way still");
        rest(&second).await;
        let third = claim().await.expect("it was asked for");
        rest(&third).await;
        nudge().await;
        assert_eq!(claim().await.expect("it was asked for while it rested").id(), first.id());
    }
}
