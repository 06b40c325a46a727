//! What `send()` costs while WeChat answers, and while it is down and nothing is tried.
//!
//! Not a criterion benchmark: what matters is the CPU of the whole process, and the store's share of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, missing_docs)]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use routine_template::app::App;
use routine_template::config::Settings;
use routine_template::error::Error;
use routine_template::message::{Input, Message};
use routine_template::options::Options;
use routine_template::sandbox::{self, AccountChange, DEMO_APPID, DEMO_OPENID, DEMO_SECRET, DEMO_TEMPLATE, Sandbox};

const ROUNDS: usize = 9;
const SENDS: u32 = 500;

fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    micros(usage.user_time()) + micros(usage.system_time())
}

fn app(url: &str, store: &str) -> App {
    let pairs =
        [("appid", DEMO_APPID), ("secret", DEMO_SECRET), ("base_url", url), ("store", store), ("timeout_ms", "3000")];
    App::new(Arc::new(Settings::from_pairs(pairs).unwrap()), Arc::default())
}

fn message(key: Option<String>) -> Message<'static> {
    let fields = [("character_string1", "cp1"), ("amount2", "¥1.00"), ("time3", "2026-11-21 10:00"), ("thing4", "茶")];
    Message {
        touser: DEMO_OPENID.into(),
        template_id: DEMO_TEMPLATE.into(),
        data: Input::Map(fields.iter().map(|(name, value)| (name.as_bytes().into(), Input::text(*value))).collect()),
        page: None,
        options: Options { key, ..Options::default() },
    }
}

/// Median wall and CPU time of one send in microseconds, over rounds of those that `counts` accepts.
fn measure(
    app: &App,
    keyed: bool,
    counts: impl Fn(&Result<routine_template::answer::Answer, Error>) -> bool,
) -> (f64, f64) {
    let mut rounds: Vec<(f64, f64)> = Vec::new();
    let mut number = 0;
    for _ in 0..ROUNDS {
        let (mut wall, mut spent, mut counted) = (0.0, 0.0, 0_u32);
        while counted < SENDS {
            number += 1;
            let message = message(keyed.then(|| format!("order-{number}")));
            let (start, before) = (Instant::now(), cpu());
            let result = app.send(&message);
            let (took, used) = (start.elapsed().as_secs_f64() * 1e6, cpu() - before);
            // The one that tries again after a rest is another matter.
            if counts(&result) {
                (wall, spent, counted) = (wall + took, spent + used, counted + 1);
            }
        }
        rounds.push((wall / f64::from(counted), spent / f64::from(counted)));
    }
    let median = |column: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(column).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (median(|round| round.0), median(|round| round.1))
}

fn main() {
    let wechat = Sandbox::start(sandbox::Options::default()).unwrap();
    wechat.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let dead = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().to_str().unwrap();
    println!("{:<46} {:>12} {:>12}", "one send()", "us", "us of CPU");
    let show = |name: &str, (wall, cpu): (f64, f64)| println!("{name:<46} {wall:>12.1} {cpu:>12.1}");
    for (store_name, store) in [("no store", "off"), ("SQLite", store)] {
        let alive = app(&wechat.http_url(), store);
        show(&format!("WeChat answers, {store_name}"), measure(&alive, false, Result::is_ok));
        let down = app(&dead, store);
        let left_out = |result: &Result<_, Error>| matches!(result, Err(Error::Transport { text, .. }) if text.en.contains("no connection was tried"));
        show(&format!("WeChat is down, {store_name}"), measure(&down, false, left_out));
        show(&format!("WeChat is down, {store_name}, with a key"), measure(&down, true, left_out));
    }
}
