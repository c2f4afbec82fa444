//! `rowhouse openapi`, `rowhouse docs` and `rowhouse version`: what the program says about itself.

use std::fmt::Write;

pub(crate) fn errors() -> String {
    let mut text = String::from(
        "# Errors\n\n\
         Written by `rowhouse docs errors`; do not edit.\n\n\
         Every error has the same form: `{\"error\":{\"type\",\"code\",\"message\",\"param\",\"request_id\"}}`. Codes are stable, messages are\n\
         for people and may change. `rowhouse auth explain <request-id>` tells an operator which check refused a request.\n\n\
         What a model's server refuses at `/v1/` bears that server's code in OpenAI's dialect, as `context_length_exceeded`.\n\n\
         | code | status | meaning |\n|---|---|---|\n",
    );
    for (code, status, meaning) in server::CODES {
        let _ = writeln!(text, "| `{code}` | {status} | {meaning} |");
    }
    text
}

pub(crate) fn matrix() -> String {
    format!(
        "# Permissions\n\n\
         Written by `rowhouse docs matrix`; do not edit.\n\n\
         What each role allows when it is held at the organisation. Held at a team or a project it allows the part that can be held\n\
         there. Custom roles hold any selection of these.\n\n{}",
        domain::matrix::markdown()
    )
}

pub(crate) fn version() -> String {
    format!("rowhouse {}\n", env!("CARGO_PKG_VERSION"))
}
