//! The store: where it is, whose it is, whether it can be read and written, whether it is sound.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, Uid, User, access};

use super::finding::{Finding, Level, subject};
use crate::config::{Secret, Settings, StorePlace};
use crate::language::Text;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::handle::Outage;
use crate::store::place::default_directory;
use crate::store::{Fault, RedisStore, SqliteStore, StoreError};

/// Less room than this is soon none.
const SPACE_WARN: u64 = 100 * 1024 * 1024;
const SPACE_FAIL: u64 = 5 * 1024 * 1024;

/// The findings, and whether the store can be used.
pub fn check(settings: &Settings, has_fpm: bool, deadline: Deadline) -> (Vec<Finding>, bool) {
    match &settings.store {
        StorePlace::Off => {
            let finding = Finding::warn(
                subject::STORE,
                "已关闭（store=off）：每个进程各取令牌，不记账，不能用 queue()",
                "off: each process fetches its own token, no ledger, no queue()",
            );
            (
                vec![finding.remedy(
                    "设置 store，如 /var/lib/routine-template",
                    "set store, such as /var/lib/routine-template",
                )],
                false,
            )
        }
        StorePlace::Redis(url) => redis(settings, url, deadline),
        StorePlace::Directory(directory) => directory_of(settings, directory, has_fpm, deadline),
        StorePlace::Default => directory_of(settings, &default_directory(), has_fpm, deadline),
    }
}

/// Whether it can be opened without being made.
pub fn is_there(settings: &Settings) -> bool {
    match &settings.store {
        StorePlace::Off => false,
        StorePlace::Redis(_) => true,
        StorePlace::Directory(directory) => directory.exists(),
        StorePlace::Default => default_directory().exists(),
    }
}

fn directory_of(settings: &Settings, directory: &Path, has_fpm: bool, deadline: Deadline) -> (Vec<Finding>, bool) {
    let place = directory.display().to_string();
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (vec![not_yet(directory, &place)], false),
        Err(error) => {
            let finding = Finding::fail(
                subject::STORE,
                format!("{place} 无法访问（{error}）"),
                format!("{place} cannot be entered ({error})"),
            );
            return (vec![with_rights(finding, &place).fact("place", place)], false);
        }
    };
    let mut findings = Vec::new();
    if let Err(error) = usable(settings, deadline) {
        return (vec![failed(&place, &error, &metadata)], false);
    }
    let mut finding = sound(settings, directory, &place, &metadata, deadline);
    let by_default = settings.store == StorePlace::Default && !directory.starts_with("/var/lib");
    let only_root = has_fpm && metadata.uid() == 0 && metadata.mode() & 0o077 == 0;
    if finding.level == Level::Ok && by_default {
        finding = Finding { level: Level::Warn, ..finding }.remedy(
            "没有设置 store：每个系统用户各用自己的目录，PHP 可能用的是另一个；请设置 store=/var/lib/routine-template",
            "store is not set, so each user of this system has its own and PHP may use another: set store=/var/lib/routine-template",
        );
    } else if finding.level == Level::Ok && only_root {
        finding = Finding { level: Level::Warn, ..finding }.remedy(
            format!("只有 root 能用，而 php-fpm 通常以 www-data 运行：chown -R www-data {place}"),
            format!("only root may use it, and php-fpm mostly runs as www-data: chown -R www-data {place}"),
        );
    }
    findings.push(finding);
    findings.extend(room(directory, &place));
    (findings, true)
}

/// Made at the first use, if that is possible.
fn not_yet(directory: &Path, place: &str) -> Finding {
    let mut parent: PathBuf = directory.to_owned();
    while parent.pop() && !parent.exists() {}
    let finding = if access(&parent, AccessFlags::W_OK | AccessFlags::X_OK).is_ok() {
        Finding::warn(
            subject::STORE,
            format!("{place} 还不存在，首次使用时创建"),
            format!("{place} is not there yet; it is made at the first use"),
        )
        .remedy(
            "若 PHP 以其他用户运行，请先建好目录并交给该用户（chown www-data，chmod 700）",
            "where PHP runs as another user, make it beforehand and give it to that user (chown www-data, chmod 700)",
        )
    } else {
        let parent = parent.display();
        with_rights(
            Finding::fail(
                subject::STORE,
                format!("{place} 不存在，也无权在 {parent} 下创建"),
                format!("{place} is not there, and this user may not make it in {parent}"),
            ),
            place,
        )
    };
    finding.fact("place", place)
}

fn with_rights(finding: Finding, place: &str) -> Finding {
    finding.remedy(
        format!("建好目录并交给运行 PHP 的用户：install -d -m 700 -o www-data {place}"),
        format!("make it for the user that PHP runs as: install -d -m 700 -o www-data {place}"),
    )
}

/// One transaction that takes the lock and changes nothing.
fn usable(settings: &Settings, deadline: Deadline) -> Result<(), StoreError> {
    let Ok(process) = Process::current() else { return Ok(()) };
    let store = process.connections().store(settings);
    let done =
        store.insist(deadline, &process.stats, |store, until| store.release_token("doctor", 0, Duration::ZERO, until));
    match done {
        Ok(()) | Err(Outage::Off) => Ok(()),
        Err(Outage::Failed(error)) => Err(error),
    }
}

