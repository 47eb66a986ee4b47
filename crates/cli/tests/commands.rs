//! The program as a person starts it: exit codes, stdout, stderr, and what it says over HTTP, judged by
//! a listener on this machine that writes the request down.

#![allow(clippy::unwrap_used, reason = "a broken rig is a broken test: it should stop at once and say where")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::JoinHandle;

/// Runs `comeback`; no token and no proxy of this machine's environment come along.
fn comeback(arguments: &[&str], token: Option<&str>, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comeback"));
    command.args(arguments).current_dir(folder).env_clear();
    if let Some(token) = token {
        command.env("COMEBACK_ADMIN_TOKEN", token);
    }
    command.output().unwrap()
}

fn here(arguments: &[&str]) -> (Option<i32>, String, String) {
    let done = comeback(arguments, None, Path::new(env!("CARGO_MANIFEST_DIR")));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// Answers one request; gives back its head.
fn deployment(status: &'static str, body: &'static str) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.by_ref().map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .unwrap();
        head
    });
    (url, served)
}

#[test]
fn presets_are_sound_and_mistakes_are_placed() {
    let (code, out, err) =
        here(&["policy", "check", "../../policies/classic.toml", "../../policies/early.toml"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(out.matches("is sound, version pol_").count(), 2, "{out}");

    let (code, out, _) =
        here(&["policy", "check", "../../policies/classic.toml", "tests/fixtures/wrong.toml"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("--> tests/fixtures/wrong.toml:5:8"), "{out}");
    assert!(out.contains("tests/fixtures/wrong.toml: refused"), "{out}");

    let (code, out, _) = here(&["policy", "check", "classic", "tests/fixtures/wrong.toml"]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with("classic: policy `classic` is sound"), "a preset, as in other commands: {out}");
    let (_, out, _) = here(&["policy", "check", "clasic"]);
    assert!(out.contains("neither a file nor a preset (") && out.contains("classic"), "{out}");
    let (code, out, _) = here(&["policy", "check", "tests/fixtures/wrong.toml", "nowhere.toml", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["ok"]), (Some(1), &false.into()));
    assert_eq!(
        (&told["files"][0]["errors"][0]["line"], &told["files"][0]["errors"][0]["column"]),
        (&5.into(), &8.into())
    );
    assert!(told["files"][1]["unreadable"].is_string());
}

#[test]
fn a_margin_without_unit_costs_is_refused_where_the_catalogue_is_known() {
    let check =
        |document: &str| here(&["policy", "check", "../../policies/classic.toml", "--catalogue", document]);
    assert_eq!(check("../../www-demo/shop.json").0, Some(0));
    let (code, out, _) = check("tests/fixtures/no_costs.json");
    assert_eq!(code, Some(1));
    assert!(out.contains("unit cost") && out.contains("--> ../../policies/classic.toml:"), "{out}");
    let (code, _, err) = check("tests/fixtures/wrong.toml");
    assert!(code == Some(1) && err.contains("tests/fixtures/wrong.toml"), "{err}");
}

#[test]
fn a_preset_can_be_shown_and_checked_again() {
    let names = here(&["policy", "show"]).1;
    assert!(["classic", "early", "demo"].iter().all(|n| names.lines().any(|l| l == *n)), "{names}");
    let (code, out, _) = here(&["policy", "show", "classic"]);
    assert_eq!((code, out.as_str()), (Some(0), include_str!("../../../policies/classic.toml")));
    let (_, out, _) = here(&["policy", "show", "classic", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(told["version"].as_str().unwrap().starts_with("pol_"));
    assert_eq!(here(&["policy", "show", "clasic"]).0, Some(2));
}

#[test]
fn every_key_is_another_and_fits_the_worker() {
    let keys: Vec<String> = (0..3).map(|_| here(&["keys", "new"]).1).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    for key in keys {
        assert!(comeback_link::MasterKey::from_base64url(key.trim_end()).is_ok());
    }
}

#[test]
fn a_story_is_asked_for_with_the_token_and_told() {
    let (url, served) = deployment("200 OK", include_str!("fixtures/stopped.json"));
    let arguments = ["explain", "cart_8365fec761be0b40d75055", "--shop", "shop_demo", "--url", &url];
    let done = comeback(&arguments, Some("token-of-the-test"), Path::new(env!("CARGO_MANIFEST_DIR")));
    let head = served.join().unwrap();
    assert_eq!(head[0], "GET /v1/admin/shops/shop_demo/carts/cart_8365fec761be0b40d75055 HTTP/1.1");
    assert!(head.iter().any(|l| l == "authorization: Bearer token-of-the-test"), "{head:?}");
    assert_eq!(done.status.code(), Some(0));
    assert!(String::from_utf8(done.stdout).unwrap().contains("the shop has stopped all sends"));
}

#[test]
fn the_switch_says_what_the_deployment_said() {
    let cases = [
        ("stop", "200 OK", r#"{"shop":"shop_a","stopped":true}"#, 0, "shop_a is stopped: nothing is sent\n"),
        ("resume", "200 OK", r#"{"shop":"shop_a","stopped":false}"#, 0, "shop_a is sending\n"),
        ("stop", "200 OK", r#"{"shop":"shop_a","stopped":false}"#, 1, ""),
        (
            "stop",
            "401 Unauthorized",
            r#"{"title":"Not authorised","detail":"a bearer token is needed"}"#,
            1,
            "",
        ),
        ("stop", "302 Found", "", 1, ""),
    ];
    for (act, status, body, code, expect) in cases {
        let (url, served) = deployment(status, body);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let done = comeback(&[act, "--shop", "shop_a", "--url", &url], Some("token-of-the-test"), folder);
        assert_eq!(served.join().unwrap()[0], format!("POST /v1/admin/shops/shop_a/{act} HTTP/1.1"));
        assert_eq!(done.status.code(), Some(code), "{act} {status}");
        assert_eq!(String::from_utf8(done.stdout).unwrap(), expect);
        let err = String::from_utf8(done.stderr).unwrap();
        assert!(!err.contains("token-of-the-test"), "{err}");
        assert_eq!(err.contains("a bearer token is needed"), status.starts_with("401"), "{err}");
    }
}

#[test]
fn a_local_run_is_asked_with_its_own_token_and_nobody_else_is() {
    let folder = std::env::temp_dir().join(format!("comeback-cli-test-{}", std::process::id()));
    std::fs::create_dir_all(folder.join(".comeback")).unwrap();
    std::fs::create_dir_all(folder.join("below")).unwrap();
    std::fs::write(
        folder.join(".comeback/secrets.json"),
        r#"{"masterKey":"m","adminToken":"local-token","shops":{}}"#,
    )
    .unwrap();
    let (url, served) = deployment("200 OK", r#"{"stopped":true}"#);
    let done = comeback(&["stop", "--shop", "shop_a", "--url", &url], None, &folder.join("below"));
    assert!(served.join().unwrap().iter().any(|l| l == "authorization: Bearer local-token"));
    assert_eq!(done.status.code(), Some(0));
    let far = comeback(&["stop", "--shop", "shop_a", "--url", "https://shop.invalid"], None, &folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(far.status.code(), Some(1));
    assert!(String::from_utf8(far.stderr).unwrap().contains("COMEBACK_ADMIN_TOKEN is not set"));
}

#[test]
fn a_command_that_is_not_understood_exits_with_2() {
    let (code, out, err) = here(&["simulte"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("no such command: simulte"), "{err}");
    let (code, out, _) = here(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("comeback explain CART|SEND"));
}
