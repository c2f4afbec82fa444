//! The dashboard's pages. The program carries them, compressed as they were built; nothing is fetched from elsewhere.
//!
//! What is built has a hash in its name and may be kept for ever (`/assets/`). Everything that is an address of a page gets the first
//! page, which finds the rest by itself; addresses of the API never do.

mod answer;
mod coding;

pub(crate) use self::answer::fallback;

/// A file of the dashboard as it was built.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Where it is asked for, without the first slash: `assets/main-Bq3x.js`.
    pub path: &'static str,
    /// A hash of its content, in hexadecimal.
    pub hash: &'static str,
    /// What is in it; `None` for what is kept compressed alone.
    pub plain: Option<&'static [u8]>,
    /// The same by gzip, if that makes it smaller.
    pub gzip: Option<&'static [u8]>,
    /// The same by Brotli, if that makes it smaller.
    pub brotli: Option<&'static [u8]>,
}

/// The files of the dashboard; none in a program that was built without it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dashboard(pub &'static [File]);

impl Dashboard {
    /// Whether the program carries a dashboard.
    #[must_use]
    pub fn is_built(self) -> bool {
        self.find("index.html").is_some()
    }

    fn find(self, path: &str) -> Option<&'static File> {
        self.0.iter().find(|file| file.path == path)
    }
}
