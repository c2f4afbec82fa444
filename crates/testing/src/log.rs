//! What the log says at debug level, as a server writes it, for tests that search it; and what work a request made.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

static KEEPS: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps what is written from now on.
pub fn keep() {
    KEEPS.store(true, Ordering::SeqCst);
}

/// What was written since [`keep`], or since this was last called.
#[must_use]
pub fn written() -> String {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&std::mem::take(&mut *lines)).into_owned()
}

/// The layer that keeps it; costs next to nothing until it is asked to.
pub(crate) fn kept<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let wanted = dynamic_filter_fn(|line, _| KEEPS.load(Ordering::Relaxed) && *line.level() <= Level::DEBUG);
    tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Lines).with_filter(wanted)
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static WORK: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Notes from now on what requests do: the statements that they run, in order, and `hashing` for each password. Gives what was noted
/// so far.
#[must_use]
pub fn work() -> Vec<String> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner).replace(Vec::new()).unwrap_or_default()
}

/// The layer that notes work; of requests alone, since the background works all the time.
pub(crate) struct Work;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Work {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !["store::sql", "tenancy::passwords"].contains(&event.metadata().target()) {
            return;
        }
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(work) = work.as_mut() else { return };
        if context.event_scope(event).is_some_and(|mut scope| scope.any(|span| span.name() == "request")) {
            let mut said = Said(String::new());
            event.record(&mut said);
            work.push(said.0);
        }
    }
}

struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{value:?}"));
    }
}
