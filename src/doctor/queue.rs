//! What waits in the outbox, for how long, and whether somebody delivers it.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;

use super::finding::{Finding, Level, subject};
use crate::config::Settings;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::{Filter, Lead, State};

/// A message that is due longer than this has nobody who delivers it, or WeChat refuses it again and again.
const OVERDUE: i64 = 60;
/// As long as it takes to find out who leads, and no longer.
const GLANCE: Duration = Duration::from_millis(1);

/// What was found in the store.
struct Waiting {
    pending: u64,
    /// How many seconds the oldest one that is due has been due.
    overdue: i64,
    /// The process that adopts what others have left; `None` if there is none.
    leader: Option<String>,
}

/// Pending messages of this account, the oldest that is due, and the deliverer.
pub fn check(settings: &Settings, deadline: Deadline) -> Finding {
    match look(settings, deadline) {
        Some(waiting) => told(&waiting, worker()),
        None => Finding::warn(subject::QUEUE, "队列无法读取", "the queue cannot be read"),
    }
}

fn look(settings: &Settings, deadline: Deadline) -> Option<Waiting> {
    let process = Process::current().ok()?;
    let store = process.connections().store(settings);
    let appid = settings.appid.as_str();
    let owner = process.owner();
    let found = store.insist(deadline, &process.stats, |store, until| {
        let pending = store.pending(appid, until)?;
        let filter = Filter { state: Some(State::Queued), limit: 1000, ..Filter::default() };
        let rows = if pending == 0 { Vec::new() } else { store.deliveries(appid, &filter, until)? };
        let leader = match store.lead(owner.host(), owner, None, GLANCE, until)? {
            Lead::Other(other) if !owner.sees_ended(&other) => Some(other),
            Lead::Other(_) | Lead::Mine => None,
        };
        let now = Timestamp::now().as_millisecond();
        let overdue = rows.iter().filter_map(|row| row.due).map(|due| (now - due) / 1000).max().unwrap_or(0);
        Ok(Waiting { pending, overdue: overdue.max(0), leader })
    });
    found.ok()
}

/// The pid of a `routine-template work` of this host.
fn worker() -> Option<u32> {
    let own = std::process::id();
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0);
        let is_ours = words.next()?.ends_with(b"routine-template") && words.next()? == b"work";
        (is_ours && pid != own).then_some(pid)
    })
}

/// The pid in an owner's name: `boot/namespace/pid/start`.
fn pid(owner: &str) -> &str {
    owner.split('/').nth(2).unwrap_or("?")
}

fn told(waiting: &Waiting, worker: Option<u32>) -> Finding {
    let Waiting { pending, overdue, leader } = waiting;
    let (who_zh, who_en) = match (worker, leader) {
        (Some(pid), _) => (
            format!("由 routine-template work（进程 {pid}）发送"),
            format!("delivered by routine-template work (pid {pid})"),
        ),
        (None, Some(leader)) => {
            let pid = pid(leader);
            (format!("由 PHP 进程 {pid} 发送"), format!("delivered by the PHP process {pid}"))
        }
        (None, None) => ("当前没有进程在发送".to_owned(), "nobody delivers at this moment".to_owned()),
    };
    let alive = worker.is_some() || leader.is_some();
    let (level, zh, en) = match (*pending, *overdue > OVERDUE) {
        (0, _) => (Level::Ok, "没有等待的消息".to_owned(), "nothing waits".to_owned()),
        (pending, false) => (
            if alive { Level::Ok } else { Level::Warn },
            format!("等待 {pending} 条，{who_zh}"),
            format!("{pending} waiting, {who_en}"),
        ),
        (pending, true) => (
            if alive { Level::Warn } else { Level::Fail },
            format!("等待 {pending} 条，最早的已到期 {overdue} 秒，{who_zh}"),
            format!("{pending} waiting, the oldest is {overdue} s overdue, {who_en}"),
        ),
    };
    let finding = Finding::new(subject::QUEUE, level, zh, en);
    let finding = match (level, alive) {
        (Level::Ok, _) => finding,
        (_, false) => finding.remedy(
            "启动 routine-template work（systemd 或 cron --drain），或等下一个 PHP 请求接手",
            "start routine-template work (systemd, or cron with --drain), or wait for the next PHP request to adopt them",
        ),
        (_, true) => finding.remedy(
            "用 deliveries(['state' => 'queued']) 查看原因，并处理上面的失败项",
            "see deliveries(['state' => 'queued']) for the reason, and put right what failed above",
        ),
    };
    finding.fact("pending", *pending).fact("overdue_seconds", *overdue).fact("deliverer", alive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(pending: u64, overdue: i64, leader: Option<&str>) -> Level {
        told(&Waiting { pending, overdue, leader: leader.map(str::to_owned) }, None).level
    }

    #[test]
    fn messages_that_nobody_delivers_are_a_fault_and_an_empty_queue_is_none() {
        assert_eq!(level(0, 0, None), Level::Ok);
        assert_eq!(level(3, 0, Some("b/n/7/1")), Level::Ok);
        assert_eq!(level(3, 0, None), Level::Warn);
        assert_eq!(level(3, 61, Some("b/n/7/1")), Level::Warn);
        assert_eq!(level(3, 61, None), Level::Fail);
    }
}
