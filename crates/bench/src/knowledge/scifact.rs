//! `SciFact` as BEIR lays it out: abstracts, claims, and which abstracts a claim is about. Evaluation data, never part of the product
//! (claims: CC BY 4.0; abstracts: ODC-By 1.0, part of S2ORC; Wadden et al., EMNLP 2020).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Deserialize;

/// An abstract.
#[derive(Debug, Deserialize)]
pub(super) struct Abstract {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: String,
}

/// A claim.
#[derive(Debug, Deserialize)]
pub(super) struct Claim {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) text: String,
}

/// Claims with what they are about.
pub(super) struct Questions {
    pub(super) claims: Vec<Claim>,
    about: BTreeMap<String, BTreeSet<String>>,
}

/// All of it.
pub(super) struct SciFact {
    pub(super) abstracts: Vec<Abstract>,
    pub(super) train: Questions,
    pub(super) test: Questions,
}

impl SciFact {
    /// Reads it from the folder of evaluation sets; none when it is not there.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let folder = folder.join("scifact");
        let corpus = folder.join("corpus.jsonl.gz");
        if !corpus.exists() {
            return Ok(None);
        }
        let mut unpacking = Command::new("gzip").arg("-dc").arg(&corpus).stdout(Stdio::piped()).spawn()?;
        let mut text = String::new();
        unpacking.stdout.take().context("no output")?.read_to_string(&mut text)?;
        anyhow::ensure!(unpacking.wait()?.success(), "gzip could not read {}", corpus.display());
        Ok(Some(Self {
            abstracts: lines(&text)?,
            train: Questions::read(&folder, "train")?,
            test: Questions::read(&folder, "test")?,
        }))
    }
}

impl Questions {
    fn read(folder: &Path, part: &str) -> anyhow::Result<Self> {
        let claims = lines(&std::fs::read_to_string(folder.join(format!("queries.{part}.jsonl")))?)?;
        let mut about: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in std::fs::read_to_string(folder.join(format!("qrels.{part}.tsv")))?.lines().skip(1) {
            let mut fields = line.split('\t');
            let (claim, text) = (fields.next().context("no claim")?, fields.next().context("no abstract")?);
            about.entry(claim.to_owned()).or_default().insert(text.to_owned());
        }
        Ok(Self { claims, about })
    }

    /// The mean nDCG@10 of rankings of abstracts, one a claim: gains are linear, and a claim whose ranking is empty counts 0.
    pub(super) fn ndcg(&self, rankings: &[Vec<&str>]) -> f64 {
        let gain = |place: usize| 1.0 / (f64::from(u32::try_from(place).unwrap_or(u32::MAX)) + 2.0).log2();
        let sum: f64 = self
            .claims
            .iter()
            .zip(rankings)
            .map(|(claim, ranking)| {
                let Some(about) = self.about.get(&claim.id) else { return 0.0 };
                let found = ranking.iter().take(10).enumerate().filter(|(_, id)| about.contains(**id));
                let best: f64 = (0..about.len().min(10)).map(gain).sum();
                found.map(|(place, _)| gain(place)).sum::<f64>() / best
            })
            .sum();
        sum / f64::from(u32::try_from(self.claims.len()).unwrap_or(u32::MAX))
    }
}

fn lines<T: for<'a> Deserialize<'a>>(text: &str) -> anyhow::Result<Vec<T>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measure_is_one_for_what_could_not_be_better() {
        let claims = vec![Claim { id: "1".into(), text: "a".into() }, Claim { id: "2".into(), text: "b".into() }];
        let about = BTreeMap::from([
            ("1".to_owned(), BTreeSet::from(["x".to_owned(), "y".to_owned()])),
            ("2".to_owned(), BTreeSet::from(["z".to_owned()])),
        ]);
        let questions = Questions { claims, about };
        assert!((questions.ndcg(&[vec!["y", "x"], vec!["z"]]) - 1.0).abs() < 1e-9);
        // Found at the second place: 1 / log2(3).
        assert!((questions.ndcg(&[vec!["y", "x"], vec!["x", "z"]]) - f64::midpoint(1.0, 0.630_93)).abs() < 1e-4);
        assert!((questions.ndcg(&[vec![], vec!["z"]]) - 0.5).abs() < 1e-9);
    }
}
