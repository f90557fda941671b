//! People's pages: every page in every shape and language against its golden copy, and the laws that hold
//! for all of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where its own preparation fails")]

mod hostile;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vestibule::config::PageSettings;
use vestibule::i18n::{Language, PageError};
use vestibule::pages::{
    Choose, ClientFrames, DemoClient, DemoSignIn, DemoSignedIn, EmailError, EmailField, ErrorPage, FormPost, Frame,
    HintMismatch, Links, Page, SignOutConfirm, SignedOut, SigningOut, assets, headers, render, theme_css, theme_path,
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
        shots_of("signing_out", SigningOut::samples(), settings),
        shots_of("client_frames", ClientFrames::samples(), settings),
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
    insta.set_snapshot_path("../golden/pages");
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

#[test]
fn there_is_no_golden_copy_without_its_page() {
    let pages: BTreeSet<String> =
        all_shots(&settings()).into_iter().map(|shot| format!("{}.snap", shot.name)).collect();
    let copies: BTreeSet<String> = files_in("tests/golden/pages")
        .into_iter()
        .filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(copies, pages);
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
            assert!(shot.html.contains(&theme) != prefix.is_empty() || is_for_frames(&shot.name));
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
        if is_for_frames(&name) {
            assert_eq!(html.split("<body>").nth(1).unwrap().matches('<').count(), html.matches("iframe").count() + 2);
            continue;
        }
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
fn no_page_has_anything_inline_or_foreign_but_frames_and_two_run_a_script() {
    for Shot { name, html, csp } in all_shots(&settings()) {
        let lower = html.to_lowercase();
        for inline in
            [" style=", "<style", " onclick", " onload", " onsubmit", " onerror", "javascript:", "srcdoc", "<base"]
        {
            assert!(!lower.contains(inline), "{name}: {inline}");
        }
        let scripts = lower.matches("<script").count();
        assert_eq!(scripts, usize::from(name.starts_with("form_post.") || name.starts_with("signing_out.")), "{name}");
        assert_eq!(csp.contains("script-src"), scripts == 1, "{name}");
        assert_eq!(csp.contains("form-action 'none'"), !lower.contains("<form"), "{name}: {csp}");
        let framed: Vec<&str> = html.split("<iframe ").skip(1).map(|rest| attributes(rest, "src")[0]).collect();
        assert_eq!(csp.contains("frame-src"), !framed.is_empty(), "{name}: {csp}");
        for address in &framed {
            let origin: String = address.split_inclusive('/').take(3).collect();
            assert!(csp.contains(&format!(" {}", origin.trim_end_matches('/'))), "{name}: {address} beside {csp}");
        }
        let loaded = attributes(&html, "src")
            .into_iter()
            .filter(|address| !framed.contains(address))
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
        assert_eq!(ErrorPage { error, reference: None, start_again: None, cancel: None }.status(), error.status());
    }
    assert!(Choose::samples().iter().all(|(_, page)| page.status() == 200));
}

/// The one page that nobody looks at: it stands in a frame of others, with nothing on it but frames.
fn is_for_frames(name: &str) -> bool {
    name.starts_with("client_frames.")
}

/// The values of an attribute, wherever it stands.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!(" {name}=\""))
        .skip(1)
        .chain(html.strip_prefix(&format!("{name}=\"")))
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

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
    let messages = include_str!("../../src/i18n/locales/en.ftl");
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
    let css = include_str!("../../src/pages/assets/pages.css");
    let physical = ["left", "right", "top", "bottom", "width", "height"];
    for declaration in css.split([';', '{', '}']).filter_map(|d| d.trim().split_once(':')) {
        let (property, value) = declaration;
        let words = || property.split('-').chain(value.split([' ', ',']));
        if !property.starts_with('@') && !property.contains("(") {
            assert!(!words().any(|word| physical.contains(&word)) || property == "line-height", "{property}:{value}");
        }
    }
}
