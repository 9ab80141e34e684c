//! Manifests of digests that lie beside weights: `SHA256SUMS`, `model.safetensors.sha256`.

use std::collections::BTreeMap;

/// A larger file is no manifest.
pub const LARGEST: u64 = 1 << 20;

/// Whether a file is a manifest of SHA-256 digests by its name.
pub fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let stem = name.strip_suffix(".txt").unwrap_or(&name);
    stem.ends_with(".sha256") || matches!(stem, "sha256sums" | "sha256sum" | "checksums.sha256" | "checksums")
}

/// Whether a file is a signature by its name.
pub fn is_signature(path: &str) -> bool {
    [".sig", ".asc", ".sigstore", ".sigstore.json", ".minisig"]
        .iter()
        .any(|ending| path.to_ascii_lowercase().ends_with(ending))
}

/// Reads one: path → digest. Lines are those of `sha256sum` (`digest  name`, `digest *name`) and of BSD
/// (`SHA256 (name) = digest`); a bare digest is that of the file that the manifest is named after. `folder` is where
/// the manifest lies, with its slash.
pub fn read(text: &str, path: &str, into: &mut BTreeMap<String, String>) {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let found = bsd(line).or_else(|| gnu(line)).or_else(|| {
            let named = name.strip_suffix(".txt").unwrap_or(name).strip_suffix(".sha256")?;
            Some((named, line))
        });
        if let Some((name, digest)) = found.filter(|(_, digest)| is_digest(digest)) {
            into.insert(format!("{folder}{}", name.trim_start_matches("./")), digest.to_ascii_lowercase());
        }
    }
}

fn bsd(line: &str) -> Option<(&str, &str)> {
    let (name, digest) = line.strip_prefix("SHA256 (")?.rsplit_once(") = ")?;
    Some((name, digest.trim()))
}

fn gnu(line: &str) -> Option<(&str, &str)> {
    let (digest, name) = line.split_once([' ', '\t'])?;
    Some((name.trim_start_matches([' ', '\t', '*']), digest))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lines_of_every_form() {
        for (path, text, name) in [
            ("SHA256SUMS", format!("{A}  model.safetensors\n"), "model.safetensors"),
            ("a/SHA256SUMS", format!("# by zoe\n{} *./m.safetensors", A.to_uppercase()), "a/m.safetensors"),
            ("checksums.txt", format!("SHA256 (m (1).safetensors) = {A}"), "m (1).safetensors"),
            ("m.safetensors.sha256", A.to_owned(), "m.safetensors"),
        ] {
            let mut read_in = BTreeMap::new();
            assert!(is_manifest(path), "{path}");
            read(&text, path, &mut read_in);
            assert_eq!(read_in, BTreeMap::from([(name.to_owned(), A.to_owned())]), "{path}");
        }
        let mut none = BTreeMap::new();
        read(&format!("{}  short\nno digest\n", &A[1..]), "SHA256SUMS", &mut none);
        assert!(none.is_empty());
        assert!(!is_manifest("model.safetensors") && is_signature("a/M.SIG") && !is_signature("a/sig"));
    }
}
