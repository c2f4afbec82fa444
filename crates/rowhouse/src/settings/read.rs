//! Where settings come from: flag before environment before file before default. All mistakes are found at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::nearest::nearest;

use super::table::{Setting, Settings, TABLE};
use super::value::Value;

/// Who said what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A flag on the command line.
    Flag,
    /// A variable of the environment.
    Environment,
    /// The file.
    File,
    /// Nobody.
    Default,
}

impl Source {
    /// In a word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// The text of a setting and who gave it.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) source: Source,
}

/// All that was said, before it is read.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// By key.
    pub(crate) flags: BTreeMap<String, String>,
    /// All variables that begin with `ROWHOUSE_`, and those of providers of models.
    pub(crate) environment: BTreeMap<String, String>,
    /// The file's path and text.
    pub(crate) file: Option<(PathBuf, String)>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings; none when there are mistakes.
    pub(crate) settings: Option<Settings>,
    /// Each setting's text and source.
    pub(crate) given: Vec<(&'static Setting, Given)>,
    /// What must be put right.
    pub(crate) mistakes: Vec<String>,
    /// What should be looked at.
    pub(crate) warnings: Vec<String>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

/// Hands out values, and collects mistakes.
pub(super) struct Reader<'a> {
    given: &'a BTreeMap<&'static str, Given>,
    mistakes: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The value of a setting; a mistake is noted.
    pub(super) fn value<T: Value>(&mut self, key: &'static str) -> Option<T> {
        let given = &self.given[key];
        let setting = TABLE.iter().find(|setting| setting.key == key)?;
        match T::read(&given.text) {
            Ok(value) => Some(value),
            Err(problem) => {
                let not = if T::SECRET { String::new() } else { format!(", not `{}`", given.text) };
                self.mistakes.push(format!("{} {problem}{not}", place(setting, given.source)));
                None
            }
        }
    }
}

/// How people call a setting that came from somewhere.
fn place(setting: &Setting, source: Source) -> String {
    match source {
        Source::Flag => format!("--{}", setting.flag()),
        Source::Environment => setting.environment(),
        Source::File | Source::Default => format!("`{}`", setting.key),
    }
}

/// Reads all sources. Nothing is opened but the files in which secrets stand alone.
pub(crate) fn load(sources: &Sources) -> Loaded {
    let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
    let file = sources.file.as_ref().map(|(path, _)| path.clone());
    let in_file = match &sources.file {
        Some((path, text)) => from_file(path, text, &mut mistakes),
        None => BTreeMap::new(),
    };
    strangers_in_environment(&sources.environment, &mut warnings);
    let mut given = BTreeMap::new();
    for setting in TABLE {
        let said = [
            (Source::Flag, sources.flags.get(setting.key), sources.flags.get(&format!("{}_file", setting.key))),
            (
                Source::Environment,
                // Compose files and units often pass empty variables on: where they say nothing, they are none.
                sources
                    .environment
                    .get(&setting.environment())
                    .filter(|text| !text.is_empty() || (setting.may_be_empty)()),
                sources.environment.get(&format!("{}_FILE", setting.environment())).filter(|text| !text.is_empty()),
            ),
            (Source::File, in_file.get(setting.key), in_file.get(&format!("{}_file", setting.key))),
        ];
        let mut found = None;
        for (source, text, secret_file) in said {
            let secret_file = secret_file.filter(|_| setting.secret);
            if let (Some(_), Some(_)) = (text, secret_file) {
                let place = place(setting, source);
                mistakes.push(format!("{place} and its file are both set: leave one of them out"));
            }
            let text = match (text, secret_file) {
                (Some(text), _) => Some(text.clone()),
                (None, Some(path)) => match std::fs::read_to_string(path) {
                    Ok(text) if text.trim().is_empty() => {
                        mistakes.push(format!("`{}_file`: {path} is empty", setting.key));
                        None
                    }
                    Ok(text) => Some(text.trim().to_owned()),
                    Err(error) => {
                        mistakes.push(format!("`{}_file`: {path} cannot be read: {error}", setting.key));
                        None
                    }
                },
                (None, None) => None,
            };
            found = found.or(text.map(|text| Given { text, source }));
        }
        let default = || Given { text: setting.default.to_owned(), source: Source::Default };
        given.insert(setting.key, found.unwrap_or_else(default));
    }
    let settings = Settings::read(&mut Reader { given: &given, mistakes: &mut mistakes });
    if let Some(settings) = &settings {
        super::check::check(settings, &mut mistakes, &mut warnings);
    }
    let settings = settings.filter(|_| mistakes.is_empty());
    let given = TABLE.iter().map(|setting| (setting, given[setting.key].clone())).collect();
    Loaded { settings, given, mistakes, warnings, file }
}