fn failed(place: &str, error: &StoreError, metadata: &Metadata) -> Finding {
    let text = error.fault.text();
    let (owner, mode) = (owner(metadata), metadata.mode() & 0o7777);
    let finding = Finding::fail(
        subject::STORE,
        format!("{place}（属主 {owner}，权限 {mode:o}）{}（{}）", text.zh, error.detail),
        format!("{place} (owner {owner}, mode {mode:o}) {} ({})", text.en, error.detail),
    );
    let finding = match error.fault {
        Fault::Full => finding.remedy("清理磁盘空间", "make room"),
        Fault::Timeout => finding.remedy(
            "有进程长时间占用：用 fuser 查看 gate 文件，磁盘太慢时换到本地磁盘",
            "some process holds it: see fuser on the file gate; if the disk is slow, use a local one",
        ),
        Fault::Corrupt => finding.remedy(
            "损坏的文件已改名保留，下次使用时新建；令牌会重新获取，授权记账从零开始",
            "the damaged file is kept under another name and a new one made at the next use; tokens are fetched anew, the ledger starts from nothing",
        ),
        Fault::TooNew => finding.remedy("升级本机的扩展和本命令", "upgrade the extension and this command"),
        Fault::Unreachable | Fault::ReadOnly | Fault::Other => with_rights(finding, place),
    };
    finding.fact("place", place).fact("fault", error.fault.name())
}

fn owner(metadata: &Metadata) -> String {
    let uid = metadata.uid();
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn sound(settings: &Settings, directory: &Path, place: &str, metadata: &Metadata, deadline: Deadline) -> Finding {
    let (owner, mode) = (owner(metadata), metadata.mode() & 0o7777);
    let checked = SqliteStore::open(directory, settings.durability, deadline.at())
        .and_then(|store| store.quick_check(deadline.at()));
    let finding = match checked {
        Ok(answer) if answer == "ok" => Finding::ok(
            subject::STORE,
            format!("{place}，属主 {owner}，权限 {mode:o}，可读写，数据完好"),
            format!("{place}, owner {owner}, mode {mode:o}, can be written, sound"),
        ),
        Ok(fault) => Finding::fail(
            subject::STORE,
            format!("{place} 的数据已损坏（{fault}）"),
            format!("{place} is damaged ({fault})"),
        )
        .remedy(
            "停止 PHP 和 work，把 state* 移走，再启动；令牌会重新获取，授权记账从零开始",
            "stop PHP and work, move state* away and start again; tokens are fetched anew, the ledger starts from nothing",
        ),
        Err(error) => {
            let text = error.fault.text();
            Finding::warn(
                subject::STORE,
                format!("{place} 可读写，完整性检查没有完成：{}（{}）", text.zh, error.detail),
                format!("{place} can be written; the check of the whole file did not end: {} ({})", text.en, error.detail),
            )
        }
    };
    finding.fact("place", place).fact("owner", owner).fact("mode", format!("{mode:o}"))
}

fn room(directory: &Path, place: &str) -> Option<Finding> {
    let found = statvfs(directory).ok()?;
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    let level = match free {
        free if free < SPACE_FAIL => Level::Fail,
        free if free < SPACE_WARN => Level::Warn,
        _ => return None,
    };
    let megabytes = free / 1024 / 1024;
    Some(
        Finding::new(
            subject::STORE,
            level,
            format!("{place} 所在磁盘只剩 {megabytes} MB"),
            format!("only {megabytes} MB left on the disk of {place}"),
        )
        .remedy("清理磁盘空间", "make room")
        .fact("free_bytes", free),
    )
}

fn redis(settings: &Settings, url: &Secret, deadline: Deadline) -> (Vec<Finding>, bool) {
    let info = RedisStore::open(url.reveal(), settings.ca_file.as_deref(), deadline.at())
        .and_then(|store| Ok((crate::store::Store::place(&store), store.info(&settings.appid, deadline.at())?)));
    let (place, info) = match info {
        Ok(found) => found,
        Err(error) => {
            let text = error.fault.text();
            let finding = Finding::fail(
                subject::STORE,
                format!("Redis {}（{}）", text.zh, error.detail),
                format!("Redis {} ({})", text.en, error.detail),
            );
            return (
                vec![
                    finding
                        .remedy("检查 Redis 地址、密码和网络", "check the address, the password and the network")
                        .fact("fault", error.fault.name()),
                ],
                false,
            );
        }
    };
    if let Err(error) = usable(settings, deadline) {
        let text = error.fault.text();
        let finding = Finding::fail(
            subject::STORE,
            format!("{place} {}（{}）", text.zh, error.detail),
            format!("{place} {} ({})", text.en, error.detail),
        );
        return (vec![finding.fact("place", place)], false);
    }
    let value = |name: &str| info.get(name).map(String::as_str).unwrap_or_default();
    let (version, policy) = (value("redis_version"), value("maxmemory_policy"));
    let appends = value("aof_enabled") == "1";
    let mut findings = vec![
        Finding::ok(
            subject::STORE,
            format!("{place}，Redis {version}，可读写"),
            format!("{place}, Redis {version}, can be written"),
        )
        .fact("place", place.clone())
        .fact("version", version)
        .fact("appendonly", appends)
        .fact("maxmemory_policy", policy),
    ];
    let mut weak = |text: Text, remedy: Text| {
        findings.push(Finding::warn(subject::STORE, text.zh, text.en).remedy(remedy.zh, remedy.en));
    };
    if !appends {
        weak(
            Text::new(
                "Redis 没有开启 AOF：重启会丢失排队消息和授权记账",
                "Redis keeps no append-only file: a restart loses queued messages and the ledger",
            ),
            Text::new("在 redis.conf 设置 appendonly yes", "set appendonly yes in redis.conf"),
        );
    }
    if policy.starts_with("allkeys") {
        weak(
            Text::new(
                format!("Redis 内存满时会淘汰任意键（{policy}），排队消息可能丢失"),
                format!("Redis evicts any key when its memory is full ({policy}), queued messages among them"),
            ),
            Text::new(
                "设置 maxmemory-policy noeviction，或为本扩展单独用一个 Redis",
                "set maxmemory-policy noeviction, or give it a Redis of its own",
            ),
        );
    }
    (findings, true)
}
