//! The permission to write. It cannot be made up: only the command line mints it.

/// Proof that the person started bedwatch with `--write`.
///
/// It has no public field, no default and no deserializer. Without one there is no write session
/// and no [`super::Writer`].
#[derive(Debug, Clone)]
pub struct WriteToken(());

impl WriteToken {
    /// For `cli` alone: a token if `--write` was given. A test reads the sources and fails on any
    /// other caller.
    pub fn from_command_line(write: bool) -> Option<Self> {
        write.then_some(Self(()))
    }

    /// For the tests of this room.
    #[cfg(test)]
    pub(in crate::aws) fn for_tests() -> Self {
        Self(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn only_the_command_line_mints_tokens() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        assert!(files.len() > 30, "the sources were not found");
        let allowed = |path: &str| {
            path.starts_with(&root.join("cli").display().to_string()) || path.ends_with("aws/write/token.rs")
        };
        let minting: Vec<_> = files
            .iter()
            .filter(|(path, text)| text.contains("from_command_line") && !allowed(path))
            .map(|(path, _)| path)
            .collect();
        assert!(minting.is_empty(), "{minting:?}");
        // Tokens are not made in any other way, and no token is read from a file.
        let this = files.iter().find(|(path, _)| path.ends_with("aws/write/token.rs")).unwrap();
        let code = this.1.split("mod tests").next().unwrap();
        assert_eq!(code.matches("Self(())").count(), 2);
        assert!(!code.contains("Default") && !code.contains("Deserialize"));
    }

    #[test]
    fn no_flag_no_token() {
        assert!(WriteToken::from_command_line(false).is_none());
        assert!(WriteToken::from_command_line(true).is_some());
    }
}
