//! Metrics for Prometheus, on an address of its own: for operators alone, and without a tenant's name in any label.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use store::Store;

/// What is measured in this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Begins to collect what is measured; once in a process.
    /// # Errors
    /// When something else collects already, in words.
    pub fn install() -> Result<Self, String> {
        // Seconds; what takes longer than ten is cut off anyway.
        let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let builder = PrometheusBuilder::new().set_buckets(&buckets).map_err(|error| error.to_string())?;
        builder.install_recorder().map(Self).map_err(|error| error.to_string())
    }

    /// Merges what was measured lately; called every few seconds, so that it does not pile up while nobody reads.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }

    /// `GET /metrics`.
    pub fn router(&self, store: &Store) -> Router {
        let (handle, store) = (self.0.clone(), store.clone());
        let page = move || async move {
            metrics::gauge!("rowhouse_open_files")
                .set(f64::from(u32::try_from(store.open_files()).unwrap_or(u32::MAX)));
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
        };
        Router::new().route("/metrics", get(page))
    }
}
