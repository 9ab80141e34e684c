//! The file itself: opening, making, its format and its permissions.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::error::CaseError;

/// The format this version writes. It goes up with every change that an older version could not
/// read; [`MIGRATIONS`] brings older files here.
pub const FORMAT: i64 = 2;

/// `application_id` in the header of the file: "BedW".
const APPLICATION: i64 = 0x4265_6457;

/// `MIGRATIONS[n]` takes a file from format `n` to `n + 1`.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE inventories (
        at INTEGER PRIMARY KEY, session TEXT NOT NULL, inventory TEXT NOT NULL) STRICT;
    CREATE TABLE events (
        id TEXT PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
    CREATE INDEX events_at ON events (at DESC, id);
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, account TEXT NOT NULL,
        region TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
        prev_hash TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE sightings (
        verdict TEXT PRIMARY KEY, control TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
        first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, closed_at INTEGER,
        reopened INTEGER NOT NULL DEFAULT 0) STRICT;
",
    "
    CREATE TABLE invocations (
        id TEXT PRIMARY KEY, at INTEGER NOT NULL, invocation TEXT NOT NULL) STRICT;
    CREATE INDEX invocations_at ON invocations (at DESC, id);
",
];

/// A case: a SQLite file, or one in memory. Can be shared between tasks and processes.
#[derive(Debug)]
pub struct Case {
    connection: Mutex<Connection>,
    path: Option<PathBuf>,
}

impl Case {
    /// Opens a case that exists.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaseError> {
        let path = path.as_ref();
        match std::fs::metadata(path) {
            Ok(data) if data.is_file() => {}
            Ok(_) => return Err(CaseError::NotACase(path.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CaseError::Missing(path.to_owned()));
            }
            Err(source) => return Err(CaseError::Io { path: path.to_owned(), source }),
        }
        Self::connect(path, false)
    }

    /// Makes a new case, readable by its owner only.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, CaseError> {
        let path = path.as_ref();
        match new_file(path) {
            Ok(()) => Self::connect(path, true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(CaseError::Exists(path.to_owned())),
            Err(source) => Err(CaseError::Io { path: path.to_owned(), source }),
        }
    }

    /// Opens a case, or makes it.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, CaseError> {
        match Self::create(path.as_ref()) {
            // why: another process may have made it a moment ago and not have filled it yet.
            Err(CaseError::Exists(path)) => Self::connect(&path, true),
            other => other,
        }
    }

    /// A case that is gone when it is dropped: the demo, tests.
    pub fn in_memory() -> Result<Self, CaseError> {
        Self::prepare(Connection::open_in_memory()?, None, true)
    }

    /// Where it is; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn connect(path: &Path, fresh: bool) -> Result<Self, CaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        Self::prepare(connection, Some(path.to_owned()), fresh)
    }

    fn prepare(mut connection: Connection, path: Option<PathBuf>, fresh: bool) -> Result<Self, CaseError> {
        let shown = || path.clone().unwrap_or_else(|| PathBuf::from("in memory"));
        let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => CaseError::NotACase(shown()),
            _ => CaseError::Sqlite(error),
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(foreign)?;
        connection.pragma_update(None, "trusted_schema", false).map_err(foreign)?;
        let (found, empty) = format_of(&connection).map_err(foreign)?;
        match found {
            Some(found) if found > FORMAT => return Err(CaseError::Newer { path: shown(), found, known: FORMAT }),
            // why not migrated here at once: a case that is up to date opens on a read-only medium too.
            Some(FORMAT) => {}
            Some(_) => migrate(&mut connection)?,
            None if fresh && empty => migrate(&mut connection)?,
            None => return Err(CaseError::NotACase(shown())),
        }
        Ok(Self { connection: Mutex::new(connection), path })
    }

    /// The connection. A panic of another thread while it held it cannot have left it half written:
    /// its transaction was rolled back.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A remark about the case itself.
    pub fn meta(&self, name: &str) -> Result<Option<String>, CaseError> {
        let connection = self.lock();
        Ok(connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()?)
    }

    /// Sets a remark about the case itself.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<(), CaseError> {
        const SQL: &str = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.lock().execute(SQL, [name, value])?;
        Ok(())
    }
}

/// The format of a case, `None` if it is none; and whether the database holds nothing at all.
fn format_of(connection: &Connection) -> rusqlite::Result<(Option<i64>, bool)> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, format) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(((application == APPLICATION).then_some(format), application == 0 && format == 0 && tables == 0))
}

fn migrate(connection: &mut Connection) -> Result<(), CaseError> {
    // why not WAL: a case is one file, to be copied and handed on as one.
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again: another process may have done it while this one waited.
    let from = format_of(&step)?.0.unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        step.execute_batch(migration)?;
    }
    step.pragma_update(None, "application_id", APPLICATION)?;
    step.pragma_update(None, "user_version", FORMAT)?;
    step.commit()?;
    Ok(())
}

#[cfg(unix)]
fn new_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn new_file(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_private_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.case");
        assert!(matches!(Case::open(&path), Err(CaseError::Missing(_))));
        Case::create(&path).unwrap().set_meta("x", "1").unwrap();
        assert_eq!(Case::open(&path).unwrap().meta("x").unwrap().as_deref(), Some("1"));
        assert_eq!(Case::open_or_create(&path).unwrap().meta("x").unwrap().as_deref(), Some("1"));
        assert!(matches!(Case::create(&path), Err(CaseError::Exists(_))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 1, "one file, to be handed on as one");
    }

    #[test]
    fn what_is_no_case_says_so_and_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("notes.txt");
        std::fs::write(&text, "these are notes, not a database, and they are long enough to have a header").unwrap();
        let other = dir.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
        let empty = dir.path().join("empty");
        std::fs::write(&empty, "").unwrap();
        for path in [&text, &other, &empty] {
            let before = std::fs::read(path).unwrap();
            let error = Case::open(path).unwrap_err();
            assert!(matches!(error, CaseError::NotACase(_)), "{error}");
            assert_eq!(std::fs::read(path).unwrap(), before);
        }
        assert!(matches!(Case::open_or_create(&other), Err(CaseError::NotACase(_))));
        assert!(matches!(Case::open(dir.path()), Err(CaseError::NotACase(_))));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.case");
        Case::create(&path).unwrap().lock().pragma_update(None, "user_version", FORMAT + 1).unwrap();
        let error = Case::open(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("has format {}", FORMAT + 1)) && error.contains("newer bedwatch"), "{error}");
    }

    #[test]
    fn an_older_format_is_brought_here() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old.case");
        {
            let old = Connection::open(&path).unwrap();
            old.execute_batch(MIGRATIONS[0]).unwrap();
            old.execute("INSERT INTO meta VALUES ('x', '1')", []).unwrap();
            old.pragma_update(None, "application_id", APPLICATION).unwrap();
            old.pragma_update(None, "user_version", 1).unwrap();
        }
        let case = Case::open(&path).unwrap();
        assert_eq!(case.meta("x").unwrap().as_deref(), Some("1"));
        assert_eq!(case.invocations(9).unwrap(), []);
        assert_eq!(format_of(&case.lock()).unwrap(), (Some(FORMAT), false));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = Case::create(dir.path().join("no/x.case")).unwrap_err().to_string();
        assert!(error.contains("no/x.case"), "{error}");
    }
}
