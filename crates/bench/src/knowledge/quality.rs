//! How good search is: nDCG@10 on `SciFact`, of words, of meaning, and of both, on both engines.
//!
//! What a mixture weighs is chosen on the train claims alone; the table of what was tried is printed with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use embedding::{DIMENSIONS, Embedder};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use knowledge::search::{self, MOST, Wish};
use knowledge::{Meaning, Memory};
use store::keys::sha256;
use store::org::knowledge::chunks::Draft;
use store::org::knowledge::search::Filter;
use store::{Place, Settings, Store};
use tenancy::passwords::{Cost, Passwords};
use tenancy::{House, Rules};

use super::library::{Entry, Library};
use super::scifact::{Abstract, Questions, SciFact};
use crate::Setting;
use crate::inside;
use crate::outside::Database;
use crate::report::Report;

/// Questions that are asked at the same time; a database has as many connections.
const AT_ONCE: usize = 4;

type Vector = [f32; DIMENSIONS];
/// Documents with their scores, the best first.
type List = Vec<(String, f64)>;

/// What one claim found.
struct Lists {
    words: List,
    meaning: List,
    both: List,
}

/// All of it.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("How good search is: nDCG@10 on SciFact");
    let Some(set) = SciFact::read(&setting.eval)? else {
        report.note(&format!("not in {}; BENCH_EVAL names another folder", setting.eval.display()), "left out");
        return Ok(());
    };
    report.same("abstracts", set.abstracts.len() as u64, 5183);
    report.same("claims", (set.test.claims.len() + set.train.claims.len()) as u64, 300 + 809);
    let (train, test) =
        (embed(setting, "train", &claims(&set.train)).await?, embed(setting, "test", &claims(&set.test)).await?);

    // As others measure it: one passage a text, so that the figures can be compared.
    let whole: Vec<Entry> = set.abstracts.iter().map(whole).collect();
    let whole = with_vectors(setting, "whole", whole).await?;
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let library = Library::found(&house, 0).await?;
    library.add(&whole).await?;
    let memory = Memory::default();
    let tried = all(&house, &library, &memory, &set.train, &train).await?;
    report.note("tried on the train claims: words alone", &figure(&set.train, &tried, |one| one.words.clone()));
    report.note("  ... vectors alone", &figure(&set.train, &tried, |one| one.meaning.clone()));
    for k in [5.0, 10.0, 60.0] {
        let ranks = |one: &Lists| by_ranks(one, k);
        report.note(&format!("  ... reciprocal rank fusion, k = {k}"), &figure(&set.train, &tried, ranks));
    }
    for tenths in 1..10 {
        let weight = f64::from(tenths) / 10.0;
        let mixed = |one: &Lists| by_scores(one, weight, Least::Worst);
        let upwards = |one: &Lists| by_scores(one, weight, Least::Nothing);
        let both = format!("{} / {}", figure(&set.train, &tried, mixed), figure(&set.train, &tried, upwards));
        report.note(&format!("  ... scores mixed, words {weight}: from the worst / from 0"), &both);
    }
    let found = all(&house, &library, &memory, &set.test, &test).await?;
    let test_of = |of: fn(&Lists) -> List| ndcg(&set.test, &found, of);
    let (words, meaning) = (test_of(|one| one.words.clone()), test_of(|one| one.meaning.clone()));
    report.note("the test claims, embedded engine: words alone", &format!("{words:.4}"));
    report.note("  ... published BM25", "0.665 - 0.679");
    report.note("  ... vectors alone", &format!("{meaning:.4}"));
    report.note("  ... published all-MiniLM-L6-v2", "0.645");
    report.note("  ... reciprocal rank fusion, k = 60", &format!("{:.4}", test_of(|one| by_ranks(one, 60.0))));
    let hybrid = test_of(|one| one.both.clone());
    report.above("  ... our hybrid", "", hybrid, 0.72);
    report.note("  ... that is", &format!("{hybrid:.4}"));
    drop(house);

    let folder = tempfile::tempdir()?;
    let database = Database::create(setting)?;
    let house = on_postgres(folder.path(), &database.url).await?;
    let library = Library::found(&house, 0).await?;
    let began = Instant::now();
    library.add(&whole).await?;
    report.note("PostgreSQL: seconds to fill it", &format!("{:.0}", began.elapsed().as_secs_f64()));
    let began = Instant::now();
    let found = all(&house, &library, &Memory::default(), &set.test, &test).await?;
    report.note("  ... to search for the test claims", &format!("{:.0}", began.elapsed().as_secs_f64()));
    let test_of = |of: fn(&Lists) -> List| ndcg(&set.test, &found, of);
    let beside = |of: fn(&Lists) -> List, embedded: f64| format!("{:.4}, embedded {embedded:.4}", test_of(of));
    report.note("  ... words alone", &beside(|one| one.words.clone(), words));
    report.note("  ... vectors alone", &beside(|one| one.meaning.clone(), meaning));
    report.note("  ... our hybrid", &beside(|one| one.both.clone(), hybrid));
    report.above("  ... that is", "", test_of(|one| one.both.clone()), 0.72);
    drop(house);

    let cut: Vec<Entry> = set.abstracts.iter().map(cut).collect::<anyhow::Result<_>>()?;
    let passages: usize = cut.iter().map(|entry| entry.passages.len()).sum();
    let cut = with_vectors(setting, "cut", cut).await?;
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let house = inside::embedded(folder.path(), 16).await?;
    let library = Library::found(&house, 0).await?;
    library.add(&cut).await?;
    let found = all(&house, &library, &Memory::default(), &set.test, &test).await?;
    let test_of = |of: fn(&Lists) -> List| format!("{:.4}", ndcg(&set.test, &found, of));
    report.note("passages when documents are cut as the house does", &passages.to_string());
    report.note("  ... words alone", &test_of(|one| one.words.clone()));
    report.note("  ... vectors alone", &test_of(|one| one.meaning.clone()));
    report.note("  ... our hybrid", &test_of(|one| one.both.clone()));
    Ok(())
}

