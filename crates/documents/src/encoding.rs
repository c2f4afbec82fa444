//! Bytes to text: a byte order mark, then UTF-8 if the bytes are that, then what is declared, then what is likely.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::legible::Legibility;
use crate::{Code, Unreadable};

/// How far a declaration inside the file may stand from its beginning (the HTML standard says 1024; some write a comment first).
const PRESCAN: usize = 4096;
/// How much is looked at to guess an encoding.
const SAMPLE: usize = 1 << 20;

/// The text of the bytes. `declared` is a media type with a charset, or a charset alone.
///
/// # Errors
/// [`Code::UnreadableText`] when what comes out is mostly no text.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> Result<String, Unreadable> {
    let (encoding, bytes) = detect(bytes, declared);
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    if Legibility::of(&text).gibberish() {
        return Err(Unreadable::new(
            Code::UnreadableText,
            format!("The text cannot be read as {}. Save the file as UTF-8, and send that.", encoding.name()),
        ));
    }
    Ok(text.into_owned())
}

/// Whether the bytes are text of some encoding rather than a program, a picture, or the like.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(8192)];
    if sample.starts_with(&[0xFF, 0xFE]) || sample.starts_with(&[0xFE, 0xFF]) || utf16(sample).is_some() {
        return true;
    }
    let odd = sample.iter().filter(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127)).count();
    !sample.contains(&0) && odd * 50 <= sample.len()
}

fn detect<'b>(bytes: &'b [u8], declared: Option<&str>) -> (&'static Encoding, &'b [u8]) {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return (encoding, &bytes[length..]);
    }
    if let Some(encoding) = utf16(&bytes[..bytes.len().min(8192)]) {
        return (encoding, bytes);
    }
    // Text in another encoding is practically never valid UTF-8 by chance, whatever it declares.
    if std::str::from_utf8(bytes).is_ok() {
        return (UTF_8, bytes);
    }
    let declared = declared.and_then(charset).or_else(|| charset_inside(bytes));
    // A declaration of UTF-16 in bytes that can be searched for it is a mistake.
    if let Some(encoding) =
        declared.filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE && *encoding != UTF_8)
    {
        return (encoding, bytes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(SAMPLE)], true);
    let guess = detector.guess(None, Utf8Detection::Allow);
    (guess, bytes)
}

/// UTF-16 without a mark: in text that is mostly ASCII, every second byte is zero.
fn utf16(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.len() / 2;
    if pairs < 4 {
        return None;
    }
    let (even, odd) = sample
        .chunks_exact(2)
        .fold((0, 0), |(even, odd), pair| (even + usize::from(pair[0] == 0), odd + usize::from(pair[1] == 0)));
    match (even * 10 > pairs * 6, odd * 10 > pairs * 6) {
        (false, true) if even * 20 < pairs => Some(UTF_16LE),
        (true, false) if odd * 20 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding that a media type or a bare label names.
fn charset(declared: &str) -> Option<&'static Encoding> {
    let lower = declared.to_ascii_lowercase();
    let label = lower.split_once("charset=").map_or(lower.as_str(), |(_, rest)| rest);
    Encoding::for_label(label.trim_start_matches(['"', '\'']).split(['"', '\'', ';', ' ', '>', '/']).next()?.as_bytes())
}

/// The encoding that HTML or XML declares of itself.
fn charset_inside(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN)]).to_ascii_lowercase();
    let xml = head.starts_with("<?xml").then(|| head.split_once("encoding=")).flatten();
    let (_, rest) = xml.or_else(|| head.contains("<meta").then(|| head.split_once("charset=")).flatten())?;
    charset(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_declarations_and_guesses_are_followed() {
        let utf16: Vec<u8> = "név;ár".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&[&[0xFF, 0xFE], &utf16[..]].concat(), None).unwrap(), "név;ár");
        let bare: Vec<u8> = "name,price\nA,1\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&bare, None).unwrap(), "name,price\nA,1\n");
        let (korean, _, _) = encoding_rs::EUC_KR.encode("<meta charset=euc-kr>안녕하세요 여러분");
        assert!(decode(&korean, None).unwrap().contains("안녕하세요 여러분"));
        let (russian, _, _) =
            encoding_rs::WINDOWS_1251.encode("Съешь ещё этих мягких французских булок, да выпей же чаю");
        assert!(decode(&russian, None).unwrap().contains("французских"));
        assert_eq!(decode(b"caf\xe9", Some("text/plain; charset=\"ISO-8859-1\"")).unwrap(), "café");
    }

    #[test]
    fn utf8_is_utf8_whatever_it_declares() {
        assert_eq!(
            decode("<meta charset=iso-8859-1>größer".as_bytes(), None).unwrap(),
            "<meta charset=iso-8859-1>größer"
        );
    }

    #[test]
    fn noise_is_no_text() {
        assert!(!is_text(&[0, 1, 2, 3, 200, 7, 0, 9]));
        assert!(is_text(b"plain"));
        assert_eq!(decode(&[0x01, 0x02, 0x41, 0x03], None).unwrap_err().code, Code::UnreadableText);
    }
}
