//! The dashboard that this program carries: what `dashboard/dist/site` held when it was built (`build.rs`).

use server::{Dashboard, File};

/// The files; none when the dashboard was not built first.
pub(crate) const DASHBOARD: Dashboard = Dashboard(FILES);

include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
