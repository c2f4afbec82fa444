//! Passwords: one type for what somebody shows to get in, a stricter one for what somebody wants to be let in by.
//!
//! The rules are those of OWASP ASVS 5.0 chapter 6.2 and NIST SP 800-63B section 3.1.1: length counts, composition does
//! not, and what an attacker tries first is refused.

use std::sync::LazyLock;

use crate::email::Email;
use crate::secret::secret_text;

/// Fewest characters of a new password. ASVS 6.2.1 asks for 8 and recommends 15.
pub const MIN: usize = 12;
/// Most bytes of any password: a bound on the work of hashing, far above what anybody types. ASVS 6.2.9 asks for at
/// least 64.
pub const MAX: usize = 1024;

/// Why text cannot be a password. No text repeats any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Nothing was typed.
    #[error("must not be empty")]
    Empty,
    /// It has fewer than [`MIN`] characters.
    #[error("must be at least {MIN} characters long")]
    TooShort,
    /// It has more than [`MAX`] bytes.
    #[error("must be at most {MAX} bytes long")]
    TooLong,
    /// It is among the most used passwords, alone, repeated or with digits behind it.
    #[error("must not be a common password, nor one repeated or followed by digits")]
    Common,
    /// It is a short text repeated, or follows the alphabet, the digits or the keyboard.
    #[error("must not be a repetition or a simple sequence")]
    Simple,
    /// It is the person's own address.
    #[error("must not be your mail address or a part of it")]
    Personal,
}

/// A password that somebody shows to get in: 1 to [`MAX`] bytes, taken as they are. Never trimmed, cut or normalised
/// (ASVS 6.2.8), and not held to today's rules, as it may have been set under others.
///
/// `Debug` prints `***`; there is no `Display` and no `Serialize`.
pub struct Password(String);

impl Password {
    /// Takes the text as it is.
    /// # Errors
    /// [`InvalidPassword::Empty`], [`InvalidPassword::TooLong`].
    pub fn new(text: String) -> Result<Self, InvalidPassword> {
        match text.len() {
            0 => Err(InvalidPassword::Empty),
            1..=MAX => Ok(Self(text)),
            _ => Err(InvalidPassword::TooLong),
        }
    }

    /// The text. Only for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A password that somebody wants to set: [`MIN`] characters to [`MAX`] bytes, taken as they are, of any characters,
/// and none that is easily guessed:
///
/// - the 3,000 most used passwords, and some 4,000 longer ones (`data/README.md` says where they come from), capitals
///   ignored;
/// - one of these repeated, or followed by digits: `passwordpassword`, `password1234`;
/// - a text of less than [`MIN`] characters repeated, with or without digits behind: `abcabcabcabc`; repeating adds
///   nothing, so what is repeated must do by itself;
/// - a run along the digits, the alphabet or the keyboard in either direction: `210987654321`, `aabbccddeeff`,
///   `qwertyuiopas`.
///
/// `Debug` prints `***`; there is no `Display` and no `Serialize`.
pub struct NewPassword(String);

impl NewPassword {
    /// Checks the text and takes it as it is.
    /// # Errors
    /// [`InvalidPassword`] names the rule that is broken; never [`InvalidPassword::Personal`], for which there is
    /// [`check_against`](Self::check_against).
    pub fn new(text: String) -> Result<Self, InvalidPassword> {
        // The bytes first: they bound all the work that follows.
        if text.len() > MAX {
            return Err(InvalidPassword::TooLong);
        }
        if text.chars().count() < MIN {
            return Err(InvalidPassword::TooShort);
        }
        check_guessable(&text.to_lowercase())?;
        Ok(Self(text))
    }

    /// Checks that the password is not the person's mail address or the part before its `@`, capitals ignored.
    /// # Errors
    /// [`InvalidPassword::Personal`].
    pub fn check_against(&self, email: &Email) -> Result<(), InvalidPassword> {
        let equals = |text: &str| self.0.trim().eq_ignore_ascii_case(text);
        if equals(email.as_str()) || equals(email.local_part()) { Err(InvalidPassword::Personal) } else { Ok(()) }
    }

    /// The text. Only for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The listed passwords in small letters, sorted.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut list: Vec<_> = include_str!("../data/common-passwords.txt").lines().collect();
    list.sort_unstable();
    list
});

fn is_common(text: &str) -> bool {
    COMMON.binary_search(&text).is_ok()
}

