//! Vectors of real texts.

use embedding::{DIMENSIONS, Embedder, Embedding, Error, MAX_TEXTS, MAX_TOKENS};
use proptest::prelude::*;

async fn of(text: &str) -> Embedding {
    let embedding = Embedder::shared().query(text).await.expect("a vector");
    let length = embedding.vector.iter().map(|one| one * one).sum::<f32>();
    assert!((length - 1.0).abs() < 1e-5, "{text:?} has the squared length {length}");
    embedding
}

fn cosine(one: &Embedding, other: &Embedding) -> f32 {
    one.vector.iter().zip(other.vector.iter()).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn what_means_the_same_points_the_same_way() {
    let eating = of("A man is eating food.").await;
    let bread = cosine(&eating, &of("A man is eating a piece of bread.").await);
    let baby = cosine(&eating, &of("The girl is carrying a baby.").await);
    assert!((bread - 0.75).abs() < 0.02, "{bread}");
    assert!((baby + 0.07).abs() < 0.03, "{baby}");
    let question = of("When are invoices due?").await;
    let answer = cosine(&question, &of("Payment must be made within 30 days of billing.").await);
    let other = cosine(&question, &of("The canteen is closed on Mondays.").await);
    assert!(answer > other + 0.2, "{answer} {other}");
}

#[tokio::test]
async fn tokens_are_counted_and_cut_off_at_256() {
    // [CLS] a man is eating food . [SEP]
    assert_eq!(of("A man is eating food.").await.tokens, 8);
    assert_eq!(of("").await.tokens, 2, "of nothing, the marks alone");
    let word = |count: usize| "word ".repeat(count);
    assert_eq!(of(&word(254)).await.tokens, MAX_TOKENS);
    let long = of(&word(254)).await;
    let longer = of(&(word(254) + "and so on, of quite another matter")).await;
    assert_eq!(long, longer, "what is behind has no part in it");
    let book = of(&"The tower was built in 1881. ".repeat(2000)).await;
    assert_eq!(book.tokens, MAX_TOKENS, "10,000 words and more");
}

#[tokio::test]
async fn marks_of_the_model_in_a_text_are_but_letters() {
    let (plain, marked) = (of("end").await, of("[SEP] end").await);
    assert!(marked.tokens > plain.tokens + 1, "{} tokens", marked.tokens);
}

#[tokio::test]
async fn other_scripts_and_odd_characters_are_text_too() {
    let (umlaut, plain) = (of("Käse und Brot").await, of("Kase und Brot").await);
    assert_eq!(umlaut.vector, plain.vector, "accents are dropped");
    for text in ["日本語の文章です。", "Привет, мир", "🦀🦀🦀", "a\0b\u{200b}c\u{202e}d", "\u{fffd}", " \n\t ", "ﷺ"]
    {
        assert!(of(text).await.tokens >= 2);
    }
    // A long word is one unknown token; a text of nothing else is short.
    assert_eq!(of(&"x".repeat(100_000)).await.tokens, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_side_by_side_get_what_each_gets_alone() {
    let text =
        |n: usize| format!("Sentence number {n} says that {} things are {}.", n * 7, ["red", "round", "late"][n % 3]);
    let mut alone = Vec::new();
    for n in 0..12 {
        alone.push(of(&text(n)).await);
    }
    let embedder = Embedder::new(2);
    let callers: Vec<_> = (0..6)
        .map(|caller| {
            let embedder = embedder.clone();
            tokio::spawn(async move {
                let texts: Vec<String> = (0..12).map(|n| text((n + caller) % 12)).collect();
                let single = embedder.query(&texts[0]).await.expect("a vector");
                (caller, single, embedder.passages(texts).await.expect("vectors"))
            })
        })
        .collect();
    for caller in callers {
        let (caller, single, all) = caller.await.expect("joined");
        assert_eq!(single, alone[caller % 12]);
        for (n, one) in all.iter().enumerate() {
            assert_eq!(one, &alone[(n + caller) % 12], "the same bits, in the order of the call");
        }
    }
}

#[tokio::test]
async fn whoever_asks_does_not_wait_behind_a_library() {
    let embedder = Embedder::new(1);
    let library = vec!["A passage of a library that somebody loads. ".repeat(20); 200];
    let loading = tokio::spawn({
        let embedder = embedder.clone();
        async move { embedder.passages(library).await }
    });
    // Behind a library of 200 passages it would come after them.
    for _ in 0..5 {
        embedder.query("How high is the tower?").await.expect("a vector");
    }
    assert!(!loading.is_finished());
    loading.abort();
}

#[tokio::test]
async fn the_bound_of_a_call_is_said() {
    assert_eq!(Embedder::shared().passages(vec![String::new(); MAX_TEXTS + 1]).await, Err(Error::TooMany));
    assert_eq!(Embedder::shared().passages(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(DIMENSIONS, 384);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_has_a_vector(text in "\\PC{0,200}|.{0,50}|[\\u{0}-\\u{10ffff}]{0,80}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let embedding = runtime.block_on(of(&text));
        prop_assert!((2..=MAX_TOKENS).contains(&embedding.tokens));
        // What is held for a call before its tokens are known: a byte for each, and the marks.
        prop_assert!(embedding.tokens <= text.len() + 2, "{} tokens of {} bytes", embedding.tokens, text.len());
    }
}
