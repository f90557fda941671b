//! The crate as a tree of modules, in the order of their declaration, with every path that each of
//! them names.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// The files of a crate by their path below `src/`.
pub type Files = BTreeMap<String, String>;

/// One module, inline or in a file of its own.
pub struct Module {
    /// `["state", "redis"]`; the crate's root is empty.
    pub path: Vec<String>,
    pub file: String,
    /// Under `#[cfg(test)]`, itself or by a module around it.
    pub test: bool,
    /// As declared, in that order: name, and whether `pub`.
    pub children: Vec<(String, bool)>,
    /// `pub use child::Name`: name → child.
    pub reexports: BTreeMap<String, String>,
    pub named: Vec<Named>,
    pub items: Vec<syn::Item>,
}

/// A path somewhere in a module, resolved as far as that is possible without the compiler.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub root: Root,
    pub segments: Vec<String>,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `segments` begin below the crate's root.
    Crate,
    /// The first segment may be another crate.
    Outside,
}

pub struct Tree {
    pub modules: Vec<Module>,
    pub faults: Vec<String>,
}

impl Tree {
    /// Reads the crate that begins at `lib.rs`.
    pub fn read(files: &Files) -> Self {
        let mut tree = Self { modules: Vec::new(), faults: Vec::new() };
        tree.file(files, "lib.rs", Vec::new(), false);
        let reached: Vec<&str> = tree.modules.iter().map(|m| m.file.as_str()).collect();
        let orphans: Vec<String> = files
            .keys()
            .filter(|f| !reached.contains(&f.as_str()) && f.as_str() != "main.rs")
            .map(|f| format!("{f}: no `mod` leads to this file"))
            .collect();
        tree.faults.extend(orphans);
        tree
    }

    pub fn module(&self, path: &[String]) -> Option<&Module> {
        self.modules.iter().find(|m| m.path == path)
    }

    fn file(&mut self, files: &Files, file: &str, path: Vec<String>, test: bool) {
        let Some(text) = files.get(file) else {
            self.faults.push(format!("{file}: missing"));
            return;
        };
        match syn::parse_file(text) {
            Ok(parsed) => self.items(files, file, path, parsed.items, test),
            Err(fault) => self.faults.push(format!("{file}: {fault}")),
        }
    }

    fn items(&mut self, files: &Files, file: &str, path: Vec<String>, items: Vec<syn::Item>, test: bool) {
        let mut children = Vec::new();
        for item in &items {
            let syn::Item::Mod(child) = item else { continue };
            let name = child.ident.to_string();
            let mut below = path.clone();
            below.push(name.clone());
            let test = test || is_test(&child.attrs);
            children.push((name.clone(), matches!(child.vis, syn::Visibility::Public(_))));
            if let Some((_, inner)) = &child.content {
                self.items(files, file, below, inner.clone(), test);
            } else {
                self.file(files, &file_of(files, &below), below, test);
            }
        }
        let names: Vec<&str> = children.iter().map(|(name, _)| name.as_str()).collect();
        let mut collector = Collector { here: &path, children: &names, named: Vec::new() };
        for item in &items {
            collector.visit_item(item);
        }
        let named = collector.named;
        let reexports = reexports(&items, &names);
        self.modules.push(Module { path, file: file.to_owned(), test, children, reexports, named, items });
    }
}

fn file_of(files: &Files, path: &[String]) -> String {
    let flat = format!("{}.rs", path.join("/"));
    if files.contains_key(&flat) { flat } else { format!("{}/mod.rs", path.join("/")) }
}

/// Whether these attributes have `#[cfg(test)]` or `#[test]` among them.
pub fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let path = attr.path();
        path.segments.last().is_some_and(|s| s.ident == "test")
            || (path.is_ident("cfg") && attr.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test")))
    })
}

fn reexports(items: &[syn::Item], children: &[&str]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for item in items {
        let syn::Item::Use(item) = item else { continue };
        if matches!(item.vis, syn::Visibility::Inherited) {
            continue;
        }
        for (mut segments, name) in flatten(&item.tree) {
            if segments.first().is_some_and(|s| s == "self") {
                segments.remove(0);
            }
            if let Some(child) = segments.first().filter(|s| children.contains(&s.as_str())) {
                all.insert(name, child.clone());
            }
        }
    }
    all
}

/// Every path of a `use` with the name it gets here.
fn flatten(tree: &syn::UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        syn::UseTree::Path(path) => {
            let head = path.ident.to_string();
            let mut all = flatten(&path.tree);
            for (segments, name) in &mut all {
                segments.insert(0, head.clone());
                if name == "self" {
                    name.clone_from(&head);
                }
            }
            all
        }
        syn::UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        syn::UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        syn::UseTree::Glob(_) => vec![(vec!["*".to_owned()], "*".to_owned())],
        syn::UseTree::Group(group) => group.items.iter().flat_map(flatten).collect(),
    }
}

struct Collector<'a> {
    here: &'a [String],
    children: &'a [&'a str],
    named: Vec<Named>,
}

impl Collector<'_> {
    fn note(&mut self, segments: Vec<String>, line: usize) {
        let mut rest = segments.as_slice();
        let mut base: Option<Vec<String>> = None;
        while let Some((head, tail)) = rest.split_first() {
            base = match head.as_str() {
                "crate" => Some(Vec::new()),
                "self" => Some(base.unwrap_or_else(|| self.here.to_vec())),
                "super" => {
                    let mut up = base.unwrap_or_else(|| self.here.to_vec());
                    up.pop();
                    Some(up)
                }
                child if base.is_none() && self.children.contains(&child) => {
                    base = Some(self.here.to_vec());
                    break;
                }
                _ => break,
            };
            rest = tail;
        }
        let (root, segments) = match base {
            Some(mut base) => {
                base.extend_from_slice(rest);
                (Root::Crate, base)
            }
            None => (Root::Outside, segments),
        };
        self.named.push(Named { root, segments, line });
    }

    /// What stands in a macro is tokens only: `a :: b :: c` in them counts as a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut line = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.flush(&mut path, line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.flush(&mut path, line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.flush(&mut path, line);
                    colons = 0;
                }
            }
        }
        self.flush(&mut path, line);
    }

    fn flush(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.note(std::mem::take(path), line);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        for attr in &item.attrs {
            self.visit_attribute(attr); // what is inside is a module of its own
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for (segments, _) in flatten(&item.tree) {
            self.note(segments, item.span().start().line);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if segments.len() > 1 {
            self.note(segments, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        visit::visit_macro(self, mac);
        self.tokens(mac.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        visit::visit_meta_list(self, list);
        self.tokens(list.tokens.clone());
    }
}
