//! Takes away what stands at the top and bottom of page after page: running titles and page numbers.

use std::collections::HashMap;

use super::lines::Line;

/// Pages on which a line must stand in the same place to be a running one.
const PAGES: usize = 3;
/// The part of a page, above and below, where running lines stand.
const MARGIN: f32 = 0.15;
/// Lines from each edge that are looked at.
const LINES: usize = 2;

/// Removes running lines. Each page comes with its height in points.
pub(super) fn remove(pages: &mut [(Vec<Line>, f32)]) {
    let mut seen: HashMap<(bool, String), Vec<f32>> = HashMap::new();
    for (lines, height) in pages.iter() {
        for (index, top) in edges(lines, *height) {
            seen.entry((top, shape(&lines[index].text))).or_default().push(lines[index].y);
        }
    }
    let offset = numbering(pages);
    for (page, (lines, height)) in pages.iter_mut().enumerate() {
        let running: Vec<usize> = edges(lines, *height)
            .into_iter()
            .filter(|(index, top)| {
                let y = lines[*index].y;
                if offset.is_some_and(|offset| offsets(&lines[*index].text, page).contains(&Some(offset))) {
                    return true;
                }
                let places = &seen[&(*top, shape(&lines[*index].text))];
                places.iter().filter(|place| (**place - y).abs() < 3.0).count() >= PAGES
            })
            .map(|(index, _)| index)
            .collect();
        let mut index = 0;
        lines.retain(|_| {
            index += 1;
            !running.contains(&(index - 1))
        });
    }
}

/// By how much the printed page numbers differ from the count of pages, if most pages with a number at their edge agree on it: then
/// a line there that begins or ends with its page's number is a running one, whatever else it says.
fn numbering(pages: &[(Vec<Line>, f32)]) -> Option<i64> {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for (page, (lines, height)) in pages.iter().enumerate() {
        let mut here: Vec<i64> =
            edges(lines, *height).into_iter().flat_map(|(index, _)| offsets(&lines[index].text, page)).flatten().collect();
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
        (word.len() < 6).then(|| word.parse::<i64>().ok()).flatten().map(|number| number - i64::try_from(page).unwrap_or(0))
    };
    [number(text.split_whitespace().next()), number(text.split_whitespace().next_back())]
}

/// The outermost lines of a page, and whether each is one of the upper.
fn edges(lines: &[Line], height: f32) -> Vec<(usize, bool)> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].y.total_cmp(&lines[*b].y));
    let mut levels: Vec<f32> = order.iter().map(|index| lines[*index].y).collect();
    levels.dedup_by(|a, b| (*a - *b).abs() < 2.0);
    let edge = |y: f32, levels: &mut dyn Iterator<Item = &f32>| levels.take(LINES).any(|level| (level - y).abs() < 2.0);
    order
        .into_iter()
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

/// A line without what differs from page to page: its numbers, Arabic or Roman.
fn shape(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let roman = word.chars().all(|c| matches!(c, 'i' | 'v' | 'x' | 'l' | 'c'));
        if roman { "#".to_owned() } else { word.to_owned() }
    });
    let mut shape = String::new();
    for c in words.collect::<Vec<_>>().join(" ").chars() {
        if c.is_ascii_digit() {
            if !shape.ends_with('#') {
                shape.push('#');
            }
        } else {
            shape.push(c);
        }
    }
    shape
}
