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
    for (lines, height) in pages.iter_mut() {
        let running: Vec<usize> = edges(lines, *height)
            .into_iter()
            .filter(|(index, top)| {
                let y = lines[*index].y;
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
