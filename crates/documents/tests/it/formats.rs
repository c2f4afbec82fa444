//! An ordinary file of each format, and what is seen in it.

use insta::assert_snapshot;

use crate::files::{docx, pdf, read, shown, words};

fn see(bytes: impl AsRef<[u8]>, name: &str) -> String {
    shown(&read(bytes.as_ref(), name).unwrap())
}

#[test]
fn markdown() {
    let text = "---\ntitle: The Handbook\n---\n# Travel\n\nBook *early*, with [the desk](https://x.example).\n\n- Trains\n  - first class over 3 hours\n- [x] Planes\n\n\
                | Class | Limit |\n|---|---|\n| Rail | 300 |\n| Air | 900 |\n\n```sh\nbook --now\n\n  twice\n```\n\n> Quoted.\n\nSee[^1].\n\n[^1]: The note.\n\n<details><p>Shown <b>too</b></details>\n";
    assert_snapshot!(see(text, "handbook.md"));
}

#[test]
fn html() {
    let text = "<!doctype html><html><head><title>Opening hours</title><style>p{}</style></head><body><nav><a href=/>Home</a></nav>\
                <h1>Opening  hours</h1><p>We open<br>at <b>nine</b>.<p>Closed on Sundays.<ul><li>Mon<ul><li>late</ul><li>Tue</ul>\
                <table><caption>Desks</caption><thead><tr><th>Town<th>Phone</thead><tr><td>Bonn<td>1<tr><td>Kiel<td>2</table>\
                <pre>a\n  b</pre><dl><dt>Term<dd>Meaning &amp; more</dl></body></html>";
    assert_snapshot!(see(text, "hours.html"));
}

#[test]
fn csv_with_semicolons_in_utf16() {
    let text = "Name;Price;Note\r\nChair;49,90;\"two\nlines\"\r\nTable;120;\r\n";
    let bytes: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_snapshot!(see(bytes, "prices.csv"));
}

#[test]
fn csv_without_names() {
    assert_snapshot!(see("2024-01-01,3.5,rain\n2024-01-02,4.0,sun\n", "weather.csv"));
}

#[test]
fn json() {
    assert_snapshot!(see(
        r#"{"company":"Acme","founded":1999,"offices":[{"town":"Bonn","tags":["hq","lab"]},{"town":"Kiel"}],"open":true,"note":null}"#,
        "a.json"
    ));
}

#[test]
fn json_lines() {
    assert_snapshot!(see("{\"id\":1,\"text\":\"one\"}\n{\"id\":2,\"text\":\"two\"}\n", "a.jsonl"));
}

#[test]
fn mail() {
    let text = "From: Ada <ada@x.example>\r\nTo: bob@x.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Tue, 1 Oct 2024 10:00:00 +0200\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6ne Gr=FC=DFe.\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>Sch&ouml;ne Gr&uuml;&szlig;e.</p>\r\n--c--\r\n\
                --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"offer.pdf\"\r\n\r\nx\r\n--b--\r\n";
    assert_snapshot!(see(text, "greetings.eml"));
}

#[test]
fn mail_of_html_alone() {
    let text = "From: ada@x.example\nTo: bob@x.example\nSubject: News\nContent-Type: text/html; charset=utf-8\n\n<table><tr><td><h2>News</h2><p>Of today.</p></table>\n";
    assert_snapshot!(see(text, "unnamed"));
}

#[test]
fn text() {
    assert_snapshot!(see(
        "First line\nof a paragraph.\n\nSecond.\n- one\n- two\n\nCaf\u{e9} \u{2013} end.",
        "notes.txt"
    ));
}

