//! Files are written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes each text to its file. All temporary files are complete before the first one gets its
/// name, so a full disk leaves every old file as it was.
pub fn write_all(files: &[(PathBuf, String)]) -> Result<(), String> {
    let mut ready = Vec::with_capacity(files.len());
    for (path, text) in files {
        let said = |error: io::Error| format!("cannot write {}: {error}", path.display());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".cargo-stateless-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Reports are read by others; the process's own mask still applies.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder).map_err(said)?;
        file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(said)?;
        ready.push((file, path));
    }
    for (file, path) in ready {
        file.persist(path).map_err(|error| format!("cannot write {}: {}", path.display(), error.error))?;
    }
    Ok(())
}
