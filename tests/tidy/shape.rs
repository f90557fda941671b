//! Sizes and signatures: how long functions are, what they take, and where `async` is.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::tree::{Module, is_test};

/// Lines of a function, from `fn` to the closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// Parameters of a function, `self` not counted.
pub const PARAMETERS_MAX: usize = 5;

/// Functions that are too long, take too much, or take a `bool` in public.
pub fn functions(module: &Module) -> Vec<String> {
    let mut shapes = Shapes { file: &module.file, test: module.test, public_trait: false, broken: Vec::new() };
    shapes.items(module);
    shapes.broken
}

/// Every `async` and `.await` of a module.
pub fn asyncs(module: &Module) -> Vec<String> {
    let mut asyncs = Asyncs { file: &module.file, broken: Vec::new() };
    for item in &module.items {
        asyncs.visit_item(item);
    }
    asyncs.broken
}

/// Every string of a module, those in macros too, with its line.
pub fn texts(module: &Module) -> Vec<(String, usize)> {
    let mut texts = Texts(Vec::new());
    for item in &module.items {
        texts.visit_item(item);
    }
    texts.0
}

struct Shapes<'a> {
    file: &'a str,
    test: bool,
    public_trait: bool,
    broken: Vec<String>,
}

impl Shapes<'_> {
    fn items(&mut self, module: &Module) {
        for item in &module.items {
            self.visit_item(item);
        }
    }

    fn check(&mut self, signature: &syn::Signature, lines: usize, public: bool, attrs: &[syn::Attribute]) {
        let place = format!("{}:{}: fn {}", self.file, signature.span().start().line, signature.ident);
        if lines > FUNCTION_LINES_MAX && !self.test && !is_test(attrs) {
            self.broken.push(format!("{place} has {lines} lines, {FUNCTION_LINES_MAX} at most"));
        }
        let taken: Vec<&syn::PatType> = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                syn::FnArg::Typed(typed) => Some(typed),
                syn::FnArg::Receiver(_) => None,
            })
            .collect();
        if taken.len() > PARAMETERS_MAX {
            self.broken.push(format!("{place} takes {} parameters, {PARAMETERS_MAX} at most", taken.len()));
        }
        if public && !self.test && taken.iter().any(|typed| is_bool(&typed.ty)) {
            self.broken.push(format!("{place} is public and takes a `bool`: name the two cases in an enum"));
        }
    }
}

fn is_bool(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident("bool"))
}

fn lines(first: proc_macro2::Span, last: proc_macro2::Span) -> usize {
    last.end().line + 1 - first.start().line
}

fn is_public(vis: &syn::Visibility) -> bool {
    !matches!(vis, syn::Visibility::Inherited)
}

impl<'ast> Visit<'ast> for Shapes<'_> {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {} // a module of its own in the tree

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.check(&item.sig, lines(item.sig.span(), item.block.span()), is_public(&item.vis), &item.attrs);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.check(&item.sig, lines(item.sig.span(), item.block.span()), is_public(&item.vis), &item.attrs);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.public_trait = is_public(&item.vis);
        visit::visit_item_trait(self, item);
        self.public_trait = false;
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let last = item.default.as_ref().map_or_else(|| item.sig.span(), syn::spanned::Spanned::span);
        self.check(&item.sig, lines(item.sig.span(), last), self.public_trait, &item.attrs);
        visit::visit_trait_item_fn(self, item);
    }
}

struct Asyncs<'a> {
    file: &'a str,
    broken: Vec<String>,
}

impl Asyncs<'_> {
    fn found(&mut self, span: proc_macro2::Span) {
        self.broken.push(format!("{}:{}: `async` in the pure part", self.file, span.start().line));
    }
}

impl<'ast> Visit<'ast> for Asyncs<'_> {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(word) = &signature.asyncness {
            self.found(word.span());
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        self.found(expr.span());
        visit::visit_expr_async(self, expr);
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        self.found(expr.span());
        visit::visit_expr_await(self, expr);
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        if let Some(word) = &expr.asyncness {
            self.found(word.span());
        }
        visit::visit_expr_closure(self, expr);
    }
}

struct Texts(Vec<(String, usize)>);

impl Texts {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.0.push((text.value(), literal.span().start().line));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.0.push((text.value(), text.span().start().line));
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
    }
}
