//! The way to WeChat: names, connections, certificates, and the time on both sides.

use jiff::Timestamp;
use reqwest::Url;

use super::certificate::{Trusted, WECHAT_ROOT};
use super::finding::{Finding, Level, subject};
use super::probe::{self, Probe, Stop, Way};
use super::source;
use crate::config::Settings;
use crate::network::deadline::Deadline;
use crate::network::tls;
use crate::wechat::route::RouteKey;

/// WeChat's certificates are renewed weeks ahead; one with less is a proxy's or a sandbox's.
const DAYS: i64 = 14;
/// A push is stale after ten minutes, so five are half of what there is.
const CLOCK_WARN: f64 = 60.0;
const CLOCK_FAIL: f64 = 300.0;

/// Names, connections, roots and clock; and whether any host can be reached.
pub fn check(settings: &Settings, deadline: Deadline) -> (Vec<Finding>, bool) {
    let key = RouteKey::of(settings);
    let hosts = key.hosts();
    let tls = match tls::client_config(settings.ca_file.as_deref()) {
        Ok(tls) => tls,
        Err(error) => {
            let text = source::of(&error);
            let finding = Finding::fail(subject::TLS, text.zh, text.en);
            return (vec![finding, Finding::after(subject::CLOCK, subject::TLS)], false);
        }
    };
    let proxy = settings.proxy.as_ref().and_then(|proxy| Url::parse(proxy.reveal()).ok());
    let probes = probe::all(hosts, &Way { tls: tls.into(), proxy: proxy.clone() }, deadline.at());
    let trusted = Trusted::load(settings.ca_file.as_deref());
    let names = names(hosts, &probes, proxy.as_ref());
    let reachable = probes.iter().any(|probe| probe.failure.is_none());
    let mut findings = vec![names];
    for (index, (host, probe)) in hosts.iter().zip(&probes).enumerate() {
        findings.extend(connection(host, probe, index == 0, reachable, &trusted));
    }
    findings.extend(roots_of_wechat(hosts, &trusted));
    findings.push(clock(&probes));
    (findings, reachable)
}

fn label(host: &Url) -> String {
    let port = host.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", host.host_str().unwrap_or_default())
}

fn names(hosts: &[Url], probes: &[Probe], proxy: Option<&Url>) -> Finding {
    let lost: Vec<String> = hosts
        .iter()
        .zip(probes)
        .filter(|(_, probe)| matches!(probe.failure, Some(Stop::Name(_))))
        .map(|(host, _)| label(host))
        .collect();
    let first = probes.first();
    let addresses: Vec<String> =
        first.map(|probe| probe.addresses.iter().map(|at| at.ip().to_string()).collect()).unwrap_or_default();
    let finding = match (lost.is_empty(), proxy) {
        (true, Some(proxy)) => {
            let proxy = label(proxy);
            Finding::ok(
                subject::DNS,
                format!("经代理 {proxy}，由代理解析"),
                format!("through the proxy {proxy}, which resolves names"),
            )
        }
        (true, None) => {
            let name = hosts.first().map(label).unwrap_or_default();
            let shown = addresses.first().map(String::as_str).unwrap_or_default();
            let more = hosts.len().saturating_sub(1);
            let (zh, en) = if more == 0 {
                (String::new(), String::new())
            } else {
                (format!("，备用域名 {more} 个也正常"), format!(", and {more} fallback hosts"))
            };
            Finding::ok(subject::DNS, format!("{name} → {shown}{zh}"), format!("{name} → {shown}{en}"))
        }
        (false, _) => {
            let all = lost.join(", ");
            let is_base = matches!(first.and_then(|probe| probe.failure.as_ref()), Some(Stop::Name(_)));
            let level = if is_base { Level::Fail } else { Level::Warn };
            let mut reasons = probes.iter().filter_map(|probe| match &probe.failure {
                Some(Stop::Name(reason)) => Some(reason.as_str()),
                _ => None,
            });
            let reason = reasons.next().unwrap_or_default();
            let (zh, en) = (format!("无法解析 {all}（{reason}）"), format!("no address for {all} ({reason})"));
            Finding::new(subject::DNS, level, zh, en).remedy(
                "检查 /etc/resolv.conf 和 DNS 服务器，容器内还要检查其网络",
                "check /etc/resolv.conf and the DNS server, in a container its network as well",
            )
        }
    };
    finding.fact("addresses", addresses).fact("unresolved", lost)
}

