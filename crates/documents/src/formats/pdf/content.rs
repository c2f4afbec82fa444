//! Follows the instructions that draw a page as far as they move and show text, and gives the glyphs where they stand. Nothing is drawn.

use std::rc::Rc;

use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction;
use hayro_syntax::object::{Array, Dict, Name, Number, Object, Stream};
use hayro_syntax::page::{Page, Resources};

use super::fonts::{Fonts, LoadedFont};
use crate::Unreadable;

/// How deep drawings may stand inside of drawings.
const NESTED: usize = 12;
/// How many states of the drawing may be put aside.
const STATES: usize = 256;
/// Glyphs on one page; a page of a dense newspaper has some 30,000.
const GLYPHS: usize = 1_000_000;

/// A glyph on a page, in points from the page's upper left corner as it is shown.
pub(super) struct Glyph {
    /// Where it begins and ends along its line.
    pub(super) start: f32,
    pub(super) end: f32,
    /// Where its line stands, downwards.
    pub(super) line: f32,
    /// How large it is shown, in points.
    pub(super) size: f32,
    /// Which way its line runs: 0 to the right, then in quarter turns.
    pub(super) turn: u8,
    /// Its typeface, an index into the faces.
    pub(super) face: u16,
    /// What it says; U+FFFD where its font does not tell.
    pub(super) text: Rc<str>,
}

type Matrix = [f64; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `a`, then `b`.
fn then(a: &Matrix, b: &Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

#[derive(Clone)]
struct State<'a> {
    matrix: Matrix,
    font: Option<Rc<LoadedFont<'a>>>,
    size: f64,
    letter_space: f64,
    word_space: f64,
    stretch: f64,
    leading: f64,
    rise: f64,
}

/// The glyphs of a page in the order they are drawn.
///
/// # Errors
/// When there are more than any page has.
pub(super) fn glyphs<'a>(page: &Page<'a>, fonts: &mut Fonts<'a>) -> Result<Vec<Glyph>, Unreadable> {
    let mut content = Content {
        fonts,
        glyphs: vec![],
        state: State {
            matrix: page.initial_transform(true).as_coeffs(),
            font: None,
            size: 0.0,
            letter_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        },
        aside: vec![],
        text: IDENTITY,
        line: IDENTITY,
        spoken: vec![],
    };
    content.run(&stream(page), page.resources(), 0)?;
    Ok(content.glyphs)
}

/// The instructions of a page, unpacked for as long as they are followed and no longer.
fn stream(page: &Page<'_>) -> Vec<u8> {
    let raw = page.raw();
    let one = |stream: Stream<'_>| stream.decoded().map(std::borrow::Cow::into_owned).unwrap_or_default();
    if let Some(stream) = raw.get::<Stream<'_>>(b"Contents".as_slice()) {
        return one(stream);
    }
    let parts = raw.get::<Array<'_>>(b"Contents".as_slice());
    parts.iter().flat_map(Array::iter::<Stream<'_>>).map(one).collect::<Vec<_>>().join(&b' ')
}

struct Content<'f, 'a> {
    fonts: &'f mut Fonts<'a>,
    glyphs: Vec<Glyph>,
    state: State<'a>,
    aside: Vec<State<'a>>,
    /// Where the next glyph goes, and where the line began.
    text: Matrix,
    line: Matrix,
    /// Per open mark: where the glyphs began that a text of the file stands for, and that text.
    spoken: Vec<Option<(usize, String)>>,
}

