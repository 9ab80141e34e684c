//! The house holds: no upward imports, SDK types in one room, one door for writes, short files.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, top floor first. A room may use only those after it.
const ROOMS: &[&str] = &[
    "cli",
    "tui",
    "report",
    "source",
    "aws",
    "case",
    "fix",
    "posture",
    "activity",
    "content",
    "access",
    "inventory",
    "base",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Code without line comments and string contents, so that prose cannot trip a rule.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The rooms that a file of `room` names, by `crate::room`, and by `super::` chains that leave it.
fn rooms_named(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for part in code.split("crate::").skip(1) {
        let part = part.trim_start();
        if let Some(group) = part.strip_prefix('{') {
            // `use crate::{base::Text, inventory::Key}`: the first word of each item at depth one.
            let mut depth = 1;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => {
                        named.push(std::mem::take(&mut item));
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 {
                    named.push(std::mem::take(&mut item));
                    break;
                }
                item.push(c);
            }
        } else {
            named.push(part.to_owned());
        }
    }
    named
        .iter()
        .map(|item| item.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn every_room_is_there_and_says_what_it_is_for() {
    for room in ROOMS {
        let path = root().join("src").join(room).join("mod.rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", name(&path)));
        assert!(text.starts_with("//! "), "{} does not begin with what the room is for", name(&path));
    }
    let found: Vec<_> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for room in &found {
        assert!(ROOMS.contains(&room.as_str()), "src/{room} is no room of the house");
    }
}

#[test]
fn no_room_uses_one_above_it() {
    let mut wrong = Vec::new();
    let mut edges = 0;
    for (floor, room) in ROOMS.iter().enumerate() {
        for path in files_below(&root().join("src").join(room), "rs") {
            for used in rooms_named(&code(&path)) {
                let Some(other) = ROOMS.iter().position(|r| *r == used) else { continue };
                edges += 1;
                if other < floor {
                    wrong.push(format!("{} uses crate::{used}", name(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "upward imports:\n{}", wrong.join("\n"));
    assert!(edges > 100, "the test saw only {edges} imports: it does not read what it should");
}

#[test]
fn the_import_reader_reads() {
    let code =
        "use crate::base::Text;\nuse crate::{tui::Model, inventory::{Key, kms}, aws};\nlet x = crate::cli::run();";
    assert_eq!(rooms_named(code), ["base", "tui", "inventory", "aws", "cli"]);
}

#[test]
fn only_aws_names_sdk_types() {
    for room in ROOMS.iter().filter(|room| **room != "aws") {
        for path in files_below(&root().join("src").join(room), "rs") {
            let code = code(&path);
            for prefix in ["aws_sdk_", "aws_smithy_", "aws_config", "aws_types", "aws_runtime", "aws_credential_types"]
            {
                assert!(!code.contains(prefix), "{} names {prefix}", name(&path));
            }
        }
    }
}

#[test]
fn only_the_command_line_mints_a_write_token() {
    let minting = "WriteToken::from_command_line";
    let mut found = Vec::new();
    for path in files_below(&root().join("src"), "rs") {
        let text = code(&path);
        // Tests may mint one to test what it permits.
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        if product.contains(minting) {
            found.push(name(&path));
        }
    }
    assert_eq!(found, ["src/cli/write.rs"], "who calls {minting}");
    // It does so from the flag alone, and the flag can be set by clap alone: its field is private,
    // and it is neither built nor assigned in that file.
    let text = code(&root().join("src/cli/write.rs"));
    assert_eq!(text.matches("from_command_line(write)").count(), 1, "one place mints");
    assert_eq!(text.matches("minted(").count(), 3, "it is called for the two flags alone");
    assert_eq!(text.matches("minted(self.write)").count(), 2, "the token follows from the flag");
    assert!(text.contains("\nfn minted(write: bool)"), "it is private");
    assert!(text.contains("struct WriteFlag {") && text.contains("\n    write: bool,\n"), "the field is private");
    for made in ["WriteFlag {", "Self {", "write = ", "Default", "true"] {
        let allowed = usize::from(made == "WriteFlag {") * 2;
        assert_eq!(text.matches(made).count(), allowed, "{made:?} in src/cli/write.rs");
    }
}

#[test]
fn the_lockout_safety_check_is_never_bypassed() {
    for path in files_below(&root().join("src"), "rs") {
        let text = code(&path);
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(
            !product.to_lowercase().replace('_', "").contains(".bypasspolicylockoutsafetycheck("),
            "{} sets it",
            name(&path)
        );
    }
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = files_below(&root().join("src"), "rs")
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), name(&path)))
        .filter(|(lines, _)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "over 500 lines: {long:?}");
}

#[test]
fn files_say_what_they_own() {
    for path in files_below(&root().join("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no //! header", name(&path));
    }
}

#[test]
fn nothing_tells_where_it_was_built() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "themes", "benches"] {
        for extension in ["rs", "py", "toml", "md", "json", "txt", "snap"] {
            for path in files_below(&root().join(folder), extension) {
                let text = fs::read_to_string(&path).unwrap();
                for trace in [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")] {
                    if text.contains(trace) {
                        wrong.push(format!("{} holds {trace}", name(&path)));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