/// Every key that a file, and after `ROWHOUSE_` the environment, may have.
fn keys() -> Vec<String> {
    TABLE
        .iter()
        .flat_map(|setting| {
            let file = setting.secret.then(|| format!("{}_file", setting.key));
            std::iter::once(setting.key.to_owned()).chain(file)
        })
        .collect()
}

fn from_file(path: &std::path::Path, text: &str, mistakes: &mut Vec<String>) -> BTreeMap<String, String> {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            mistakes.push(format!("{} line {line}: {}", path.display(), error.message()));
            return BTreeMap::new();
        }
    };
    let known = keys();
    let mut found = BTreeMap::new();
    for (key, value) in table {
        if !known.contains(&key) {
            let hint = nearest(&key, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            mistakes.push(format!("{}: there is no setting `{key}`{hint}", path.display()));
            continue;
        }
        match text_of(&value) {
            Some(text) => {
                found.insert(key, text);
            }
            None => mistakes.push(format!(
                "{}: `{key}` must be text, a number, true or false, or a list of texts, not a {}",
                path.display(),
                value.type_str()
            )),
        }
    }
    found
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(on) => Some(on.to_string()),
        toml::Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

/// Variables that look like ours and are not: a warning only, since orchestrators set names of their own.
fn strangers_in_environment(environment: &BTreeMap<String, String>, warnings: &mut Vec<String>) {
    let ours = |setting: &&Setting| setting.environment().starts_with("ROWHOUSE_");
    let foreign: Vec<String> = TABLE.iter().filter(|setting| !ours(setting)).map(Setting::environment).collect();
    let known: Vec<String> = keys().into_iter().map(|key| key.to_uppercase()).collect();
    for name in environment.keys().filter_map(|name| name.strip_prefix("ROWHOUSE_")) {
        if let Some(own) = foreign.iter().find(|own| *own == name) {
            warnings.push(format!("there is no setting ROWHOUSE_{name}; did you mean {own}?"));
            continue;
        }
        let ours = known.iter().any(|known| known == name)
            || name == "CONFIG"
            || name.starts_with("TEST_")
            || name.starts_with("SERVICES_");
        if !ours && let Some(near) = nearest(name, &known) {
            warnings.push(format!("there is no setting ROWHOUSE_{name}; did you mean ROWHOUSE_{near}?"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_with(flags: &[(&str, &str)], environment: &[(&str, &str)], file: Option<&str>) -> Loaded {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&Sources {
            flags: map(flags),
            environment: map(environment),
            file: file.map(|text| ("rowhouse.toml".into(), text.to_owned())),
        })
    }

    fn listen(loaded: &Loaded) -> (String, Source) {
        let (_, given) = loaded.given.iter().find(|(setting, _)| setting.key == "listen").expect("it is a setting");
        (given.text.clone(), given.source)
    }

    #[test]
    fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
        let (flag, environment, file) =
            ([("listen", "127.0.0.1:1")], [("ROWHOUSE_LISTEN", "127.0.0.1:2")], Some("listen = '127.0.0.1:3'"));
        assert_eq!(listen(&load_with(&flag, &environment, file)), ("127.0.0.1:1".into(), Source::Flag));
        assert_eq!(listen(&load_with(&[], &environment, file)), ("127.0.0.1:2".into(), Source::Environment));
        assert_eq!(listen(&load_with(&[], &[], file)), ("127.0.0.1:3".into(), Source::File));
        assert_eq!(listen(&load_with(&[], &[], None)), ("127.0.0.1:8080".into(), Source::Default));
        assert_eq!(listen(&load_with(&[], &[("ROWHOUSE_LISTEN", "")], None)).1, Source::Default);
        let off = load_with(&[], &[("ROWHOUSE_METRICS_LISTEN", "")], None).settings.expect("no mistakes");
        assert_eq!(off.metrics_listen.0, None);
    }

    #[test]
    fn the_defaults_are_right() {
        let loaded = load_with(&[], &[], None);
        assert_eq!(loaded.mistakes, Vec::<String>::new());
        assert!(loaded.settings.is_some());
    }

    #[test]
    fn every_mistake_is_found_and_explained() {
        let file = "lisen = '127.0.0.1:80'\nopen_files = 'many'\ndemo = 3.5\npublic_url = 'rowhouse.example.com'";
        let loaded =
            load_with(&[("access_token_minutes", "60")], &[("ROWHOUSE_SMTP_URL", "mail.example.com")], Some(file));
        assert!(loaded.settings.is_none());
        assert_eq!(
            loaded.mistakes,
            [
                "rowhouse.toml: `demo` must be text, a number, true or false, or a list of texts, not a float",
                "rowhouse.toml: there is no setting `lisen`; did you mean `listen`?",
                "`public_url` must be an address with its scheme and without a path, such as https://rowhouse.example.com, not `rowhouse.example.com`",
                "ROWHOUSE_SMTP_URL must be an address such as smtp://user:password@host:587",
                "`open_files` must be a whole number from 4 to 100000, not `many`",
                "--access-token-minutes must be a whole number from 1 to 10, not `60`",
            ]
        );
        let loaded = load_with(&[], &[], Some("listen = \n"));
        assert!(loaded.mistakes[0].starts_with("rowhouse.toml line 1:"), "{:?}", loaded.mistakes);
        let loaded = load_with(
            &[],
            &[("ROWHOUSE_LISTN", "x"), ("ROWHOUSE_PORT_80_TCP", "tcp://10.0.0.1"), ("ROWHOUSE_URL", "x")],
            None,
        );
        assert_eq!(loaded.warnings, ["there is no setting ROWHOUSE_LISTN; did you mean ROWHOUSE_LISTEN?"]);
        let loaded = load_with(&[], &[("ROWHOUSE_OPENAI_API_KEY", "sk-x")], None);
        assert_eq!(loaded.warnings, ["there is no setting ROWHOUSE_OPENAI_API_KEY; did you mean OPENAI_API_KEY?"]);
        assert!(loaded.settings.expect("no mistakes").openai_api_key.is_none());
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("database");
        std::fs::write(&path, "postgres://u:p@db/rowhouse\n").expect("written");
        let path = path.to_str().expect("a plain path");
        let loaded = load_with(&[], &[("ROWHOUSE_DATABASE_URL_FILE", path)], None);
        let settings = loaded.settings.expect("no mistakes");
        assert_eq!(settings.database_url.expect("set").0, "postgres://u:p@db/rowhouse");
        let loaded = load_with(&[], &[("ROWHOUSE_DATABASE_URL_FILE", "/nowhere/at/all")], None);
        assert!(loaded.mistakes[0].contains("/nowhere/at/all cannot be read"), "{:?}", loaded.mistakes);
        // One that nobody filled must not mean that there is no database.
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "\n").expect("written");
        let path = empty.to_str().expect("a plain path");
        let loaded = load_with(&[], &[("ROWHOUSE_DATABASE_URL_FILE", path)], None);
        assert_eq!(loaded.mistakes, [format!("`database_url_file`: {path} is empty")]);
        assert!(loaded.settings.is_none());
    }

    #[test]
    fn a_wrong_address_of_a_database_is_a_mistake_that_names_the_option_alone() {
        let mistakes = |url: &str| load_with(&[], &[("ROWHOUSE_DATABASE_URL", url)], None).mistakes;
        for (url, named) in [
            ("postgres://u:hush@db:hush/rowhouse", "`port`"),
            ("postgres://u:hush@db/rowhouse?sslmode=hush", "`sslmode`"),
            ("postgres://u:hush@db/rowhouse?sslrootcert=hush", "`sslrootcert`"),
            ("postgres://u:p@db?hush=hush@db/rowhouse", "%40"),
            ("postgres://u:hush@db/rowhouse?hush", "of the form"),
        ] {
            let found = mistakes(url);
            assert!(found.len() == 1 && found[0].starts_with("`database_url`: "), "{url}: {found:?}");
            assert!(found[0].contains(named) && !found[0].contains("hush"), "{url}: {found:?}");
        }
        assert!(mistakes("postgres://u:p@db:5432/rowhouse?sslmode=require").is_empty());
    }

    #[test]
    fn providers_of_models_are_set_up_and_mistakes_in_that_tell_no_key() {
        let environment =
            [("OPENAI_API_KEY", " sk-planted "), ("ROWHOUSE_EGRESS_ALLOW", "localhost:11434, 10.0.0.0/8")];
        let settings = load_with(&[], &environment, Some("openai_base_url = 'http://localhost:1/v1'")).settings;
        let settings = settings.expect("no mistakes");
        assert_eq!(settings.openai_api_key.as_ref().map(|key| key.0.as_str()), Some("sk-planted"));
        assert_eq!(settings.egress_allow.0.len(), 2);
        assert!(!format!("{settings:?}").contains("planted"), "{settings:?}");
        let wrong = [
            ("OPENAI_API_KEY", "sk planted"),
            ("OPENAI_BASE_URL", "localhost"),
            ("ROWHOUSE_EGRESS_ALLOW", "http://x"),
            ("ROWHOUSE_PRICES", "/nowhere/at/all"),
        ];
        let mistakes = load_with(&[], &wrong, None).mistakes;
        assert_eq!(
            mistakes,
            [
                "OPENAI_API_KEY must be a key of 1 to 1024 visible ASCII characters",
                "OPENAI_BASE_URL must be an http or https address without a user, such as http://localhost:11434/v1, not `localhost`",
                "ROWHOUSE_EGRESS_ALLOW must be a list of hosts, hosts with ports and networks, such as localhost:11434, 10.1.0.0/16; \
                 `http://x` is none of these, not `http://x`",
            ]
        );
        let mistakes = load_with(&[], &wrong[3..], None).mistakes;
        assert!(mistakes[0].starts_with("`prices`: /nowhere/at/all cannot be read"), "{mistakes:?}");
        let folder = tempfile::tempdir().expect("a folder");
        let prices = folder.path().join("prices.toml");
        std::fs::write(&prices, "[[list]]\nversion = \"V\"\nfrom = \"2026-01-01T00:00:00Z\"").expect("written");
        let mistakes = load_with(&[("prices", prices.to_str().expect("plain"))], &[], None).mistakes;
        assert!(mistakes[0].contains("its version must be"), "{mistakes:?}");
    }

    #[test]
    fn a_bucket_needs_its_keys_and_nobody_is_shown_them() {
        let bucket = ("ROWHOUSE_S3_URL", "s3://originals/of/rowhouse");
        let mistakes = load_with(&[], &[bucket], None).mistakes;
        assert_eq!(mistakes, ["`s3_url` needs `s3_access_key` and `s3_secret_key`"]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "planted/secret+key\n").expect("written");
        let secret = ("ROWHOUSE_S3_SECRET_KEY_FILE", path.to_str().expect("plain"));
        let environment = [bucket, secret, ("ROWHOUSE_S3_ACCESS_KEY", "planted-name")];
        let loaded = load_with(&[], &environment, Some("s3_region = 'eu-central-1'"));
        assert!(!crate::settings::explain(&loaded).contains("planted"));
        let settings = loaded.settings.expect("no mistakes");
        assert!(!format!("{settings:?}").contains("planted"), "{settings:?}");
        let set = settings.bucket().expect("right").expect("set");
        assert_eq!(
            (set.name.as_str(), set.folder.as_str(), set.secret_key.as_str()),
            ("originals", "of/rowhouse", "planted/secret+key")
        );
        assert_eq!((set.endpoint.as_str(), set.path_style), ("https://s3.eu-central-1.amazonaws.com", false));
        let own =
            [environment[0], environment[1], environment[2], ("ROWHOUSE_S3_ENDPOINT", "http://storage.example:9000")];
        let loaded = load_with(&[], &own, None);
        assert!(
            loaded.warnings.iter().any(|warning| warning.contains("`s3_endpoint` begins with http://")),
            "{:?}",
            loaded.warnings
        );
        assert!(loaded.settings.expect("no mistakes").bucket().expect("right").expect("set").path_style);
        let loaded = load_with(&[], &own[1..], None);
        assert!(
            loaded.warnings.iter().any(|warning| warning.contains("say nothing without `s3_url`")),
            "{:?}",
            loaded.warnings
        );
        for (name, wrong) in [
            ("ROWHOUSE_S3_URL", "s3://user:planted@bucket"),
            ("ROWHOUSE_S3_REGION", "EU"),
            ("ROWHOUSE_S3_PATH_STYLE", "perhaps"),
        ] {
            let mistakes = load_with(&[], &[(name, wrong)], None).mistakes;
            assert!(
                mistakes.len() == 1 && mistakes[0].contains(name) && !mistakes[0].contains("planted"),
                "{mistakes:?}"
            );
        }
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let loaded = load_with(&[("data", "/tmp/x"), ("master_key_file", "/tmp/x/master.key")], &[], None);
        assert!(loaded.mistakes[0].contains("must not be inside the data folder"), "{:?}", loaded.mistakes);
        let loaded = load_with(&[("data", "/tmp/x"), ("audit_heads", "/tmp/y/../x/heads")], &[], None);
        assert!(loaded.mistakes[0].contains("must not be inside the data folder"), "{:?}", loaded.mistakes);
        let proxied = ("public_url", "https://rowhouse.example.com");
        let warned =
            |loaded: &Loaded| loaded.warnings.iter().any(|warning| warning.contains("`trusted_proxies` is empty"));
        assert!(warned(&load_with(&[proxied], &[], None)));
        assert!(!warned(&load_with(&[proxied, ("trusted_proxies", "10.0.0.7")], &[], None)));
        assert!(!warned(&load_with(&[], &[], None)));
        let is_open = |flags: &[(&str, &str)]| load_with(flags, &[], None).settings.expect("right").is_open_to_others();
        assert!(!is_open(&[]) && !is_open(&[("public_url", "http://localhost:8080")]));
        assert!(
            is_open(&[("trusted_proxies", "127.0.0.1")]) && is_open(&[proxied]) && is_open(&[("listen", "0.0.0.0:80")])
        );
        let clear = [("smtp_url", "smtps://mail.example.com"), ("public_url", "http://rowhouse.example.com")];
        let loaded = load_with(&clear, &[], None);
        assert!(loaded.settings.is_some(), "{:?}", loaded.mistakes);
        assert!(loaded.warnings.iter().any(|warning| warning.contains("https://")), "{:?}", loaded.warnings);
    }
}