impl<'a> Content<'_, 'a> {
    fn run(&mut self, instructions: &[u8], resources: &Resources<'a>, nested: usize) -> Result<(), Unreadable> {
        let (aside, marks) = (self.aside.len(), self.spoken.len());
        let mut instructions = TypedIter::new(instructions);
        while let Some(instruction) = instructions.next() {
            self.follow(&instruction, resources, nested)?;
        }
        // What a drawing left open ends with it.
        while self.spoken.len() > marks {
            self.end_mark();
        }
        if self.aside.len() > aside {
            self.state = self.aside.swap_remove(aside);
            self.aside.truncate(aside);
        }
        Ok(())
    }

    fn follow(
        &mut self,
        instruction: &TypedInstruction<'_, '_>,
        resources: &Resources<'a>,
        nested: usize,
    ) -> Result<(), Unreadable> {
        use TypedInstruction as I;
        match instruction {
            I::SaveState(_) if self.aside.len() < STATES => self.aside.push(self.state.clone()),
            I::RestoreState(_) => self.state = self.aside.pop().unwrap_or_else(|| self.state.clone()),
            I::Transform(t) => self.state.matrix = then(&numbers([t.0, t.1, t.2, t.3, t.4, t.5]), &self.state.matrix),
            I::BeginText(_) => (self.text, self.line) = (IDENTITY, IDENTITY),
            I::SetTextMatrix(t) => {
                self.line = numbers([t.0, t.1, t.2, t.3, t.4, t.5]);
                self.text = self.line;
            }
            I::TextFont(t) => {
                self.state.font = self.fonts.load(resources, t.0);
                self.state.size = t.1.as_f64();
            }
            I::CharacterSpacing(t) => self.state.letter_space = t.0.as_f64(),
            I::WordSpacing(t) => self.state.word_space = t.0.as_f64(),
            I::HorizontalScaling(t) => self.state.stretch = t.0.as_f64() / 100.0,
            I::TextLeading(t) => self.state.leading = t.0.as_f64(),
            I::TextRise(t) => self.state.rise = t.0.as_f64(),
            I::NextLine(t) => self.next_line(t.0.as_f64(), t.1.as_f64()),
            I::NextLineAndSetLeading(t) => {
                self.state.leading = -t.1.as_f64();
                self.next_line(t.0.as_f64(), t.1.as_f64());
            }
            I::NextLineUsingLeading(_) => self.next_line(0.0, -self.state.leading),
            I::ShowText(t) => self.show(t.0.as_bytes())?,
            I::NextLineAndShowText(t) => {
                self.next_line(0.0, -self.state.leading);
                self.show(t.0.as_bytes())?;
            }
            I::ShowTextWithParameters(t) => {
                (self.state.word_space, self.state.letter_space) = (t.0.as_f64(), t.1.as_f64());
                self.next_line(0.0, -self.state.leading);
                self.show(t.2.as_bytes())?;
            }
            I::ShowTexts(t) => {
                for part in t.0.iter::<Object<'_>>() {
                    match part {
                        Object::String(text) => self.show(text.as_bytes())?,
                        Object::Number(back) => self.advance(-back.as_f64() / 1000.0 * self.state.size),
                        _ => {}
                    }
                }
            }
            I::XObject(t) => self.drawing(t.0, resources, nested)?,
            I::BeginMarkedContent(_) => self.mark(None),
            I::BeginMarkedContentWithProperties(t) => {
                let said = match &t.1 {
                    Object::Dict(properties) => actual_text(properties),
                    Object::Name(name) => resources.properties.get::<Dict<'_>>(name).as_ref().and_then(actual_text),
                    _ => None,
                };
                self.mark(said);
            }
            I::EndMarkedContent(_) => self.end_mark(),
            _ => {}
        }
        Ok(())
    }

    fn mark(&mut self, said: Option<String>) {
        if self.spoken.len() < STATES {
            self.spoken.push(said.map(|said| (self.glyphs.len(), said)));
        }
    }

    /// Lets a text that the file gives for some glyphs (a ligature, a hyphen, a drawn letter) take their place.
    fn end_mark(&mut self) {
        let Some(Some((first, said))) = self.spoken.pop() else { return };
        let [head, rest @ ..] = self.glyphs.get_mut(first..).unwrap_or_default() else { return };
        // Not for whole paragraphs, which would lose their lines, nor for glyphs of several lines.
        if rest.iter().any(|glyph| (glyph.line - head.line).abs() > head.size) || rest.len() > 32 {
            return;
        }
        head.end = rest.iter().fold(head.end, |end, glyph| end.max(glyph.end));
        head.text = said.into();
        self.glyphs.truncate(first + 1);
    }

    fn drawing(&mut self, name: &Name<'_>, resources: &Resources<'a>, nested: usize) -> Result<(), Unreadable> {
        let Some(stream) = resources.x_objects.get::<Stream<'a>>(name).filter(|_| nested < NESTED) else {
            return Ok(());
        };
        let dict = stream.dict();
        if dict.get::<Name<'_>>(b"Subtype".as_slice()).is_none_or(|kind| kind.as_ref() != b"Form") {
            return Ok(());
        }
        let Ok(instructions) = stream.decoded() else { return Ok(()) };
        let kept = (self.state.clone(), self.text, self.line);
        let matrix = dict.get::<[f64; 6]>(b"Matrix".as_slice()).unwrap_or(IDENTITY);
        self.state.matrix = then(&matrix, &self.state.matrix);
        let own = dict.get::<Dict<'a>>(b"Resources".as_slice()).map(Resources::new);
        self.run(&instructions, own.as_ref().unwrap_or(resources), nested + 1)?;
        (self.state, self.text, self.line) = kept;
        Ok(())
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = then(&[1.0, 0.0, 0.0, 1.0, x, y], &self.line);
        self.text = self.line;
    }

    fn advance(&mut self, by: f64) {
        let upright = self.state.font.as_ref().is_some_and(|font| !font.horizontal());
        let step =
            if upright { [1.0, 0.0, 0.0, 1.0, 0.0, by] } else { [1.0, 0.0, 0.0, 1.0, by * self.state.stretch, 0.0] };
        self.text = then(&step, &self.text);
    }

    fn show(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let Some(font) = self.state.font.clone() else { return Ok(()) };
        if self.glyphs.len() > GLYPHS {
            return Err(Unreadable::too_large(format!("A page has more than {GLYPHS} letters.")));
        }
        let mut offset = 0;
        while offset < bytes.len() {
            let (code, length) = font.next(bytes, offset);
            offset += length.max(1);
            let meaning = font.meaning(code);
            let place = then(&self.text, &self.state.matrix);
            self.advance(meaning.advance / 1000.0 * self.state.size);
            let after = then(&self.text, &self.state.matrix);
            let word = if code == 32 && length == 1 { self.state.word_space } else { 0.0 };
            self.advance(self.state.letter_space + word);
            self.put(&place, &after, font.face(), meaning.text);
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "points on a page")]
    fn put(&mut self, place: &Matrix, after: &Matrix, face: u16, text: Rc<str>) {
        let size = self.state.size * place[2].hypot(place[3]);
        let (right, down) = (place[0] * self.state.size.signum(), place[1] * self.state.size.signum());
        let turn = match (right.abs() >= down.abs(), right >= 0.0, down >= 0.0) {
            (true, true, _) => 0,
            (false, _, true) => 1,
            (true, false, _) => 2,
            (false, _, false) => 3,
        };
        let rise = self.state.rise;
        let point = |m: &Matrix| (m[4] + rise * m[2], m[5] + rise * m[3]);
        // Turned so that every line runs to the right and the next stands below it.
        let straight = |(x, y): (f64, f64)| match turn {
            0 => (x, y),
            1 => (y, -x),
            2 => (-x, -y),
            _ => (-y, x),
        };
        let ((start, line), (end, _)) = (straight(point(place)), straight(point(after)));
        let size = size.abs();
        if [start, line, end, size].iter().all(|value| value.is_finite() && value.abs() < 1e6) {
            self.glyphs.push(Glyph {
                start: start.min(end) as f32,
                end: end.max(start) as f32,
                line: line as f32,
                size: size as f32,
                turn,
                face,
                text,
            });
        }
    }
}

fn numbers(numbers: [Number; 6]) -> Matrix {
    numbers.map(|number| number.as_f64())
}

/// The text that a mark gives for its glyphs, if it is short.
fn actual_text(properties: &Dict<'_>) -> Option<String> {
    let text = properties.get::<hayro_syntax::object::String<'_>>(b"ActualText".as_slice())?;
    let text = super::text_string(text.as_bytes());
    (text.chars().count() <= 64).then_some(text)
}
