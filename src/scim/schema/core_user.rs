//! RFC 7643 §4.1, in its order. `password` and `groups` stand elsewhere: the one is never kept, the other never written.

use super::table::{CERTIFICATE, LONG, Row, sub, text, values};
use super::{Kind, Sub};

pub(super) const ROWS: &[Row] = &[
    text("externalId", "The identifier of the user at the product that provisions it.").exact().unique(),
    text("userName", "The name by which the user is known, often a mail address; unique in its directory.").unique(),
    text("name.formatted", "The full name, ready for display."),
    text("name.familyName", "The family name."),
    text("name.givenName", "The given name."),
    text("name.middleName", "The middle names."),
    text("name.honorificPrefix", "The titles in front of the name."),
    text("name.honorificSuffix", "The suffixes behind the name."),
    text("displayName", "The name that is shown to others."),
    text("nickName", "The casual name."),
    text("profileUrl", "The address of a page about the user.").kind(Kind::Reference).exact().max(LONG),
    text("title", "The title in the organization."),
    text("userType", "The relation between the user and the organization."),
    text("preferredLanguage", "The language that the user prefers, as Accept-Language has it."),
    text("locale", "Where the user is, for currency, dates and numbers."),
    text("timezone", "The time zone by its IANA name."),
    text("active", "Whether the user may sign in.").kind(Kind::Boolean),
    values("emails", EMAILS, "Mail addresses."),
    values("phoneNumbers", PHONES, "Telephone numbers.").sensitive(),
    values("ims", IMS, "Addresses for instant messages.").sensitive(),
    values("photos", PHOTOS, "Addresses of pictures.").sensitive(),
    values("addresses", ADDRESSES, "Postal addresses.").sensitive(),
    values("entitlements", ENTITLEMENTS, "What the user is entitled to."),
    values("roles", ROLES, "The roles of the user."),
    values("x509Certificates", CERTIFICATES, "Certificates of the user.").sensitive(),
];

const TYPE: Sub = sub("type", "What the value is for.");
const DISPLAY: Sub = sub("display", "The value as people read it.");
const PRIMARY: Sub = sub("primary", "Whether it is the preferred one; at most one is.").of_kind(Kind::Boolean);

const EMAILS: &[Sub] = &[sub("value", "The mail address."), DISPLAY, TYPE, PRIMARY];
const PHONES: &[Sub] = &[sub("value", "The number."), DISPLAY, TYPE, PRIMARY];
const IMS: &[Sub] = &[sub("value", "The address."), DISPLAY, TYPE, PRIMARY];
const PHOTOS: &[Sub] = &[
    sub("value", "The address of the picture.").of_kind(Kind::Reference).exactly().up_to(LONG),
    DISPLAY,
    TYPE,
    PRIMARY,
];
const ADDRESSES: &[Sub] = &[
    sub("formatted", "The whole address, ready for display.").up_to(LONG),
    sub("streetAddress", "Street and number."),
    sub("locality", "The town."),
    sub("region", "The state or region."),
    sub("postalCode", "The postal code."),
    sub("country", "The country, as it came."),
    TYPE,
    PRIMARY,
];
const ENTITLEMENTS: &[Sub] = &[sub("value", "The entitlement."), DISPLAY, TYPE, PRIMARY];
const ROLES: &[Sub] = &[
    sub("value", "The role; some sources put a JSON document here.").up_to(LONG),
    DISPLAY.up_to(LONG),
    TYPE.up_to(LONG),
    PRIMARY,
];
const CERTIFICATES: &[Sub] = &[
    sub("value", "A DER certificate in base64.").of_kind(Kind::Binary).exactly().up_to(CERTIFICATE),
    DISPLAY,
    TYPE,
    PRIMARY,
];
