//! `terraform-provider-rowhouse`: an organisation's roles, teams, projects, invitations and what people hold in it, managed with
//! Terraform or `OpenTofu`; and what it pays for, to be read. Terraform starts it and speaks its plugin protocol 6 with it. Why the
//! protocol is spoken here directly: decision 18.

mod grpc;
mod plan;
mod problem;
mod protocol;
mod provider;
mod resources;
mod schema;
mod serve;
mod sources;
mod value;

use std::process::ExitCode;

/// The variable by which Terraform says that it is it who starts this program, and what it says.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

fn main() -> ExitCode {
    if std::env::var(COOKIE.0).as_deref() != Ok(COOKIE.1) {
        tell(
            "This is a provider for Terraform and OpenTofu, and they start it themselves. How to tell them where it is stands in \
             examples/terraform/README.md.",
        );
        return ExitCode::FAILURE;
    }
    match serve::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("terraform-provider-rowhouse: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error, which Terraform keeps in its log.
#[expect(clippy::print_stderr, reason = "the one place where the program complains")]
fn tell(line: &str) {
    eprintln!("{line}");
}
