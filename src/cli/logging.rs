//! The log: off unless `BEDWATCH_LOG` names a level, and then in a file, never on the screen.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// Starts it; the guard flushes when dropped.
pub(super) fn start() -> Option<WorkerGuard> {
    let level = std::env::var("BEDWATCH_LOG").ok().filter(|level| !level.is_empty())?;
    let folder = folder()?;
    std::fs::create_dir_all(&folder).ok()?;
    let (writer, guard) = tracing_appender::non_blocking(tracing_appender::rolling::never(folder, "bedwatch.log"));
    tracing_subscriber::fmt().with_env_filter(filter(&level)).with_ansi(false).with_writer(writer).try_init().ok()?;
    Some(guard)
}

/// why not one level for all: below `info` the SDK logs requests, with signatures and bodies in them.
fn filter(level: &str) -> EnvFilter {
    let level = match level.to_ascii_lowercase().as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace") => level.to_owned(),
        _ => "info".to_owned(),
    };
    EnvFilter::new(format!("warn,bedwatch={level}"))
}

fn folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.state_dir()?.join("bedwatch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_never_logs_below_warnings() {
        for level in ["trace", "debug", "aws=trace", "TRACE"] {
            let filter = filter(level).to_string();
            assert!(!filter.contains("aws"), "{filter}");
            assert!(filter.split(',').any(|part| part == "warn"), "{filter}");
        }
    }
}
