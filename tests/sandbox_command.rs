//! `routine-template sandbox` as a process.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of a test crate for product code"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Ends the process with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routine-template"));
    command.arg("sandbox").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn wait_until<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "it took too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ready(path: &Path) -> Value {
    // Written atomically: what is there is whole.
    wait_until(|| std::fs::read_to_string(path).ok().map(|text| serde_json::from_str(&text).unwrap()))
}

#[test]
fn it_tells_where_it_listens_and_serves_until_a_signal_ends_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let directory = tempfile::tempdir().unwrap();
        let (ready_file, ca_file) = (directory.path().join("ready.json"), directory.path().join("ca.pem"));
        let mut command = command();
        command.arg("--ready-file").arg(&ready_file).arg("--ca-file").arg(&ca_file);
        let mut running = Running(command.spawn().unwrap());
        let ready = ready(&ready_file);
        assert_eq!(ready["pid"], running.0.id());
        assert_eq!(ready["ca_file"], ca_file.to_str().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        for part in ["http", "https", "ca_file"] {
            assert!(line.contains(ready[part].as_str().unwrap()), "{line}");
        }
        let ca_pem = std::fs::read(&ca_file).unwrap();
        assert!(!String::from_utf8_lossy(&ca_pem).contains("PRIVATE"));
        let ca = reqwest::Certificate::from_pem(&ca_pem).unwrap();
        let client = reqwest::blocking::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
        for part in ["http", "https"] {
            let url = format!("{}/cgi-bin/token", ready[part].as_str().unwrap());
            assert!(client.get(url).send().unwrap().text().unwrap().contains("40002"));
        }
        kill(Pid::from_raw(i32::try_from(running.0.id()).unwrap()), signal).unwrap();
        let status = wait_until(|| running.0.try_wait().unwrap());
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn without_a_ca_file_a_temporary_one_goes_when_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let ready_file = directory.path().join("ready.json");
    let mut command = command();
    command.env("TMPDIR", directory.path()).arg("--ready-file").arg(&ready_file);
    let mut running = Running(command.spawn().unwrap());
    let ready = ready(&ready_file);
    let ca_file = Path::new(ready["ca_file"].as_str().unwrap());
    assert!(ca_file.starts_with(directory.path()) && ca_file.exists());
    kill(Pid::from_raw(i32::try_from(running.0.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(wait_until(|| running.0.try_wait().unwrap()).success());
    assert!(!ca_file.exists());
}

#[test]
fn faults_by_chance_are_there_from_the_start_and_a_bad_table_is_refused_by_name() {
    let refused = command().args(["--faults", r#"{"seed":1,"faults":[{"fault":"hang"}]}"#]).output().unwrap();
    assert!(!refused.status.success());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("--faults: faults[0]: per_thousand: missing"), "{text}");

    let directory = tempfile::tempdir().unwrap();
    let ready_file = directory.path().join("ready.json");
    let table = r#"{"seed":1,"faults":[{"fault":"http_status","status":503,"per_thousand":1000}]}"#;
    let mut command = command();
    command.env("TMPDIR", directory.path()).arg("--ready-file").arg(&ready_file).args(["--faults", table]);
    let running = Running(command.spawn().unwrap());
    let http = ready(&ready_file)["http"].as_str().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let status = || client.get(format!("{http}/cgi-bin/token")).send().unwrap().status().as_u16();
    assert_eq!(status(), 503);
    client.post(format!("{http}/__admin/reset")).send().unwrap();
    assert_eq!(status(), 503, "they outlive a reset");
    client.delete(format!("{http}/__admin/fault")).send().unwrap();
    assert_eq!(status(), 200);
    drop(running);
}

#[test]
fn an_address_for_everybody_is_refused_with_the_remedy() {
    let output = command().arg("--http").arg("0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("0.0.0.0:0 is not a loopback address; --allow-remote permits it"), "{text}");
}

#[test]
fn a_push_address_is_set_up_from_the_start_and_a_bad_one_refused_by_name() {
    let refused = |arguments: &[&str]| {
        let output = command().args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let (url, token) = (["--push-url", "http://192.0.2.1/push"], ["--push-token", "mytoken"]);
    assert!(refused(&[&url[..], &token[..]].concat()).contains("push_url: 192.0.2.1 is not a loopback address"));
    assert!(refused(&url).contains("--push-token"));
    let local = ["--push-url", "http://127.0.0.1:9/push", "--push-token", "mytoken"];
    assert!(refused(&[&local[..], &["--push-mode", "safe"][..]].concat()).contains("push_aes_key: missing"));

    let directory = tempfile::tempdir().unwrap();
    let ready_file = directory.path().join("ready.json");
    let mut command = command();
    command.env("TMPDIR", directory.path()).arg("--ready-file").arg(&ready_file).args(local);
    let running = Running(command.spawn().unwrap());
    let http = ready(&ready_file)["http"].as_str().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let accounts = || client.get(format!("{http}/__admin/accounts")).send().unwrap().text().unwrap();
    assert!(accounts().contains("http://127.0.0.1:9/push") && !accounts().contains("mytoken"), "{}", accounts());
    client.post(format!("{http}/__admin/reset")).send().unwrap();
    assert!(accounts().contains("http://127.0.0.1:9/push"), "it outlives a reset");
    drop(running);
}