async fn on_postgres(folder: &Path, url: &str) -> anyhow::Result<House> {
    let ambient = domain::Ambient::system();
    // Roles are the server's, not the database's: others' must keep their passwords.
    let place = Place::Postgres { url: url.to_owned(), role_prefix: "rowhouse_bench".into(), connections: AT_ONCE };
    let settings = Settings {
        place,
        master_key_file: folder.join("keys/master.key"),
        audit_heads: folder.join("keys/audit-heads.jsonl"),
        blobs: folder.join("blobs"),
        bucket: None,
        issuer: "http://127.0.0.1".into(),
    };
    let store = Store::start(&settings, ambient.clone()).await?;
    let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 2, ambient)?;
    Ok(House::new(store, passwords, Rules::new("http://127.0.0.1", false)))
}

fn claims(questions: &Questions) -> Vec<String> {
    questions.claims.iter().map(|claim| claim.text.clone()).collect()
}

/// An abstract as one passage, under its title.
fn whole(one: &Abstract) -> Entry {
    let ends = i64::try_from(one.text.len()).unwrap_or(i64::MAX);
    let passage = Draft { heading: one.title.clone(), text: one.text.clone(), page: None, starts: 0, ends };
    Entry { name: one.id.clone(), passages: vec![passage], vectors: Vec::new() }
}

/// An abstract as the house reads and cuts a file.
fn cut(one: &Abstract) -> anyhow::Result<Entry> {
    let file = format!("# {}\n\n{}\n", one.title.replace('\n', " "), one.text);
    let content = documents::read(file.as_bytes(), "abstract.md", None, &documents::Limits::default())?;
    let passages = documents::passages(&content, &documents::Shape::default());
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let passages = passages.into_iter().map(|passage| Draft {
        heading: passage.headings.join(" > "),
        text: passage.text,
        page: None,
        starts: number(passage.start),
        ends: number(passage.end),
    });
    Ok(Entry { name: one.id.clone(), passages: passages.collect(), vectors: Vec::new() })
}

/// The same with the vectors of their passages.
async fn with_vectors(setting: &Setting, name: &str, mut entries: Vec<Entry>) -> anyhow::Result<Vec<Entry>> {
    let texts: Vec<String> = entries
        .iter()
        .flat_map(|entry| &entry.passages)
        .map(|passage| match &*passage.heading {
            "" => passage.text.clone(),
            heading => format!("{heading}\n{}", passage.text),
        })
        .collect();
    let mut vectors = embed(setting, name, &texts).await?.into_iter();
    for entry in &mut entries {
        entry.vectors = vectors.by_ref().take(entry.passages.len()).collect();
    }
    Ok(entries)
}

