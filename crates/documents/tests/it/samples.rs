//! Real documents, where there are any: `ROWHOUSE_SAMPLES` names their folder. Says so when it is skipped.

use std::path::{Path, PathBuf};

use documents::archive::{Bounds, archive};
use documents::{Code, Document, Shape, passages};

use crate::files::read;

fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("ROWHOUSE_SAMPLES").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: ROWHOUSE_SAMPLES names no folder");
    }
    folder
}

fn sample(folder: &Path, name: &str) -> Document {
    read(&std::fs::read(folder.join(name)).unwrap(), name).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn every_sample_is_read_and_split() {
    let Some(folder) = samples() else { return };
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "zip") {
            continue;
        }
        match read(&std::fs::read(&path).unwrap(), name) {
            Ok(document) => {
                assert!(!document.text.contains('\u{FFFD}'), "{name}");
                assert!(!passages(&document, &Shape::default()).is_empty(), "{name}");
            }
            Err(error) => assert!(error.code == Code::Empty && name.starts_with("mammoth-"), "{name}: {error:?}"),
        }
    }
}

#[test]
fn a_manual_set_by_latex_keeps_its_pages_headings_and_words() {
    let Some(folder) = samples() else { return };
    let document = sample(&folder, "pdf/developers-reference.en.pdf");
    assert_eq!((document.pages.len(), document.title.as_deref()), (114, Some("Debian Developer's Reference")));
    let place = document.text.find("Your key length must be greater than 2048 bits").unwrap();
    assert_eq!(document.pages_of(&(place..place + 10)), Some((14, 14)));
    assert_eq!(document.headings_at(place), ["TWO APPLYING TO BECOME A MEMBER", "2.3 Registering as a Debian member"]);
    // Ligatures, and words broken at the end of a line.
    assert!(document.text.contains("official") && !document.text.contains('\u{FB03}'));
    assert!(!document.text.contains(". . . ."));
    let french = sample(&folder, "pdf/developers-reference.fr.pdf");
    assert!(french.text.contains("À ses débuts, le noyau Linux existait seulement pour les architectures Intel i386"));
}

#[test]
fn exports_of_notion_give_their_pages_once() {
    let Some(folder) = samples() else { return };
    for name in ["Export-markdown-flat.zip", "Export-markdown-nested-part.zip", "Export-html.zip"] {
        let file = std::fs::File::open(folder.join("notion").join(name)).unwrap();
        let entries: Vec<_> = archive(file, Bounds::default()).unwrap().map(Result::unwrap).collect();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert!(
            paths
                .iter()
                .any(|path| path.ends_with("Hire a support lead.md") || path.ends_with("Hire a support lead.html")),
            "{paths:?}"
        );
        assert_eq!(paths.iter().filter(|path| path.ends_with("Decisions.csv")).count(), 1, "{paths:?}");
    }
}

#[test]
fn declared_and_undeclared_encodings_are_read() {
    let Some(folder) = samples() else { return };
    for path in
        files(&folder.join("html/apache-manual/ko")).into_iter().chain(files(&folder.join("html/apache-manual/ja")))
    {
        let document = read(&std::fs::read(&path).unwrap(), "page.html").unwrap();
        assert!(
            document.text.chars().filter(|c| matches!(c, '가'..='힣' | 'ぁ'..='ん')).count() > 200,
            "{}",
            path.display()
        );
    }
}
