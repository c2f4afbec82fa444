use super::rewrite::OutputLimit;
use super::*;

fn chat(body: &str) -> Result<ClientRequest, RequestError> {
    ClientRequest::read(Operation::Chat, Bytes::copy_from_slice(body.as_bytes()))
}

fn messages(body: &str) -> Result<ClientRequest, RequestError> {
    ClientRequest::read(Operation::Messages, Bytes::copy_from_slice(body.as_bytes()))
}

fn rewritten(body: &str, model: &str, limit: OutputLimit) -> String {
    let request = chat(body).expect("a good request");
    String::from_utf8(request.rewritten(model, 64, limit).to_vec()).expect("text")
}

fn refused(body: &str) -> (String, String) {
    let error = chat(body).expect_err("a bad request");
    (error.param.unwrap_or_default(), error.message.into_owned())
}

#[test]
fn what_may_be_cached_for_an_hour_is_seen_however_it_is_spelled() {
    let cached = |ttl: &str| {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"text","text":"A",
            "cache_control":{{"type":"ephemeral","ttl":"{ttl}"}}}}]}}]}}"#
        );
        messages(&body).expect("a good request").caches_for_an_hour()
    };
    assert!(!cached("5m"));
    for hour in ["1h", "\\u0031h", "1\\u0068", "\\u0031\\u0068"] {
        let spelled: String = serde_json::from_str(&format!("\"{hour}\"")).expect("text");
        assert_eq!((spelled.as_str(), cached(hour)), ("1h", true), "{hour}");
    }
}

#[test]
fn features_on_trial_are_turned_on_where_they_cost_nothing_more() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    let turned_on = |header: &str| messages(body).expect("a good request").with_betas(header).betas().to_owned();
    assert_eq!(turned_on("interleaved-thinking-2025-05-14"), "interleaved-thinking-2025-05-14");
    assert_eq!(
        turned_on("context-1m-2025-08-07, output-128k-2025-02-19 ,fast-mode-2026-02-01,,computer-use-2025-11-24"),
        "output-128k-2025-02-19,computer-use-2025-11-24",
    );
    for closed in [
        "",
        "files-api-2025-04-14",
        "mcp-client-2025-11-20",
        "code-execution-2025-08-25",
        "interleaved-thinking-",
        "interleaved-thinking-fast-mode1",
        "context-management-2025-06-27\u{e9}",
        "Interleaved-Thinking-2025-05-14",
    ] {
        assert_eq!(turned_on(closed), "", "{closed}");
    }
    let openai = chat(body).expect("a good request").with_betas("interleaved-thinking-2025-05-14");
    assert_eq!(openai.betas(), "", "there is no such thing in this dialect");
}

#[test]
fn what_matters_is_read() {
    let request = chat(
        r#" {"model":"m","messages":[{"role":"user","content":"2+3?"}],"stream":true,"n":3,"max_tokens":5,
            "max_completion_tokens":7,"stream_options":{"include_usage":true},"service_tier":"flex","x":{"y":[1]}}"#,
    )
    .expect("a good request");
    assert_eq!((request.model(), request.stream(), request.include_usage()), ("m", true, true));
    assert_eq!((request.max_output(), request.choices(), request.service_tier()), (Some(7), 3, Some("flex")));
}

