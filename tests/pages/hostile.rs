//! Texts from people, files and identity providers that try to become something else.

use vestibule::config::PageSettings;
use vestibule::i18n::{Language, PageError};
use vestibule::pages::{
    Choose, ClientFrames, DemoClient, DemoOutcome, DemoPerson, DemoSignIn, DemoSignedIn, EmailError, EmailField,
    ErrorPage, FormPost, Frame, HintMismatch, Links, Onward, ProviderChoice, ProviderEnd, ServiceLink, SignOutConfirm,
    SignedOut, SigningOut, render,
};

use crate::attributes;

/// Every page with `text` in every field that holds a text.
fn everywhere(text: &str) -> Vec<(&'static str, String)> {
    let t = || text.to_owned();
    let some = || Some(t());
    let settings = PageSettings {
        logo: None,
        accent: some(),
        accent_dark: some(),
        support_email: some(),
        support_url: some(),
        product_name: some(),
    };
    let frame = |language| Frame::new(language, &settings).with_languages_at(text);
    let person = || DemoPerson { username: t(), name: t() };
    let choose = |error| Choose {
        handle: t(),
        client: some(),
        email: Some(EmailField { typed: t(), error }),
        providers: vec![ProviderChoice { id: t(), name: t() }],
    };
    let client = |last| DemoClient {
        explain: vec![t()],
        action: t(),
        hint: t(),
        prompt: t(),
        people: vec![person()],
        last: Some(last),
        sign_out: some(),
    };
    let signed_in = DemoOutcome::SignedIn { claims: vec![(t(), t())], reference: some() };
    let refused = DemoOutcome::Refused { error: t(), description: some(), reference: some() };
    let signed_out = |end, onward| SignedOut {
        provider: Some((t(), end)),
        told: vec![t()],
        untold: vec![t()],
        frames: vec![t()],
        onward: Some(onward),
    };
    let mut pages = Vec::new();
    for language in Language::ALL {
        let f = frame(language);
        pages.extend([
            ("choose", render(&choose(None), &f)),
            ("choose_error", render(&choose(Some(EmailError::Unknown)), &f)),
            ("hint_mismatch", render(&HintMismatch { handle: t(), provider: t(), reference: some() }, &f)),
            ("form_post", render(&FormPost { action: t(), fields: vec![(t(), t())], client: some() }, &f)),
            (
                "form_post_fields",
                render(
                    &FormPost { action: "https://rp.example/cb".to_owned(), fields: vec![(t(), t())], client: some() },
                    &f,
                ),
            ),
            (
                "error",
                render(
                    &ErrorPage {
                        error: PageError::LoginExpired,
                        reference: some(),
                        start_again: some(),
                        cancel: some(),
                    },
                    &f,
                ),
            ),
            ("signed_out", render(&signed_out(ProviderEnd::Open, Onward::SignIn(t())), &f)),
            ("signed_out_back", render(&signed_out(ProviderEnd::Ended, Onward::Client { name: t(), url: t() }), &f)),
            ("signing_out", render(&SigningOut { former: false, frames: vec![t()], next: t() }, &f)),
            ("client_frames", render(&ClientFrames { frames: vec![t()] }, &f)),
            ("sign_out_confirm", render(&SignOutConfirm { handle: t(), client: some(), ui_locales: some() }, &f)),
            ("links", render(&Links { services: vec![ServiceLink { name: t(), url: t() }] }, &f)),
            (
                "demo_sign_in",
                render(
                    &DemoSignIn {
                        company: t(),
                        action: t(),
                        hidden: vec![(t(), t())],
                        username: t(),
                        unknown: true,
                        people: vec![person()],
                    },
                    &f,
                ),
            ),
            (
                "demo_signed_in",
                render(&DemoSignedIn { company: t(), person: person(), sign_out: t(), client: some() }, &f),
            ),
            ("demo_client", render(&client(signed_in.clone()), &f)),
            ("demo_client_refused", render(&client(refused.clone()), &f)),
        ]);
    }
    pages.into_iter().map(|(name, html)| (name, html.expect("a page"))).collect()
}

