//! `routine-template doctor` as a person or a script runs it: what it finds, what it advises, how it exits.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::Duration;

use routine_template::registry::Registry;
use routine_template::sandbox::{self, AccountChange, DEMO_APPID, DEMO_SECRET, FaultKind, QuotaChange, Sandbox};
use serde_json::Value;

#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use redis_server::RedisServer;
use support::*;

/// The command with these settings in its environment.
fn doctor(settings: &[(String, String)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routine-template"));
    command.arg("doctor").args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROUTINE_TEMPLATE_")) {
        command.env_remove(name);
    }
    for (name, value) in settings {
        command.env(format!("ROUTINE_TEMPLATE_{}", name.to_uppercase()), value);
    }
    command.output().unwrap()
}

/// The report, and the exit code.
fn examined(settings: &[(String, String)], arguments: &[&str]) -> (Value, i32) {
    let output = doctor(settings, &[&["--json", "--no-php", "--lang", "en"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let report =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().unwrap())
}

/// The first finding about this.
fn found<'r>(report: &'r Value, check: &str) -> &'r Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("nothing about {check}: {report:#}"))
}

fn level<'r>(report: &'r Value, check: &str) -> &'r str {
    found(report, check)["level"].as_str().unwrap()
}

/// A shop whose store has been used.
fn shop() -> Shop {
    let shop = Shop::open_to_all();
    send(&shop.app(&[])).unwrap();
    shop
}

#[test]
fn a_healthy_host_has_nothing_that_fails_and_exits_with_0() {
    let shop = shop();
    let (report, code) = examined(&shop.settings(&[("push_token", "t")]), &[]);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    let checks = ["settings", "push", "queue", "dns", "tls", "clock", "whitelist", "secret", "token", "quota", "route"];
    for check in checks {
        assert_eq!(level(&report, check), "ok", "{report:#}");
    }
    assert!(["ok", "warn"].contains(&level(&report, "store")), "{report:#}");
    assert_eq!(found(&report, "tls")["facts"]["root"], "RoutineTemplate sandbox CA");
    assert_eq!(found(&report, "token")["facts"]["from"], "wechat");
    assert!(found(&report, "token")["facts"]["remaining_seconds"].as_u64().unwrap() > 3600);
    let quota = found(&report, "quota");
    assert_eq!(quota["facts"]["daily_limit"], 10_000_000);
    assert!(quota["text"].as_str().unwrap().contains("10,000,000 calls a day, 1 used today"), "{quota}");
    assert_eq!(found(&report, "store")["facts"]["mode"], "700");
}

