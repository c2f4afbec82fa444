//! Archives: what is in them, and what may not get out of them.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use documents::Code;
use documents::archive::{Bounds, Unpacked, archive};

use crate::files::zipped;

fn all(bytes: Vec<u8>, bounds: Bounds) -> Vec<Unpacked> {
    archive(Cursor::new(bytes), bounds).unwrap().collect()
}

/// A directory of so many headers of empty files, each with a comment of so many bytes.
fn headers(number: u32, comment: u16) -> Vec<u8> {
    let mut bytes: Vec<u8> = vec![];
    for n in 0..number {
        let name = format!("{n:x}");
        bytes.extend(b"PK\x01\x02");
        bytes.extend([0; 24]);
        bytes.extend([u8::try_from(name.len()).unwrap(), 0, 0, 0]);
        bytes.extend(comment.to_le_bytes());
        bytes.extend([0; 12]);
        bytes.extend(name.bytes());
        bytes.resize(bytes.len() + usize::from(comment), b' ');
    }
    bytes
}

/// What begins as given, with the records behind it that zip64 has: they say how many entries there are, how large their directory is and
/// where it begins.
fn ended(mut bytes: Vec<u8>, entries: u64, size: u64, start: u64) -> Vec<u8> {
    let place = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    for number in [entries, entries, size, start] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07");
    bytes.extend([0; 4]);
    bytes.extend(place.to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend([0xFF; 12]);
    bytes.extend([0; 2]);
    bytes
}

/// Bytes that are counted as they are read.
struct Counted {
    bytes: Cursor<Vec<u8>>,
    read: usize,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.read += read;
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// Why an archive is not opened, and how many bytes were read to know it.
fn refused(bytes: Vec<u8>) -> (Code, usize) {
    let mut counted = Counted { bytes: Cursor::new(bytes), read: 0 };
    let cause = archive(&mut counted, Bounds::default()).err().unwrap();
    (cause.code, counted.read)
}

#[test]
fn a_directory_of_a_million_headers_is_refused_before_it_is_read() {
    let directory = headers(1_000_000, 0);
    let size = directory.len() as u64;
    let (code, read) = refused(ended(directory, 1_000_000, size, 0));
    assert_eq!(code, Code::TooLarge);
    assert!(read < 70_000, "{read} bytes were read");
    // Inside of another as well.
    let directory = headers(20_000, 0);
    let size = directory.len() as u64;
    let inner = ended(directory, 20_000, size, 0);
    let entries = all(zipped(&[("inner.zip", &inner), ("good.txt", b"Good")]), Bounds::default());
    assert_eq!(entries[0].as_ref().unwrap_err().cause.code, Code::TooLarge);
    assert_eq!(entries[1].as_ref().unwrap().bytes, b"Good");
}

#[test]
fn what_an_archive_says_of_its_directory_may_be_a_lie() {
    let directory = headers(400, 60_000);
    let size = directory.len() as u64;
    assert!(size > 20 << 20);
    let (code, read) = refused(ended(directory.clone(), 3, size, 0));
    assert!(code == Code::TooLarge && read < 70_000, "{code:?}, {read} bytes were read");
    for said in [0, 18_800, size / 3] {
        let (code, read) = refused(ended(directory.clone(), 400, said, 0));
        assert!(code == Code::TooLarge && read < 12 << 20, "{code:?}, {read} bytes were read");
    }
    // Where it says less of both, no more is there.
    assert_eq!(archive(Cursor::new(ended(directory, 3, 150, 0)), Bounds::default()).unwrap().files(), 3);
    // The record of another place, and more entries than there is room for.
    let directory = headers(5_000, 0);
    let size = directory.len() as u64;
    let mut elsewhere = ended(directory.clone(), 5_000, size, 0);
    let place = elsewhere.len() - 34;
    elsewhere[place..place + 8].fill(0);
    assert_eq!(refused(elsewhere).0, Code::Damaged);
    assert_eq!(refused(ended(directory.clone(), 9_000, size, 0)).0, Code::Damaged);
    assert_eq!(refused(ended(directory, u64::MAX, size, u64::MAX)).0, Code::TooLarge);
}

#[test]
fn good_archives_open_with_and_without_zip64_and_with_something_before_or_behind_them() {
    let files: &[(&str, &[u8])] = &[("a.txt", b"First"), ("b/c.txt", b"PK\x05\x06 is how it ends")];
    let good = zipped(files);
    let ending = good.len() - 22;
    let number = |at: usize| u64::from(u32::from_le_bytes(good[ending + at..ending + at + 4].try_into().unwrap()));
    let long = ended(good[..ending].to_vec(), 2, number(12), number(16));
    let mut commented = good.clone();
    commented[ending + 20] = 30;
    commented.extend(b"PK\x05\x06 is no ending, but much like");
    commented.truncate(good.len() + 30);
    let before = [b"#!/bin/sh\n".to_vec(), good.clone()].concat();
    let behind = [good.clone(), b"and a line".to_vec()].concat();
    for bytes in [good, long, commented, before, behind] {
        let read: Vec<Vec<u8>> = all(bytes, Bounds::default()).into_iter().map(|entry| entry.unwrap().bytes).collect();
        assert_eq!(read, [files[0].1, files[1].1]);
    }
    assert_eq!(archive(Cursor::new(zipped(&[])), Bounds::default()).unwrap().files(), 0);
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