/// The tags of a document, with what stands in quotes taken out.
fn tags(html: &str) -> Vec<String> {
    html.split('<')
        .skip(1)
        .map(|tag| tag.split('>').next().unwrap().split('"').step_by(2).collect::<Vec<_>>().join("\"\""))
        .collect()
}

#[test]
fn a012_a145_a227_hostile_texts_come_out_as_text_in_every_field_of_every_page() {
    let harmless = everywhere("harm less");
    for hostile in [
        "\"><script>alert(1)</script>",
        "' onmouseover='alert(1)",
        "<img src=x onerror=alert(1)>",
        "</title></textarea></select><svg onload=alert(1)>",
        "{{7*7}} {% raw %} ${jndi:ldap://x} %s {0} { $client }",
        "=cmd|'/c calc'!A0",
        "]]><!--",
    ] {
        for ((name, html), (_, plain)) in everywhere(hostile).into_iter().zip(&harmless) {
            assert_eq!(tags(&html), tags(plain), "{name}: {hostile} changes the document");
            assert!(!html.contains("49") || !hostile.contains("7*7"), "{name}: a template in a text was run");
        }
    }
}

#[test]
fn a145_a227_marks_that_reorder_or_control_are_not_shown() {
    for hostile in ["safe\u{202e}gnp.exe", "a\u{1b}[2J\u{7}b", "x\u{2066}y\u{2028}z\0"] {
        for (name, html) in everywhere(hostile) {
            // Hidden fields carry their value on byte for byte and are never shown.
            let shown: String = html.lines().filter(|line| !line.starts_with("<input type=\"hidden\"")).collect();
            let visible = without_values(&shown);
            let bad =
                |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!visible.contains(bad), "{name}: {hostile:?}");
        }
    }
}

/// A document without what stands in its attributes.
fn without_values(html: &str) -> String {
    html.split('"').step_by(2).collect()
}

#[test]
fn a227_a_name_of_a_megabyte_makes_no_page_of_a_megabyte() {
    let endless = "<i>".repeat(350_000);
    let page = Choose {
        handle: "h".to_owned(),
        client: Some(endless.clone()),
        email: Some(EmailField { typed: endless.clone(), error: None }),
        providers: vec![ProviderChoice { id: "contoso".to_owned(), name: endless }],
    };
    let settings = PageSettings::default();
    assert!(render(&page, &Frame::new(Language::En, &settings)).unwrap().len() < 20_000);
}

#[test]
fn no_address_from_outside_becomes_a_link_that_runs_or_leaves_unseen() {
    for hostile in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "/\\evil.example",
        "vbscript:x",
    ] {
        for (name, html) in everywhere(hostile) {
            for address in attributes(&html, "href") {
                assert!(
                    address.starts_with('/') && !address.starts_with("//") && !address.contains('\\'),
                    "{name}: {address}"
                );
            }
        }
    }
}

#[test]
fn a012_the_fields_of_a_form_post_arrive_byte_for_byte() {
    let state = "\"><script>&amp;&#34;'`=\u{e9}\u{202e}";
    let page = FormPost {
        action: "https://rp.example/cb?a=1&b=2".to_owned(),
        fields: vec![("state".to_owned(), state.to_owned())],
        client: None,
    };
    let settings = PageSettings::default();
    let html = render(&page, &Frame::new(Language::En, &settings)).unwrap();
    let value = attributes(html.split("name=\"state\"").nth(1).unwrap(), "value")[0].to_owned();
    assert_eq!(unescape(&value), state);
    assert_eq!(unescape(attributes(&html, "action")[0]), page.action);
}

/// What a browser reads from the escapes that we write.
fn unescape(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}
