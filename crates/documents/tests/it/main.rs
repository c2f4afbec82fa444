//! Whole files through the public doors: ordinary ones as snapshots, hostile ones by what they may not do.

mod apart;
mod archives;
mod files;
mod formats;
mod hostile;
mod passages;
mod samples;
