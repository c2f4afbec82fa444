//! The files are those that their README names.

use std::path::Path;

use sha2::{Digest, Sha256};

#[test]
fn the_files_of_the_model_are_those_that_are_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(embedding::MODEL);
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("a README");
    for name in ["model-int8.onnx", "tokenizer.json"] {
        let bytes = std::fs::read(folder.join(name)).expect("it is there");
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(readme.contains(&sum), "{name} has the SHA-256 {sum}");
    }
    assert!(folder.join("LICENSE").exists() && folder.join("NOTICE").exists());
}
