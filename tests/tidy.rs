//! The laws of `ARCHITECTURE.md`, kept by parsing the source, and tests of these checks themselves.

#[path = "tidy/laws.rs"]
mod laws;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/texts.rs"]
mod texts;
#[path = "tidy/tree.rs"]
mod tree;

use std::path::Path;

use tree::{Files, Tree};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text files of the repository.
fn repository() -> Vec<(String, String)> {
    texts::tracked(root())
        .into_iter()
        .filter_map(|name| std::fs::read_to_string(root().join(&name)).ok().map(|text| (name, text)))
        .collect()
}

fn source() -> Files {
    fn below(folder: &Path, source: &Path, files: &mut Files) {
        for entry in std::fs::read_dir(folder).expect("the source folder can be read") {
            let path = entry.expect("its entries too").path();
            if path.is_dir() {
                below(&path, source, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(source).expect("it is below").to_str().expect("UTF-8").to_owned();
                files.insert(name, std::fs::read_to_string(&path).expect("a source file can be read"));
            }
        }
    }
    let mut files = Files::new();
    below(&root().join("src"), &root().join("src"), &mut files);
    files
}

#[track_caller]
fn none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_source_file_parses_and_is_reached_from_lib_rs() {
    none(&Tree::read(&source()).faults);
}

#[test]
fn a_module_uses_only_what_is_declared_above_it() {
    none(&laws::declared_above(&Tree::read(&source())));
}

#[test]
fn the_pure_part_has_no_async_and_no_world() {
    none(&laws::pure_part_is_pure(&Tree::read(&source())));
}

#[test]
fn each_big_crate_stays_behind_its_door() {
    none(&laws::crates_stay_home(&Tree::read(&source())));
}

#[test]
fn sql_stands_in_the_folder_of_the_database_only() {
    none(&laws::sql_stays_home(&Tree::read(&source())));
}

#[test]
fn implementations_are_private_and_only_the_composition_root_makes_them() {
    none(&laws::implementations_are_private(&Tree::read(&source())));
}

#[test]
fn functions_are_short_and_take_little() {
    let tree = Tree::read(&source());
    none(&tree.modules.iter().flat_map(shape::functions).collect::<Vec<_>>());
}

#[test]
fn files_are_short_and_well_named() {
    none(&repository().iter().flat_map(|(name, text)| texts::file_shape(name, text)).collect::<Vec<_>>());
}

#[test]
fn nothing_is_put_off_and_no_machine_is_named() {
    none(&repository().iter().flat_map(|(name, text)| texts::words(name, text)).collect::<Vec<_>>());
}

#[test]
fn lock_files_name_the_public_registries_only() {
    none(&repository().iter().flat_map(|(name, text)| texts::lock_file(name, text)).collect::<Vec<_>>());
}

// The checks, checked: each finds what it is there for, and nothing in what is right.

fn tree_of(files: &[(&str, &str)]) -> Tree {
    Tree::read(&files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

/// `base` above `config` above `flow`; `text` is that of `module`.
fn with(module: &str, text: &str) -> Tree {
    let mut files = vec![("lib.rs", "pub mod base; pub mod config; pub mod flow;")];
    for name in ["base", "config", "flow"] {
        let file: &'static str = match name {
            "base" => "base.rs",
            "config" => "config.rs",
            _ => "flow.rs",
        };
        files.push((file, if name == module { text } else { "" }));
    }
    tree_of(&files)
}

#[test]
fn a_use_a_path_and_a_macro_that_point_up_are_found() {
    for text in [
        "use crate::flow::Errand;",
        "use crate::{config, flow::{self, Errand}};",
        "fn f() -> crate::flow::Errand { todo() }",
        "fn f() { crate::flow::errand(); }",
        "fn f() { println!(\"{}\", crate::flow::errand()); }",
        "use super::flow;",
        "mod inner { use super::super::flow::Errand; }",
        "#[cfg(test)] mod tests { use crate::flow::Errand; }",
    ] {
        assert_eq!(laws::declared_above(&with("config", text)).len(), 1, "{text}");
    }
    for text in ["use crate::base::Moment;", "use crate::config::Snapshot;", "use self::inner::A; mod inner {}"] {
        none(&laws::declared_above(&with("config", text)));
    }
}

#[test]
fn inside_a_folder_siblings_are_used_downwards_only() {
    let folder = "mod a; mod b; pub use a::A; pub use b::B;";
    let lib = "mod door;";
    let with = |a, b| tree_of(&[("lib.rs", lib), ("door/mod.rs", folder), ("door/a.rs", a), ("door/b.rs", b)]);
    for upward in ["use super::b::B;", "use super::B;", "use crate::door::B;", "fn f(_: crate::door::b::B) {}"] {
        assert_eq!(laws::declared_above(&with(upward, "")).len(), 1, "{upward}");
    }
    none(&laws::declared_above(&with("use super::Contract;", "use super::a::A; use super::A;")));
}

#[test]
fn the_world_in_the_pure_part_is_found() {
    for text in [
        "use std::fs;",
        "use std::{fs::File, fmt};",
        "fn f() { std::env::args(); }",
        "use std::time::SystemTime;",
        "use tokio::sync::Mutex;",
        "async fn f() {}",
        "fn f() { let _ = async {}; }",
        "trait T { async fn f(); }",
        "use aws_lc_rs::rand::SystemRandom;",
    ] {
        assert_eq!(laws::pure_part_is_pure(&with("base", text)).len(), 1, "{text}");
    }
    none(&laws::pure_part_is_pure(&with("base", "use std::time::Duration; #[cfg(test)] mod tests { use std::fs; }")));
    none(&laws::pure_part_is_pure(&with("config", "use std::fs; async fn f() {}")));
}

#[test]
fn a_crate_away_from_home_is_found_and_a_module_of_its_name_is_none() {
    assert_eq!(laws::crates_stay_home(&with("flow", "use reqwest::Client;")).len(), 1);
    assert_eq!(laws::crates_stay_home(&with("flow", "#[derive(askama::Template)] struct P;")).len(), 1);
    let state = |text| {
        tree_of(&[("lib.rs", "mod state;"), ("state/mod.rs", "mod redis; use redis::Store;"), ("state/redis.rs", text)])
    };
    none(&laws::crates_stay_home(&state("use redis::Client;")));
}

#[test]
fn an_engine_of_the_database_away_from_its_own_folder_is_found() {
    let with = |sqlite, postgres| {
        let files = [
            ("lib.rs", "mod directory;"),
            ("directory/mod.rs", "mod sql;"),
            ("directory/sql/mod.rs", "mod sqlite; mod postgres;"),
            ("directory/sql/sqlite/mod.rs", sqlite),
            ("directory/sql/postgres/mod.rs", postgres),
        ];
        laws::crates_stay_home(&tree_of(&files))
    };
    none(&with("use rusqlite::Connection;", "use tokio_postgres::Client;"));
    assert_eq!(with("use tokio_postgres::Client;", "use rusqlite::Connection;").len(), 2);
}

#[test]
fn sql_away_from_home_is_found() {
    for text in ["const Q: &str = \"SELECT 1\";", "fn f() { format!(\"DELETE FROM {}\", 1); }"] {
        assert_eq!(laws::sql_stays_home(&with("flow", text)).len(), 1, "{text}");
    }
    none(&laws::sql_stays_home(&with("flow", "const SAID: &str = \"Select one\";")));
    none(&laws::sql_stays_home(&with("flow", "#[cfg(test)] mod tests { const Q: &str = \"SELECT 1\"; }")));
}

#[test]
fn an_implementation_in_the_open_and_a_constructor_elsewhere_are_found() {
    let with = |door, flow| {
        tree_of(&[
            ("lib.rs", "mod state; mod flow;"),
            ("state/mod.rs", door),
            ("state/embedded.rs", ""),
            ("flow.rs", flow),
        ])
    };
    assert_eq!(laws::implementations_are_private(&with("pub mod embedded;", "")).len(), 1);
    let private = "mod embedded; pub use embedded::EmbeddedState;";
    assert_eq!(laws::implementations_are_private(&with(private, "use crate::state::EmbeddedState;")).len(), 1);
    none(&laws::implementations_are_private(&with(private, "use crate::state::StateStore;")));
}

#[test]
fn a_long_function_many_parameters_and_a_public_bool_are_found() {
    let long = format!("fn f() {{\n{}}}", "g();\n".repeat(70));
    let shape = |text: &str| with("flow", text).modules.iter().flat_map(shape::functions).count();
    assert_eq!(shape(&long), 1);
    assert_eq!(shape(&format!("#[cfg(test)] mod tests {{ {long} }}")), 0);
    assert_eq!(shape("fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}"), 1);
    assert_eq!(shape("impl S { fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8) {} }"), 0);
    assert_eq!(shape("pub fn f(yes: bool) {}"), 1);
    assert_eq!(shape("pub trait T { fn f(&self, yes: bool); }"), 1);
    assert_eq!(shape("fn f(yes: bool) {}"), 0);
}

#[test]
fn an_orphan_and_a_missing_file_are_found() {
    assert_eq!(tree_of(&[("lib.rs", "mod a;")]).faults.len(), 1);
    assert_eq!(tree_of(&[("lib.rs", ""), ("lost.rs", "")]).faults.len(), 1);
}

#[test]
fn long_files_vague_names_put_off_work_and_foreign_registries_are_found() {
    assert_eq!(texts::file_shape("src/a.rs", &"x\n".repeat(441)).len(), 1);
    assert_eq!(texts::file_shape("src/util.rs", "").len(), 1);
    assert_eq!(texts::file_shape("src/helpers/a.rs", "").len(), 1);
    none(&texts::file_shape("src/utility_rate.rs", ""));
    let put_off = format!("// {}: later", ["TO", "DO"].concat());
    assert_eq!(texts::words("a.rs", &put_off).len(), 1);
    assert_eq!(texts::words("a.rs", &["cd /ro", "ot/x"].concat()).len(), 1);
    none(&texts::words("a.rs", &["XX", "XX MAS", "TODOS"].concat()));
    assert_eq!(texts::lock_file("Cargo.lock", "source = \"registry+https://mirror.test/index\"").len(), 1);
    assert_eq!(texts::lock_file("x/package-lock.json", "  \"resolved\": \"https://mirror.test/a.tgz\",").len(), 1);
    none(&texts::lock_file("x/package-lock.json", "\"resolved\": \"https://registry.npmjs.org/a/-/a-1.tgz\","));
}
