//! The table of roles and permissions, made from the code that decides: for the documentation.

use std::fmt::Write;

use crate::access::{Level, Permission};
use crate::role::Builtin;

/// The built-in roles and all permissions as a Markdown table: a dot where the role, held at the organisation, gives the permission.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| permission | may | held at |");
    for role in Builtin::ALL {
        let _ = write!(text, " {} |", role.as_str());
    }
    text.push_str("\n|---|---|---|");
    text.push_str(&":-:|".repeat(Builtin::ALL.len()));
    text.push('\n');
    for permission in Permission::ALL {
        let levels: Vec<_> = permission.levels().iter().map(|level| name(*level)).collect();
        let _ = write!(text, "| `{permission}` | {} | {} |", permission.description(), levels.join(", "));
        for role in Builtin::ALL {
            text.push_str(if role.permissions().contains(*permission) { " ● |" } else { "  |" });
        }
        text.push('\n');
    }
    text
}

const fn name(level: Level) -> &'static str {
    match level {
        Level::Organization => "organization",
        Level::Team => "team",
        Level::Project => "project",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_each_role_may_changes_only_on_purpose() {
        insta::assert_snapshot!(super::markdown());
    }
}
