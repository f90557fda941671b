//! `check`, `schema`, and what every command line has in common.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::provider;
use crate::redis::RedisServer;
use crate::stage::{SERVER, Stage, exists};

/// A stage whose files have neither faults nor warnings.
fn sound() -> Stage {
    Stage::new(Some("https://idp.example.com"))
}

#[test]
fn a_sound_folder_has_exit_code_0_even_with_strict() {
    let done = sound().run(&["check", "--strict"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), "no findings\n"), "{}", done.err);
}

#[test]
fn faults_are_exit_code_1_with_file_line_column_and_help() {
    let stage = sound();
    stage.edit("idps/contoso.toml", "kind = ", "knid = ");
    stage.edit("clients/access.toml", "https://rp.example.com/cb", "https://*.example.com/cb");
    let done = stage.run(&["check"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.contains("idps/contoso.toml:2:1"), "{}", done.out);
    assert!(done.out.contains("clients/access.toml:3:"), "{}", done.out);
    assert!(done.out.contains("did you mean `kind`") || done.out.contains("`kind`"), "{}", done.out);
}

#[test]
fn warnings_are_exit_code_1_only_with_strict() {
    let stage = sound();
    stage.edit("clients/access.toml", "{ env = \"CLIENT_SECRET\" }", "\"a-secret-in-the-open-0123456789abcdef\"");
    let (lax, strict) = (stage.run(&["check"]), stage.run(&["check", "--strict"]));
    assert_eq!((lax.code, strict.code), (Some(0), Some(1)), "{lax:?}");
    assert!(lax.out.contains("warning[") && lax.out.ends_with("1 warning\n"), "{}", lax.out);
    assert!(!lax.out.contains("in-the-open"), "{}", lax.out);
}

#[test]
fn json_lists_each_finding_with_its_place() {
    let stage = sound();
    stage.edit("idps/contoso.toml", "kind = ", "knid = ");
    let done = stage.run(&["check", "--json"]);
    let findings = done.json()["findings"].as_array().cloned().expect("a list");
    assert_eq!(done.code, Some(1));
    let finding = findings.iter().find(|f| f["line"] == 2).unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!((&finding["column"], &finding["severity"]), (&Value::from(1), &Value::from("error")), "{finding}");
    assert!(finding["file"].as_str().is_some_and(|file| file.ends_with("idps/contoso.toml")), "{finding}");
}

#[test]
fn an_empty_or_missing_folder_is_told_what_to_do() {
    for make in [true, false] {
        let stage = sound();
        std::fs::remove_dir_all(stage.config()).expect("removed");
        if make {
            std::fs::create_dir(stage.config()).expect("made");
        }
        for command in ["check", "serve"] {
            let done = stage.run(&[command]);
            let said = format!("{}{}", done.out, done.err);
            assert_eq!(done.code, Some(1), "{said}");
            for word in ["issuer = ", "vestibule demo", "vestibule check"] {
                assert!(said.contains(word), "{command}: no {word} in {said}");
            }
        }
    }
}

#[test]
fn the_config_folder_may_stand_before_or_after_the_arguments() {
    let stage = sound();
    let folder = stage.config().display().to_string();
    for arguments in [["--config", &folder, "check", "--strict"], ["check", "--config", &folder, "--strict"]] {
        let mut command = stage.command(&[]);
        command = {
            let mut fresh = std::process::Command::new(command.get_program());
            fresh.args(arguments).env_clear().envs(command.get_envs().filter_map(|(n, v)| Some((n, v?))));
            fresh
        };
        let output = command.output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    }
}

#[test]
fn usage_errors_are_exit_code_2() {
    let stage = sound();
    let wrong: [&[&str]; 7] = [
        &["no-such-command"],
        &["check", "--no-such-option"],
        &["schema", "no-such-kind"],
        &["explain", "hint"],
        &["explain", "login"],
        &["keys"],
        &[],
    ];
    for arguments in wrong {
        let done = stage.run(arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(done.out.is_empty(), "{done:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let stage = sound();
    for arguments in [["schema", "--json"], ["check", "--json"], ["keys", "list"]] {
        let mut command = stage.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        let code = child.wait().expect("it ends").code();
        assert!(!said.contains("panic") && code.is_some_and(|code| code < 2), "{arguments:?}: {code:?} {said}");
    }
}

#[test]
fn online_tries_provider_redis_and_database() {
    let (idp, redis) = (provider(), RedisServer::start());
    let stage = Stage::at(&idp);
    stage.write("vestibule.toml", &format!("{SERVER}[state]\nurl = \"{}\"\n", redis.url()));
    let fresh = stage.run(&["check", "--online"]);
    assert_eq!(fresh.code, Some(0), "{fresh:?}");
    assert!(fresh.out.contains("the first start makes it"), "{}", fresh.out);
    assert!(!exists(&stage.path("data")), "a check made files");

    stage.serve().stop();
    let done = stage.run(&["check", "--online", "--json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let probes = done.json()["online"].as_array().cloned().expect("a list");
    for what in ["database", "Redis", "identity provider contoso: discovery", "identity provider contoso: keys"] {
        let probe =
            probes.iter().find(|probe| probe["what"] == what).unwrap_or_else(|| panic!("no {what}: {probes:?}"));
        assert!(probe["fault"].is_null() && probe["detail"].as_str().is_some_and(|d| !d.is_empty()), "{probe}");
    }
}

#[test]
fn online_names_what_does_not_answer() {
    let (idp, mut redis) = (provider(), RedisServer::start());
    let stage = Stage::at(&idp);
    stage.write("vestibule.toml", &format!("{SERVER}[state]\nurl = \"{}\"\n", redis.url()));
    redis.kill();
    drop(idp);
    std::fs::create_dir_all(stage.path("data")).expect("a folder");
    std::fs::write(stage.path("data/vestibule.db"), "this is no database, but has some length to it").expect("a file");
    std::fs::write(stage.path("data/vestibule.seal"), "0123456789abcdef0123456789abcdef").expect("a file");
    assert_eq!(stage.run(&["check"]).code, Some(0), "without --online nothing is tried");
    let done = stage.run(&["check", "--online"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for line in ["wrong database: ", "wrong Redis: ", "wrong identity provider contoso: discovery: "] {
        assert!(done.out.contains(line), "no `{line}` in {}", done.out);
    }
}

#[test]
fn online_fetches_the_keys_that_clients_publish() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let keyed =
        |uri: &str| format!("name = \"Keyed\"\njwks_uri = \"{uri}\"\nredirect_uris = [\"https://rp.example.com/k\"]\n");
    stage.write("clients/keyed.toml", &keyed(&format!("{}/jwks", idp.issuer())));
    stage.write("clients/broken.toml", &keyed(&format!("{}/nothing-here", idp.issuer())));
    stage.write("clients/inside.toml", &keyed("https://10.0.0.1/jwks"));
    let without = provider();
    let nothing = "{\"keys\": []}".to_owned();
    without.set(|script| script.jwks = crate::evil_idp::Answer::Fixed(200, "application/json", nothing));
    stage.write("clients/without.toml", &keyed(&format!("{}/jwks", without.issuer())));
    stage.write("clients/off.toml", &format!("enabled = false\n{}", keyed("https://10.0.0.1/off")));
    assert_eq!(stage.run(&["check"]).code, Some(0), "without --online nothing is tried");
    let done = stage.run(&["check", "--online"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    for line in [
        "ok    client keyed: jwks_uri: ",
        "wrong client broken: jwks_uri: fails the check `jwks`: answered 404",
        "wrong client inside: jwks_uri: fails the check `outbound_guard`: ",
        "wrong client without: jwks_uri: it holds no key for RS256",
    ] {
        assert!(done.out.contains(line), "no `{line}` in {}", done.out);
    }
    assert!(!done.out.contains("client off"), "a client that is switched off isn't asked");
}

#[test]
fn schemas_are_json_schema_and_say_what_check_says() {
    let stage = sound();
    let all = stage.run(&["schema"]).json();
    for kind in ["idp", "client", "directory", "service", "server"] {
        let done = stage.run(&["schema", kind]);
        assert_eq!(done.code, Some(0), "{done:?}");
        let schema = done.json();
        assert_eq!(schema, all[kind], "{kind}");
        assert!(schema["$schema"].as_str().is_some_and(|s| s.contains("json-schema.org")), "{kind}");
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&"object".into(), &false.into()), "{kind}");
        let known = schema["properties"].as_object().expect("properties");
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(known.contains_key(required.as_str().expect("a name")), "{kind}: {required}");
        }
    }
    assert!(all["idp"]["required"].as_array().is_some_and(|r| r.contains(&"kind".into())));
}
