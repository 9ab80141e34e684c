//! Where reports go: standard output, or a file a format in a folder.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Exit, Trouble};

/// Writes each format to standard output (`-`), or as `NAME.EXTENSION` into the folder, which is made if need be.
pub(super) fn write<F: Copy>(
    folder: &Path,
    name: &str,
    formats: &[F],
    extension: impl Fn(F) -> &'static str,
    one: impl Fn(F, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Trouble> {
    if folder.as_os_str() == "-" {
        let mut out = BufWriter::new(io::stdout().lock());
        for format in formats {
            one(*format, &mut out)?;
        }
        return Ok(out.flush()?);
    }
    let failed = |what: &str, path: &Path, error: &io::Error| {
        Trouble::new(Exit::Failure, format_args!("cannot {what} {}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, &error))?;
    for format in formats {
        let path = folder.join(format!("{name}.{}", extension(*format)));
        let file = File::create(&path).map_err(|error| failed("write", &path, &error))?;
        let mut out = BufWriter::new(file);
        one(*format, &mut out).and_then(|()| out.flush()).map_err(|error| failed("write", &path, &error))?;
        // Nobody may be listening; the report is written all the same.
        let _ = writeln!(io::stderr(), "wrote {}", path.display());
    }
    Ok(())
}
