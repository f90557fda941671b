//! The presets that the matrix is made with are those of the configuration.

use vestibule::config::load;
use vestibule::oidc::IdpId;

use crate::fixtures::Preset;

#[test]
fn the_presets_of_the_matrix_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("vestibule.toml", "issuer = \"https://id.example.com/acs\"\n");
    write("directories/contoso.toml", "name = \"Contoso\"\ndomains = [\"contoso.com\"]\nsource = \"azure\"\n");
    let presets = [
        ("entra", Preset::Entra, "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0"),
        ("okta", Preset::Okta, "https://contoso.okta.com"),
        ("oidc", Preset::Oidc, "https://op.example.com"),
    ];
    for (kind, _, issuer) in presets {
        let text = format!(
            "name = \"{kind}\"\nkind = \"{kind}\"\nissuer = \"{issuer}\"\nclient_id = \"vestibule\"\n\
             client_secret = {{ env = \"SECRET\" }}\ndirectory = \"contoso\"\n"
        );
        write(&format!("idps/{kind}.toml"), &text);
    }
    let loaded = load(folder.path(), &|_| Some("a secret that is long enough for everybody".to_owned()));
    let snapshot = loaded.snapshot.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    for (kind, preset, _) in presets {
        let idp = &snapshot.idps[&IdpId(kind.to_owned())];
        assert_eq!((&idp.hint, idp.prompt), (&preset.policy(), preset.prompt()), "{kind}");
    }
}
