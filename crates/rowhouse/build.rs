//! Lists the files of the dashboard for the program to carry. Where it was not built there are none, and the program says so when
//! it is asked for a page: who has no Node still gets the whole API.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The forms of a file: as it is, by gzip, by Brotli.
type Forms = [Option<PathBuf>; 3];

fn main() -> io::Result<()> {
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboard");
    // A folder that is always there, built or not: a path that is missing would make each build begin anew.
    println!("cargo::rerun-if-changed={}", dashboard.join("dist").display());
    let site = dashboard.join("dist/site");
    let mut found = BTreeMap::new();
    if site.is_dir() {
        collect(&site, &site, &mut found)?;
    }
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    // Copies: the dashboard may be built again while this program is compiled.
    let copies = out.join("dashboard");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    let mut text = String::from("const FILES: &[File] = &[\n");
    for (path, forms) in found {
        let mut hasher = DefaultHasher::new();
        for form in forms.iter().flatten() {
            let bytes = fs::read(form)?;
            bytes.hash(&mut hasher);
            let copy = copies.join(form.strip_prefix(&site).map_err(io::Error::other)?);
            fs::create_dir_all(copy.parent().unwrap_or(&copies))?;
            fs::write(copy, bytes)?;
        }
        let hash = hasher.finish();
        // What is compressed is kept compressed alone.
        let plain = forms[0].as_ref().filter(|_| forms[1].is_none());
        let [plain, gzip, brotli] = [plain, forms[1].as_ref(), forms[2].as_ref()].map(|form| included(form, &site));
        let _ = writeln!(
            text,
            "    File {{ path: {path:?}, hash: \"{hash:016x}\", plain: {plain}, gzip: {gzip}, brotli: {brotli} }},"
        );
    }
    text.push_str("];\n");
    fs::write(out.join("dashboard.rs"), text)
}

fn collect(site: &Path, folder: &Path, found: &mut BTreeMap<String, Forms>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(site).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        // Vite's own list of what it built is for tools.
        if name.starts_with(".vite") {
            continue;
        }
        if path.is_dir() {
            collect(site, &path, found)?;
            continue;
        }
        let (name, form) = match (name.strip_suffix(".gz"), name.strip_suffix(".br")) {
            (Some(name), _) => (name, 1),
            (_, Some(name)) => (name, 2),
            _ => (name.as_str(), 0),
        };
        found.entry(name.to_owned()).or_default()[form] = Some(path.clone());
    }
    Ok(())
}

fn included(path: Option<&PathBuf>, site: &Path) -> String {
    let name = path.and_then(|path| path.strip_prefix(site).ok());
    name.map_or_else(
        || "None".to_owned(),
        |name| {
            format!("Some(include_bytes!(concat!(env!(\"OUT_DIR\"), {:?})))", format!("/dashboard/{}", name.display()))
        },
    )
}
