//! Archives: what is in them, and what may not get out of them.

use std::io::Cursor;

use documents::Code;
use documents::archive::{Bounds, Unpacked, archive};

use crate::files::zipped;

fn all(bytes: Vec<u8>, bounds: Bounds) -> Vec<Unpacked> {
    archive(Cursor::new(bytes), bounds).unwrap().collect()
}

#[test]
fn a_folder_gives_its_files_and_not_what_programs_leave() {
    let zip = zipped(&[("a/b.md", b"# B"), ("a/.DS_Store", b"x"), ("__MACOSX/a/._b.md", b"x"), ("c.txt", b"C")]);
    let paths: Vec<String> = all(zip, Bounds::default()).into_iter().map(|entry| entry.unwrap().path).collect();
    assert_eq!(paths, ["a/b.md", "c.txt"]);
}

#[test]
fn names_that_lead_out_are_refused_and_the_others_read() {
    let zip = zipped(&[
        ("../../etc/passwd", b"x"),
        ("/etc/passwd", b"x"),
        ("C:\\windows\\x", b"x"),
        ("a/../../b", b"x"),
        ("good.txt", b"Good"),
    ]);
    let entries = all(zip, Bounds::default());
    assert_eq!(
        entries
            .iter()
            .filter(|entry| entry.as_ref().is_err_and(|refused| refused.cause.code == Code::Unsupported))
            .count(),
        4
    );
    assert_eq!(entries.last().unwrap().as_ref().unwrap().bytes, b"Good");
}

#[test]
fn a_bomb_is_refused_and_the_others_read() {
    let zip = zipped(&[("bomb.txt", &vec![0; 40 << 20]), ("good.txt", b"Good")]);
    let entries = all(zip, Bounds::default());
    assert_eq!(entries[0].as_ref().unwrap_err().cause.code, Code::TooLarge);
    assert_eq!(entries[1].as_ref().unwrap().bytes, b"Good");
}

#[test]
fn the_whole_is_bounded_and_that_ends_it() {
    let part = vec![b'a'; 3 << 20];
    let zip = zipped(&[("1.txt", &part), ("2.txt", &part), ("3.txt", &part)]);
    let entries = all(zip, Bounds { unpacked: 5 << 20, ..Bounds::default() });
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].as_ref().unwrap_err().cause.code, Code::TooLarge);
    let many: Vec<(String, &[u8])> = (0..50).map(|n| (format!("{n}.txt"), &b"x"[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let refused = archive(Cursor::new(zipped(&many)), Bounds { entries: 49, ..Bounds::default() }).err().unwrap();
    assert_eq!(refused.code, Code::TooLarge);
}

#[test]
fn archives_inside_of_archives_are_opened_to_a_depth_and_share_the_bounds() {
    let inner = zipped(&[("page.md", b"# Page")]);
    let outer =
        zipped(&[("ExportBlock-dc05b6a2-c3f5-5013-9099-86c690671515-Part-1.zip", &inner), ("next.md", b"# Next")]);
    let paths: Vec<String> =
        all(outer.clone(), Bounds::default()).into_iter().map(|entry| entry.unwrap().path).collect();
    assert_eq!(paths, ["page.md", "next.md"]);
    let deep = zipped(&[("outer.zip", &zipped(&[("outer.zip", &zipped(&[("outer.zip", &outer)]))]))]);
    let entries = all(deep, Bounds::default());
    assert_eq!(entries[0].as_ref().unwrap_err().cause.code, Code::TooLarge);
    let bounded = all(outer, Bounds { entries: 2, ..Bounds::default() });
    assert_eq!(bounded[0].as_ref().unwrap_err().cause.code, Code::TooLarge);
}

#[test]
fn encrypted_entries_are_said_to_be() {
    use std::io::Write;
    // The bit that says so, set in both places where a zip keeps it.
    let mut zip = zipped(&[("secret.txt", b"x")]);
    zip[6] |= 1;
    let central = zip.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    zip[central + 8] |= 1;
    zip.flush().unwrap();
    assert_eq!(all(zip, Bounds::default())[0].as_ref().unwrap_err().cause.code, Code::Encrypted);
    assert_eq!(archive(Cursor::new(b"no zip at all".to_vec()), Bounds::default()).err().unwrap().code, Code::Damaged);
}

#[test]
fn a_database_of_notion_comes_once() {
    let id = "327adee661fe1b4f1e455eca4ef3b8a7";
    let (shown, every) = (format!("Decisions {id}.csv"), format!("Decisions {id}_all.csv"));
    let zip = zipped(&[(&shown, b"Name\nA"), (&every, b"Name,Date\nA,1")]);
    let entries = all(zip, Bounds::default());
    assert_eq!(entries.len(), 1);
    let entry = entries[0].as_ref().unwrap();
    assert_eq!((entry.path.as_str(), entry.bytes.as_slice()), ("Decisions.csv", &b"Name,Date\nA,1"[..]));
    assert_eq!(entry.notion_id.as_deref(), Some(id));
}
