use proptest::prelude::*;

use super::*;

const CHAT: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n\
    : note\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"},\"finish_reason\":null}]}\r\n\r\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"odd\"},\"finish_reason\":\"\"}]}\n\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n\
    data: [DONE]\n\n";

/// What a client gets of a stream that comes in these parts, with what is known at its end.
fn read(reader: Reader, parts: &[&[u8]]) -> (Vec<u8>, Option<Usage>, u64, Option<Outcome>) {
    let mut stream = ModelStream {
        source: Source::Over,
        reader,
        partial: BytesMut::new(),
        ready: VecDeque::new(),
        facts: Facts::default(),
        ended: false,
        unsaid: Unsaid::default(),
    };
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

#[test]
fn what_is_right_goes_on_as_the_bytes_that_came() {
    let good = CHAT.replace("data: {\"choices\":[{\"delta\":{\"content\":\"odd\"},\"finish_reason\":\"\"}]}\n\n", "");
    let (bytes, ..) = read(Reader::OpenAi(openai::Reader::new(true)), &[good.as_bytes()]);
    assert_eq!(String::from_utf8_lossy(&bytes), good);
}
