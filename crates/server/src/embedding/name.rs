//! How models that embed are named on vectors: the one inside by its own name, another as `provider/model`.

use domain::text::ModelName;
use gateway::providers::embedded::MINILM;
use knowledge::MODEL;
use store::org::aliases::AliasTarget;

use crate::models::ITSELF;

/// The name on vectors.
pub(super) fn on_vectors(target: &AliasTarget) -> String {
    if target.provider == ITSELF {
        return MODEL.to_owned();
    }
    format!("{}/{}", target.provider, target.model)
}

/// Whom a name on vectors means.
pub(super) fn target(name: &str) -> AliasTarget {
    let itself = || ModelName::new(MINILM).expect("a name");
    let elsewhere = name.split_once('/').and_then(|(provider, model)| {
        Some(AliasTarget { provider: provider.to_owned(), model: ModelName::new(model).ok()? })
    });
    elsewhere.unwrap_or_else(|| AliasTarget { provider: ITSELF.to_owned(), model: itself() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_whom_they_mean() {
        let target_of = |provider: &str, model: &str| AliasTarget {
            provider: provider.to_owned(),
            model: ModelName::new(model).expect("a name"),
        };
        for one in [target_of("openai", "text-embedding-3-small"), target_of("openai", "BAAI/bge-m3")] {
            assert_eq!(target(&on_vectors(&one)), one);
        }
        let itself = target_of(ITSELF, MINILM);
        assert_eq!((on_vectors(&itself).as_str(), target(MODEL)), (MODEL, itself));
    }
}
