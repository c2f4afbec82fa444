//! Passages: where they end, what they repeat, what they know of their place.

use documents::{Document, Limits, Part, Passage, Shape, estimate, passages};
use proptest::prelude::*;

use crate::files::{pdf, read, words};

fn split(document: &Document) -> Vec<Passage> {
    passages(document, &Shape::default())
}

fn sentences(number: usize, about: &str) -> String {
    (0..number).map(|n| format!("Sentence number {n} about {about} has some ten words in it. ")).collect()
}

#[test]
fn a_passage_stands_under_its_headings_and_never_crosses_an_outer_one() {
    let text =
        format!("# Book\n\n## One\n\nShort.\n\n### Inner\n\n{}\n\n## Two\n\nAlso short.\n", sentences(30, "ink"));
    let document = read(text.as_bytes(), "book.md").unwrap();
    let made = split(&document);
    assert!(made.iter().all(|passage| !(passage.text.contains("Short") && passage.text.contains("Also"))));
    let last = made.last().unwrap();
    assert_eq!((last.headings.clone(), last.text.as_str()), (vec!["Book".into(), "Two".into()], "Two\n\nAlso short."));
    assert!(made[0].text.starts_with("Book\n\nOne\n\nShort."), "{}", made[0].text);
    assert!(made.iter().any(|passage| passage.headings == ["Book", "One", "Inner"]));
}

#[test]
fn running_text_overlaps_by_whole_sentences() {
    let document = read(sentences(60, "overlap").as_bytes(), "a.txt").unwrap();
    let made = split(&document);
    assert!(made.len() > 3);
    for pair in made.windows(2) {
        let repeated = &document.text[pair[1].start..pair[0].end];
        assert!(pair[1].start < pair[0].end && repeated.trim_start().starts_with("Sentence"), "{repeated:?}");
        assert!(estimate(repeated) <= 27, "{repeated:?}");
    }
    assert!(made.iter().all(|passage| estimate(&passage.text) <= 180 && passage.text.ends_with('.')));
}

#[test]
fn rows_stay_whole_and_carry_their_columns() {
    let csv = format!("Town,Desk,Phone\n{}", (0..200).map(|n| format!("Town {n},Desk {n},{n}\n")).collect::<String>());
    let document = read(csv.as_bytes(), "a.csv").unwrap();
    for passage in split(&document) {
        assert!(
            passage.text.lines().all(|line| line.starts_with("Town: Town") && line.contains("; Phone: ")),
            "{}",
            passage.text
        );
    }
}

#[test]
fn a_passage_knows_its_pages() {
    let pages: Vec<String> = (1..=3)
        .map(|page| {
            words(&[
                ("F2", 20, 50, 780, &format!("Part {page}")),
                ("F1", 11, 50, 740, &format!("What stands on page {page}.")),
                ("F1", 11, 50, 600, "More."),
            ])
        })
        .collect();
    let document = read(&pdf(&pages, "", ""), "a.pdf").unwrap();
    let made = split(&document);
    let seen: Vec<_> = made.iter().map(|passage| (passage.headings.join("/"), passage.pages)).collect();
    assert_eq!(
        seen,
        [("Part 1".into(), Some((1, 1))), ("Part 2".into(), Some((2, 2))), ("Part 3".into(), Some((3, 3)))]
    );
    assert_eq!(document.headings_at(made[1].start), ["Part 2"]);
}

#[test]
fn a_line_without_end_is_cut_between_characters() {
    let document = read("ü".repeat(20_000).as_bytes(), "a.txt").unwrap();
    let made = split(&document);
    assert!(made.iter().all(|passage| estimate(&passage.text) <= 180));
    assert_eq!(made.iter().map(|passage| passage.text.len()).sum::<usize>(), document.text.len());
}

#[test]
fn a_heading_at_the_end_is_kept() {
    let document = read(b"# A\n\nText.\n\n## Last words\n", "a.md").unwrap();
    let made = split(&document);
    assert!(made.iter().any(|passage| passage.text.contains("Last words")), "{made:?}");
}

