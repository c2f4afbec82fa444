//! Whole files through the public doors: ordinary ones as snapshots, hostile ones by what they may not do.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its file has failed")]

mod apart;
mod archives;
mod files;
mod formats;
mod hostile;
mod passages;
mod samples;
