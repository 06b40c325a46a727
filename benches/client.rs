//! The HTTP client under a send: reqwest's asynchronous client driven by the calling thread (what we ship) beside
//! `reqwest::blocking`, over kept-alive connections to the fake WeChat, in interleaved rounds of one run.
//!
//! Not a criterion benchmark: what matters is the CPU and the context switches of the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use routine_template::network::deadline::Deadline;
use routine_template::wechat::client::{Attempt, Client, ClientKey};

const ROUNDS: usize = 9;
const SENDS: u32 = 3000;
// Refused with 41001 before anything else happens: the server costs as little as it can.
const BODY: &[u8] = br#"{"touser":"o","template_id":"t","data":{"thing1":{"value":"x"}}}"#;

struct FakeWechat {
    process: Child,
    _directory: tempfile::TempDir,
    http: String,
    https: String,
    ca_file: String,
}

impl FakeWechat {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ready = directory.path().join("ready.json");
        let ca_file = directory.path().join("ca.pem");
        let process = Command::new(env!("CARGO_BIN_EXE_routine-template"))
            .args(["sandbox", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--ca-file"])
            .arg(&ca_file)
            .arg("--ready-file")
            .arg(&ready)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let addresses = wait_for(&ready);
        Self {
            process,
            http: addresses["http"].as_str().unwrap().to_owned(),
            https: addresses["https"].as_str().unwrap().to_owned(),
            ca_file: ca_file.to_str().unwrap().to_owned(),
            _directory: directory,
        }
    }
}

impl Drop for FakeWechat {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wait_for(file: &Path) -> serde_json::Value {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
            return value;
        }
        assert!(Instant::now() < end, "the fake WeChat did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Microseconds of CPU and voluntary context switches of this process so far.
fn usage() -> (f64, f64) {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    (micros(usage.user_time()) + micros(usage.system_time()), usage.voluntary_context_switches() as f64)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Wall time, CPU and context switches per send.
fn measure(mut send: impl FnMut()) -> [f64; 3] {
    for _ in 0..50 {
        send();
    }
    let (cpu, switches) = usage();
    let start = Instant::now();
    for _ in 0..SENDS {
        send();
    }
    let wall = start.elapsed().as_secs_f64() * 1e6;
    let after = usage();
    [wall, after.0 - cpu, after.1 - switches].map(|total| total / f64::from(SENDS))
}

fn main() {
    let server = FakeWechat::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = ClientKey { ca_file: Some(server.ca_file.clone()), proxy: None, connect_timeout: Duration::from_secs(1) };
    let ours = Client::new(&key).unwrap();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(&server.ca_file).unwrap()).unwrap();
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let blocking =
        reqwest::blocking::Client::builder().tls_certs_only([ca]).timeout(Duration::from_secs(3)).build().unwrap();

    println!("{:<12} {:<22} {:>14} {:>14} {:>20}", "", "client", "us per send", "CPU us/send", "context switches");
    for (scheme, base) in [("HTTP", &server.http), ("HTTPS", &server.https)] {
        let url: reqwest::Url = format!("{base}/cgi-bin/message/subscribe/send").parse().unwrap();
        let mut results: [Vec<[f64; 3]>; 2] = Default::default();
        for _ in 0..ROUNDS {
            results[0].push(measure(|| {
                let deadline = Deadline::after(Duration::from_secs(3));
                match runtime.block_on(ours.exchange(url.clone(), Some(BODY.into()), deadline, deadline.left())) {
                    Attempt::Answered(reply) => assert_eq!(reply.status, 200),
                    other => panic!("{other:?}"),
                }
            }));
            results[1].push(measure(|| {
                let answer =
                    blocking.post(url.clone()).header("content-type", "application/json").body(BODY).send().unwrap();
                assert_eq!(answer.status(), 200);
                answer.bytes().unwrap();
            }));
        }
        for (name, rounds) in ["async, calling thread", "reqwest::blocking"].iter().zip(&results) {
            let [wall, cpu, switches] = [0, 1, 2].map(|column| median(rounds.iter().map(|round| round[column])));
            println!("{scheme:<12} {name:<22} {wall:>14.1} {cpu:>14.1} {switches:>20.2}");
        }
    }
}
