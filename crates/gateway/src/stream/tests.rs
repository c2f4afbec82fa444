use proptest::prelude::*;

use super::*;

const CHAT: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n\
    : note\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"},\"finish_reason\":null}]}\r\n\r\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"odd\"},\"finish_reason\":\"\"}]}\n\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n\
    data: [DONE]\n\n";

fn stream_of(reader: Reader) -> ModelStream {
    ModelStream {
        source: Source::Over,
        reader,
        partial: BytesMut::new(),
        ready: VecDeque::new(),
        facts: Facts::default(),
        ended: false,
        unsaid: Unsaid::default(),
    }
}

/// What a client gets of a stream that comes in these parts, with what is known at its end.
fn read(reader: Reader, parts: &[&[u8]]) -> (Vec<u8>, Option<Usage>, u64, Option<Outcome>) {
    let mut stream = stream_of(reader);
    for part in parts {
        if !stream.ended {
            stream.take(Bytes::copy_from_slice(part));
        }
    }
    if !stream.ended {
        stream.stop(None);
    }
    assert!(
        stream.ready.iter().rev().skip(1).all(|frame| !frame.last)
            && stream.ready.back().is_some_and(|frame| frame.last)
    );
    let bytes = stream.ready.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
    (bytes, stream.facts.usage, stream.facts.received, stream.facts.outcome)
}

fn readers() -> [Reader; 3] {
    [
        Reader::OpenAi(openai::Reader::new(false)),
        Reader::OpenAi(openai::Reader::new(true)),
        Reader::Across(Box::new(across::Across::from_openai())),
    ]
}

fn cut(bytes: &[u8], mut at: Vec<usize>) -> Vec<&[u8]> {
    for at in &mut at {
        *at %= bytes.len() + 1;
    }
    at.push(0);
    at.push(bytes.len());
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn a_stream_means_the_same_however_it_is_cut(at in prop::collection::vec(any::<usize>(), 0..12)) {
        for (one, other) in readers().into_iter().zip(readers()) {
            let whole = read(one, &[CHAT.as_bytes()]);
            prop_assert_eq!(&read(other, &cut(CHAT.as_bytes(), at.clone())), &whole);
            prop_assert_eq!((whole.1.map(|usage| usage.output), &whole.3), (Some(2), &Some(Outcome::Complete)));
        }
    }

    #[test]
    fn no_bytes_whatever_do_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..CHAT.len()) {
        // In the middle of a good stream, and with line breaks enough to make events.
        for byte in bytes.iter_mut().filter(|byte| **byte < 40) {
            *byte = b'\n';
        }
        let mut all = CHAT.as_bytes().to_vec();
        all.splice(at..at, bytes);
        for reader in readers() {
            prop_assert!(read(reader, &[&all]).3.is_some());
        }
        prop_assert!(read(Reader::Anthropic(anthropic::Reader::default()), &[&all]).3.is_some());
    }
}

/// A stream with an event of about so many bytes in the middle.
fn with_long_event(length: usize) -> String {
    let text = "h\u{e9} ".repeat(length / 4);
    let long = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\r\n\r\n");
    CHAT.replace(": note\r\n\r\n", &long)
}

#[test]
fn a_long_event_that_comes_byte_by_byte_means_the_same_and_is_not_copied_with_each_byte() {
    let chat = with_long_event(256 << 10);
    let bytes: Vec<&[u8]> = chat.as_bytes().chunks(1).collect();
    for (one, other) in readers().into_iter().zip(readers()) {
        let whole = read(one, &[chat.as_bytes()]);
        assert!(whole.2 > 250 << 10 && whole.3 == Some(Outcome::Complete));
        assert!(read(other, &bytes) == whole);
    }
    // It grows where it is, and moves only when its room has doubled; `sse.rs` shows that it is not searched anew either.
    let mut stream = stream_of(Reader::OpenAi(openai::Reader::new(true)));
    let (mut place, mut moves) = (std::ptr::null(), 0);
    for byte in &bytes {
        stream.take(Bytes::copy_from_slice(byte));
        if stream.partial.as_ptr() != place {
            (place, moves) = (stream.partial.as_ptr(), moves + 1);
        }
        if stream.ended {
            break;
        }
    }
    // Some for each of the seven events.
    assert!(stream.ended && moves < 500, "{moves}");
}

#[test]
fn an_event_that_comes_in_parts_is_bounded_too() {
    let mut stream = stream_of(Reader::OpenAi(openai::Reader::new(true)));
    let part = Bytes::from("x".repeat(1 << 10));
    let mut taken = 0;
    while !stream.ended {
        stream.take(part.clone());
        taken += part.len();
    }
    assert_eq!(taken, MAX_EVENT + part.len());
    assert!(matches!(&stream.facts.outcome, Some(Outcome::Broken(why)) if why.contains("larger")));
    assert!(stream.partial.is_empty());
}

#[test]
fn what_is_right_goes_on_as_the_bytes_that_came() {
    let good = CHAT.replace("data: {\"choices\":[{\"delta\":{\"content\":\"odd\"},\"finish_reason\":\"\"}]}\n\n", "");
    let (bytes, ..) = read(Reader::OpenAi(openai::Reader::new(true)), &[good.as_bytes()]);
    assert_eq!(String::from_utf8_lossy(&bytes), good);
}
