//! `rowhouse serve`: everything opened in order, one start text, and a stop that lets running requests end.

use std::io::IsTerminal;
use std::time::Duration;

use server::metrics::Metrics;
use server::{App, Limits, Unattended};
use store::Engine;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use crate::commands::demo;
use crate::dashboard::DASHBOARD;
use crate::output::print;
use crate::settings::Settings;
use crate::settings::value::LogFormat;
use crate::{Outcome, because, open};

pub(crate) fn serve(settings: &Settings, warnings: &[String]) -> Outcome {
    begin_logging(settings);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    raise_descriptors(settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(because)?;
    let outcome = runtime.block_on(run(settings));
    // Hashes and commits that still run have had their time.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}

fn begin_logging(settings: &Settings) {
    let filter = EnvFilter::new(&settings.log.0);
    // Where a line could not be written, a line about it cannot be either, and trying to would end the request with a panic.
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let begun = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    begun.expect("nothing else in this process begins logging");
}

/// Lets the process open as many files as its hard limit allows: the usual soft limit of 1,024 is for programs that use `select`.
fn raise_descriptors(settings: &Settings) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // A writer and up to four readers for each open file, three descriptors each; and as much again for connections.
    let needed = u64::from(settings.open_files.0) * 15 * 2;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let now = getrlimit(Resource::Nofile).current;
    if raised.is_err() || now.is_some_and(|limit| limit < needed) {
        let limit = now.map_or_else(|| "no number".to_owned(), |limit| limit.to_string());
        tracing::warn!(
            "this process may open {limit} files; {needed} are needed at worst: raise `ulimit -n` or lower `open_files`"
        );
    }
}

async fn run(settings: &Settings) -> Outcome {
    let _lock = open::lock(settings)?;
    // The port comes first: a server that cannot be reached should not make anything.
    let listener = bind(settings.listen, "listen").await?;
    let listening = listener.local_addr().map_err(because)?;
    let address = settings.public_address(listening);
    let store = open::store(settings, address.clone()).await?;
    let house = open::house(settings, store, &address)?;
    demo::kept_in(settings, &house).await.map_err(because)?;
    tenancy::orgs::finish_all(&house).await?;
    house.store.give_back_jobs().await?;
    let asked = settings.demo_at_first_start();
    let demo = if asked && (house.store.is_untouched().await? || tenancy::demo::is_half_made(&house).await?) {
        Some(tenancy::demo::build(&house).await?)
    } else {
        None
    };
    let limits = Limits {
        body: settings.body_kib.0 as usize * 1024,
        trusted_proxies: settings.trusted_proxies.0.clone(),
        origins: settings.origins.0.clone(),
        ..server::Limits::default()
    };
    let own = [Some(listening), settings.metrics_listen.0].into_iter().flatten().collect();
    let installation = settings.installation(own).map_err(because)?;
    let prices = settings.read_prices().map_err(because)?;
    let sharing = settings.sharing().map_err(because)?;
    let books = metering::Settings { strict: settings.strict_ledger.0, ..metering::Settings::default() };
    let app = App::with(house.clone(), limits, prices, books, sharing)
        .serving(installation)
        .reading(readers()?)
        .showing(DASHBOARD);
    let cold_after = settings.cold_after.as_ref().map(|days| Duration::from_hours(24) * days.0);
    let app = app.cooling(cold_after);
    if let Err(why) = app.gatekeeper().meet().await {
        tracing::warn!("`redis_url` does not answer ({why}): this server keeps to its own rate limits until it does");
    }
    let (router, _) = server::router(&app);
    let mut tasks = JoinSet::new();
    let metrics = serve_metrics(settings, &house.store, &mut tasks).await?;
    let mails = match &settings.smtp_url {
        None => {
            let program = program();
            format!("kept here, read them with `{program} mail list` and `{program} mail show ID`")
        }
        Some(url) => {
            let smtp = connectors::mail::Smtp::new(&url.0, &settings.sender()).map_err(because)?;
            let host = smtp.host().to_owned();
            tasks.spawn(connectors::mail::run(house.store.clone(), smtp));
            format!("sent through {host}")
        }
    };
    let background = server::background::start(&app);
    let stop = stop_signal(&app)?;
    print(start_text(settings, &address, metrics.as_deref(), &mails, house.store.engine()));
    if let Some(made) = demo {
        print(format!("{}\n", demo::sign_in_text(&made)));
    }
    print("Stop it with Ctrl-C.\n");
    let drain = Duration::from_secs(settings.drain_seconds.0.into());
    server::listen::serve(listener, router, app.unattended(), stop, drain).await.map_err(because)?;
    // What holds something in the books lets go of it first.
    background.stop().await;
    app.close_books().await?;
    house.store.sign_heads().await?;
    print("Stopped.\n");
    Ok(())
}

/// How this program was called, so that what is told of its commands can be typed as it stands.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "rowhouse".to_owned())
}

