//! Takes away what stands at the top and bottom of page after page: running titles and page numbers.

use std::collections::HashMap;

use super::lines::Line;

/// Pages on which a line must stand in the same place to be a running one.
const PAGES: usize = 3;
/// The part of a page, above and below, where running lines stand.
const MARGIN: f32 = 0.15;
/// Lines from each edge that are looked at.
const LINES: usize = 2;

/// Removes running lines. Each page comes with its height in points. What the first page shows of them stays, at its beginning: a
/// letterhead says something once.
pub(super) fn remove(pages: &mut [(Vec<Line>, f32)]) {
    let offset = numbering(pages);
    let mut seen: HashMap<(bool, String), Vec<f32>> = HashMap::new();
    for (page, (lines, height)) in pages.iter().enumerate() {
        for (index, top) in edges(lines, *height) {
            seen.entry((top, unnumbered(&lines[index].text, page, offset))).or_default().push(lines[index].y);
        }
    }
    for (page, (lines, height)) in pages.iter_mut().enumerate() {
        let running: Vec<usize> = edges(lines, *height)
            .into_iter()
            .filter(|(index, top)| {
                let line = &lines[*index];
                let text = unnumbered(&line.text, page, offset);
                let numbered = offset.is_some() && text != line.text.trim();
                let places = seen.get(&(*top, text));
                let repeated = places.is_some_and(|places| {
                    places.iter().filter(|place| (**place - line.y).abs() < 3.0).count() >= PAGES
                });
                numbered || repeated
            })
            .map(|(index, _)| index)
            .collect();
        let mut kept = vec![];
        let mut index = 0;
        lines.retain(|line| {
            index += 1;
            let runs = running.contains(&(index - 1));
            if runs
                && page == 0
                && line.text.chars().any(char::is_alphabetic)
                && unnumbered(&line.text, page, offset) == line.text.trim()
            {
                kept.push(line.clone());
            }
            !runs
        });
        lines.splice(0..0, kept);
    }
}

/// By how much the printed page numbers differ from the count of pages, if most pages with a number at their edge agree on it: then
/// a line there that begins or ends with its page's number is a running one, whatever else it says.
fn numbering(pages: &[(Vec<Line>, f32)]) -> Option<i64> {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for (page, (lines, height)) in pages.iter().enumerate() {
        let mut here: Vec<i64> = edges(lines, *height)
            .into_iter()
            .flat_map(|(index, _)| offsets(&lines[index].text, page))
            .flatten()
            .collect();
        here.sort_unstable();
        here.dedup();
        for offset in here {
            *counts.entry(offset).or_default() += 1;
        }
    }
    let (offset, count) = counts.into_iter().max_by_key(|(offset, count)| (*count, -offset.abs()))?;
    (count >= PAGES && count * 2 > pages.len()).then_some(offset)
}

/// How far the numbers that a line begins and ends with are from the count of its page.
fn offsets(text: &str, page: usize) -> [Option<i64>; 2] {
    let number = |word: Option<&str>| {
        let word = word?.trim_matches(['-', '–', '|', '[', ']']);
        (word.len() < 6)
            .then(|| word.parse::<i64>().ok())
            .flatten()
            .map(|number| number - i64::try_from(page).unwrap_or(0))
    };
    [number(text.split_whitespace().next()), number(text.split_whitespace().next_back())]
}

/// The outermost lines of a page, and whether each is one of the upper.
fn edges(lines: &[Line], height: f32) -> Vec<(usize, bool)> {
    // A line larger than most is a heading.
    let mut sizes: Vec<f32> = lines.iter().map(|line| line.size).collect();
    sizes.sort_by(f32::total_cmp);
    let usual = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].y.total_cmp(&lines[*b].y));
    let mut levels: Vec<f32> = order.iter().map(|index| lines[*index].y).collect();
    levels.dedup_by(|a, b| (*a - *b).abs() < 2.0);
    let edge = |y: f32, levels: &mut dyn Iterator<Item = &f32>| levels.take(LINES).any(|level| (level - y).abs() < 2.0);
    order
        .into_iter()
        .filter(|index| lines.len() < 3 || lines[*index].size <= usual * 1.15)
        .filter_map(|index| {
            let y = lines[index].y;
            if y < height * MARGIN && edge(y, &mut levels.iter()) {
                Some((index, true))
            } else if y > height * (1.0 - MARGIN) && edge(y, &mut levels.iter().rev()) {
                Some((index, false))
            } else {
                None
            }
        })
        .collect()
}

/// A line without the number of its page, at its beginning or end: the one that is due there, or a Roman one.
fn unnumbered(text: &str, page: usize, offset: Option<i64>) -> String {
    let roman = |word: &str| word.len() <= 6 && word.chars().all(|c| matches!(c, 'i' | 'v' | 'x' | 'l'));
    let due = |word: &str| offset.is_some_and(|offset| offsets(word, page)[0] == Some(offset));
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if words.last().is_some_and(|word| due(word) || roman(word)) {
        words.pop();
    } else if words.first().is_some_and(|word| due(word) || roman(word)) {
        words.remove(0);
    }
    if words.len() == text.split_whitespace().count() { text.trim().to_owned() } else { words.join(" ") }
}
