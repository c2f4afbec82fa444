//! A folder in which somebody works with Terraform on an organisation.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use testing::packages::{installed, pip};
use testing::process::written;
use testing::{Client, TestHouse};

const PROVIDER: &str = env!("CARGO_BIN_EXE_terraform-provider-rowhouse");
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/terraform");
const TERRAFORM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terraform.py");

/// The folder, and what the environment says there.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    packages: PathBuf,
    url: String,
    pub(crate) org: String,
    pub(crate) key: String,
    /// Somebody who is a member, and somebody who is not.
    people: [String; 2],
}

/// Who plays in it.
pub(crate) struct Players {
    pub(crate) ann: Client,
    pub(crate) max: Client,
}

impl Ground {
    /// Ann's organisation with Max in it, the example, and the provider where Terraform finds it without a network; initialised.
    pub(crate) async fn new(house: &TestHouse) -> (Self, Players) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "member").await;
        let folder = tempfile::tempdir().expect("a folder");
        let packages = installed(env!("CARGO_TARGET_TMPDIR"), EXAMPLE, "python3", &["requirements.txt"], pip);
        let (url, org) = (house.open().await, ann.org.clone());
        // What the example's text says: all that an admin holds is enough.
        let scopes = ann.get("/api/v1/roles/admin").await.expect(200).json["permissions"].clone();
        let key = json!({ "name": "terraform", "scopes": scopes });
        let key = ann.post("/api/v1/auth/api-keys", &key).await.expect(201).str("/key").to_owned();
        let people = ["max@example.com".to_owned(), "Eve@example.com".to_owned()];
        let ground = Self { folder, packages, url, org, key, people };
        ground.install();
        ground.write("main.tf", &std::fs::read_to_string(Path::new(EXAMPLE).join("main.tf")).expect("it is there"));
        ground.says(&["init"]);
        (ground, Players { ann, max })
    }

    /// Puts the provider where a mirror in a folder has it, and says so to Terraform.
    fn install(&self) {
        let machine = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let mirror = self.folder.path().join("mirror");
        let place = mirror.join(format!("terraform.local/rowhouse/rowhouse/0.1.0/{}_{machine}", std::env::consts::OS));
        std::fs::create_dir_all(&place).expect("made");
        std::os::unix::fs::symlink(PROVIDER, place.join("terraform-provider-rowhouse_v0.1.0")).expect("linked");
        let settings = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        self.write("terraformrc", &settings);
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// Changes a file in the folder.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.folder.path().join(name)).expect("it is there");
        assert!(text.contains(from), "no {from} in {text}");
        self.write(name, &text.replace(from, to));
    }

    /// Runs Terraform, and gives its code and what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut python = Command::new("python3");
        python.arg(TERRAFORM).args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        python.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        python.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1");
        python.env("HOME", self.folder.path()).env("TF_CLI_CONFIG_FILE", self.folder.path().join("terraformrc"));
        // Asks nobody: neither whoever sits there nor its maker.
        python.env("TF_INPUT", "0").env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
        python.env("TF_CLI_ARGS", "-no-color");
        python.env("ROWHOUSE_URL", &self.url).env("ROWHOUSE_ORG", &self.org).env("ROWHOUSE_API_KEY", &self.key);
        python.env("TF_VAR_colleague", &self.people[0]).env("TF_VAR_newcomer", &self.people[1]);
        let output = python.output().expect("it starts");
        // Terraform breaks long lines, and draws a rule beside what is wrong.
        let text = written(&output).replace(['│', '╷', '╵'], " ");
        assert!(!text.contains(&self.key) || self.key.is_empty(), "the key is shown: {text}");
        (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// What Terraform prints when it succeeds.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// What Terraform prints when it does not.
    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        said
    }

    /// What a plan shows that changes something.
    pub(crate) fn differs(&self) -> String {
        let (code, said) = self.run(&["plan", "-detailed-exitcode"]);
        assert_eq!(code, Some(2), "{said}");
        said
    }

    /// That a plan changes nothing.
    pub(crate) fn is_settled(&self) {
        let (code, said) = self.run(&["plan", "-detailed-exitcode"]);
        assert_eq!(code, Some(0), "{said}");
    }

    /// Does what a plan shows.
    pub(crate) fn apply(&self) -> String {
        self.says(&["apply", "-auto-approve"])
    }
}
