//! Programs that others give out, from their registries: what the tests use them for, they use as everybody else does.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::written;

/// How often a registry is asked: it may be slow, or gone for a moment.
const TRIES: usize = 3;

/// What installs a folder's `requirements.txt` into it.
#[must_use]
pub fn pip(folder: &Path) -> Command {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    pip.args(["--only-binary", ":all:", "--target", ".", "--requirement", "requirements.txt"]).current_dir(folder);
    pip
}

/// Whether a program is there. On CI it must be.
/// # Panics
/// On CI, when it is not.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let mut words = program.split(' ');
    let mut command = Command::new(words.next().expect("a first word"));
    let there = command.args(words).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(there || std::env::var_os("CI").is_none(), "{program} is not installed");
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}

/// The folder with a language's packages in the versions that the pins beside the examples name: installed once, in the folder that
/// tests share, and kept there for later runs.
/// # Panics
/// When they cannot be installed.
pub fn installed(
    together: &str,
    examples: &str,
    language: &str,
    pins: &[&str],
    installer: impl Fn(&Path) -> Command,
) -> PathBuf {
    let version = Command::new(language).arg("--version").output().expect("it is installed");
    let mut hasher = DefaultHasher::new();
    written(&version).hash(&mut hasher);
    for pin in pins {
        std::fs::read(Path::new(examples).join(pin)).expect("it is there").hash(&mut hasher);
    }
    let all = Path::new(together);
    let folder = all.join(format!("packages-{language}-{:016x}", hasher.finish()));
    // One test installs, the others wait for it.
    let lock = std::fs::File::create(all.join("packages.lock")).expect("a file");
    lock.lock().expect("it can be locked");
    if folder.exists() {
        return folder;
    }
    let mut last = String::new();
    for _ in 0..TRIES {
        let part = tempfile::tempdir_in(all).expect("a folder");
        for pin in pins {
            std::fs::copy(Path::new(examples).join(pin), part.path().join(pin)).expect("copied");
        }
        let output = installer(part.path()).stdin(Stdio::null()).output().expect("it starts");
        if output.status.success() {
            // Whole or not at all.
            std::fs::rename(part.path(), &folder).expect("moved");
            return folder;
        }
        last = written(&output);
    }
    panic!("the packages could not be installed: {last}");
}