/// Checks a text in small letters, of at least one character.
fn check_guessable(text: &str) -> Result<(), InvalidPassword> {
    let borders = borders(text.as_bytes());
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    // A mere number has no word in front: judged as a whole only, or each that starts like a year would be refused.
    let cuts = if digits == text.len() { 0 } else { digits };
    for cut in 0..=cuts {
        let base = &text[..text.len() - cut];
        let unit = repeated_unit(base, &borders);
        if is_common(base) || is_common(unit) {
            return Err(InvalidPassword::Common);
        }
        // In front of digits, a repetition or sequence such as `aa` may stand by chance: it must be most of the text.
        if (cut == 0 || cut == cuts) && base.len() >= cut {
            let repeated = unit.len() < base.len() && unit.chars().count() < MIN;
            if repeated || is_sequence(base) {
                return Err(InvalidPassword::Simple);
            }
        }
    }
    Ok(())
}

/// For each beginning of the text, the length of its longest proper beginning that is its end too. The failure function
/// of Knuth, Morris and Pratt (1977): linear in time, as a password may be long.
fn borders(text: &[u8]) -> Vec<usize> {
    let mut borders = vec![0; text.len()];
    for end in 1..text.len() {
        let mut length: usize = borders[end - 1];
        while length > 0 && text[end] != text[length] {
            length = borders[length - 1];
        }
        borders[end] = length + usize::from(text[end] == text[length]);
    }
    borders
}

/// The shortest text that, repeated at least twice and perhaps cut short at the end, makes up the whole; else the
/// whole.
fn repeated_unit<'a>(text: &'a str, borders: &[usize]) -> &'a str {
    let unit = text.len() - borders[text.len() - 1];
    // The second repetition starts with the text's first byte, so this cuts between characters.
    if unit * 2 <= text.len() { &text[..unit] } else { text }
}

/// Whether each character follows the one before it in a row that everybody knows, in the one direction or the other,
/// round its end if need be. A character that stands several times in a row counts once.
fn is_sequence(text: &str) -> bool {
    const ROWS: [&str; 3] = ["0123456789", "abcdefghijklmnopqrstuvwxyz", "1234567890qwertyuiopasdfghjklzxcvbnm"];
    let mut steps = text.as_bytes().to_vec();
    steps.dedup();
    ROWS.iter().any(|row| {
        let place = |b: u8| row.bytes().position(|other| other == b);
        let follows = |from: u8, to: u8| place(from).is_some_and(|from| place(to) == Some((from + 1) % row.len()));
        steps.windows(2).all(|pair| follows(pair[0], pair[1])) || steps.windows(2).all(|pair| follows(pair[1], pair[0]))
    })
}

