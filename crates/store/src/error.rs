//! What can go wrong in the store, by what the caller can do about it.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row, or not in this scope.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A name or address is in use already.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The row was changed since it was read.
    #[error("{0} was changed by somebody else")]
    Stale(&'static str),
    /// The database refused a value or a reference.
    #[error("the database refused the change: {0}")]
    Refused(String),
    /// Too much is going on; trying again later helps.
    #[error("the store is busy: {0}")]
    Busy(&'static str),
    /// The disk is full. Reading and deleting go on.
    #[error("the disk is full")]
    Full,
    /// The store of this organisation cannot be read; an operator must look at it. Others go on.
    #[error("the store of {org} is damaged: {what}")]
    Damaged {
        /// Whose store.
        org: String,
        /// What is wrong with it.
        what: String,
    },
    /// The disk failed under a file. It is closed and opened again; what was being written is not.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// A sealed value did not open: another key, another place, or changed bytes.
    #[error("a sealed value did not open: {0}")]
    Sealed(&'static str),
    /// The key material or the database does not fit what is asked; says what to do.
    #[error("{0}")]
    Setup(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A mistake in Rowhouse.
    #[error("internal error: {0}")]
    Bug(String),
}

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn bug(text: impl Into<String>) -> Self {
        Self::Bug(text.into())
    }
}

/// Says of what a constraint speaks: turns a broken unique constraint into [`Error::Taken`] with a name people know.
pub trait OrTaken {
    /// Names the thing that is taken.
    #[must_use]
    fn or_taken(self, what: &'static str) -> Self;
}

impl<T> OrTaken for Result<T> {
    fn or_taken(self, what: &'static str) -> Self {
        self.map_err(|error| if let Error::Taken(_) = error { Error::Taken(what) } else { error })
    }
}

/// Turns a missing row into [`Error::NotFound`].
pub trait OrNotFound<T> {
    /// Names the thing that is missing.
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    fn or_not_found(self, what: &'static str) -> Result<T>;
}

impl<T> OrNotFound<T> for Result<Option<T>> {
    fn or_not_found(self, what: &'static str) -> Result<T> {
        self?.ok_or(Error::NotFound(what))
    }
}
