use proptest::prelude::*;

use super::*;

const TEXTS: [&str; 5] = ["title", "department", "name.givenName", "externalId", "employeeNumber"];

fn operator() -> impl Strategy<Value = Operator> {
    proptest::sample::select(Operator::ALL.to_vec())
}

/// Few characters, so that values meet.
fn few() -> impl Strategy<Value = String> {
    "[aAbBäÄ\"\\\\ ]{1,3}"
}

fn test() -> impl Strategy<Value = Test> {
    let word = prop_oneof![
        ".{0,6}".prop_map(Word::Quoted),
        few().prop_map(Word::Quoted),
        "[a-zA-Z0-9.:'-]{1,6}".prop_filter("no quote first", |word| !word.starts_with('\'')).prop_map(Word::Bare),
    ];
    prop_oneof![Just(Test::Present), (operator(), word).prop_map(|(operator, word)| Test::Compare(operator, word))]
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), column: 0 }
}

fn names() -> impl Strategy<Value = Name> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,5}(:[a-z0-9]{1,3})?(\\.[$]?[a-z]{1,4})?"
        .prop_filter("a word of the grammar", |name| !["not", "and", "or"].contains(&name.to_lowercase().as_str()))
        .prop_map(|text| name(&text))
}

fn part() -> impl Strategy<Value = Name> {
    "[a-z]{4,6}".prop_map(|text| name(&text))
}

fn syntax() -> impl Strategy<Value = Syntax> {
    let term = |name: BoxedStrategy<Name>| (name, test()).prop_map(|(name, test)| Syntax::Test(name, test));
    let joined = |leaf: BoxedStrategy<Syntax>| {
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Syntax::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Syntax::Or),
                inner.prop_map(|inner| Syntax::Not(Box::new(inner))),
            ]
        })
    };
    let inner = joined(term(part().boxed()).boxed());
    let within = (names(), inner, proptest::option::of((part(), test())))
        .prop_map(|(name, inner, then)| Syntax::Within { name, inner: Box::new(inner), then });
    joined(prop_oneof![3 => term(names().boxed()), 1 => within].boxed())
}

fn resource() -> impl Strategy<Value = Attributes> {
    let element =
        (few(), proptest::option::of(proptest::sample::select(vec!["a", "B", "work"]))).prop_map(|(value, kind)| {
            match kind {
                Some(kind) => json!({ "value": value, "type": kind }),
                None => json!({ "value": value }),
            }
        });
    let texts = proptest::collection::btree_map(
        proptest::sample::select(TEXTS.to_vec()).prop_map(str::to_owned),
        few().prop_map(Value::from),
        0..TEXTS.len(),
    );
    (texts, proptest::collection::vec(element, 0..3)).prop_map(|(mut attributes, emails)| {
        if !emails.is_empty() {
            attributes.insert("emails".to_owned(), Value::Array(emails));
        }
        attributes
    })
}

fn known() -> impl Strategy<Value = Syntax> {
    let literal = (operator(), few()).prop_map(|(operator, text)| Test::Compare(operator, Word::Quoted(text)));
    let test = prop_oneof![1 => Just(Test::Present), 6 => literal].boxed();
    let top = proptest::sample::select([&TEXTS[..], &["emails", "emails.value", "emails.type"]].concat());
    let leaf = (top, test.clone()).prop_map(|(text, test)| Syntax::Test(name(text), test));
    let of = (proptest::sample::select(vec!["value", "type"]), test.clone())
        .prop_map(|(text, test)| Syntax::Test(name(text), test))
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..3).prop_map(Syntax::And),
                inner.prop_map(|inner| Syntax::Not(Box::new(inner))),
            ]
        });
    let then = proptest::option::of((Just(name("type")), test));
    let within =
        (of, then).prop_map(|(inner, then)| Syntax::Within { name: name("emails"), inner: Box::new(inner), then });
    prop_oneof![3 => leaf, 1 => within].prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Syntax::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Syntax::Or),
            inner.prop_map(|inner| Syntax::Not(Box::new(inner))),
        ]
    })
}

