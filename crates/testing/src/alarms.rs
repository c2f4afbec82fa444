//! What an operator would see: alarms in the log, and the metrics.

use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

static ALARMS: Mutex<Vec<String>> = Mutex::new(Vec::new());

static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _ = metrics::set_global_recorder(recorder);
    handle
});

/// Lets the log show errors of the house beside the failure of the test (`RUST_LOG` asks for more), and collects alarms.
pub(crate) fn listen() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into());
    let shown = tracing_subscriber::fmt::layer().with_test_writer().with_filter(filter);
    let _ = tracing_subscriber::registry()
        .with(Alarms)
        .with(crate::log::Work)
        .with(crate::log::kept())
        .with(shown)
        .try_init();
    LazyLock::force(&METRICS);
}

/// The alarms that were raised about something, each as text with all its fields.
#[must_use]
pub fn alarms(about: &str) -> Vec<String> {
    let alarms = ALARMS.lock().unwrap_or_else(PoisonError::into_inner);
    alarms.iter().filter(|alarm| alarm.contains(about)).cloned().collect()
}

/// The value of a metric, all its labels together.
#[must_use]
pub fn metric(name: &str) -> f64 {
    let text = METRICS.render();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

struct Alarms;

#[derive(Default)]
struct Fields {
    is_alarm: bool,
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.is_alarm |= field.name() == "alarm";
        let _ = write!(self.text, "{}={value:?} ", field.name());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Alarms {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.is_alarm {
            ALARMS.lock().unwrap_or_else(PoisonError::into_inner).push(fields.text);
        }
    }
}
