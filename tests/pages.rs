//! People's pages: every page in every shape and language against its golden copy, and the laws that hold
//! for all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vestibule::config::PageSettings;
use vestibule::i18n::{Language, PageError};
use vestibule::pages::{
    Choose, DemoClient, DemoOutcome, DemoPerson, DemoSignIn, DemoSignedIn, EmailError, EmailField, ErrorPage, FormPost,
    Frame, HintMismatch, Links, Page, ProviderChoice, ServiceLink, SignOutConfirm, SignedOut, assets, headers, render,
    theme_css, theme_path,
};

/// One page as it was rendered.
struct Shot {
    /// `page.shape.language`.
    name: String,
    html: String,
    csp: String,
}

fn shots_of<P: Page>(page: &str, samples: Vec<(&'static str, P)>, settings: &PageSettings) -> Vec<Shot> {
    let mut shots = Vec::new();
    for (shape, sample) in samples {
        for language in Language::ALL {
            let frame = Frame::new(language, settings).with_languages_at("/here?handle=h4ndl3");
            let policy = headers(&sample, &[]).into_iter().find(|(name, _)| *name == "Content-Security-Policy");
            shots.push(Shot {
                name: format!("{page}.{shape}.{}", language.tag()),
                html: render(&sample, &frame).expect("a page"),
                csp: policy.expect("a policy").1,
            });
        }
    }
    shots
}

fn all_shots(settings: &PageSettings) -> Vec<Shot> {
    [
        shots_of("choose", Choose::samples(), settings),
        shots_of("hint_mismatch", HintMismatch::samples(), settings),
        shots_of("form_post", FormPost::samples(), settings),
        shots_of("error", ErrorPage::samples(), settings),
        shots_of("signed_out", SignedOut::samples(), settings),
        shots_of("sign_out_confirm", SignOutConfirm::samples(), settings),
        shots_of("links", Links::samples(), settings),
        shots_of("demo_sign_in", DemoSignIn::samples(), settings),
        shots_of("demo_signed_in", DemoSignedIn::samples(), settings),
        shots_of("demo_client", DemoClient::samples(), settings),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn settings() -> PageSettings {
    PageSettings {
        support_email: Some("it-help@contoso.example".to_owned()),
        support_url: Some("https://help.contoso.example/sign-in".to_owned()),
        ..PageSettings::default()
    }
}

#[test]
fn every_page_in_every_shape_and_language_is_as_its_golden_copy() {
    let mut insta = insta::Settings::new();
    insta.set_snapshot_path("golden/pages");
    insta.set_prepend_module_to_snapshot(false);
    insta.set_omit_expression(true);
    insta.bind(|| {
        for shot in all_shots(&settings()) {
            let mut html = shot.html;
            for asset in assets() {
                let mut parts = asset.path.split('.');
                let plain = format!("{}.{}", parts.next().unwrap(), parts.next_back().unwrap());
                html = html.replace(&asset.path, &plain);
            }
            insta::assert_snapshot!(shot.name, html);
        }
    });
}

/// Where the pages can be looked at in a browser: `target/tmp/pages`.
#[test]
fn pages_can_be_looked_at_without_a_server() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let plain = settings();
    let branded = PageSettings {
        accent: Some("#ffcc00".to_owned()),
        product_name: Some("Contoso Access".to_owned()),
        ..settings()
    };
    fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in assets() {
        fs::write(folder.join(&asset.path[1..]), asset.bytes).unwrap();
    }
    let theme = theme_path(&branded).expect("a theme");
    fs::write(folder.join(&theme[1..]), theme_css(&branded)).unwrap();
    for (prefix, look) in [("", &plain), ("branded-", &branded)] {
        for shot in all_shots(look) {
            assert!(shot.html.contains(&theme) == !prefix.is_empty());
            let relative = shot.html.replace("\"/assets/", "\"assets/").replace(" defer", " type=\"text/plain\" defer");
            fs::write(folder.join(format!("{prefix}{}.html", shot.name)), relative).unwrap();
        }
    }
}

#[test]
fn every_page_is_a_document_that_a_screen_reader_can_tell_about() {
    for Shot { name, html, .. } in all_shots(&settings()) {
        let language = name.rsplit('.').next().unwrap();
        assert!(html.starts_with(&format!("<!doctype html>\n<html lang=\"{language}\" dir=\"ltr\">")), "{name}");
        let title = html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap();
        assert!(title.contains(" – ") && title.trim() == title, "{name}: {title:?}");
        for once in ["<h1", "<main", "<header", "<footer", "name=\"viewport\""] {
            assert_eq!(html.matches(once).count(), 1, "{name}: {once}");
        }
        let ids: Vec<&str> = attributes(&html, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: an id twice");
        for reference in ["for", "aria-labelledby", "aria-describedby", "list"] {
            for id in attributes(&html, reference) {
                assert!(ids.contains(&id), "{name}: {reference}={id} leads nowhere");
            }
        }
        for field in html.split("<input ").skip(1).filter(|field| !field.starts_with("type=\"hidden\"")) {
            let id = attributes(&format!(" {field}"), "id")[0].to_owned();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{name}: {id} has no label");
        }
        for picture in html.split("<svg").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            assert!(picture.contains("aria-hidden=\"true\""), "{name}: a picture that would be read out");
        }
    }
}

#[test]
fn no_page_has_anything_inline_or_foreign_and_only_one_runs_a_script() {
    for Shot { name, html, csp } in all_shots(&settings()) {
        let lower = html.to_lowercase();
        for inline in
            [" style=", "<style", " onclick", " onload", " onsubmit", " onerror", "javascript:", "<iframe", "<base"]
        {
            assert!(!lower.contains(inline), "{name}: {inline}");
        }
        let scripts = lower.matches("<script").count();
        assert_eq!(scripts, usize::from(name.starts_with("form_post.")), "{name}");
        assert_eq!(csp.contains("script-src"), scripts == 1, "{name}");
        assert_eq!(csp.contains("form-action 'none'"), !lower.contains("<form"), "{name}: {csp}");
        let loaded = attributes(&html, "src")
            .into_iter()
            .chain(html.split("<link ").skip(1).flat_map(|link| attributes(link.split('>').next().unwrap(), "href")));
        for address in loaded {
            assert!(assets().iter().any(|asset| asset.path == address), "{name}: {address}");
        }
    }
}

#[test]
fn an_unknown_address_and_a_foreign_domain_get_the_same_page() {
    let settings = settings();
    let page = |typed: &str| {
        let email = Some(EmailField { typed: typed.to_owned(), error: Some(EmailError::Unknown) });
        let page = Choose { handle: "h".to_owned(), client: None, email, providers: Vec::new() };
        render(&page, &Frame::new(Language::En, &settings)).unwrap().replace(typed, "TYPED")
    };
    assert_eq!(page("nobody@contoso.example"), page("somebody@elsewhere.example"));
}

#[test]
fn statuses_are_those_of_the_errors() {
    for error in PageError::ALL {
        assert_eq!(ErrorPage { error, reference: None, start_again: None }.status(), error.status());
    }
    assert!(Choose::samples().iter().all(|(_, page)| page.status() == 200));
}

/// The values of an attribute, wherever it stands.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!(" {name}=\""))
        .skip(1)
        .chain(html.strip_prefix(&format!("{name}=\"")))
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

// -- hostile texts

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
        action: t(),
        hint: t(),
        prompt: t(),
        people: vec![person()],
        last: Some(last),
        sign_out: some(),
    };
    let signed_in = DemoOutcome::SignedIn { claims: vec![(t(), t())], reference: some() };
    let refused = DemoOutcome::Refused { error: t(), description: some(), reference: some() };
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
                render(&ErrorPage { error: PageError::LoginExpired, reference: some(), start_again: some() }, &f),
            ),
            ("signed_out", render(&SignedOut { still_at: some(), sign_in_again: some() }, &f)),
            ("sign_out_confirm", render(&SignOutConfirm { handle: t(), client: some() }, &f)),
            ("links", render(&Links { services: vec![ServiceLink { name: t(), url: t() }] }, &f)),
            (
                "demo_sign_in",
                render(
                    &DemoSignIn {
                        action: t(),
                        hidden: vec![(t(), t())],
                        username: t(),
                        unknown: true,
                        people: vec![person()],
                    },
                    &f,
                ),
            ),
            ("demo_signed_in", render(&DemoSignedIn { person: person(), sign_out: t(), client: some() }, &f)),
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

