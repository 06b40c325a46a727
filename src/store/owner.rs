//! Who holds a lease, so that others of the same host can tell when he has ended.

use std::fs;

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// One process: boot, pid namespace, pid and start time, so that no later process can be taken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    /// The calling process.
    pub fn current() -> Self {
        let pid = std::process::id();
        // Without /proc nobody's end can be told; leases then run out by time.
        Self(format!("{}/{}/{pid}/{}", boot(), namespace(), started(pid).unwrap_or(0)))
    }

    /// The process of that name ([`Owner::as_str`]).
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// As the store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it runs: processes of one such place can tell each other's end.
    pub fn host(&self) -> &str {
        split(&self.0).map_or("", |(place, _)| place)
    }

    /// Whether the process of `other` has certainly ended. Of another host, container or boot nobody can tell: false.
    pub fn sees_ended(&self, other: &str) -> bool {
        let Some((place, process)) = split(other) else { return false };
        let Some((own_place, _)) = split(&self.0) else { return false };
        let Some((pid, start)) = process.split_once('/') else { return false };
        let (Ok(pid), Ok(start)) = (pid.parse::<u32>(), start.parse::<u64>()) else { return false };
        if place != own_place || place.starts_with('/') || start == 0 {
            return false;
        }
        match started(pid) {
            Some(now) => now != start,
            // No entry: it has ended, unless /proc hides other users' processes; then a signal tells.
            None => i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH)),
        }
    }
}

/// `boot/namespace` and `pid/start`.
fn split(owner: &str) -> Option<(&str, &str)> {
    let second = owner.match_indices('/').nth(1)?.0;
    Some((owner.get(..second)?, owner.get(second + 1..)?))
}

/// The kernel that runs, from its start to its end.
pub(crate) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

/// Field 22 of `/proc/PID/stat`: clock ticks from boot. The name in field 2 may hold anything, so fields count from its end. A zombie
/// has ended.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    match fields.next()? {
        "Z" | "X" => Some(u64::MAX),
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_process_has_not_ended_and_an_ended_one_has() {
        let owner = Owner::current();
        assert!(!owner.sees_ended(owner.as_str()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let start = started(child.id()).unwrap();
        let of_child = format!("{}/{}/{}/{start}", boot(), namespace(), child.id());
        assert!(!owner.sees_ended(&of_child));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(owner.sees_ended(&of_child));
    }

    #[test]
    fn a_pid_that_was_given_again_is_another_process() {
        let owner = Owner::current();
        let other = format!("{}/{}/{}/1", boot(), namespace(), std::process::id());
        assert!(owner.sees_ended(&other));
    }

    #[test]
    fn of_another_host_or_container_and_of_nonsense_nothing_can_be_told() {
        let owner = Owner::current();
        for other in ["", "x", "a/b/c", "a/b/999999/5", "//4194304/7", "a/b/c/d", "///"] {
            assert!(!owner.sees_ended(other), "{other}");
        }
    }
}
