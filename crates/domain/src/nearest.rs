//! What somebody probably meant who wrote a name that there is not.

/// The known name that is most like a wrong one, if any is like it at all.
#[must_use]
pub fn nearest<'k>(wrong: &str, known: &'k [String]) -> Option<&'k str> {
    near(wrong, known, 1).pop()
}

/// The known names that are like a wrong one, the most like first, at most so many.
#[must_use]
pub fn near<'k>(wrong: &str, known: &'k [String], most: usize) -> Vec<&'k str> {
    // What is compared letter by letter is bounded: the wrong name is a stranger's.
    const LONGEST: usize = 64;
    if wrong.len() > LONGEST {
        return Vec::new();
    }
    let mut like: Vec<(usize, &str)> =
        known.iter().filter(|name| name.len() <= LONGEST).map(|name| (distance(wrong, name), name.as_str())).collect();
    like.retain(|(distance, _)| *distance <= wrong.len().div_ceil(3));
    like.sort_unstable();
    like.dedup();
    like.into_iter().take(most).map(|(_, name)| name).collect()
}

/// How many letters must be put in, taken out or changed (Levenshtein 1965).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_it_comes_first_and_what_is_not_does_not_come() {
        let known = ["gpt-4o", "gpt-4o-mini", "claude-haiku-4-5"].map(str::to_owned);
        assert_eq!(near("gpt-4o-mni", &known, 3), ["gpt-4o-mini", "gpt-4o"]);
        assert_eq!(near("gpt4o", &known, 3), ["gpt-4o"]);
        assert_eq!(nearest("llama", &known), None);
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
    }
}