#[test]
fn a_text_in_the_place_of_a_heading_is_cut_and_named_shortly() {
    let words: String = (0..380_000).map(|n| format!(" word{n}")).collect();
    let document = read(format!("#{words}").as_bytes(), "x.md").unwrap();
    assert!(document.text.len() > 4_000_000);
    let made = split(&document);
    let named: usize = made.iter().flat_map(|passage| &passage.headings).map(String::len).sum();
    assert!(made.len() > 1_000 && named <= made.len() * 202, "{named} bytes in {} passages", made.len());
    assert!(made[0].headings[0].starts_with("word0 word1 ") && made[0].headings[0].ends_with('…'));
    assert!(made[0].text.starts_with("word0 word1 ") && made.last().unwrap().text.ends_with("word379999"));
    for pair in made.windows(2) {
        assert!(document.text[pair[0].end..pair[1].start].trim().is_empty(), "all of it can be found");
    }
}

#[test]
fn no_more_is_divided_than_there_may_be() {
    let heading = format!("# {}", sentences(500, "headings"));
    let code = format!("```\n{}```\n", "A line of code with some words in it.\n".repeat(2_000));
    let paragraphs = format!("{}\n\n", sentences(20, "bounds")).repeat(50);
    for text in [heading, code, paragraphs, sentences(2_000, "one paragraph")] {
        let document = read(text.as_bytes(), "a.md").unwrap();
        let all = split(&document);
        assert!(all.len() > 20, "{}", all.len());
        let some = passages(&document, &Shape { most: 5, ..Shape::default() });
        assert_eq!(some, all[..6], "one more says that there would be more");
        assert_eq!(passages(&document, &Shape { most: all.len(), ..Shape::default() }), all);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Every block's words are in some passage, offsets are true, nothing is larger than it may be, and the same gives the same.
    #[test]
    fn nothing_is_lost(text in "([#*|>` -]{0,3}[a-zA-Z0-9äß日本.!? ,\n-]{0,60}\n{0,2}){0,30}", tokens in 5_usize..60) {
        let Ok(document) = read(text.as_bytes(), "a.md") else { return Ok(()) };
        let shape = Shape { tokens, overlap: tokens / 7, ..Shape::default() };
        let made = passages(&document, &shape);
        prop_assert_eq!(&made, &passages(&document, &shape));
        let mut covered = 0;
        for passage in &made {
            prop_assert_eq!(&document.text[passage.start..passage.end], &passage.text);
            prop_assert!(document.text[covered.min(passage.start)..passage.start].trim().is_empty());
            prop_assert!(passage.end > covered);
            covered = passage.end;
        }
        prop_assert!(document.text[covered..].trim().is_empty());
        let mut end = 0;
        for block in &document.blocks {
            prop_assert!(block.start >= end && block.end > block.start);
            end = block.end;
            if let Part::Row { table } = block.part {
                prop_assert!((table as usize) < document.tables.len());
            }
        }
    }

    /// Of no heading and no path is more named than may be, and a short path is named whole.
    #[test]
    fn paths_are_bounded(headings in proptest::collection::vec((1_usize..7, "[a-zß日]{1,8}", 1_usize..120), 1..12)) {
        let mut text = String::new();
        for (level, word, times) in &headings {
            let words = vec![word.as_str(); *times].join(" ");
            text.push_str(&format!("{} {words}\n\nSome text.\n\n", "#".repeat(*level)));
        }
        let Ok(document) = read(text.as_bytes(), "a.md") else { return Ok(()) };
        let made = split(&document);
        for passage in &made {
            let lengths: Vec<usize> = passage.headings.iter().map(|heading| heading.chars().count()).collect();
            prop_assert!(lengths.iter().all(|length| (1..=200).contains(length)), "{lengths:?}");
            prop_assert!(lengths.iter().sum::<usize>() <= 600, "{lengths:?}");
        }
        if headings.iter().all(|(_, word, times)| (word.chars().count() + 1) * times <= 50) {
            prop_assert!(made.iter().flat_map(|passage| &passage.headings).all(|heading| !heading.ends_with('…')));
        }
    }

    /// No bytes make reading panic, whatever they are called.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), name in "[a-z]\\.(pdf|docx|csv|html|md|json|eml|txt|epub)") {
        let _ = documents::read(&bytes, &name, None, &Limits::default());
    }
}
