//! The stylesheet that `[pages]` makes: the accent colours, and what has to change with them so that
//! everything stays readable.

use crate::base::Digest;
use crate::config::PageSettings;

use super::colour::Colour;

/// `--tint` of `pages.css`: of the grounds that accent-coloured text may stand on the hardest one in each
/// theme.
const LIGHT_GROUND: &str = "#f1efe9";
const DARK_GROUND: &str = "#282825";
/// The least contrast of text (WCAG 2.2 §1.4.3).
const TEXT_CONTRAST: f64 = 4.5;

/// The rules that override the accent of `pages.css`; empty without `accent` and `accent_dark`. Text on
/// the accent is black or white, whichever reads better; accent-coloured text is darkened or lightened
/// until it can be read. Without `accent_dark` the dark theme has a lighter `accent`.
#[must_use]
pub fn theme_css(settings: &PageSettings) -> String {
    let parse = |text: &Option<String>| text.as_deref().and_then(Colour::parse);
    let (light, dark) = (parse(&settings.accent), parse(&settings.accent_dark));
    let ground = |text| Colour::parse(text).unwrap_or(Colour::WHITE);
    let (light_ground, dark_ground) = (ground(LIGHT_GROUND), ground(DARK_GROUND));
    let dark = dark.or_else(|| Some(light?.readable_on(dark_ground, Colour::WHITE, TEXT_CONTRAST)));
    let mut css = String::new();
    if let Some(accent) = light {
        let text = accent.readable_on(light_ground, Colour::BLACK, TEXT_CONTRAST);
        css.push_str(&rule(accent, text));
    }
    if let Some(accent) = dark {
        let text = accent.readable_on(dark_ground, Colour::WHITE, TEXT_CONTRAST);
        css.push_str("@media (prefers-color-scheme: dark) {\n");
        css.push_str(&rule(accent, text));
        css.push_str("}\n");
    }
    css
}

/// Where that stylesheet is served; `None` if there is nothing in it.
#[must_use]
pub fn theme_path(settings: &PageSettings) -> Option<String> {
    let css = theme_css(settings);
    let digest = Digest::of(&css).base64url();
    (!css.is_empty()).then(|| format!("/assets/theme.{}.css", digest.get(..12).unwrap_or(&digest)))
}

/// Pressed and hovered shades move away from the text that stands on them.
fn rule(accent: Colour, text: Colour) -> String {
    let on = accent.text_on();
    let away = if on == Colour::WHITE { Colour::BLACK } else { Colour::WHITE };
    format!(
        "body {{\n  --accent: {};\n  --accent-hover: {};\n  --accent-active: {};\n  --on-accent: {};\n  --accent-text: {};\n}}\n",
        accent.hex(),
        accent.towards(away, 12).hex(),
        accent.towards(away, 22).hex(),
        on.hex(),
        text.hex()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(accent: Option<&str>, accent_dark: Option<&str>) -> PageSettings {
        PageSettings {
            accent: accent.map(str::to_owned),
            accent_dark: accent_dark.map(str::to_owned),
            ..PageSettings::default()
        }
    }

    /// Every value of a custom property in a stylesheet, in order.
    fn values(css: &str, name: &str) -> Vec<Colour> {
        css.lines()
            .filter_map(|line| {
                line.trim().strip_prefix(&format!("{name}: "))?.strip_suffix(';').and_then(Colour::parse)
            })
            .collect()
    }

    #[test]
    fn whatever_the_accent_everything_can_be_read_in_both_themes() {
        let grounds = [Colour::parse(LIGHT_GROUND).expect("light"), Colour::parse(DARK_GROUND).expect("dark")];
        for accent in ["#000000", "#ffffff", "#ffe600", "#e30613", "#0b5fff", "#808080", "#17594a", "#00ff88"] {
            for dark in [None, Some("#101010"), Some("#ffe600")] {
                let css = theme_css(&settings(Some(accent), dark));
                for (name, on) in
                    [("--accent", "--on-accent"), ("--accent-hover", "--on-accent"), ("--accent-active", "--on-accent")]
                {
                    for (a, b) in values(&css, name).into_iter().zip(values(&css, on)) {
                        assert!(a.contrast(b) >= TEXT_CONTRAST, "{accent} {dark:?} {name}");
                    }
                }
                let texts = values(&css, "--accent-text");
                assert_eq!(texts.len(), 2);
                for (text, ground) in texts.into_iter().zip(grounds) {
                    assert!(text.contrast(ground) >= TEXT_CONTRAST, "{accent} {dark:?}");
                }
            }
        }
    }

    #[test]
    fn without_an_accent_and_with_a_broken_one_there_is_no_stylesheet() {
        assert_eq!(theme_path(&settings(None, None)), None);
        assert_eq!(theme_css(&settings(Some("#fff;} body{display:none"), Some("url(x)"))), "");
        assert_eq!(theme_css(&settings(None, Some("#ffe600"))).matches("--accent: #ffe600;").count(), 1);
    }

    #[test]
    fn the_stylesheet_itself_keeps_the_contrasts_of_wcag_aa() {
        let css = include_str!("assets/pages.css");
        let pair = |ground: &str, front: &str, least: f64| {
            let (grounds, fronts) = (values(css, ground), values(css, front));
            assert!(fronts.len() >= 2 && grounds.len() == fronts.len(), "{ground} {front}: {}", fronts.len());
            for (a, b) in grounds.into_iter().zip(fronts) {
                assert!(a.contrast(b) >= least, "{front} {} on {ground} {}: {:.2}", b.hex(), a.hex(), a.contrast(b));
            }
        };
        for ground in ["--ground", "--surface", "--tint"] {
            pair(ground, "--text", 7.0);
            pair(ground, "--muted", 4.5);
            pair(ground, "--field-line", 3.0);
        }
        pair("--alert-ground", "--text", 7.0);
        pair("--alert-ground", "--alert-text", 4.5);
        pair("--surface", "--alert-text", 4.5);
        for accent in ["--accent", "--accent-hover", "--accent-active"] {
            let (accents, texts) = (values(css, accent), values(css, "--on-accent"));
            assert_eq!((accents.len(), texts.len()), (6, 6), "two themes, three parties");
            assert!(accents.iter().zip(texts).all(|(a, b)| a.contrast(b) >= TEXT_CONTRAST), "{accent}");
        }
        let (light, dark) = (Colour::parse(LIGHT_GROUND), Colour::parse(DARK_GROUND));
        assert_eq!(values(css, "--tint").into_iter().map(Some).collect::<Vec<_>>(), [light, dark]);
        for (n, text) in values(css, "--accent-text").into_iter().enumerate() {
            let ground = if n < 3 { light } else { dark };
            assert!(ground.is_some_and(|g| text.contrast(g) >= TEXT_CONTRAST), "{n}: {}", text.hex());
        }
    }
}