async fn bind(address: std::net::SocketAddr, setting: &str) -> Outcome<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                ": something else listens there, perhaps another rowhouse; choose another port"
            }
            std::io::ErrorKind::PermissionDenied => ": ports below 1024 are for root; choose another one",
            std::io::ErrorKind::AddrNotAvailable => ": this machine does not have that address",
            _ => "",
        };
        because(format!("`{setting}` {address} cannot be used ({error}){advice}"))
    })
}

/// Serves metrics where the settings say. The default port may be another server's: then there are none, which is told.
async fn serve_metrics(settings: &Settings, store: &store::Store, tasks: &mut JoinSet<()>) -> Outcome<Option<String>> {
    let Some(address) = settings.metrics_listen.0 else { return Ok(None) };
    let listener = match bind(address, "metrics_listen").await {
        Ok(listener) => listener,
        Err(error) if settings.metrics_by_default() => {
            let crate::Failed::Because(text) = &error else { return Err(error) };
            tracing::warn!("there are no metrics: {text}");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let listening = listener.local_addr().map_err(because)?;
    let metrics = Metrics::install().map_err(because)?;
    let router = metrics.router(store);
    tasks.spawn(async move {
        // Ends with the process: whoever reads metrics wants to see the draining, too.
        let served =
            server::listen::serve(listener, router, &Unattended::default(), std::future::pending(), Duration::ZERO)
                .await;
        if let Err(error) = served {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    tasks.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            metrics.tidy();
        }
    });
    Ok(Some(format!("http://{listening}/metrics")))
}

/// Resolves at the first SIGTERM or Ctrl-C; the second one ends the process at once.
fn stop_signal(app: &App) -> Outcome<impl Future<Output = ()> + use<>> {
    let mut terminate = signal(SignalKind::terminate()).map_err(because)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(because)?;
    let app = app.clone();
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        app.drain();
        tracing::info!("stopping: running requests may end");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    })
}

fn start_text(settings: &Settings, address: &str, metrics: Option<&str>, mails: &str, engine: Engine) -> String {
    let data = match engine {
        Engine::Sqlite => format!("{} (encrypted, one file per organisation)", open::absolute(&settings.data)),
        Engine::Postgres => "in PostgreSQL (row security forced)".to_owned(),
    };
    let key = open::absolute(&settings.master_key_path());
    let mut lines = crate::output::Columns::default();
    let pages = if DASHBOARD.is_built() { address } else { "not part of this program: it was built without Node" };
    lines.row(["", "dashboard", pages]);
    lines.row(["", "API", &format!("{address}/api/docs")]);
    lines.row(["", "data", &data]);
    lines.row(["", "master key", &format!("{key} (keep a copy: without it nobody can read the data)")]);
    lines.row(["", "mails", mails]);
    lines.row(["", "models", &models_text(settings)]);
    lines.row(["", "metrics", metrics.unwrap_or("off")]);
    let signing_up = if settings.verify_mail() {
        "after the mail address is verified"
    } else {
        "at once, mail addresses are not verified"
    };
    lines.row(["", "sign-up", signing_up]);
    format!("Rowhouse {} is open at {address}\n\n{lines}\n", env!("CARGO_PKG_VERSION"))
}

fn models_text(settings: &Settings) -> String {
    let offered = [
        ("OpenAI", &settings.openai_base_url, settings.openai_api_key.is_some()),
        ("Anthropic", &settings.anthropic_base_url, settings.anthropic_api_key.is_some()),
    ];
    let offered = offered.into_iter().filter(|(_, url, key)| *key || url.is_some());
    let offered: Vec<String> = offered
        .map(|(name, url, _)| url.as_ref().map_or_else(|| name.to_owned(), |url| format!("{name} ({})", url.0)))
        .collect();
    match offered.as_slice() {
        [] => "none but those inside; OPENAI_API_KEY or ANTHROPIC_API_KEY brings others".into(),
        names => names.join(", "),
    }
}

/// How this program is started to read documents apart.
fn readers() -> Outcome<documents::apart::Bounds> {
    let program = std::env::current_exe().map_err(because)?;
    Ok(documents::apart::Bounds::new(program, vec![crate::READER.into()]))
}