#[test]
fn what_is_wrong_is_named() {
    let user = r#""messages":[{"role":"user","content":"x"}]"#;
    assert_eq!(refused(&format!("{{{user}}}")).0, "model");
    assert_eq!(refused(&format!(r#"{{"model":7,{user}}}"#)), ("model".into(), "must be text".into()));
    assert_eq!(refused(&format!(r#"{{"model":null,{user}}}"#)).0, "model");
    assert_eq!(refused(r#"{"model":"m"}"#), ("messages".into(), "is missing".into()));
    assert_eq!(refused(r#"{"model":"m","messages":[]}"#).0, "messages");
    assert_eq!(refused(r#"{"model":"m","messages":"x"}"#).0, "messages");
    assert_eq!(refused(r#"{"model":"m","messages":[{"role":"user"},7]}"#).0, "messages[1]");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"stream":"yes"}}"#)).0, "stream");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"n":0}}"#)).0, "n");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"n":1000}}"#)).0, "n");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"max_tokens":-1}}"#)).0, "max_tokens");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"max_tokens":1.5}}"#)).0, "max_tokens");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"max_tokens":{}}}"#, u64::MAX)).0, "max_tokens");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"stream":true,"stream_options":[]}}"#)).0, "stream_options");
    // We and the upstream might each believe another one.
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"max_tokens":1,"max_tokens":9999}}"#)).0, "max_tokens");
    assert_eq!(refused(&format!(r#"{{"model":"m",{user},"max_t\u006fkens":1,"max_tokens":9999}}"#)).0, "max_tokens");
    assert_eq!(refused("[]").1, "the body must be a JSON object");
    assert!(refused(r#"{"model":"m","#).1.starts_with("the body is not JSON"));
    assert!(refused(r#"{"model":"m"} x"#).1.starts_with("the body is not JSON"));
    let nested =
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":{}{}}}]}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(refused(&nested).0, "messages[0]");
}

#[test]
fn nothing_is_copied_when_nothing_must_change() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":5}"#);
    let request = ClientRequest::read(Operation::Chat, body.clone()).expect("a good request");
    assert_eq!(request.rewritten("m", 64, OutputLimit::MaxTokens).as_ptr(), body.as_ptr());
}

#[test]
fn only_what_must_change_changes() {
    let tail = r#""messages":[{"role":"user","content":"x"}],"unknown": { "a" : [ 1 , 2.50 ] } }"#;
    assert_eq!(
        rewritten(&format!(r#"{{ "model" : "fast",{tail}"#), "up\"1", OutputLimit::MaxTokens),
        format!(r#"{{"max_tokens":64, "model" : "up\"1",{tail}"#),
    );
    assert_eq!(
        rewritten(&format!(r#"{{"model":"m","stream":true,"max_tokens":null,{tail}"#), "m", OutputLimit::MaxTokens),
        format!(r#"{{"stream_options":{{"include_usage":true}},"model":"m","stream":true,"max_tokens":64,{tail}"#),
    );
    assert_eq!(
        rewritten(&format!(r#"{{"model":"m",{tail}"#), "m", OutputLimit::MaxCompletionTokens),
        format!(r#"{{"max_completion_tokens":64,"model":"m",{tail}"#),
    );
}

#[test]
fn a_bound_under_the_newer_name_gets_the_one_that_the_server_knows() {
    let tail = r#""messages":[{"role":"user","content":"max_completion_tokens"}] }"#;
    let older = |body: &str| rewritten(body, "m", OutputLimit::MaxTokens);
    // The key alone changes, wherever and however it is written.
    assert_eq!(
        older(&format!(r#"{{"model":"m", "max_completion_tokens" : 7 ,{tail}"#)),
        format!(r#"{{"model":"m", "max_tokens" : 7 ,{tail}"#),
    );
    assert_eq!(
        older(&format!(r#"{{"model":"m","max_completion_t\u006fkens":7,{tail}"#)),
        format!(r#"{{"model":"m","max_tokens":7,{tail}"#),
    );
    assert_eq!(
        older(&format!(r#"{{"max_completion_tokens":7,"stream":true,"model":"m",{tail}"#)),
        format!(r#"{{"stream_options":{{"include_usage":true}},"max_tokens":7,"stream":true,"model":"m",{tail}"#),
    );
    // An older one that says nothing says it now.
    assert_eq!(
        older(&format!(r#"{{"model":"m","max_tokens":null,"max_completion_tokens":7,{tail}"#)),
        format!(r#"{{"model":"m","max_tokens":7,"max_completion_tokens":7,{tail}"#),
    );
    // The larger of both is held, so that neither can go beyond it; and what says nothing bounds nothing.
    for both in [r#""max_tokens":9,"max_completion_tokens":7"#, r#""max_tokens":7,"max_completion_tokens":null"#] {
        let body = format!(r#"{{"model":"m",{both},{tail}"#);
        assert_eq!(older(&body), body);
    }
    assert_eq!(
        older(&format!(r#"{{"model":"m","max_completion_tokens":null,{tail}"#)),
        format!(r#"{{"max_tokens":64,"model":"m","max_completion_tokens":null,{tail}"#),
    );
    let newer = format!(r#"{{"model":"m","max_completion_tokens":7,{tail}"#);
    assert_eq!(rewritten(&newer, "m", OutputLimit::MaxCompletionTokens), newer);
}

#[test]
fn usage_is_asked_for_beside_the_other_options_of_a_stream() {
    let options = |given: &str| {
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"stream":true,"messages":[{{"role":"user","content":"x"}}],"stream_options":{given}}}"#
        );
        let sent = rewritten(&body, "m", OutputLimit::MaxTokens);
        sent.split_once(r#""stream_options":"#).map(|(_, rest)| rest.trim_end_matches('}').to_owned()).expect("options")
    };
    assert_eq!(options("null"), r#"{"include_usage":true"#);
    assert_eq!(options("{ }"), r#"{"include_usage":true"#);
    assert_eq!(options(r#"{"include_usage":false,"a":1}"#), r#"{"include_usage":true,"a":1"#);
    assert_eq!(options(r#"{ "a":1}"#), r#"{"include_usage":true,"a":1"#);
}

#[test]
fn text_counts_its_bytes_and_each_message_sixteen() {
    let bound = |content: &str| {
        chat(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#))
            .expect("good")
            .input_bound(2_000)
    };
    // 32 for a message and the answer's head, 4 for "user".
    assert_eq!(bound(r#""abcd""#), 40);
    assert_eq!(bound(r#""\u00e9\n""#), 36 + 3);
    assert_eq!(bound(r#"[{"type":"text","text":"abcd"}]"#), 36 + 4 + 6 + 1);
    assert_eq!(bound("null"), 36);
}

#[test]
fn pictures_count_what_the_model_makes_of_them_and_not_their_data() {
    let data = "A".repeat(100_000);
    let openai = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
    );
    assert!((2_000..2_100).contains(&chat(&openai).expect("good").input_bound(2_000)));
    let anthropic = |kind: &str, media: &str| {
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{{"type":"{kind}","source":{{"type":"base64","media_type":"{media}","data":"{data}"}}}}]}}]}}"#
        );
        messages(&body).expect("good").input_bound(2_000)
    };
    assert!((2_000..2_200).contains(&anthropic("image", "image/png")));
    assert_eq!(
        chat(&openai).expect("good").input_bound(48_200) - chat(&openai).expect("good").input_bound(0),
        48_200,
        "one picture"
    );
    // Text that calls itself an image elsewhere is text.
    assert!(anthropic("document", "image/png") > 100_000);
    assert!(anthropic("image", "text/plain") > 100_000);
    let hidden = format!(
        r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"assistant","content":[{{"type":"tool_use","id":"a","name":"b","input":{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}}}]}}]}}"#
    );
    assert!(messages(&hidden).expect("good").input_bound(2_000) > 100_000);
}

#[test]
fn tools_system_and_schemas_count() {
    let base = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]"#;
    let plain = messages(&format!("{base}}}")).expect("good").input_bound(2_000);
    let system =
        messages(&format!(r#"{base},"system":[{{"type":"text","text":"abcd"}}]}}"#)).expect("good").input_bound(2_000);
    assert_eq!(system - plain, 16 + 4 + 6 + 1);
    let tools = messages(&format!(r#"{base},"tools":[{{"name":"add"}}]}}"#)).expect("good").input_bound(2_000);
    assert_eq!(tools - plain, 1_000 + 16);
    let none = messages(&format!(r#"{base},"tools":[]}}"#)).expect("good").input_bound(2_000);
    assert_eq!(none, plain);
}

#[test]
fn fields_that_nobody_knows_count_as_they_stand() {
    let base = r#"{"model":"m","stream":true,"max_tokens":1,"messages":[{"role":"user","content":"x"}]"#;
    let embedded = r#"{"model":"m","input":"x""#;
    let bound = |operation: Operation, body: String| {
        ClientRequest::read(operation, body.into()).expect("good").input_bound(2_000)
    };
    let draft = "A".repeat(50_000);
    for more in [
        format!(r#","prediction":{{"type":"content","content":"{draft}"}}"#),
        format!(r#","documents":["{draft}"]"#),
        format!(r#","response_format":{{"type":"json_schema","json_schema":{{"name":"{draft}"}}}}"#),
        format!(r#","chat_template_kwargs":{{"{draft}":true}}"#),
        format!(r#","{draft}":1"#),
    ] {
        for (operation, base) in
            [(Operation::Chat, base), (Operation::Messages, base), (Operation::Embeddings, embedded)]
        {
            let plain = bound(operation, format!("{base}}}"));
            let counted = bound(operation, format!("{base}{more}}}")) - plain;
            assert_eq!(counted, more.len() as u64, "{operation:?} {}", &more[..20]);
            // Wherever it stands.
            let first = bound(operation, format!("{{{},{}}}", &more[1..], &base[1..])) - plain;
            assert_eq!(first, counted, "{operation:?} {}", &more[..20]);
        }
    }
    // What another operation reads is not known to this one.
    let system = format!(r#","system":"{draft}""#);
    let counted = bound(Operation::Chat, format!("{base}{system}}}"));
    assert_eq!(counted - bound(Operation::Chat, format!("{base}}}")), system.len() as u64);
    for (operation, base, field) in [
        (Operation::Embeddings, embedded, "stream"),
        (Operation::Embeddings, embedded, "n"),
        (Operation::Messages, base, "n"),
        (Operation::Messages, base, "max_completion_tokens"),
    ] {
        let more = format!(r#","{field}":"{draft}""#);
        let counted = bound(operation, format!("{base}{more}}}"));
        assert_eq!(counted - bound(operation, format!("{base}}}")), more.len() as u64, "{operation:?} {field}");
    }
    let options = format!(r#","stream_options":{{"include_usage":true,"more":"{draft}"}}"#);
    for operation in [Operation::Chat, Operation::Messages] {
        let counted = bound(operation, format!("{base}{options}}}"));
        assert_eq!(counted - bound(operation, format!("{base}}}")), options.len() as u64, "{operation:?}");
    }
    let listed = format!(r#","messages":[{{"role":"user","content":"{draft}"}}]"#);
    let counted = bound(Operation::Embeddings, format!("{embedded}{listed}}}"));
    assert_eq!(counted - bound(Operation::Embeddings, format!("{embedded}}}")), listed.len() as u64);
}

#[test]
fn what_cannot_be_bounded_is_refused() {
    let file = r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}"#;
    assert_eq!(refused(file).0, "messages[1]");
    let document = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"url","url":"https://a"}}]}]}"#;
    assert_eq!(messages(document).expect_err("unbounded").param.as_deref(), Some("messages[0]"));
    let image = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a"}}]}]}"#;
    assert!(messages(image).is_ok());
}

#[test]
fn what_costs_more_than_tokens_is_refused() {
    let base = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]"#;
    let param = |more: &str| {
        let body = format!("{base},{more}}}");
        (chat(&body).err().and_then(|error| error.param), messages(&body).err().and_then(|error| error.param))
    };
    let both = |param: &str| (Some(param.to_owned()), Some(param.to_owned()));
    for (more, wrong) in [
        (r#""web_search_options":{}"#, "web_search_options"),
        (r#""mcp_servers":[{"type":"url","url":"https://a"}]"#, "mcp_servers"),
        (r#""plugins":[{"id":"web"}]"#, "plugins"),
        (r#""models":["dear/one"]"#, "models"),
        (
            r#""tools":[{"name":"add","input_schema":{}},{"type":"web_search_20250305","name":"web_search"}]"#,
            "tools[1]",
        ),
        (r#""tools":[{"type":"code_execution_20250825","name":"code_execution"}]"#, "tools[0]"),
        (r#""tools":["web_search"]"#, "tools"),
        (r#""tools":[{"type":7}]"#, "tools"),
    ] {
        assert_eq!(param(more), both(wrong), "{more}");
    }
    for fine in [
        r#""tools":[{"type":"function","function":{"name":"a"}},{"type":"bash_20250124","name":"bash"},{"name":"b"},{"type":null}]"#,
        r#""web_search_options":null,"models":[],"plugins":null,"mcp_servers":[]"#,
    ] {
        assert_eq!(param(fine), (None, None), "{fine}");
    }
    for part in [
        r#"{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAA"}}"#,
        r#"{"type":"audio_url","audio_url":{"url":"https://a"}}"#,
        r#"{"type":"container_upload","file_id":"f"}"#,
    ] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}"#);
        assert_eq!(refused(&body).0, "messages[0]", "{part}");
    }
}

#[test]
fn embeddings_take_text_texts_and_tokens() {
    let bound = |input: &str| {
        ClientRequest::read(Operation::Embeddings, format!(r#"{{"model":"m","input":{input}}}"#).into())
            .map(|request| request.input_bound(2_000))
            .map_err(|error| error.param.unwrap_or_default())
    };
    assert_eq!(bound(r#""abcd""#), Ok(6));
    assert_eq!(bound(r#"["abcd","ef"]"#), Ok(2 + 6 + 4));
    assert_eq!(bound("[1,2,3]"), Ok(5));
    assert_eq!(bound("[[1,2],[3]]"), Ok(2 + 4 + 3));
    for wrong in ["[]", "{}", "7", r#"[{"a":1}]"#, "[[[1]]]", "null"] {
        assert_eq!(bound(wrong), Err("input".into()), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_counts_less_than_its_bytes(texts in proptest::collection::vec(".{0,40}", 1..5), system: String) {
        let messages: Vec<serde_json::Value> = texts.iter().map(|text| serde_json::json!({"role": "user", "content": text})).collect();
        let body = serde_json::json!({"model": "m", "messages": messages, "system": system}).to_string();
        let request = ClientRequest::read(Operation::Messages, body.into()).expect("a good request");
        let bytes: usize = texts.iter().map(String::len).sum::<usize>() + system.len();
        proptest::prop_assert!(request.input_bound(2_000) >= bytes as u64 + 16 * texts.len() as u64);
        // And not much more: 16 each, the role, the answer's head and the system's.
        proptest::prop_assert!(request.input_bound(2_000) <= bytes as u64 + 20 * texts.len() as u64 + 32);
    }

    #[test]
    fn no_bytes_whatever_make_the_reader_fail(bytes: Vec<u8>) {
        let _ = ClientRequest::read(Operation::Chat, bytes.into());
    }
}
