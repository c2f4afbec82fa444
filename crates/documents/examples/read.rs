//! Reads files and prints what is seen in them: `cargo run -p rowhouse-documents --example read -- [--passages] FILE...`

use std::time::Instant;

use documents::{Limits, Shape};

#[expect(clippy::print_stdout, reason = "its purpose")]
fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let passages = args.iter().any(|arg| arg == "--passages");
    args.retain(|arg| arg != "--passages");
    for name in args {
        let begun = Instant::now();
        let read = std::fs::read(&name).map_err(|error| error.to_string());
        match read.and_then(|bytes| {
            documents::read(&bytes, &name, None, &Limits::default()).map_err(|error| format!("{error:?}"))
        }) {
            Err(error) => println!("== {name}: {error}"),
            Ok(document) => {
                let took = begun.elapsed();
                let split = documents::passages(&document, &Shape::default());
                println!(
                    "== {name}: {:?} {:?}, {} bytes, {} blocks, {} pages, {} passages, read in {took:?}, all in {:?}",
                    document.kind,
                    document.title,
                    document.text.len(),
                    document.blocks.len(),
                    document.pages.len(),
                    split.len(),
                    begun.elapsed()
                );
                for note in &document.notes {
                    println!("note: {}", note.0);
                }
                if passages {
                    for passage in &split {
                        println!(
                            "-- {:?} {:?} {}..{}\n{}",
                            passage.headings, passage.pages, passage.start, passage.end, passage.text
                        );
                    }
                } else {
                    for block in &document.blocks {
                        println!("{:?} {:?}: {}", block.page, block.part, document.block(block));
                    }
                }
            }
        }
    }
}
