//! What may not stand in any file of the repository, and how long and how named a file may be.

use std::path::Path;
use std::process::Command;

/// "About 400 lines", tests and comments among them.
pub const FILE_LINES_MAX: usize = 440;

const VAGUE: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];

/// Words that are put off, or that belong to one machine. Written in two halves, so that this file has none.
const UNWANTED: [(&str, &str); 6] =
    [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("/wo", "rk/"), ("/ro", "ot/"), ("../sha", "red/")];

/// Where locked dependencies may come from: the public default of each tool.
const REGISTRIES: [(&str, &str); 2] = [
    ("Cargo.lock", "registry+https://github.com/rust-lang/crates.io-index"),
    ("package-lock.json", "https://registry.npmjs.org/"),
];

/// The repository's files, by their path from its root.
pub fn tracked(root: &Path) -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    let listed = listed.expect("git lists the repository's files");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names.split('\0').filter(|name| !name.is_empty() && root.join(name).is_file()).map(str::to_owned).collect()
}

/// Faults of one file's name and length.
pub fn file_shape(name: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if !name.ends_with(".rs") {
        return broken;
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        broken.push(format!("{name}: {lines} lines, about 400 at most"));
    }
    let path = Path::new(name);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str()).unwrap_or_default();
    for vague in [stem, folder] {
        if VAGUE.contains(&vague) {
            broken.push(format!("{name}: `{vague}` says nothing about what is in it"));
        }
    }
    broken
}

/// Unwanted words of one file.
pub fn words(name: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (head, tail) in UNWANTED {
            let word = format!("{head}{tail}");
            if has_word(line, &word) {
                broken.push(format!("{name}:{}: `{word}`", number + 1));
            }
        }
    }
    broken
}

/// Whether `word` stands in `line`, not as a part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let wordy = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let only_letters = word.chars().all(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !wordy(before) && (!only_letters || !wordy(after))
    })
}

/// Lines of a lock file that name another registry than the public default.
pub fn lock_file(name: &str, text: &str) -> Vec<String> {
    let Some((_, registry)) = REGISTRIES.iter().find(|(lock, _)| name.ends_with(lock)) else { return Vec::new() };
    text.lines()
        .enumerate()
        .filter(|(_, line)| {
            let line = line.trim_start();
            (line.starts_with("source = ") || line.starts_with("\"resolved\":")) && !line.contains(registry)
        })
        .map(|(number, line)| format!("{name}:{}: not the public registry: {}", number + 1, line.trim()))
        .collect()
}