/// The line of one host. A fallback that answers needs no line of its own, and one without a name has been told.
fn connection(host: &Url, probe: &Probe, is_base: bool, reachable: bool, trusted: &Trusted) -> Option<Finding> {
    let name = label(host);
    let level = if is_base && !reachable { Level::Fail } else { Level::Warn };
    let failed = |zh: String, en: String, remedy: (&str, &str)| {
        Some(Finding::new(subject::TLS, level, zh, en).remedy(remedy.0, remedy.1).fact("host", name.clone()))
    };
    match &probe.failure {
        None if !is_base => return None,
        None => {}
        Some(Stop::Name(_)) if is_base => return Some(Finding::after(subject::TLS, subject::DNS)),
        Some(Stop::Name(_)) => return None,
        Some(Stop::Connect(detail)) => {
            return failed(
                format!("连不上 {name}（{detail}）"),
                format!("no connection to {name} ({detail})"),
                (
                    "检查防火墙、安全组的出方向规则和 proxy 设置",
                    "check the firewall, outbound rules and the setting proxy",
                ),
            );
        }
        Some(Stop::Certificate(detail)) => {
            return failed(
                format!("{name} 的证书不受信任（{detail}）"),
                format!("the certificate of {name} is not trusted ({detail})"),
                (
                    "先核对服务器时间；再更新 ca-certificates，内网代理的证书用 ca_file 指定",
                    "check the clock first; then update ca-certificates, or name the CA of an inspecting proxy in ca_file",
                ),
            );
        }
        Some(Stop::Tls(detail) | Stop::Answer(detail)) => {
            return failed(
                format!("{name} 的连接无法使用（{detail}）"),
                format!("the connection to {name} cannot be used ({detail})"),
                ("检查 base_url 以及中间的代理或防火墙", "check base_url and any proxy or firewall on the way"),
            );
        }
    }
    let milliseconds = u64::try_from(probe.took.as_millis()).unwrap_or(u64::MAX);
    if host.scheme() != "https" {
        return Some(
            Finding::ok(
                subject::TLS,
                format!("{name} 已连接，{milliseconds} 毫秒；http:// 不加密"),
                format!("{name} connected in {milliseconds} ms; http:// is not encrypted"),
            )
            .fact("host", name),
        );
    }
    let Some(chain) = trusted.chain(&probe.chain, Timestamp::now()) else {
        return Some(Finding::ok(subject::TLS, format!("{name} 已连接"), format!("{name} connected")));
    };
    let (root, days) = (chain.root.unwrap_or_else(|| "?".to_owned()), chain.days_left);
    let version = probe.protocol.clone().unwrap_or_default();
    let finding = Finding::new(
        subject::TLS,
        if days < DAYS { Level::Warn } else { Level::Ok },
        format!("{name}，{milliseconds} 毫秒，根证书 {root}，证书剩 {days} 天"),
        format!("{name} in {milliseconds} ms, root {root}, certificate good for {days} days"),
    );
    let finding = if days < DAYS {
        finding
            .remedy("证书快到期：若是自建代理，请更换", "the certificate ends soon; replace it if it is your proxy's")
    } else {
        finding
    };
    let finding = finding.fact("host", name).fact("root", root).fact("days_left", days);
    Some(finding.fact("protocol", version).fact("milliseconds", milliseconds))
}

/// Only where the hosts are WeChat's own.
fn roots_of_wechat(hosts: &[Url], trusted: &Trusted) -> Option<Finding> {
    let is_wechat = |host: &Url| host.host_str().is_some_and(|name| name.ends_with(".weixin.qq.com"));
    if !hosts.iter().any(is_wechat) {
        return None;
    }
    Some(if trusted.of_system == 0 {
        Finding::warn(
            subject::ROOTS,
            "系统没有证书库，使用内置的 Mozilla 列表",
            "this system has no certificate store; the built-in list of Mozilla is used",
        )
        .remedy("安装 ca-certificates", "install ca-certificates")
    } else if trusted.has(WECHAT_ROOT) {
        Finding::ok(subject::ROOTS, format!("系统信任 {WECHAT_ROOT}"), format!("the system trusts {WECHAT_ROOT}"))
    } else {
        Finding::warn(
            subject::ROOTS,
            format!("系统证书库中没有 {WECHAT_ROOT}，微信自 2024-10-22 起使用它"),
            format!("the system's store lacks {WECHAT_ROOT}, which WeChat uses since 2024-10-22"),
        )
        .remedy("更新 ca-certificates", "update ca-certificates")
    })
}

fn clock(probes: &[Probe]) -> Finding {
    let Some(ahead) = probes.iter().find_map(|probe| probe.ahead) else {
        return Finding::after(subject::CLOCK, subject::TLS);
    };
    let seconds = ahead.abs().round();
    let (level, said) = match ahead.abs() {
        off if off > CLOCK_FAIL => (Level::Fail, true),
        off if off > CLOCK_WARN => (Level::Warn, true),
        _ => (Level::Ok, seconds >= 2.0),
    };
    let (zh, en) = match (said, ahead > 0.0) {
        (false, _) => ("与微信一致".to_owned(), "agrees with WeChat's".to_owned()),
        (true, true) => (format!("比微信快 {seconds} 秒"), format!("{seconds} s ahead of WeChat's")),
        (true, false) => (format!("比微信慢 {seconds} 秒"), format!("{seconds} s behind WeChat's")),
    };
    let finding = Finding::new(subject::CLOCK, level, zh, en).fact("ahead_seconds", (ahead * 10.0).round() / 10.0);
    if level == Level::Ok {
        return finding;
    }
    finding.remedy(
        "开启 NTP（timedatectl set-ntp true）；相差太多时消息推送会被当作过期，证书也会失效",
        "switch NTP on (timedatectl set-ntp true); with a clock this far off pushes count as stale and certificates as ended",
    )
}
