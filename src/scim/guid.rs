//! Microsoft's GUIDs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The GUID whose 16 bytes, in Microsoft's order (the first three groups little-endian), `text` is in base64.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    if text.len() != 24 {
        return None;
    }
    let bytes: [u8; 16] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

/// The 32 hexadecimal digits of a GUID written with or without dashes or braces, in lower case.
#[must_use]
pub fn digits(text: &str) -> Option<String> {
    uuid::Uuid::try_parse(text).ok().map(|guid| guid.simple().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base64_of_a_microsoft_guid_decodes_and_other_text_does_not() {
        assert_eq!(decode("vZ/lGAC9bUWiA7Egpw5fqg==").as_deref(), Some("18e59fbd-bd00-456d-a203-b120a70e5faa"));
        for other in
            ["", "ada", "18e59fbd-bd00-456d-a203-b120a70e5faa", "vZ/lGAC9bUWiA7Egpw5fqg=", "abcdefghijklmnopqrstuvwx"]
        {
            assert_eq!(decode(other), None, "{other}");
        }
    }

    #[test]
    fn a_guid_is_the_same_with_and_without_dashes() {
        let plain = "18e59fbdbd00456da203b120a70e5faa";
        for text in [plain, "18E59FBD-BD00-456D-A203-B120A70E5FAA", "{18e59fbd-bd00-456d-a203-b120a70e5faa}"] {
            assert_eq!(digits(text).as_deref(), Some(plain));
        }
        assert_eq!(digits("00u1abc"), None);
    }
}