/// The same question asked plainly: every value is written out, folded, and compared.
fn naive(syntax: &Syntax, found: &dyn Fn(&str) -> Vec<String>, elements: &[Value]) -> bool {
    match syntax {
        Syntax::And(all) => all.iter().all(|one| naive(one, found, elements)),
        Syntax::Or(all) => all.iter().any(|one| naive(one, found, elements)),
        Syntax::Not(inner) => !naive(inner, found, elements),
        Syntax::Test(name, test) => plainly(&name.text, test, &found(&name.text)),
        Syntax::Within { inner, then, .. } => elements.iter().any(|element| {
            let found = |part: &str| texts(element.get(part));
            naive(inner, &found, &[])
                && then.as_ref().is_none_or(|(part, test)| plainly(&part.text, test, &found(&part.text)))
        }),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_str).map(str::to_owned).into_iter().collect()
}

fn plainly(name: &str, test: &Test, found: &[String]) -> bool {
    let fold = |text: &str| if name == "externalId" { text.to_owned() } else { crate::base::text::fold(text) };
    let (operator, wanted) = match test {
        Test::Present => return !found.is_empty(),
        Test::Compare(operator, Word::Quoted(wanted) | Word::Bare(wanted)) => (*operator, fold(wanted)),
    };
    if found.is_empty() {
        return operator == Operator::Ne;
    }
    found.iter().map(|found| fold(found)).any(|found| match operator {
        Operator::Eq => found == wanted,
        Operator::Ne => found != wanted,
        Operator::Co => found.contains(&wanted),
        Operator::Sw => found.starts_with(&wanted),
        Operator::Ew => found.ends_with(&wanted),
        Operator::Gt => found > wanted,
        Operator::Ge => found >= wanted,
        Operator::Lt => found < wanted,
        Operator::Le => found <= wanted,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_that_is_printed_and_read_again_is_the_same(syntax in syntax()) {
        let text = print(&syntax);
        prop_assume!(text.chars().count() <= FILTER_CHARS_MAX);
        prop_assert_eq!(parse::filter(&text), Ok(syntax), "{}", text);
    }

    #[test]
    fn a_path_that_is_printed_and_read_again_is_the_same(
        name in names(), filter in proptest::option::of(syntax()), part in part(),
    ) {
        let brackets = filter.as_ref().map(|filter| format!("[{}].{}", print(filter), part.text));
        let text = format!("{}{}", name.text, brackets.unwrap_or_default());
        prop_assume!(text.chars().count() <= FILTER_CHARS_MAX);
        match parse::path(&text) {
            Ok(read) => prop_assert_eq!(read, (name, filter.clone(), filter.map(|_| part))),
            // only brackets within brackets are no path
            Err(fault) => prop_assert!(fault.mend.contains("brackets"), "{}: {:?}", text, fault),
        }
    }

    #[test]
    fn a_filter_says_what_a_plain_reading_of_it_says(syntax in known(), attributes in resource()) {
        let text = print(&syntax);
        prop_assume!(text.chars().count() <= FILTER_CHARS_MAX && text.matches('"').count() < 100);
        let facts = Facts { id: "u", active: true, created_ms: 0, updated_ms: 0, version: 1 };
        let emails = attributes.get("emails").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = |name: &str| match name.strip_prefix("emails") {
            Some(part) => {
                let part = part.strip_prefix('.').unwrap_or("value");
                emails.iter().flat_map(|email| texts(email.get(part))).collect()
            }
            None => texts(attributes.get(name)),
        };
        let filter = Filter::parse(&text, &Schemas::of(&directory()).user).map_err(|fault| {
            TestCaseError::fail(format!("{text}: {fault}"))
        })?;
        prop_assert_eq!(filter.matches(&attributes, &facts), naive(&syntax, &found, &emails), "{}", text);
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic_or_tells_a_value(
        text in prop_oneof![".{0,80}", "[a-z\\[\\]()\"'\\\\. \0]{0,60}", "(userName|emails|not|and|or|eq|pr| |\\(|\\)|\\[|\\]|\\.|\"x\"|'){0,30}"],
    ) {
        let schemas = Schemas::of(&directory());
        let _ = parse::path(&text);
        for schema in [&schemas.user, &schemas.group] {
            let _ = schema.named(&text);
            if let Err(fault) = Filter::parse(&text, schema) {
                prop_assert_eq!(fault.scim_type, Some(ScimType::InvalidFilter));
            }
        }
    }
}
