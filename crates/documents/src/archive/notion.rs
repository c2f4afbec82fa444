//! Names as Notion exports them: `Title <32 hexadecimal digits>.md`, folders alike, percent-encoded by some versions.

use percent_encoding::percent_decode_str;

use super::Entry;

/// A file by the folders and the name it stood under.
pub(super) fn entry(parts: &[String], bytes: Vec<u8>) -> Entry {
    let (name, folders) = parts.split_last().map_or((String::new(), &[][..]), |(name, folders)| (plain(name), folders));
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 10 => (stem, Some(extension)),
        _ => (name.as_str(), None),
    };
    let (title, notion_id) = named(stem.strip_suffix("_all").filter(|stem| named(stem).1.is_some()).unwrap_or(stem));
    let mut path: Vec<String> = folders.iter().map(|folder| named(&plain(folder)).0).collect();
    path.push(extension.map_or_else(|| title.clone(), |extension| format!("{title}.{extension}")));
    Entry { path: path.join("/"), title, name: name.clone(), notion_id, bytes }
}

/// A name with its percent signs resolved, unless that would make it a path.
fn plain(name: &str) -> String {
    match percent_decode_str(name).decode_utf8() {
        Ok(decoded) if !decoded.contains(['/', '\\', '\0']) && decoded != ".." && decoded != "." => {
            decoded.into_owned()
        }
        _ => name.to_owned(),
    }
}

/// A name without the id at its end, and that id.
fn named(name: &str) -> (String, Option<String>) {
    match name.rsplit_once(' ') {
        Some((title, id)) if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (title.trim().to_owned(), Some(id.to_ascii_lowercase()))
        }
        _ => (name.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_leave_the_names_and_percent_signs_are_resolved() {
        let id = "1d5e1cc9e8ad03ea408fe4b2026c2d01";
        let parts = [format!("Team Handbook {id}"), format!("Caf%C3%A9 plan {id}.md")];
        let entry = entry(&parts, vec![]);
        assert_eq!((entry.path.as_str(), entry.title.as_str()), ("Team Handbook/Café plan.md", "Café plan"));
        assert_eq!(entry.notion_id.as_deref(), Some(id));
    }

    #[test]
    fn a_percent_sign_cannot_make_a_path() {
        let entry = entry(&["..%2f..%2fetc%2fpasswd".to_owned()], vec![]);
        assert_eq!(entry.path, "..%2f..%2fetc%2fpasswd");
    }
}
