//! `routine-template doctor`: is everything there that a message needs, and what to do about what is not.
//!
//! ```text
//! source     settings from php.ini, the store's record of the account, the environment, options
//! php        the PHPs of this host          push       token and keys of the message push
//! store      place, rights, soundness       queue      what waits, and who delivers it
//! probe      one connection, step by step   network    names, TLS (certificate), clock
//! account    whitelist, secret, token       limits     quota, pauses, circuit
//! templates  the account's list             report     lines or JSON
//! ```
//!
//! Every check that waits for somebody has a time limit, and all of them together end within some fifteen seconds. What depends on
//! a check that failed is skipped. No secret and no token is ever part of a finding.

mod account;
mod certificate;
pub mod command;
mod finding;
mod limits;
mod network;
mod php;
mod probe;
mod push;
mod queue;
mod report;
mod source;
mod store;
mod templates;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::finding::{Finding, Subject, subject};
use self::php::Binary;
use self::source::{Layer, Sourced};
use self::templates::Wanted;
use crate::app::App;
use crate::config::{Settings, TokenMode};
use crate::language::Text;
use crate::message::{Channel, Input};
use crate::network::deadline::Deadline;

/// All checks together.
const WHOLE: Duration = Duration::from_secs(14);
/// The longest that each may take.
const PHP: Duration = Duration::from_secs(4);
const STORE: Duration = Duration::from_secs(3);
const NETWORK: Duration = Duration::from_secs(4);
const CALL: Duration = Duration::from_secs(3);

/// Whether the PHPs of this host are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookForPhp {
    No,
    Yes,
    /// And their php.ini is a source of settings.
    WithSettings,
}

/// What to look at.
struct Examination {
    layers: Vec<Layer>,
    wanted: Vec<Wanted>,
    channel: Channel,
    php: LookForPhp,
    ends: Instant,
}

impl Examination {
    fn new(layers: Vec<Layer>, wanted: Vec<Wanted>, channel: Channel, php: LookForPhp) -> Self {
        Self { layers, wanted, channel, php, ends: Instant::now() + WHOLE }
    }

    /// A time limit that ends with the whole at the latest.
    fn within(&self, limit: Duration) -> Deadline {
        Deadline::after(limit.min(self.ends.saturating_duration_since(Instant::now())))
    }

    fn run(mut self) -> Vec<Finding> {
        let binaries = if self.php == LookForPhp::No { Vec::new() } else { Binary::all(self.within(PHP).at()) };
        if self.php == LookForPhp::WithSettings {
            let of_php = php::settings(&binaries, self.within(PHP / 2).at());
            self.layers.splice(0..0, of_php);
        }
        let settings = match source::settings(&self.layers) {
            Ok(settings) => settings,
            Err(faults) => return without_settings(faults, &self.php(&binaries)),
        };
        let sourced = source::with_store(&self.layers, settings, self.within(STORE));
        let settings = sourced.settings.clone();
        let (of_settings, has_account) = account_set(&sourced);
        let mut findings = of_settings;
        findings.extend(self.php(&binaries));
        findings.push(push::check(&settings));
        let has_fpm = binaries.iter().any(|php| php.is_fpm);
        let (of_store, has_store) = store::check(&settings, has_fpm, self.within(STORE));
        findings.extend(of_store);
        findings.push(match (has_store, settings.appid.is_empty()) {
            (true, false) => queue::check(&settings, self.within(STORE)),
            (true, true) => Finding::after(subject::QUEUE, subject::SETTINGS),
            (false, _) => Finding::after(subject::QUEUE, subject::STORE),
        });
        if has_account {
            let app = App::new(self.for_calls(&settings), Arc::default());
            findings.push(limits::route(&app, self.within(STORE)));
        } else {
            findings.push(Finding::after(subject::ROUTE, subject::SETTINGS));
        }
        let (of_network, reachable) = network::check(&settings, self.within(NETWORK));
        findings.extend(of_network);
        let cause = match (has_account, reachable) {
            (false, _) => Some(subject::SETTINGS),
            (true, false) => Some(subject::TLS),
            (true, true) => None,
        };
        findings.extend(match cause {
            Some(cause) => [subject::WHITELIST, subject::SECRET, subject::TOKEN, subject::QUOTA, subject::TEMPLATES]
                .map(|subject| Finding::after(subject, cause))
                .to_vec(),
            None => self.calls(&settings),
        });
        findings
    }

    fn php(&self, binaries: &[Binary]) -> Vec<Finding> {
        if self.php == LookForPhp::No { Vec::new() } else { php::check(binaries) }
    }

