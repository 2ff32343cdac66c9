//! What the rules look at: the files of the repository that people write, by their path from its root.

use std::fs;
use std::path::{Path, PathBuf};

/// A file by its path from the root of the repository, with its text.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

/// Every Rust file of the product, the crates, the tasks, the benches and these tests.
pub(super) fn rust() -> Vec<Source> {
    let found = below(
        &["src", "crates", "xtask", "benches", "tests/it"],
        &|file| file.extension().is_some_and(|ending| ending == "rs"),
    );
    assert!(found.len() > 20, "the rules look at nothing");
    found
}

/// Every file of the crates that is text, whatever it is for.
pub(super) fn crates() -> Vec<Source> {
    let found = below(&["crates"], &|_| true);
    assert!(found.len() > 4, "the rules look at nothing");
    found
}

/// Every file that pins a tool of the tests.
pub(super) fn pins() -> Vec<Source> {
    below(&["tests/tools", "tests/browser/packages"], &|_| true)
}

fn below(folders: &[&str], wanted: &dyn Fn(&Path) -> bool) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in folders {
        walk(&root.join(folder), &mut files);
    }
    files
        .into_iter()
        .filter(|file| wanted(file))
        .filter_map(|file| {
            let path = file.strip_prefix(root).unwrap().to_string_lossy();
            Some(Source {
                path: path.into_owned(),
                // What is not text, such as a picture, keeps no rule that is about text.
                text: String::from_utf8(fs::read(&file).unwrap()).ok()?,
            })
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.ends_with("target") {
            continue;
        }
        if entry.is_dir() {
            walk(&entry, files);
        } else {
            files.push(entry);
        }
    }
}
