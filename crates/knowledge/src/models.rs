//! Models that turn texts into vectors: the one inside this program, and those elsewhere that an organisation or the operator chose.
//!
//! On vectors a model elsewhere is named as `provider/model`. What it answers is believed as far as it can be searched: one vector a
//! text, all of one size, of numbers, and none without a direction.

use std::pin::Pin;
use std::time::Duration;

use embedding::Embedder;
use store::Scope;
use store::org::knowledge::documents::Fault;

use crate::MODEL;

/// Numbers that a vector may have.
pub const MOST_NUMBERS: usize = 4096;

/// Why there are no vectors for now. It is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", fault.message)]
pub struct Refusal {
    /// What happened, and what to do.
    pub fault: Fault,
    /// How long to wait at least.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// One that says nothing of when to try again.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { fault: Fault { code: code.to_owned(), message: message.into() }, retry_after: None }
    }

    /// Whether the server refuses what it was asked (400, 413, 422), which may be for what one of the texts says, or for how long it is.
    pub(crate) fn is_of_the_request(&self) -> bool {
        self.fault.code == "invalid_request"
    }
}

/// Vectors of texts, or why there are none.
pub type Vectorised<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<f32>>, Refusal>> + Send + 'a>>;

/// Who asks models elsewhere; whoever asks pays.
pub trait Elsewhere: std::fmt::Debug + Send + Sync {
    /// The model that embeds the knowledge of organisations that chose none.
    fn usual(&self) -> &str;

    /// The vectors of texts, as the model's server gives them.
    fn embed<'a>(&'a self, scope: &'a Scope, model: &'a str, texts: Vec<String>) -> Vectorised<'a>;
}

/// Nobody: only the model inside this program is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Elsewhere for Nowhere {
    fn usual(&self) -> &str {
        MODEL
    }

    fn embed<'a>(&'a self, _: &'a Scope, model: &'a str, _: Vec<String>) -> Vectorised<'a> {
        let refusal = Refusal::new("model_not_found", format!("There is nobody here who could ask for {model}."));
        Box::pin(std::future::ready(Err(refusal)))
    }
}

/// The vectors of passages by a model, each of length 1. `size` is what those have that are there.
/// # Errors
/// [`Refusal`], then for none of them.
pub(crate) async fn passages(
    elsewhere: &dyn Elsewhere,
    scope: &Scope,
    model: &str,
    size: Option<i64>,
    texts: Vec<String>,
) -> Result<Vec<Vec<f32>>, Refusal> {
    if model == MODEL {
        let embedded = Embedder::shared().passages(texts).await.map_err(|error| Refusal {
            retry_after: Some(Duration::from_secs(1)),
            ..Refusal::new("busy", error.to_string())
        })?;
        return Ok(embedded.into_iter().map(|one| one.vector.to_vec()).collect());
    }
    let count = texts.len();
    let vectors = elsewhere.embed(scope, model, texts).await?;
    checked(vectors, count, size)
}

/// Answers that can be searched, each of length 1.
/// # Errors
/// [`Refusal`] that says what is wrong with them.
pub fn checked(vectors: Vec<Vec<f32>>, count: usize, size: Option<i64>) -> Result<Vec<Vec<f32>>, Refusal> {
    let wrong = |what: String| Err(Refusal::new("upstream_failed", format!("The embedding model's server {what}.")));
    if vectors.len() != count {
        return wrong(format!("gave {} vectors for {count} texts", vectors.len()));
    }
    let expected = size.and_then(|size| usize::try_from(size).ok()).or(vectors.first().map(Vec::len)).unwrap_or(0);
    if expected == 0 || expected > MOST_NUMBERS {
        return wrong(format!("gave vectors of {expected} numbers; 1 to {MOST_NUMBERS} can be searched"));
    }
    let mut all = Vec::with_capacity(count);
    for mut vector in vectors {
        if vector.len() != expected {
            return wrong(format!("gave a vector of {} numbers where the others have {expected}", vector.len()));
        }
        let length = vector.iter().map(|one| f64::from(*one) * f64::from(*one)).sum::<f64>().sqrt();
        if !length.is_finite() || length <= f64::from(f32::MIN_POSITIVE) {
            return wrong("gave a vector without a direction".into());
        }
        for one in &mut vector {
            #[expect(clippy::cast_possible_truncation, reason = "at most 1")]
            let shorter = (f64::from(*one) / length) as f32;
            *one = shorter;
        }
        all.push(vector);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_get_length_one() {
        let vectors = checked(vec![vec![3.0, 4.0], vec![0.0, -2.0]], 2, None).expect("good");
        assert_eq!(vectors, [vec![0.6, 0.8], vec![0.0, -1.0]]);
        assert!(checked(vec![vec![1e30, 1e30]], 1, Some(2)).is_ok(), "squares that no f32 holds");
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        for (vectors, count, size) in [
            (vec![], 1, None),
            (vec![vec![1.0]], 2, None),
            (vec![vec![1.0], vec![1.0]], 1, None),
            (vec![vec![]], 1, None),
            (vec![vec![1.0; MOST_NUMBERS + 1]], 1, None),
            (vec![vec![1.0, 2.0]], 1, Some(3)),
            (vec![vec![1.0, 2.0], vec![1.0]], 2, None),
            (vec![vec![f32::NAN, 1.0]], 1, None),
            (vec![vec![f32::INFINITY, 1.0]], 1, None),
            (vec![vec![0.0, 0.0]], 1, None),
        ] {
            let refusal = checked(vectors.clone(), count, size).expect_err("refused");
            assert_eq!(refusal.fault.code, "upstream_failed", "{vectors:?}");
        }
    }
}
