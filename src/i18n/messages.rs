//! Messages by id, from the files in `locales/`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use super::language::Language;

type Bundle = FluentBundle<FluentResource>;

/// Parsed once; never changed after.
static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::En));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::De));

/// The source of a language's messages.
const fn source(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("locales/en.ftl"),
        Language::De => include_str!("locales/de.ftl"),
    }
}

fn bundle(language: Language) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language.identifier()]);
    // The marks that isolate directions would land in titles and attributes; pages isolate with <bdi>.
    bundle.set_use_isolating(false);
    // What parses is used even if some of it doesn't; a test forbids such files.
    let resource = FluentResource::try_new(source(language).to_owned()).unwrap_or_else(|(parsed, _)| parsed);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The message `id` in `language`, with its variables filled in as plain text. A message that isn't
/// there comes out in English, and as its id if it isn't there either; a test forbids both.
#[must_use]
pub fn text(language: Language, id: &str, variables: &[(&str, &str)]) -> String {
    let bundle: &Bundle = match language {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
    };
    formatted(bundle, id, variables).or_else(|| formatted(&ENGLISH, id, variables)).unwrap_or_else(|| id.to_owned())
}

fn formatted(bundle: &Bundle, id: &str, variables: &[(&str, &str)]) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    let arguments: FluentArgs<'_> = variables.iter().copied().collect();
    let mut errors = Vec::new();
    Some(bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Message id → the variables that it names.
    fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in source(language).lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let (false, Some((id, _))) = (line.starts_with(' '), line.split_once(" = ")) {
                id.clone_into(&mut current);
                assert!(all.insert(current.clone(), BTreeSet::new()).is_none(), "{id} is there twice");
            }
            for variable in line.split("{ $").skip(1) {
                let name = variable.split([' ', '}']).next().unwrap_or_default();
                all.get_mut(&current).expect("a message").insert(name.to_owned());
            }
        }
        all
    }

    #[test]
    fn every_file_parses_whole_and_every_message_formats_without_errors() {
        for language in Language::ALL {
            assert!(FluentResource::try_new(source(language).to_owned()).is_ok(), "{language:?}");
            let bundle = bundle(language);
            for (id, variables) in messages(language) {
                let arguments: FluentArgs<'_> = variables.iter().map(|name| (name.as_str(), "‹value›")).collect();
                let pattern = bundle.get_message(&id).and_then(|m| m.value()).unwrap_or_else(|| panic!("{id}"));
                let mut errors = Vec::new();
                let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
                assert!(errors.is_empty(), "{language:?} {id}: {errors:?}");
                assert!(!text.trim().is_empty() && !text.contains(['{', '}']), "{language:?} {id}: {text}");
                assert_eq!(text.contains("‹value›"), !variables.is_empty(), "{language:?} {id}: {text}");
                assert!(!text.contains(['\u{2068}', '\u{2069}']), "{language:?} {id} has isolating marks");
            }
        }
    }

    #[test]
    fn all_languages_have_the_same_messages_with_the_same_variables() {
        let english = messages(Language::En);
        assert!(english.len() > 50, "{}", english.len());
        for language in Language::ALL {
            assert_eq!(messages(language), english, "{language:?}");
        }
    }

    #[test]
    fn all_languages_say_things_in_their_own_words() {
        // What is the same in both: names and borrowed terms.
        let same = ["product", "page-title", "language-en", "language-de", "demo-claim", "demo-badge"];
        for id in messages(Language::En).keys().filter(|id| !same.contains(&id.as_str())) {
            assert_ne!(text(Language::En, id, &[]), text(Language::De, id, &[]), "{id}");
        }
    }

    #[test]
    fn variables_are_text_and_nothing_in_them_is_read_as_a_message() {
        let hostile = "{ $x } { choose-title } \" \u{2068}";
        assert!(text(Language::En, "choose-continue-to", &[("client", hostile)]).contains(hostile));
    }
}
