//! The settings for people: docs/SETTINGS.md, and what `rowhouse config check` shows.

use std::fmt::Write;

use super::read::{Loaded, Source};
use super::table::TABLE;
use crate::output::Columns;

/// docs/SETTINGS.md.
pub(crate) fn document() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         Written by `rowhouse docs settings`; do not edit.\n\n\
         Each setting can be given as a flag (`--open-files 64`), in the environment (`ROWHOUSE_OPEN_FILES=64`) or in a file\n\
         (`open_files = 64`), in this order of weight. The file is `rowhouse.toml` in the working folder, or the one that `--config` or\n\
         `ROWHOUSE_CONFIG` names. A secret may stand alone in a file of its own, named by the same setting with `_file` (`_FILE`) behind it.\n\
         `rowhouse config check` explains each mistake and shows what is in force and why.\n\n\
         | setting | environment | default | what it does |\n|---|---|---|---|\n",
    );
    for setting in TABLE {
        let default =
            if setting.default.is_empty() { setting.otherwise.to_owned() } else { format!("`{}`", setting.default) };
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {default} | {} It is {}. |",
            setting.key,
            setting.environment(),
            setting.about,
            (setting.form)(),
        );
    }
    text
}

/// The settings in force, each with its source; secrets are hidden.
pub(crate) fn explain(loaded: &Loaded) -> String {
    let mut columns = Columns::default();
    for (setting, given) in &loaded.given {
        let value = match given.text.as_str() {
            "" => format!("- ({})", setting.otherwise.replace('`', "")),
            _ if setting.secret => "***".to_owned(),
            text => text.to_owned(),
        };
        let source = if given.source == Source::Default { "" } else { given.source.as_str() };
        columns.row([setting.key, source, &value]);
    }
    columns.to_string()
}
