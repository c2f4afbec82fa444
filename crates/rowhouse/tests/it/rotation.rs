//! A new master key, also when the machine stops half way.

use domain::Ambient;
use store::keys::MasterKeys;
use store::{Actor, Origin, Store};
use testing::{TestHouse, both_stores};

/// Opens the same data afresh, as after a crash.
async fn reopen(house: &TestHouse) -> Result<Store, store::Error> {
    Store::start(house.settings(), Ambient::system()).await
}

/// Opens each organisation's store with the key that the directory holds.
async fn all_open(store: &Store) {
    let mut tx = store.read_control().await.expect("begun");
    let all = store::control::organisations::list(&mut tx, None, 100).await.expect("listed");
    drop(tx);
    assert_eq!(all.len(), 3);
    for organisation in all {
        assert_eq!(store.org_faults(organisation.id).await.expect("opens"), Vec::<String>::new());
    }
}

both_stores! {
    async fn a_rotation_can_stop_anywhere_and_go_on(house) {
        for name in ["Ada", "Bob", "Cleo"] {
            house.sign_up(name).await;
        }
        let key_file = &house.settings().master_key_file;
        let old = std::fs::read_to_string(key_file).expect("a key");
        let first = reopen(&house).await.expect("opens");
        let rotation = first.rotate_master(1).await.expect("begun");
        assert_eq!((rotation.rewrapped, rotation.done), (1, false));
        drop(first);
        assert_eq!(MasterKeys::load(key_file).expect("loads").count(), 2);

        let second = reopen(&house).await.expect("both keys open");
        all_open(&second).await;
        let rotation = second.rotate_master(usize::MAX).await.expect("goes on");
        assert_eq!((rotation.rewrapped, rotation.done), (2, true));
        // The store that rotated knows the new key, too.
        all_open(&second).await;
        drop(second);
        assert_eq!(MasterKeys::load(key_file).expect("loads").count(), 1);
        let new = std::fs::read_to_string(key_file).expect("a key");
        assert_ne!(old, new);

        all_open(&reopen(&house).await.expect("the new key opens")).await;
        std::fs::write(key_file, old).expect("written");
        let refused = reopen(&house).await.expect_err("the old key opens nothing").to_string();
        assert!(refused.contains("is not the one that this data was made with"), "{refused}");
        std::fs::write(key_file, new).expect("written");
        let third = reopen(&house).await.expect("opens").rotate_master(usize::MAX).await.expect("done again");
        assert_eq!((third.rewrapped, third.done), (3, true));
    }

    async fn a_new_signing_key_signs_nobody_out(house) {
        let ada = house.sign_up("Ada").await;
        store::tokens::rotate(house.store(), &Actor::System, &Origin::default()).await.expect("rotated");
        ada.get("/api/v1/auth/me").await.expect(200);
        house.sign_up("Bob").await.get("/api/v1/auth/me").await.expect(200);
    }
}