secret_text!(Password, 1, MAX, "The password as it was set.");
secret_text!(
    NewPassword,
    MIN,
    MAX,
    "The password to set: any characters, but none that is easily guessed; at most 1024 bytes."
);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<InvalidPassword> {
        NewPassword::new(text.to_owned()).err()
    }

    #[test]
    fn good_passwords_are_taken_as_they_are() {
        for good in [
            "correct horse battery",
            "  spaces around it  ",
            "purple-otter-1987",
            "Tr0ub4dor&3-xkcd",
            "пароль для дома",
            "🏠🏡🏘️🏚️🏢🏣🏤🏥🏦🏨🏩🏪",
            "198704128352",
            "aa4839201847",
            "aXbXcXdXeXfX",
            "with\0zero\nand lines",
        ] {
            assert_eq!(NewPassword::new(good.to_owned()).expect(good).expose(), good);
        }
    }

    #[test]
    fn lengths_are_characters_below_and_bytes_above() {
        let varied = |length: usize| "zonked-marmot!".chars().cycle().take(length - 1).chain(['?']).collect::<String>();
        assert_eq!(refusal(""), Some(InvalidPassword::TooShort));
        assert_eq!(refusal(&varied(11)), Some(InvalidPassword::TooShort));
        assert_eq!(refusal(&varied(12)), None);
        assert_eq!(refusal(&varied(1024)), None);
        assert_eq!(refusal(&varied(1025)), Some(InvalidPassword::TooLong));
        assert_eq!(refusal("üöäüßéèêçñø"), Some(InvalidPassword::TooShort), "22 bytes, but 11 characters");
        assert_eq!(refusal(&"é".repeat(513)), Some(InvalidPassword::TooLong), "513 characters, but 1026 bytes");
    }

    #[test]
    fn common_passwords_are_refused() {
        for common in [
            "1qaz2wsx3edc",
            "QWERTY123456",
            "motherfucker",
            "Administrator",
            "counterstrike",
            "password1234",
            "Password20261122",
            "dragon000000",
            "passwordpassword",
            "MonkeyMonkey42",
            "letmeinletmein",
        ] {
            assert_eq!(refusal(common), Some(InvalidPassword::Common), "{common}");
        }
    }

    #[test]
    fn repetitions_and_sequences_are_refused() {
        for simple in [
            "............",
            "zkzkzkzkzkzk",
            "k7!k7!k7!k7!k",
            "k7!mQpk7!mQp",
            "k7!k7!k7!k7!99",
            "123456789012345",
            "098765432109",
            "bcdefghijklm",
            "ZYXWVUTSRQPO",
            "wertyuiopasd",
            "mnbvcxzlkjhg",
            "77889900112233",
            "bbccddeeffgg",
        ] {
            assert_eq!(refusal(simple), Some(InvalidPassword::Simple), "{simple}");
        }
        for either in ["aaaaaaaaaaaa", "abcabcabcabc", "123456789012", "111111111111"] {
            assert!(refusal(either).is_some(), "{either}");
        }
    }

    #[test]
    fn a_repeated_text_that_does_by_itself_is_taken() {
        assert_eq!(refusal("zonked-marmotzonked-marmot"), None);
    }

    #[test]
    fn ones_own_address_is_refused() {
        let email = Email::new("Annabel.Lee.1849@example.com").expect("a good address");
        let check = |text: &str| NewPassword::new(text.to_owned()).expect("a good password").check_against(&email);
        assert_eq!(check("annabel.lee.1849@EXAMPLE.com"), Err(InvalidPassword::Personal));
        assert_eq!(check("annabel.lee.1849"), Err(InvalidPassword::Personal));
        assert_eq!(check("annabel-lee-1849"), Ok(()));
    }

    #[test]
    fn shown_passwords_need_not_follow_the_rules_of_new_ones() {
        for text in ["x", " 123456 ", "password"] {
            assert_eq!(Password::new(text.to_owned()).expect(text).expose(), text);
        }
        assert_eq!(Password::new(String::new()).err(), Some(InvalidPassword::Empty));
        assert!(Password::new("x".repeat(1024)).is_ok());
        assert_eq!(Password::new("x".repeat(1025)).err(), Some(InvalidPassword::TooLong));
    }

    #[test]
    fn nothing_prints_a_password() {
        let [shown, new] = ["hunter2-hunter3", "hunter2-hunter3"].map(String::from);
        let shown = Password::new(shown).expect("a good password");
        let new = NewPassword::new(new).expect("a good password");
        assert_eq!(format!("{shown:?} {new:?}"), "*** ***");
        for json in ["482915736401", "-482915736401", "482.915736401", "true", "[\"482915736401\"]", "\"482915\""] {
            let error = serde_json::from_str::<NewPassword>(json).expect_err("no password").to_string();
            assert!(!error.contains("482") && !error.contains("true"), "{error}");
        }
        let new: NewPassword = serde_json::from_str("\"zonked \\u0000 marmot\"").expect("a good password");
        assert_eq!(new.expose(), "zonked \0 marmot");
    }

    #[test]
    fn the_list_is_large_clean_and_matches_the_rules() {
        assert!(COMMON.is_sorted_by(|a, b| a < b), "sorted and without doubles");
        assert!(COMMON.iter().all(|entry| !entry.is_empty() && entry.bytes().all(|b| b.is_ascii_graphic())));
        assert!(COMMON.iter().all(|entry| *entry == entry.to_lowercase()));
        let shortish = COMMON.iter().filter(|entry| entry.len() < MIN).count();
        let long = COMMON.len() - shortish;
        // ASVS 6.2.4: at least the top 3,000 that the length rule would let through.
        assert!(COMMON.len() >= 6000 && long >= 3000, "{shortish} + {long}");
    }

    #[test]
    fn the_longest_password_is_judged_quickly() {
        // A text that makes a naive search for repetitions quadratic; here it takes microseconds.
        let text = format!("{}!", "a".repeat(MAX - 1));
        assert_eq!(refusal(&text), None);
        assert!(refusal(&format!("x{}", "1".repeat(MAX - 1))).is_none());
    }
}
