//! The names that everybody has: `fast`, `cheap` and `best`, until an organisation gives them another meaning.

use domain::prices::Quote;
use gateway::providers::embedded::EXTRACTIVE;

use super::resolve::{Candidate, View};

/// The names.
pub(crate) const NAMES: [&str; 3] = ["fast", "cheap", "best"];

/// Well-known models, the first choice first (read 2026-11; none that is many times dearer than its peers).
const FAST: &[&str] = &["gpt-5-mini", "claude-haiku-4-5", "gpt-4.1-mini", "gpt-4o-mini", "claude-3-5-haiku-latest"];
const CHEAP: &[&str] = &["gpt-5-nano", "gpt-4.1-nano", "gpt-4o-mini", "claude-haiku-4-5", "claude-3-5-haiku-latest"];
const BEST: &[&str] = &["claude-opus-4-5", "gpt-5", "claude-sonnet-4-5", "gpt-4.1", "gpt-4o"];

/// Providers that stand in for each other.
const MOST: usize = 2;

/// Whom a usual name means, in order; none when it is no usual name.
///
/// Well-known models of whoever is configured; else what costs least or most of the models that were named; else the one inside this
/// program, so that the names always mean something.
pub(super) fn chain<'a>(view: &View<'a>, name: &str) -> Option<Vec<(Candidate<'a>, String, Option<Quote>)>> {
    let (known, dearest) = match name {
        "fast" => (FAST, false),
        "cheap" => (CHEAP, false),
        "best" => (BEST, true),
        _ => return None,
    };
    let mut chain: Vec<(Candidate<'a>, String, Option<Quote>)> = Vec::new();
    for model in known {
        for (candidate, quote) in view.serving(model) {
            // A server without a key would take any name for granted.
            let guessed = candidate.is_free() && !candidate.declares(model);
            let there = chain.iter().any(|(one, ..)| one.label() == candidate.label());
            if !guessed && !there && quote.is_some() && chain.len() < MOST {
                chain.push((candidate, (*model).to_owned(), quote));
            }
        }
    }
    if chain.is_empty() {
        let declared = view.candidates.iter().flat_map(|one| one.declared().iter().map(move |model| (*one, model)));
        let priced = declared.filter_map(|(one, model)| {
            let quote = one.quote(view.models, model.name.as_str(), view.now)?;
            Some((one, model.name.to_string(), Some(quote)))
        });
        let rate = |chosen: &(Candidate<'_>, String, Option<Quote>)| {
            chosen.2.as_ref().map_or(0, |quote| quote.price.output.saturating_add(quote.price.input))
        };
        chain.extend(if dearest { priced.max_by_key(rate) } else { priced.min_by_key(rate) });
    }
    if chain.is_empty() {
        let itself = Candidate::Itself;
        chain.push((itself, EXTRACTIVE.to_owned(), itself.quote(view.models, EXTRACTIVE, view.now)));
    }
    Some(chain)
}