#[test]
fn word() {
    let paragraph = |style: &str, text: &str| format!("<w:p><w:pPr>{style}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>");
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph("", text));
    let row = |cells: &[&str]| format!("<w:tr>{}</w:tr>", cells.iter().map(|text| cell(text)).collect::<String>());
    let body = [
        paragraph(r#"<w:pStyle w:val="Heading1"/>"#, "Leave"),
        paragraph("", "Twenty &amp; five days.<w:del><w:r><w:delText>Thirty days.</w:delText></w:r></w:del>")
            .replace("<w:del>", "</w:t></w:r><w:del>")
            .replace("</w:del></w:t></w:r>", "</w:del>"),
        paragraph(r#"<w:numPr><w:ilvl w:val="1"/></w:numPr>"#, "An item"),
        format!("<w:tbl>{}{}{}</w:tbl>", row(&["Grade", "Days"]), row(&["A", "25"]), row(&["B", "28"])),
        paragraph(r#"<w:outlineLvl w:val="1"/>"#, "Sick leave"),
        "<w:p><w:r><w:t>See</w:t><w:tab/><w:t>below</w:t><w:br/><w:t>or above</w:t></w:r></w:p>".to_owned(),
    ];
    assert_snapshot!(see(docx(&body.concat()), "leave.docx"));
}

#[test]
fn a_pdf_with_headings_broken_words_items_a_table_and_running_lines() {
    let page = |number: u32, lines: &[(&str, u32, u32, u32, &str)]| {
        let foot = number.to_string();
        words(&[lines, &[("F1", 9, 50, 30, "Acme internal"), ("F1", 9, 500, 30, &foot)]].concat())
    };
    let pages = [
        page(
            1,
            &[
                ("F2", 24, 50, 780, "Travel policy"),
                ("F2", 16, 50, 740, "1 Trains"),
                ("F1", 11, 50, 715, "Everybody travels by train where a train takes less than five hours. Tick-"),
                ("F1", 11, 50, 701, "ets are booked at the desk, and first-class needs a reason. A first-"),
                ("F1", 11, 50, 687, "class ticket is paid for journeys of more than three hours by the com-"),
                ("F1", 11, 50, 673, "pany."),
                ("F1", 11, 50, 645, "\\225 one"),
                ("F1", 11, 50, 631, "\\225 two, which goes on"),
                ("F1", 11, 60, 617, "in the next line"),
                ("F2", 11, 50, 580, "Town"),
                ("F2", 11, 250, 580, "Limit"),
                ("F1", 11, 50, 566, "Bonn"),
                ("F1", 11, 250, 566, "120 EUR"),
                ("F1", 11, 50, 552, "Kiel"),
                ("F1", 11, 250, 552, "110 EUR"),
                ("F1", 11, 50, 520, "This sentence begins on one page of this document and it"),
            ],
        ),
        page(
            2,
            &[
                ("F1", 11, 50, 780, "ends on the next one."),
                ("F2", 16, 50, 740, "2 Planes"),
                ("F1", 11, 50, 715, "Planes need the approval of the board."),
            ],
        ),
        page(3, &[("F1", 11, 50, 780, "Last words.")]),
    ];
    assert_snapshot!(see(pdf(&pages, "", "/Info<</Title(Travel policy 2024)>>"), "policy.pdf"));
}

#[test]
fn a_pdf_drawn_out_of_order_is_read_from_top_to_bottom() {
    let lines: Vec<(&str, u32, u32, u32, String)> = [5, 2, 8, 1, 7, 3, 6, 4]
        .iter()
        .map(|number| ("F1", 11, 50, 800 - number * 30, format!("Line {number}.")))
        .collect();
    let lines: Vec<(&str, u32, u32, u32, &str)> =
        lines.iter().map(|line| (line.0, line.1, line.2, line.3, line.4.as_str())).collect();
    let document = read(&pdf(&[words(&lines)], "", ""), "a.pdf").unwrap();
    let seen: Vec<&str> = document.blocks.iter().map(|block| document.block(block)).collect();
    assert_eq!(seen, ["Line 1.", "Line 2.", "Line 3.", "Line 4.", "Line 5.", "Line 6.", "Line 7.", "Line 8."]);
}

#[test]
fn two_columns_are_read_one_after_the_other() {
    let column = |x: u32, name: &str| -> String {
        (0..6)
            .map(|line| words(&[("F1", 11, x, 700 - line * 14, &format!("{name} column line number {line} goes on"))]))
            .collect()
    };
    let page = column(50, "left") + &column(320, "right");
    let document = read(&pdf(&[page], "", ""), "a.pdf").unwrap();
    let (left, right) = (
        document.text.find("left column line number 5").unwrap(),
        document.text.find("right column line number 0").unwrap(),
    );
    assert!(left < right, "{}", document.text);
    assert!(!document.text.contains('|'), "{}", document.text);
}

#[test]
fn the_example_documents_hold_the_answers_that_their_readme_promises() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/knowledge");
    for (name, answer, headings, page) in [
        ("travel-policy.pdf", "In Oslo and Longyearbyen it may cost 210 euros.", "2 Hotels", Some((1, 1))),
        (
            "employee-handbook.docx",
            "Up to five days may be carried over to the next year, until 30 April.",
            "Leave",
            None,
        ),
        (
            "support-runbook.md",
            "Fault code: E27; Meaning: Battery below 3.1 V; What to do: Replace the battery pack HR-B2",
            "Returns",
            None,
        ),
        ("price-list.csv", "Article: HR-300; Name: Station Vidda; Price EUR: 1290.00", "", None),
        (
            "opening-hours.html",
            "Place: Showroom, Bergen; Monday to Friday: 10:00–18:00; Saturday: 10:00–14:00",
            "Opening hours",
            None,
        ),
    ] {
        let document = read(&std::fs::read(folder.join(name)).unwrap(), name).unwrap();
        let passages = documents::passages(&document, &documents::Shape::default());
        let found = passages.iter().find(|passage| passage.text.contains(answer));
        let found = found.unwrap_or_else(|| panic!("{name}: {}", shown(&document)));
        assert!(
            headings.is_empty() || found.headings.last().is_some_and(|last| last == headings),
            "{name}: {:?}",
            found.headings
        );
        assert_eq!(found.pages, page, "{name}");
    }
}