/// Vectors of texts. It takes minutes, so they are kept under `target/` for as long as the model and the texts are the same.
async fn embed(setting: &Setting, name: &str, texts: &[String]) -> anyhow::Result<Vec<Vector>> {
    let model = setting.scripts.join("../crates/embedding/models/all-minilm-l6-v2/model-int8.onnx");
    let model = sha256(std::fs::read(&model).with_context(|| format!("no model at {}", model.display()))?);
    let of = sha256([model.as_slice(), &sha256(texts.join("\0"))].concat());
    let hash: String = of[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = PathBuf::from(format!("target/bench-vectors-{name}-{hash}"));
    if let Ok(bytes) = std::fs::read(&kept)
        && bytes.len() == texts.len() * DIMENSIONS * 4
    {
        let number = |four: &[u8]| four.try_into().map_or(0.0, f32::from_le_bytes);
        let vector = |bytes: &[u8]| {
            let mut numbers = bytes.chunks_exact(4).map(number);
            std::array::from_fn(|_| numbers.next().unwrap_or_default())
        };
        return Ok(bytes.chunks_exact(DIMENSIONS * 4).map(vector).collect());
    }
    // As questions: threads for passages would wait for all others on this machine.
    let vectors: Vec<Vector> = stream::iter(texts)
        .map(async |text| anyhow::Ok(*Embedder::shared().query(text).await?.vector))
        .buffered(8)
        .try_collect()
        .await?;
    std::fs::write(&kept, vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(vectors)
}

/// What each claim finds, by the search that a request runs.
async fn all(
    house: &House,
    library: &Library,
    memory: &Memory,
    questions: &Questions,
    meanings: &[Vector],
) -> anyhow::Result<Vec<Lists>> {
    let asked = questions.claims.iter().zip(meanings).map(async |(claim, meaning)| {
        anyhow::Ok(Lists {
            words: found(house, library, memory, &claim.text, None).await?,
            meaning: found(house, library, memory, "", Some(meaning)).await?,
            both: found(house, library, memory, &claim.text, Some(meaning)).await?,
        })
    });
    // A database weighs the words of one question on one core.
    stream::iter(asked).buffered(AT_ONCE).try_collect().await
}

/// The documents that a search finds, each at the place of its best passage.
async fn found(
    house: &House,
    library: &Library,
    memory: &Memory,
    query: &str,
    meaning: Option<&Vector>,
) -> anyhow::Result<List> {
    let mut tx = house.store.open(&library.scope).read().await?;
    let asked = meaning.map(|vector| Meaning { model: knowledge::MODEL, vector });
    let wish = Wish { query, collections: &[library.number], filter: &Filter::default(), limit: MOST };
    let mut list = List::new();
    for found in search::search(&mut tx, memory, &wish, asked).await? {
        let score = match (query, meaning) {
            (_, None) => found.words,
            ("", _) => found.meaning,
            _ => Some(found.score),
        };
        if !list.iter().any(|(name, _)| *name == found.document.name) {
            list.push((found.document.name, score.context("no score")?));
        }
    }
    Ok(list)
}

/// What counts nothing when scores are brought to 0..1.
#[derive(Clone, Copy)]
enum Least {
    /// The worst score of the list.
    Worst,
    /// A score of 0.
    Nothing,
}

fn by_scores(lists: &Lists, words: f64, least: Least) -> List {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for (list, weight) in [(&lists.words, words), (&lists.meaning, 1.0 - words)] {
        let best = list.iter().map(|(_, score)| *score).fold(f64::MIN, f64::max);
        let worst = match least {
            Least::Worst => list.iter().map(|(_, score)| *score).fold(f64::MAX, f64::min),
            Least::Nothing => 0.0,
        };
        for (name, score) in list {
            *sums.entry(name).or_default() +=
                weight * if best > worst { (score - worst) / (best - worst) } else { 1.0 };
        }
    }
    ranked(sums)
}

fn by_ranks(lists: &Lists, k: f64) -> List {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for list in [&lists.words, &lists.meaning] {
        for (place, (name, _)) in (1_u32..).zip(list) {
            *sums.entry(name).or_default() += 1.0 / (k + f64::from(place));
        }
    }
    ranked(sums)
}

fn ranked(sums: BTreeMap<&str, f64>) -> List {
    let mut list: List = sums.into_iter().map(|(name, score)| (name.to_owned(), score)).collect();
    list.sort_by(|left, right| right.1.total_cmp(&left.1));
    list
}

fn ndcg(questions: &Questions, lists: &[Lists], of: impl Fn(&Lists) -> List) -> f64 {
    let rankings: Vec<List> = lists.iter().map(of).collect();
    let names: Vec<Vec<&str>> = rankings.iter().map(|list| list.iter().map(|(name, _)| &**name).collect()).collect();
    questions.ndcg(&names)
}

fn figure(questions: &Questions, lists: &[Lists], of: impl Fn(&Lists) -> List) -> String {
    format!("{:.4}", ndcg(questions, lists, of))
}
