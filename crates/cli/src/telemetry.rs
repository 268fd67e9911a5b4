//! Log lines, metrics and traces of this process.

use std::{io::IsTerminal, time::Duration};

use mis_sync_telemetry::{
    Repeats, metrics,
    traces::{TraceOptions, Traces},
};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::FilterExt, fmt, layer::SubscriberExt, registry,
    util::SubscriberInitExt,
};

use crate::{
    COMMIT, VERSION,
    config::{Config, Log, LogFormat},
    exit::Failure,
};

/// A collector that takes longer than this counts as away.
const COLLECTOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends log lines to standard error, as the configuration says. Standard output belongs to
/// what a command prints for its caller.
pub fn start(log: &Log) -> Result<(), Failure> {
    registry().with(lines(log).with_filter(filter(&log.level)?)).init();
    Ok(())
}

/// The same for a command that people watch: lines of this level and above, as text.
pub fn start_plain(level: &str) -> Result<(), Failure> {
    start(&Log { level: level.to_owned(), format: LogFormat::Text })
}

/// What shows how a process does that runs for long.
pub(crate) struct Watched {
    repeats: Repeats,
    traces: Option<Traces>,
}

/// Starts log lines, metrics and, if they are configured, traces.
pub(crate) fn start_service(config: &Config) -> Result<Watched, Failure> {
    let repeats = Repeats::default();
    let traces = config.traces.options()?.map(open_traces).transpose()?;
    let written = filter(&config.log.level)?.and(repeats.clone());
    let written = registry().with(lines(&config.log).with_filter(written));
    // No `Option` of a layer, which would not pass on what the layer of statements has to know.
    match &traces {
        Some(traces) => written.with(traces.layer()).init(),
        None => written.init(),
    }
    tokio::spawn(repeats.clone().tell());
    metrics::start();
    metrics::BUILD_INFO.set([VERSION, COMMIT], 1.0);
    Ok(Watched { repeats, traces })
}

impl Watched {
    /// Says what has not been said.
    pub(crate) async fn finish(self) {
        if let Some(traces) = self.traces {
            traces.finish().await;
        }
        self.repeats.tell_all();
    }
}

fn open_traces(options: TraceOptions) -> Result<Traces, Failure> {
    let http = reqwest::Client::builder()
        .timeout(COLLECTOR_TIMEOUT)
        .user_agent(format!("mis-sync/{VERSION}"))
        .build()
        .map_err(|error| Failure::usage(format!("traces.endpoint: {}", error.without_url())))?;
    Traces::new(options, http, Handle::current())
        .map_err(|error| Failure::usage(format!("traces.endpoint: {error}")))
}

/// Names alone are levels: `EnvFilter` would take a misspelt one to be the name of a target.
fn filter(level: &str) -> Result<EnvFilter, Failure> {
    let is_level = |name: &str| !name.is_empty() && name.parse::<LevelFilter>().is_ok();
    let wrong = level.split(',').map(str::trim).find(|part| !part.contains('=') && !is_level(part));
    let reason = match wrong {
        Some(name) => format!("`{name}` is not a level"),
        None => match EnvFilter::try_new(level) {
            Ok(filter) => return Ok(filter),
            Err(error) => error.to_string(),
        },
    };
    Err(Failure::usage(format!(
        "log.level: found `{level}`: {reason}. Wanted: error, warn, info, debug, trace or off, or a \
         filter such as info,mis_sync_wonde=debug"
    )))
}

fn lines(log: &Log) -> Box<dyn Layer<Registry> + Send + Sync> {
    let is_terminal = std::io::stderr().is_terminal();
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !is_terminal,
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(is_terminal).with_target(false).boxed()
    }
}