#[test]
fn no_output_shows_a_secret_or_a_token() {
    let shop = shop();
    let token = shop.app(&[]).access_token(false).unwrap();
    let (push_token, key) = ("pushtokenfeedface", "k".repeat(43));
    let settings = shop.settings(&[("push_token", push_token), ("push_aes_key", &key)]);
    for arguments in [vec!["--json"], vec!["--lang", "zh"], vec!["--lang", "en"]] {
        let output = doctor(&settings, &arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for hidden in [DEMO_SECRET, token.as_str(), push_token, key.as_str()] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
}

#[test]
fn a_wrong_secret_is_named_and_what_needs_a_token_is_skipped() {
    let shop = shop();
    let (report, code) = examined(&shop.settings(&[("secret", "feedface")]), &[]);
    assert_eq!((code, level(&report, "secret")), (1, "fail"), "{report:#}");
    assert_eq!(found(&report, "secret")["facts"]["errcode"], 40125);
    assert!(found(&report, "secret")["remedy"].as_str().unwrap().contains("reset"));
    for check in ["token", "quota", "templates"] {
        assert_eq!(level(&report, check), "skip");
    }
    let (report, _) = examined(&shop.settings(&[("appid", "wx00000000000000ff")]), &[]);
    assert_eq!(found(&report, "secret")["facts"]["errcode"], 40013, "{report:#}");
}

#[test]
fn an_address_outside_the_whitelist_is_named_so_that_it_can_be_added() {
    let shop = shop();
    shop.wechat.account(DEMO_APPID, AccountChange { ip_refused: Some(true), ..AccountChange::default() });
    let (report, code) = examined(&shop.settings(&[]), &[]);
    let whitelist = found(&report, "whitelist");
    assert_eq!((code, level(&report, "whitelist")), (1, "fail"), "{report:#}");
    assert_eq!((&whitelist["facts"]["errcode"], &whitelist["facts"]["address"]), (&40164.into(), &"127.0.0.1".into()));
    assert!(whitelist["remedy"].as_str().unwrap().contains("add 127.0.0.1 to the IP whitelist"));
    assert_eq!((level(&report, "secret"), level(&report, "token")), ("skip", "skip"));
}

#[test]
fn a_host_that_nobody_listens_on_is_a_matter_of_the_network() {
    let shop = shop();
    let (report, code) = examined(&shop.settings(&[("base_url", "https://127.0.0.1:9")]), &[]);
    assert_eq!((code, level(&report, "tls")), (1, "fail"), "{report:#}");
    assert_eq!(
        (level(&report, "dns"), level(&report, "store")),
        ("ok", found(&report, "store")["level"].as_str().unwrap())
    );
    for check in ["clock", "whitelist", "secret", "token", "quota"] {
        assert_eq!(level(&report, check), "skip", "{report:#}");
    }
}

#[test]
fn a_name_without_an_address_is_a_matter_of_dns() {
    let shop = shop();
    let (report, code) = examined(&shop.settings(&[("base_url", "https://wechat.invalid")]), &[]);
    assert_eq!((code, level(&report, "dns"), level(&report, "tls")), (1, "fail", "skip"), "{report:#}");
    assert_eq!(found(&report, "dns")["facts"]["unresolved"][0], "wechat.invalid");
}

#[test]
fn one_host_of_several_that_answers_is_enough_and_the_others_are_worth_a_look() {
    let shop = shop();
    let sandbox = shop.wechat.https_url();
    let (report, code) =
        examined(&shop.settings(&[("base_url", "https://127.0.0.1:9"), ("fallback_urls", &sandbox)]), &[]);
    assert_eq!((code, level(&report, "tls"), level(&report, "token")), (0, "warn", "ok"), "{report:#}");
}

#[test]
fn a_proxy_is_gone_through_as_messages_go_through_it() {
    let shop = shop();
    let target = shop.wechat.https_url().replace("https://", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://user:p%40ss@{}", listener.local_addr().unwrap());
    let (heads, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = [0; 1024];
            let length = client.read(&mut head).unwrap();
            // The test may be over.
            let _ = heads.send(String::from_utf8_lossy(&head[..length]).into_owned());
            let server = TcpStream::connect(&target).unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut up, &mut down));
            let (mut server, mut client) = (server, client);
            std::thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    let (report, code) = examined(&shop.settings(&[("proxy", &proxy), ("base_url", "https://localhost:443")]), &[]);
    assert_eq!((code, level(&report, "tls"), level(&report, "token")), (0, "ok", "ok"), "{report:#}");
    assert!(found(&report, "dns")["text"].as_str().unwrap().contains("through the proxy 127.0.0.1:"), "{report:#}");
    assert!(!report.to_string().contains("p@ss") && !report.to_string().contains("p%40ss"));
    let first = seen.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(first.starts_with("CONNECT localhost:443 "), "{first}");
    assert!(first.contains("Basic dXNlcjpwQHNz"), "{first}");
}

#[test]
fn an_expired_certificate_and_an_unknown_authority_are_told() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    let expired = Sandbox::start(sandbox::Options { tls_expired: true, ..sandbox::Options::default() }).unwrap();
    let ca_file = directory.path().join("ca.pem");
    std::fs::write(&ca_file, expired.ca_pem()).unwrap();
    let settings = |ca_file: &str| {
        [
            ("appid", DEMO_APPID),
            ("secret", DEMO_SECRET),
            ("base_url", &expired.https_url()),
            ("ca_file", ca_file),
            ("store", "off"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let (report, code) = examined(&settings(ca_file.to_str().unwrap()), &[]);
    assert_eq!((code, level(&report, "tls")), (1, "fail"), "{report:#}");
    let text = found(&report, "tls")["text"].as_str().unwrap().to_lowercase();
    assert!(text.contains("expired"), "{text}");
    let (report, _) = examined(&settings(""), &[]);
    assert!(found(&report, "tls")["text"].as_str().unwrap().contains("not trusted"), "{report:#}");
}

#[test]
fn a_clock_that_is_minutes_off_is_told_by_wechats_own() {
    let shop = shop();
    shop.wechat.advance_clock(Duration::from_secs(120));
    let (report, code) = examined(&shop.settings(&[]), &[]);
    assert_eq!((code, level(&report, "clock")), (0, "warn"), "{report:#}");
    shop.wechat.advance_clock(Duration::from_secs(480));
    let (report, code) = examined(&shop.settings(&[]), &[]);
    assert_eq!((code, level(&report, "clock")), (1, "fail"), "{report:#}");
    assert!(found(&report, "clock")["text"].as_str().unwrap().contains("behind"));
    assert!(found(&report, "clock")["facts"]["ahead_seconds"].as_f64().unwrap() < -300.0);
}

#[test]
fn a_wechat_that_never_answers_does_not_hold_the_doctor_up() {
    let shop = shop();
    shop.fault("*", None, FaultKind::Hang);
    let (report, code) = examined(&shop.settings(&[]), &[]);
    assert_eq!((code, level(&report, "tls")), (1, "fail"), "{report:#}");
}

#[test]
fn a_store_that_cannot_be_used_is_told_with_its_owner_and_mode() {
    let shop = Shop::open_to_all();
    let open_to_all = shop.path("open");
    std::fs::create_dir(&open_to_all).unwrap();
    std::fs::set_permissions(&open_to_all, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (report, code) = examined(&shop.settings(&[("store", open_to_all.to_str().unwrap())]), &[]);
    assert_eq!((code, level(&report, "store"), level(&report, "queue")), (1, "fail", "skip"), "{report:#}");
    assert!(found(&report, "store")["text"].as_str().unwrap().contains("mode 777"), "{report:#}");
    assert_eq!(level(&report, "token"), "ok", "a store that fails never stops a send");

    let below_a_file = format!("{}/store", shop.ca_file);
    let (report, code) = examined(&shop.settings(&[("store", &below_a_file)]), &[]);
    assert_eq!((code, level(&report, "store")), (1, "fail"), "{report:#}");

    let (report, code) = examined(&shop.settings(&[("store", shop.path("later").to_str().unwrap())]), &[]);
    assert_eq!((code, level(&report, "store")), (0, "warn"), "{report:#}");
    assert_eq!(level(&report, "token"), "ok");
    assert!(!shop.path("later").exists(), "made by root it would be root's");

    let (report, _) = examined(&shop.settings(&[("store", "off")]), &[]);
    assert_eq!((level(&report, "store"), level(&report, "queue")), ("warn", "skip"), "{report:#}");
}

#[test]
fn a_damaged_store_is_told_and_the_next_look_finds_a_new_one() {
    let shop = Shop::open_to_all();
    let settings = shop.settings(&[]);
    std::fs::create_dir(shop.store()).unwrap();
    std::fs::set_permissions(shop.store(), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(shop.store().join("state"), "no database ".repeat(1000)).unwrap();
    let (report, code) = examined(&settings, &[]);
    assert_eq!((code, level(&report, "store")), (1, "fail"), "{report:#}");
    assert_eq!(found(&report, "store")["facts"]["fault"], "corrupt");
    assert!(found(&report, "store")["remedy"].as_str().unwrap().contains("kept"));
    let (report, code) = examined(&settings, &[]);
    assert_eq!(code, 0, "{report:#}");
}

#[test]
fn a_redis_without_persistence_is_worth_a_look_and_one_that_is_gone_a_fault() {
    let shop = Shop::open_to_all();
    let server = RedisServer::with(&[]);
    let url = format!("{}/0", server.url());
    let (report, code) = examined(&shop.settings(&[("store", &url)]), &[]);
    assert_eq!((code, level(&report, "store"), level(&report, "queue")), (0, "ok", "ok"), "{report:#}");
    assert_eq!(found(&report, "store")["facts"]["appendonly"], false);
    let weak =
        report["checks"].as_array().unwrap().iter().filter(|row| row["check"] == "store" && row["level"] == "warn");
    assert_eq!(weak.count(), 1, "{report:#}");
    drop(server);
    let (report, code) = examined(&shop.settings(&[("store", &url)]), &[]);
    assert_eq!((code, level(&report, "store")), (1, "fail"), "{report:#}");
}

#[test]
fn queued_messages_that_nobody_delivers_are_told_and_their_account_is_taken_from_the_store() {
    let shop = Shop::open_to_all();
    let app = app_of(&shop.settings(&[("delivery", "worker")]), Registry::default());
    app.queue(&message(order())).unwrap();
    let here: Vec<_> = shop.settings(&[]).into_iter().filter(|(name, _)| name != "appid" && name != "secret").collect();
    let (report, _) = examined(&here, &[]);
    let settings = found(&report, "settings");
    assert_eq!((level(&report, "settings"), &settings["facts"]["appid"]), ("ok", &DEMO_APPID.into()), "{report:#}");
    assert!(settings["text"].as_str().unwrap().contains("in the store"), "{settings}");
    let queue = found(&report, "queue");
    assert_eq!(queue["facts"]["pending"], 1, "{report:#}");
    // A deliverer of another test on this machine counts as one; none is a warning.
    assert!(queue["facts"]["deliverer"] == true || queue["level"] == "warn", "{queue}");
    assert_eq!(level(&report, "token"), "ok");
}

#[test]
fn a_used_up_quota_and_the_pause_that_follows_are_told() {
    let shop = shop();
    shop.wechat.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(Some(1)), minute_limit: None });
    assert_eq!(send(&shop.app(&[])).unwrap().errcode, 45009);
    let (report, code) = examined(&shop.settings(&[]), &[]);
    assert_eq!((code, level(&report, "quota"), level(&report, "route")), (1, "fail", "warn"), "{report:#}");
    assert_eq!(found(&report, "route")["facts"]["paused_by"], 45009);
}

#[test]
fn wrong_settings_are_all_told_and_nothing_else_is_tried() {
    let shop = Shop::open();
    let (report, code) = examined(&shop.settings(&[("timeout_ms", "soon"), ("validate", "maybe")]), &[]);
    assert_eq!(code, 1);
    let faults: Vec<&Value> =
        report["checks"].as_array().unwrap().iter().filter(|row| row["check"] == "settings").collect();
    assert_eq!(faults.len(), 2, "{report:#}");
    assert!(faults[0]["text"].as_str().unwrap().contains("timeout_ms"), "{}", faults[0]);
    assert_eq!(level(&report, "tls"), "skip");
    let (report, _) = examined(&shop.settings(&[("secret", "")]), &[]);
    assert_eq!((level(&report, "settings"), level(&report, "token")), ("fail", "skip"), "{report:#}");
    let (report, _) = examined(&shop.settings(&[]), &["--appid", "gh_0123456789ab"]);
    assert!(report.to_string().contains("does not look like an AppID"), "{report:#}");
}

#[test]
fn settings_are_read_from_a_php_ini_and_options_go_over_them() {
    let shop = shop();
    let ini = shop.path("php.ini");
    let lines = shop.settings(&[]).into_iter().map(|(name, value)| format!("routine_template.{name} = \"{value}\"\n"));
    std::fs::write(&ini, format!("[PHP]\nmemory_limit = 128M\n{}", lines.collect::<String>())).unwrap();
    let (report, code) = examined(&[], &["--ini", ini.to_str().unwrap()]);
    assert_eq!((code, level(&report, "token")), (0, "ok"), "{report:#}");
    let (report, _) = examined(&[], &["--ini", ini.to_str().unwrap(), "--set", "secret=feedface"]);
    assert_eq!(level(&report, "secret"), "fail", "{report:#}");
    let output = doctor(&[], &["--ini", "/nowhere/php.ini", "--lang", "en"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/php.ini"));
}

#[test]
fn the_lines_speak_chinese_or_english_as_the_environment_does() {
    let shop = shop();
    let mut settings = shop.settings(&[("secret", "feedface")]);
    // Not through the environment of the settings: LANG is the system's.
    settings.retain(|(name, _)| name != "lang");
    let shown = |lang: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routine-template"));
        command.args(["doctor", "--no-php"]).env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", lang);
        for (name, value) in &settings {
            command.env(format!("ROUTINE_TEMPLATE_{}", name.to_uppercase()), value);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let (chinese, english) = (shown("zh_CN.UTF-8"), shown("C.UTF-8"));
    assert!(chinese.contains("失败  AppSecret") && chinese.contains("→ 核对 secret"), "{chinese}");
    assert!(english.contains("FAIL  secret") && english.contains("→ compare secret"), "{english}");
    assert!(!english.contains('\u{1b}'), "no colours where nobody sees them");
}

#[test]
fn php_is_looked_at_and_never_fails_where_there_is_none() {
    let shop = shop();
    let output = doctor(&shop.settings(&[]), &["--json", "--lang", "en"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(["ok", "skip", "warn"].contains(&level(&report, "php")), "{report:#}");
}
