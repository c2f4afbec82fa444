//! The fonts of a document: what each code means, how wide it is, and what the typeface's name says of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hayro_cmap::BfString;
use hayro_font::{CMapResolverFn, Font, FontCache, FontGlyph, FontQuery, FontResolverFn};
use hayro_syntax::object::{Dict, Name};
use hayro_syntax::page::Resources;

/// What a typeface's name says.
#[derive(Clone, Copy, Default)]
pub(super) struct Face {
    pub(super) bold: bool,
    pub(super) mono: bool,
}

/// A code's meaning.
#[derive(Clone)]
pub(super) struct Meaning {
    pub(super) text: Rc<str>,
    /// In thousandths of the size.
    pub(super) advance: f64,
}

pub(super) struct LoadedFont<'a> {
    font: Font<'a>,
    face: u16,
    codes: RefCell<HashMap<u32, Meaning>>,
}

impl LoadedFont<'_> {
    pub(super) fn face(&self) -> u16 {
        self.face
    }

    pub(super) fn horizontal(&self) -> bool {
        self.font.is_horizontal()
    }

    /// The code at an offset, and how many bytes it takes.
    pub(super) fn next(&self, bytes: &[u8], offset: usize) -> (u32, usize) {
        self.font.read_code(bytes, offset)
    }

    pub(super) fn meaning(&self, code: u32) -> Meaning {
        self.codes.borrow_mut().entry(code).or_insert_with(|| self.look_up(code)).clone()
    }

    fn look_up(&self, code: u32) -> Meaning {
        let advance = self.font.code_advance(code);
        let advance = if self.horizontal() { advance.x } else { advance.y };
        let unicode = match self.font.glyph(self.font.map_code(code), code) {
            FontGlyph::Outline(glyph) => glyph.as_unicode(),
            FontGlyph::Type3(glyph) => glyph.as_unicode(),
        };
        let mut text = String::new();
        match unicode {
            Some(BfString::Char(c)) => spell(&mut text, c),
            Some(BfString::String(string)) => string.chars().for_each(|c| spell(&mut text, c)),
            // A code that draws nothing says nothing; one that draws something that is not told is unreadable.
            None if advance == 0.0 => {}
            None => text.push('\u{FFFD}'),
        }
        Meaning { text: text.into(), advance }
    }
}

/// Adds a character, ligatures as the letters they join, bullets of symbol fonts as bullets.
fn spell(text: &mut String, c: char) {
    match c {
        '\u{FB00}' => text.push_str("ff"),
        '\u{FB01}' => text.push_str("fi"),
        '\u{FB02}' => text.push_str("fl"),
        '\u{FB03}' => text.push_str("ffi"),
        '\u{FB04}' => text.push_str("ffl"),
        '\u{FB05}' | '\u{FB06}' => text.push_str("st"),
        '\u{F0B7}' | '\u{F0A7}' | '\u{F0D8}' | '\u{F076}' | '\u{F0FC}' | '\u{25CF}' | '\u{25AA}' | '\u{25A0}' => {
            text.push('•');
        }
        '\u{0}' => {}
        // Spaces that only differ in their width.
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => text.push(' '),
        c => text.push(c),
    }
}

pub(super) struct Fonts<'a> {
    cache: FontCache<'a>,
    loaded: HashMap<usize, Option<Rc<LoadedFont<'a>>>>,
    pub(super) faces: Vec<Face>,
    programs: FontResolverFn,
    maps: CMapResolverFn,
}

impl<'a> Fonts<'a> {
    pub(super) fn new() -> Self {
        let programs: FontResolverFn = Arc::new(|query| {
            Some(match query {
                FontQuery::Standard(font) => font.get_font_data(),
                FontQuery::Fallback(font) => font.pick_standard_font().get_font_data(),
            })
        });
        let maps: CMapResolverFn = Arc::new(hayro_cmap::load_embedded);
        Self { cache: FontCache::new(), loaded: HashMap::new(), faces: vec![], programs, maps }
    }

    /// The font of a name; nothing when it is not there or is none.
    pub(super) fn load(&mut self, resources: &Resources<'a>, name: &Name<'_>) -> Option<Rc<LoadedFont<'a>>> {
        let dict = resources.fonts.get::<Dict<'a>>(name)?;
        // Where the font is written in the file is what tells it from others.
        let key = dict.data().as_ptr().addr();
        if let Some(loaded) = self.loaded.get(&key) {
            return loaded.clone();
        }
        let loaded = self.cache.font(&dict, &self.programs, &self.maps).and_then(|font| {
            let face = u16::try_from(self.faces.len()).ok()?;
            self.faces.push(face_of(&dict));
            Some(Rc::new(LoadedFont { font, face, codes: RefCell::default() }))
        });
        self.loaded.insert(key, loaded.clone());
        loaded
    }
}

fn face_of(dict: &Dict<'_>) -> Face {
    let name = dict.get::<Name<'_>>(b"BaseFont".as_slice());
    let name = name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Face {
        bold: says(&["bold", "black", "heavy", "demi", "cmbx", "-bd", "medi"]),
        mono: says(&[
            "mono",
            "courier",
            "consol",
            "typewriter",
            "cmtt",
            "menlo",
            "inconsolata",
            "fixed",
            "sourcecode",
            "firacode",
        ]),
    }
}