    /// What only an account that has a token can ask.
    fn calls(&self, settings: &Arc<Settings>) -> Vec<Finding> {
        let app = || App::new(self.for_calls(settings), Arc::default());
        let (mut findings, has_token) = account::check(&app());
        if !has_token {
            let rest = [subject::QUOTA, subject::TEMPLATES];
            findings.extend(rest.map(|subject| Finding::after(subject, subject::TOKEN)));
            return findings;
        }
        findings.push(limits::quota(&app(), self.channel));
        findings.extend(templates::check(&app(), &self.wanted));
        findings
    }

    /// The settings with no more time for a call than is left, and without a store that is not there yet: made by root, it would
    /// be root's.
    fn for_calls(&self, settings: &Arc<Settings>) -> Arc<Settings> {
        let left = self.within(CALL.max(settings.timeout)).left().max(Duration::from_millis(200));
        let milliseconds = i64::try_from(left.as_millis()).unwrap_or(i64::MAX).min(60_000);
        let mut changes = vec![(b"timeout_ms"[..].into(), Input::Int(milliseconds))];
        if !store::is_there(settings) {
            changes.push((b"store"[..].into(), Input::text("off")));
        }
        // Values that are always good; the settings as they are would do, too.
        settings.with(&Input::Map(changes), false).map_or_else(|_| settings.clone(), Arc::new)
    }
}

fn without_settings(faults: Vec<Text>, php: &[Finding]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        faults.into_iter().map(|fault| Finding::fail(subject::SETTINGS, fault.zh, fault.en)).collect();
    findings.extend(php.iter().cloned());
    let rest: [Subject; 12] = [
        subject::PUSH,
        subject::STORE,
        subject::QUEUE,
        subject::DNS,
        subject::TLS,
        subject::CLOCK,
        subject::WHITELIST,
        subject::SECRET,
        subject::TOKEN,
        subject::QUOTA,
        subject::ROUTE,
        subject::TEMPLATES,
    ];
    findings.extend(rest.map(|subject| Finding::after(subject, subject::SETTINGS)));
    findings
}

/// Whether an account is named, with what it needs to get a token.
fn account_set(sourced: &Sourced) -> (Vec<Finding>, bool) {
    let settings = &sourced.settings;
    if let Err(error) = settings.require_account(false) {
        let text = source::of(&error);
        let finding = Finding::fail(subject::SETTINGS, text.zh, text.en).remedy(
            "本命令可用环境变量 ROUTINE_TEMPLATE_APPID 和 ROUTINE_TEMPLATE_SECRET，或 --ini 指定 php.ini",
            "tell this command with ROUTINE_TEMPLATE_APPID and ROUTINE_TEMPLATE_SECRET in the environment, or name a php.ini with --ini",
        );
        return (vec![finding.fact("appid", settings.appid.as_str())], false);
    }
    let appid = &settings.appid;
    let origins = |zh: bool| {
        let names: Vec<&str> =
            sourced.origins.iter().map(|origin| if zh { origin.zh.as_str() } else { origin.en.as_str() }).collect();
        names.join(if zh { "、" } else { ", " })
    };
    let (zh, en) = match settings.token_mode {
        TokenMode::External => ("令牌由应用提供", "token supplied"),
        _ => ("secret 已设置", "secret set"),
    };
    let mut findings = vec![
        Finding::ok(
            subject::SETTINGS,
            format!("{appid}，{zh}；来源：{}", origins(true)),
            format!("{appid}, {en}, from {}", origins(false)),
        )
        .fact("appid", appid.as_str())
        .fact("token_mode", format!("{:?}", settings.token_mode).to_lowercase()),
    ];
    if !is_appid(appid) {
        findings.push(
            Finding::warn(
                subject::SETTINGS,
                format!("{appid} 不像 AppID（wx 加 16 位十六进制）"),
                format!("{appid} does not look like an AppID (wx and 16 hexadecimal digits)"),
            )
            .remedy(
                "核对 appid，不要填原始 ID（gh_…）",
                "compare it with the console; the original id (gh_…) is another one",
            ),
        );
    }
    if !sourced.others.is_empty() {
        let others = sourced.others.join(", ");
        findings.push(Finding::skip(
            subject::SETTINGS,
            format!("存储中还有其他账号，用 --appid 检查：{others}"),
            format!("more accounts in the store, to be looked at with --appid: {others}"),
        ));
    }
    (findings, true)
}

fn is_appid(appid: &str) -> bool {
    appid.strip_prefix("wx").is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
