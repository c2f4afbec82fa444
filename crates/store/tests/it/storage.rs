//! What collections take, counted over all of some at once.

use serde_bytes::ByteBuf;
use store::org::knowledge::chunks::{self, Vector};
use store::org::knowledge::embedding::{self, Embedding};
use store::org::knowledge::storage::{self, Held};
use store::org::knowledge::{collections, documents, versions};
use testing::both_stores;

use crate::knowledge::{add_collection, add_document, begin, commit};

both_stores! {
    async fn what_a_collection_takes_is_counted_once_for_each_thing_in_it(house) {
        let ann = house.sign_up("Ann").await;
        let bob = house.sign_up("Bob").await;
        let (scope, bobs) = (house.scope(&ann).await, house.scope(&bob).await);
        house.furnish(&bobs, "Bob").await;
        let mut tx = begin(&house, &scope).await;
        for name in ["one", "two", "three"] {
            add_collection(&mut tx, &scope, name).await;
        }
        let all = collections::list(&mut tx, None, 9).await.expect("listed");
        assert_eq!(storage::of(&mut tx, &all, 384).await.expect("counted").len(), 0, "nothing of anybody else's");
        let first = add_document(&mut tx, &scope, &all[0], "first", &["red", "green"]).await;
        add_document(&mut tx, &scope, &all[0], "second", &["blue"]).await;
        add_document(&mut tx, &scope, &all[2], "third", &["grey"]).await;
        versions::keep_content(&mut tx, first.id, 1, vec![1; 40]).await.expect("kept");
        documents::weigh(&mut tx, first.id, 8).await.expect("weighed");
        let row = Embedding {
            choice: None,
            current: "mini".into(),
            size: Some(3),
            coming: Some("maxi".into()),
            coming_size: Some(5),
            fault: None,
            failing_since: None,
            job_id: tx.ambient().id(),
            made_by: scope.user(),
            version: 0,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        let passages = chunks::list(&mut tx, first.id, None, 9).await.expect("listed");
        for (passage, model, size) in [(&passages[0], "mini", 3), (&passages[1], "mini", 3), (&passages[0], "maxi", 5)] {
            let value = ByteBuf::from(vec![1; size]);
            let vector = Vector { chunk: passage.number, collection: all[0].number, scale: 1, value };
            assert!(chunks::embed(&mut tx, model, &vector).await.expect("added"));
        }
        chunks::count_embedded(&mut tx, first.id, "mini").await.expect("counted");
        let held = storage::of(&mut tx, &all, 384).await.expect("counted");
        assert_eq!(held[&all[0].id].vector_bytes, 2 * 384, "of the model inside, as long as nothing was chosen");
        embedding::choose(&mut tx, &row).await.expect("chosen");
        let held = storage::of(&mut tx, &all, 384).await.expect("counted");
        let expected = Held { documents: 2, passages: 3, original_bytes: 14, text_bytes: 48, vector_bytes: 2 * 3 + 5 };
        assert_eq!(held[&all[0].id], expected);
        assert_eq!((held.get(&all[1].id), held[&all[2].id].documents), (None, 1));
        assert_eq!(storage::of(&mut tx, &all[2..], 384).await.expect("counted").len(), 1, "of those that are asked for");
        commit(tx).await;
    }
}
