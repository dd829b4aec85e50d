//! The house rules that a compiler does not check: which layer may import which, and how long a file may grow.

#![expect(clippy::disallowed_methods, reason = "a test reads the sources themselves")]

use std::fs;
use std::path::{Path, PathBuf};

/// A layer, and the layers that it may name. The picture at the top of `src/lib.rs` shows the same.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("sys", &["model"]),
    ("config", &["model"]),
    ("record", &["model", "sys"]),
    ("log", &["record", "config", "model", "sys"]),
    ("protocol", &["record", "model", "sys"]),
    ("broker", &["log", "record", "config", "model", "sys", "error"]),
    ("server", &["broker", "protocol", "record", "config", "model", "sys", "error"]),
    ("testkit", &["server", "broker", "protocol", "log", "record", "config", "model", "sys", "error"]),
];

/// Names at the root of the crate that every layer may use: they are re-exports for users, not layers.
const ROOT_FILES: &[&str] = &["lib.rs", "main.rs", "error.rs", "fuzzing.rs"];

/// The longest source file. What grows beyond it wants its verbs in files of their own.
const MAX_LINES: usize = 700;

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn source_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let relative = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    files.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

/// The first segment of every `crate::` path in code (not in comments) of a file.
fn imports(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (start, _) in code.match_indices("crate::") {
            let rest = &code[start + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                found.push((at + 1, name));
            }
        }
    }
    found
}

#[test]
fn imports_go_down_the_layers_only() {
    let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    let mut breaches = Vec::new();
    for (file, source) in source_files() {
        let Some((layer, allowed)) = LAYERS.iter().find(|(name, _)| file.starts_with(&format!("{name}/")))
        else {
            continue;
        };
        let is_test = file.contains("/tests/") || file.ends_with("/tests.rs");
        for (line, import) in imports(&source) {
            let is_layer = names.contains(&import.as_str()) || import == "error";
            let may = import == *layer || allowed.contains(&import.as_str());
            // A test may build what it needs from the layers above the one it tests.
            if is_layer && !may && !is_test {
                breaches.push(format!("src/{file}:{line} imports {import}, which {layer} may not"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_layer_of_the_picture() {
    for (file, _) in source_files() {
        match file.split_once('/') {
            Some((folder, _)) => assert!(
                folder == "cli" || folder == "manual" || LAYERS.iter().any(|(name, _)| *name == folder),
                "src/{folder} is not a layer"
            ),
            None => assert!(ROOT_FILES.contains(&file.as_str()), "src/{file} lies outside the layers"),
        }
    }
}

#[test]
fn no_source_file_outgrows_its_reader() {
    let mut long = Vec::new();
    for (file, source) in source_files() {
        let lines = source.lines().count();
        if lines > MAX_LINES {
            long.push(format!(
                "src/{file} has {lines} lines; split it by its verbs ({MAX_LINES} is the limit)"
            ));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn unsafe_code_is_confined_to_sys_and_says_why_it_is_sound() {
    for (file, source) in source_files() {
        for (at, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl") {
                assert!(file.starts_with("sys/"), "src/{file}:{} has unsafe code outside sys", at + 1);
                let before: Vec<&str> = source.lines().take(at).collect();
                let commented = before.iter().rev().take(6).any(|line| line.contains("SAFETY:"));
                assert!(commented, "src/{file}:{} has unsafe code without a SAFETY comment", at + 1);
            }
        }
    }
}

#[test]
fn no_folder_or_file_has_a_name_that_says_nothing() {
    for (file, _) in source_files() {
        for part in file.split('/') {
            let stem = part.trim_end_matches(".rs");
            assert!(
                !["utils", "util", "helpers", "common", "types", "misc"].contains(&stem),
                "src/{file}: name it for what is in it"
            );
        }
    }
}
