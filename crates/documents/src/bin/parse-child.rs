//! A program that is nothing but the child of [`documents::apart`], for the tests of this crate. The server's own program has the
//! same behind a hidden command.

fn main() -> std::io::Result<()> {
    documents::apart::child_main(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}
