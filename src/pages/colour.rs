//! Colours and how well they can be told apart (WCAG 2.2 §1.4.3).

/// An opaque sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

impl Colour {
    pub const BLACK: Self = Self([0, 0, 0]);
    pub const WHITE: Self = Self([255, 255, 255]);

    /// `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    pub fn hex(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// WCAG's relative luminance: 0 black to 1 white.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = self.0.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// WCAG's contrast ratio: 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    /// Black or white, whichever reads better on this colour; one of them always has at least 4.5.
    pub fn text_on(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// `percent` of the way to `other`.
    pub fn towards(self, other: Self, percent: u16) -> Self {
        let share = percent.min(100);
        let mixed = |a: u8, b: u8| {
            let sum = u16::from(a) * (100 - share) + u16::from(b) * share;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        let ([r, g, b], [x, y, z]) = (self.0, other.0);
        Self([mixed(r, x), mixed(g, y), mixed(b, z)])
    }

    /// The colour nearest to this one, on the way to `end`, that has `ratio` against `ground`.
    pub fn readable_on(self, ground: Self, end: Self, ratio: f64) -> Self {
        (0..=100).step_by(4).map(|share| self.towards(end, share)).find(|c| c.contrast(ground) >= ratio).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        let grey = Colour::parse("#767676").expect("a colour");
        assert!((grey.contrast(Colour::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn only_six_hex_digits_are_a_colour() {
        assert_eq!(Colour::parse("#0A0b0c").map(Colour::hex).as_deref(), Some("#0a0b0c"));
        for no in ["", "#", "#fff", "0a0b0c", "#0a0b0g", "#+a0b0c", "#ääää", "#0a0b0c;}", "red"] {
            assert_eq!(Colour::parse(no), None, "{no}");
        }
    }

    #[test]
    fn text_is_readable_on_every_colour() {
        for channel in 0..=255_u8 {
            for colour in [Colour([channel; 3]), Colour([channel, 255 - channel, 128]), Colour([255, channel, 0])] {
                assert!(colour.contrast(colour.text_on()) >= 4.5, "{colour:?}");
            }
        }
    }
}
