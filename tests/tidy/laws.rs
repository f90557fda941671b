//! The laws of `ARCHITECTURE.md` over a tree of modules. Each returns what breaks it.

use crate::tree::{Module, Named, Root, Tree};

/// A module uses only what is declared above it: top level by `lib.rs`, inside a folder by its `mod.rs`.
pub fn declared_above(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for module in &tree.modules {
        for named in module.named.iter().filter(|n| n.root == Root::Crate) {
            if let Some((parent, below, here)) = upward(tree, module, named) {
                let place = if parent.path.is_empty() { "lib.rs".to_owned() } else { parent.path.join("::") };
                broken.push(format!(
                    "{}:{}: uses `{below}`, which is not declared above `{here}` in {place}",
                    module.file, named.line
                ));
            }
        }
    }
    broken.dedup();
    broken
}

/// Where the path and the module part ways: the module there, the child it names, the child it is in.
fn upward<'a>(tree: &'a Tree, module: &Module, named: &Named) -> Option<(&'a Module, String, String)> {
    let shared = module.path.iter().zip(&named.segments).take_while(|(a, b)| a == b).count();
    let here = module.path.get(shared)?;
    let target = named.segments.get(shared)?;
    let parent = tree.module(module.path.get(..shared)?)?;
    let place = |name: &str| parent.children.iter().position(|(child, _)| child == name);
    let below = match place(target) {
        Some(_) => target,
        None => parent.reexports.get(target)?,
    };
    (place(below)? > place(here)?).then(|| (parent, below.clone(), here.clone()))
}

/// Crates, and parts of `std`, that the pure part does without.
const IMPURE: [&[&str]; 22] = [
    &["tokio"],
    &["futures_util"],
    &["async_trait"],
    &["actix_web"],
    &["redis"],
    &["reqwest"],
    &["rusqlite"],
    &["tokio_postgres"],
    &["openidconnect"],
    &["rand"],
    &["getrandom"],
    &["tempfile"],
    &["notify_debouncer_full"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "io", "stdin"],
    &["std", "net", "TcpStream"],
    &["std", "net", "TcpListener"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
];

/// The first door: what is declared above it in `lib.rs` is pure.
const FIRST_DOOR: &str = "config";

/// The pure part has no `async` and nothing of the world.
pub fn pure_part_is_pure(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for module in tree.modules.iter().filter(|m| !m.test && is_pure(tree, m)) {
        for named in module.named.iter().filter(|n| n.root == Root::Outside) {
            if let Some(impure) = IMPURE.iter().find(|i| begins_with(&named.segments, i)) {
                broken.push(format!("{}:{}: `{}` in the pure part", module.file, named.line, impure.join("::")));
            }
        }
        let random = |n: &&Named| begins_with(&n.segments, &["aws_lc_rs", "rand"]);
        if module.path.first().is_some_and(|top| top != "keys") {
            for named in module.named.iter().filter(random) {
                broken.push(format!("{}:{}: randomness in the pure part", module.file, named.line));
            }
        }
        broken.extend(crate::shape::asyncs(module));
    }
    broken
}

fn is_pure(tree: &Tree, module: &Module) -> bool {
    let Some(root) = tree.module(&[]) else { return false };
    let place = |name: &str| root.children.iter().position(|(child, _)| child == name);
    match (module.path.first().and_then(|top| place(top)), place(FIRST_DOOR)) {
        (Some(here), Some(door)) => here < door,
        _ => false,
    }
}

fn begins_with(segments: &[String], start: &[&str]) -> bool {
    segments.len() >= start.len() && segments.iter().zip(start).all(|(a, b)| a == b)
}

/// A crate, and the files that may name it (paths below `src/`, by how they begin).
const KEPT_IN: [(&str, &[&str]); 12] = [
    ("openidconnect", &["upstream/"]),
    ("jsonwebtoken", &["keys/"]),
    ("redis", &["state/redis"]),
    ("rusqlite", &["directory/sql/sqlite/"]),
    ("tokio_postgres", &["directory/sql/postgres/"]),
    ("tokio_postgres_rustls", &["directory/sql/postgres/"]),
    ("unicode_normalization", &["base/text.rs"]),
    ("reqwest", &["outbound/http.rs"]),
    ("actix_web", &["web/", "app.rs", "app/", "demo/listener.rs"]),
    ("askama", &["pages/"]),
    ("anyhow", &["main.rs", "cli/", "cli.rs"]),
    ("clap", &["main.rs", "cli/", "cli.rs"]),
];

/// Each of the big crates stays behind the one door that is made of it.
pub fn crates_stay_home(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for module in tree.modules.iter().filter(|m| !m.test) {
        for named in module.named.iter().filter(|n| n.root == Root::Outside) {
            let home = KEPT_IN.iter().find(|(name, _)| named.segments.first().is_some_and(|first| first == name));
            if let Some((name, homes)) = home
                && !homes.iter().any(|home| module.file.starts_with(home))
            {
                broken.push(format!("{}:{}: `{name}` belongs in {}", module.file, named.line, homes.join(" or ")));
            }
        }
    }
    broken
}

/// How a statement of SQL begins.
const SQL: [&str; 6] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE "];

/// SQL stands in the one folder that is made of it.
pub fn sql_stays_home(tree: &Tree) -> Vec<String> {
    let away = tree.modules.iter().filter(|m| !m.test && !m.file.starts_with("directory/sql/"));
    away.flat_map(|module| {
        let texts = crate::shape::texts(module).into_iter();
        let sql = texts.filter(|(text, _)| SQL.iter().any(|start| text.trim_start().starts_with(start)));
        sql.map(|(_, line)| format!("{}:{line}: SQL belongs in directory/sql/", module.file))
    })
    .collect()
}

/// The implementations of contracts, by folder.
const IMPLEMENTATIONS: [(&str, &str); 3] = [("state", "embedded"), ("state", "redis"), ("directory", "sql")];

/// Implementations are private modules, and what their door hands out of them only `app` takes.
pub fn implementations_are_private(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (door, implementation) in IMPLEMENTATIONS {
        let Some(folder) = tree.module(&[door.to_owned()]) else { continue };
        if folder.children.iter().any(|(child, public)| child == implementation && *public) {
            broken.push(format!("{}: `{door}::{implementation}` is pub", folder.file));
        }
        let handed_out: Vec<&String> =
            folder.reexports.iter().filter(|(_, child)| *child == implementation).map(|(name, _)| name).collect();
        for module in tree.modules.iter().filter(|m| !m.test && !may_construct(m, door)) {
            for named in module.named.iter().filter(|n| n.root == Root::Crate) {
                let takes = named.segments.first().is_some_and(|first| first == door)
                    && named.segments.get(1).is_some_and(|name| handed_out.contains(&name));
                if takes {
                    broken.push(format!(
                        "{}:{}: only `app` makes a {}",
                        module.file,
                        named.line,
                        named.segments.join("::")
                    ));
                }
            }
        }
    }
    broken
}

fn may_construct(module: &Module, door: &str) -> bool {
    module.path.first().is_none_or(|top| top == "app" || top == door)
}
