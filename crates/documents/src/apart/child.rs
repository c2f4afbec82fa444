//! The child: confines itself, then reads one document after the other until its parent closes the pipe.

use std::io::{self, Read, Write};

use super::confine::confine;
use super::frames::{self, Confinement, Head};
use crate::{Code, Unreadable};

/// What the hidden command of the program runs, before it has started a thread or opened anything. Returns when there is nothing
/// more to read.
///
/// # Errors
/// When the pipes break, or the parent speaks another language.
pub fn child_main(requests: &mut impl Read, answers: &mut impl Write) -> io::Result<()> {
    // A panic is an answer; what it would print is nobody's business.
    std::panic::set_hook(Box::new(|_| {}));
    let Some(confinement) = frames::next::<Confinement>(requests)? else { return Ok(()) };
    let confined = confine(&confinement);
    frames::answer(answers, &confined)?;
    if confined.is_err() {
        return Ok(());
    }
    while let Some(head) = frames::next::<Head>(requests)? {
        let mut bytes = vec![];
        // Grows as it comes: the first large allocation is for bytes that are there.
        requests.by_ref().take(head.bytes).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != head.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let document = crate::read(&bytes, &head.name, head.declared.as_deref(), &head.limits);
        drop(bytes);
        if let Ok(document) = &document
            && document.blocks.len() > head.limits.text / 8
        {
            // More blocks than text: the answer would be many times the text.
            let refused = Unreadable::new(
                Code::TooLarge,
                "The file has too many parts. Split it into smaller files, and send those.",
            );
            frames::answer(answers, &Err::<(), _>(refused))?;
            continue;
        }
        frames::answer(answers, &document)?;
    }
    Ok(())
}
