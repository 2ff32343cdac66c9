//! How log lines look and which are written. They go to standard error; what they say is their
//! writers' business.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogFormat, Telemetry};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the filter of log lines cannot be understood")]
    Filter(#[source] ParseError),
    #[error("log lines go somewhere else already")]
    Taken(#[source] TryInitError),
}

/// Sends this process's log lines, and what a panic says, to standard error. Once, at the start.
pub fn start(settings: &Telemetry) -> Result<(), TelemetryError> {
    subscriber(settings, io::stderr().is_terminal(), io::stderr)
        .map_err(TelemetryError::Filter)?
        .try_init()
        .map_err(TelemetryError::Taken)?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "A bug was hit")));
    Ok(())
}

fn subscriber<W>(
    settings: &Telemetry,
    terminal: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter: EnvFilter = settings.filter.parse()?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = if is_json(settings.format, terminal) {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(terminal).boxed()
    };
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}

fn is_json(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !terminal,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str, terminal: bool) -> String {
        let lines = Lines::default();
        let settings = Telemetry {
            format,
            filter: filter.into(),
        };
        let writer = lines.clone();
        let subscriber = subscriber(&settings, terminal, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(instance = "ada\n{\"level\":\"forged\"}", "Visited");
            tracing::debug!("A detail");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn elsewhere_than_in_a_terminal_each_line_is_one_json_object() {
        for format in [LogFormat::Auto, LogFormat::Json] {
            let text = written(format, "info", false);
            assert_eq!(text.lines().count(), 1, "{text}");
            let line: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(line["level"], "INFO");
            assert_eq!(line["message"], "Visited");
            assert_eq!(line["instance"], "ada\n{\"level\":\"forged\"}");
        }
    }

    #[test]
    fn in_a_terminal_lines_are_for_people_and_no_value_makes_a_second_line() {
        let text = written(LogFormat::Auto, "info", true);
        assert!(text.contains("Visited") && !text.starts_with('{'), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn the_filter_decides_what_is_written() {
        let detail = "clawdet::telemetry=debug";
        assert!(written(LogFormat::Json, detail, false).contains("A detail"));
        assert!(!written(LogFormat::Json, "info", false).contains("A detail"));
        assert_eq!(written(LogFormat::Json, "warn", false), "");
    }
}
