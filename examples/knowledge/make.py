#!/usr/bin/env python3
"""Writes travel-policy.pdf and employee-handbook.docx, the two example documents that no editor of text can make.

Needs nothing but Python. The same input gives the same bytes.
"""

import pathlib
import textwrap
import zipfile

HERE = pathlib.Path(__file__).parent

PDF = [
    [
        ("title", "Travel policy"),
        ("text", "This policy is for everybody who travels for Halden & Roe. It holds from 1 March 2026 and replaces the one of 2023."),
        ("head", "1 Trains, ships and planes"),
        ("text", "We travel by train or ship where that takes less than six hours from door to door. For longer ways a plane may be "
                 "taken. First class is paid on trains when the journey takes more than three hours, and never on planes."),
        ("text", "A flight needs the approval of the head of the department before it is booked. Whoever books through the travel desk "
                 "has the approval noted there; whoever books alone keeps the mail."),
        ("head", "2 Hotels"),
        ("text", "A night may cost 165 euros in Norway and 140 euros elsewhere, breakfast included. In Oslo and Longyearbyen it may cost "
                 "210 euros. More is paid only where the organiser of a meeting has chosen the hotel."),
    ],
    [
        ("head", "3 Meals"),
        ("text", "For a day of travel of more than twelve hours 74 euros are paid for meals, for six to twelve hours 39 euros. No receipts "
                 "are needed for meals. Alcohol is not paid."),
        ("head", "4 Being paid back"),
        ("text", "Expenses are sent in within 30 days of coming home, with a photograph of each receipt over 20 euros. They are paid back "
                 "with the salary of the following month. Advances are given for journeys of more than five days."),
        ("head", "5 Safety in the mountains"),
        ("text", "Nobody visits a station above the tree line alone. Every team carries an emergency beacon, tells the duty engineer when it "
                 "sets out, and calls again before 18:00."),
    ],
]

STYLE = {"title": ("F2", 22, 40, 34), "head": ("F2", 14, 54, 26), "text": ("F1", 11, 88, 16)}


def escaped(text):
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def page(blocks, number):
    y, out = 790, []
    for kind, text in blocks:
        font, size, width, gap = STYLE[kind]
        y -= gap
        for line in textwrap.wrap(text, width):
            out.append(f"BT /{font} {size} Tf 60 {y} Td ({escaped(line)}) Tj ET")
            y -= size + 4
    out.append(f"BT /F1 9 Tf 60 36 Td (Halden & Roe, travel policy) Tj 440 0 Td ({number}) Tj ET")
    return "\n".join(out).encode("cp1252")


def pdf():
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(PDF)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(PDF)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    for index, blocks in enumerate(PDF):
        stream = page(blocks, index + 1)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>/Contents %d 0 R>>" % (6 + 2 * index)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    objects.append(b"<</Title(Travel policy)/Author(Halden & Roe)>>")
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for index, body in enumerate(objects):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (index + 1, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(objects), table)
    return out


DOCX = [
    ("Heading1", "Employee handbook"),
    (None, "Welcome to Halden & Roe. We build weather stations in Tromsø and have 64 colleagues in three places."),
    ("Heading2", "Working hours"),
    (None, "A full week has 37.5 hours. The time between 09:30 and 14:30 is kept free for meeting each other; the rest everybody arranges with "
           "the team. From mid-November to mid-January, when the sun does not rise, the works close at 15:00."),
    ("Heading2", "Leave"),
    (None, "Everybody has 27 days of leave a year, and two more from the age of 55. Up to five days may be carried over to the next year, until "
           "30 April. Leave of more than two weeks is agreed eight weeks before."),
    ("table", [["Occasion", "Days off"], ["Own wedding", "2"], ["Moving house", "1"], ["First day of a child's school", "1"], ["Northern lights day", "1"]]),
    ("Heading2", "Learning"),
    (None, "Each colleague has 1,200 euros and five days a year for courses and books. The head of the department approves courses; books need no "
           "approval."),
    ("Heading2", "Illness"),
    (None, "Whoever is ill tells the team by 09:00. A doctor's note is needed from the fourth day on."),
]

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def xml(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def paragraph(text, style=None):
    style = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{style}<w:r><w:t xml:space="preserve">{xml(text)}</w:t></w:r></w:p>'


def docx(path):
    body = ""
    for style, content in DOCX:
        if style != "table":
            body += paragraph(content, style)
            continue
        rows = ""
        for index, row in enumerate(content):
            head = "<w:trPr><w:tblHeader/></w:trPr>" if index == 0 else ""
            rows += f"<w:tr>{head}" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>"
        body += f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr>{rows}</w:tbl>'
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    headings = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/><w:pPr><w:outlineLvl w:val="{n - 1}"/></w:pPr>'
        f'<w:rPr><w:b/><w:sz w:val="{44 - 8 * n}"/></w:rPr></w:style>'
        for n in (1, 2)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{word}.document.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{word}.styles+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "word/styles.xml": f"<w:styles {W}>{headings}</w:styles>",
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), head + text, zipfile.ZIP_DEFLATED)


(HERE / "travel-policy.pdf").write_bytes(pdf())
docx(HERE / "employee-handbook.docx")
