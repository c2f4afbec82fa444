//! Reading in child processes: what one may not do, and how its end is told.

use std::time::Duration;

use documents::apart::{Bounds, Error, Reader};
use documents::{Code, Limits};

use crate::files::{pdf, words, zipped};

fn bounds() -> Bounds {
    Bounds { time: Duration::from_mins(1), ..Bounds::new(env!("CARGO_BIN_EXE_parse-child").into(), vec![]) }
}

fn code(error: Error) -> Code {
    match error {
        Error::Unreadable(unreadable) => unreadable.code,
        Error::Unavailable(cause) => panic!("{cause}"),
    }
}

/// A PDF whose one page draws a drawing that draws ten others, each of which draws ten, and so on: more work than there is time.
fn endless() -> Vec<u8> {
    let mut file = String::from_utf8(pdf(&["/X10 Do".to_owned()], "", "")).unwrap();
    let all = (10..20).map(|level| format!("/X{level} {} 0 R", level + 90)).collect::<String>();
    file = file.replace("/Resources<</Font", &format!("/Resources<</XObject<<{all}>>/Font"));
    for level in 10..20 {
        let draws = if level < 19 { format!("/X{} Do ", level + 1).repeat(10) } else { "BT /F1 1 Tf ET ".repeat(10) };
        file.push_str(&format!(
            "{} 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length {}>>stream\n{draws}\nendstream\nendobj\n",
            level + 90,
            draws.len()
        ));
    }
    file.into_bytes()
}

#[tokio::test]
async fn a_child_reads_what_its_parent_would() {
    let reader = Reader::new(bounds());
    let page = pdf(&[words(&[("F1", 12, 50, 700, "Read apart")])], "", "");
    for _ in 0..3 {
        let document = reader.read("one", &page, "a.pdf", None, &Limits::default()).await.unwrap();
        assert_eq!(document, documents::read(&page, "a.pdf", None, &Limits::default()).unwrap());
    }
    let refused = reader.read("one", b"", "a.pdf", None, &Limits::default()).await.unwrap_err();
    assert_eq!(code(refused), Code::Empty);
}

#[tokio::test]
async fn a_document_that_takes_too_long_is_ended_and_the_next_is_read() {
    let reader = Reader::new(Bounds { time: Duration::from_secs(3), ..bounds() });
    let refused = reader.read("one", &endless(), "a.pdf", None, &Limits::default()).await.unwrap_err();
    assert_eq!(code(refused), Code::TooSlow);
    assert_eq!(reader.read("one", b"Next.", "a.txt", None, &Limits::default()).await.unwrap().text, "Next.");
}

#[tokio::test]
async fn a_document_that_takes_too_much_memory_fails_alone() {
    let reader = Reader::new(Bounds { memory: 96 << 20, ..bounds() });
    let text = "word ".repeat(8 << 20);
    let refused = reader
        .read("one", text.as_bytes(), "a.txt", None, &Limits { text: 1 << 30, ..Limits::default() })
        .await
        .unwrap_err();
    assert_eq!(code(refused), Code::TooLarge);
    assert_eq!(reader.read("one", b"Next.", "a.txt", None, &Limits::default()).await.unwrap().text, "Next.");
}

#[tokio::test]
async fn many_at_once_share_the_places() {
    let reader = std::sync::Arc::new(Reader::new(bounds()));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let reader = reader.clone();
        tasks.spawn(async move {
            let text = format!("Number {number}.");
            let owner = format!("owner {}", number % 5);
            assert_eq!(
                reader.read(&owner, text.as_bytes(), "a.txt", None, &Limits::default()).await.unwrap().text,
                text
            );
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_program_that_is_none_of_ours_is_our_failure_and_not_the_document_s() {
    let reader = Reader::new(Bounds { time: Duration::from_secs(2), ..Bounds::new("/bin/cat".into(), vec![]) });
    assert!(matches!(
        reader.read("one", b"Text.", "a.txt", None, &Limits::default()).await,
        Err(Error::Unavailable(_))
    ));
    let reader = Reader::new(Bounds::new("/nowhere".into(), vec![]));
    assert!(matches!(
        reader.read("one", b"Text.", "a.txt", None, &Limits::default()).await,
        Err(Error::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_packed_file_is_read_apart_too() {
    let reader = Reader::new(bounds());
    let chapter = b"<html><body><h1>One</h1><p>Text.</p></body></html>";
    let book = zipped(&[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", br#"<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>"#),
        ("OPS/book.opf", br#"<package xmlns:dc="d"><metadata><dc:title>The Book</dc:title></metadata><manifest><item id="a" href="one%20.html" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>"#),
        ("OPS/one .html", chapter),
    ]);
    let document = reader.read("one", &book, "book.epub", None, &Limits::default()).await.unwrap();
    assert_eq!((document.title.as_deref(), document.text.as_str()), (Some("The Book"), "One\n\nText."));
}

/// What the kernel says of a child that waits for its first document.
#[cfg(target_os = "linux")]
#[test]
fn a_child_that_waits_for_documents_is_confined() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_parse-child"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let hello = br#"{"memory":536870912,"processor":60}"#;
    let requests = child.stdin.as_mut().unwrap();
    requests.write_all(&(hello.len() as u64).to_le_bytes()).unwrap();
    requests.write_all(hello).unwrap();
    let mut answer = [0; 8];
    child.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    let told = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", child.id())).unwrap();
    let (status, limits) = (told("status"), told("limits"));
    // 2 is a filter of system calls.
    assert!(
        status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1") && status.contains("Threads:\t1"),
        "{status}"
    );
    let limit = |name: &str| {
        limits.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().rev().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        (limit("Max address space"), limit("Max cpu time"), limit("Max file size")),
        ("536870912".into(), "60".into(), "0".into())
    );
    assert_eq!(told("environ"), "");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