// -- sources

fn files_in(folder: &str) -> Vec<(PathBuf, String)> {
    fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_message_that_is_asked_for_exists_and_every_one_that_exists_is_asked_for() {
    let mut asked: BTreeSet<String> = PageError::ALL
        .into_iter()
        .flat_map(|error| [error.title_id(), error.what_id(), error.way_on_id()])
        .chain(Language::ALL.map(|language| format!("language-{}", language.tag())))
        .chain(["page-title".to_owned(), "demo-idp-name".to_owned(), "demo-client-name".to_owned()])
        .collect();
    for (_, source) in files_in("templates").into_iter().chain(files_in("src/pages")) {
        for call in [".t(\"", ".with(\""] {
            asked.extend(source.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    let messages = include_str!("../src/i18n/locales/en.ftl");
    let there: BTreeSet<String> = messages
        .lines()
        .filter(|l| !l.starts_with(['#', ' ']))
        .filter_map(|l| l.split_once(" = "))
        .map(|(id, _)| id.to_owned())
        .collect();
    assert_eq!(asked.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "asked for, but not there");
    assert_eq!(there.difference(&asked).collect::<Vec<_>>(), Vec::<&String>::new(), "there, but not asked for");
}

#[test]
fn templates_hold_no_text_of_their_own() {
    for (path, source) in files_in("templates") {
        let mut left = source;
        for (open, close) in
            [("{% block party %}", "{% endblock %}"), ("{{", "}}"), ("{%", "%}"), ("<code", "</code>"), ("<", ">")]
        {
            while let Some(start) = left.find(open) {
                let end = left[start..].find(close).map_or(left.len(), |end| start + end + close.len());
                left.replace_range(start..end, "");
            }
        }
        assert!(left.trim().is_empty(), "{}: {:?}", path.display(), left.trim());
    }
}

#[test]
fn styles_know_no_left_and_right() {
    let css = include_str!("../src/pages/assets/pages.css");
    let physical = ["left", "right", "top", "bottom", "width", "height"];
    for declaration in css.split([';', '{', '}']).filter_map(|d| d.trim().split_once(':')) {
        let (property, value) = declaration;
        let words = || property.split('-').chain(value.split([' ', ',']));
        if !property.starts_with('@') && !property.contains("(") {
            assert!(!words().any(|word| physical.contains(&word)) || property == "line-height", "{property}:{value}");
        }
    }
}
