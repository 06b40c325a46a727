//! Where the store is: the setting, or the best directory that this user has.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, geteuid};

/// The directory of a host on which RoutineTemplate is installed for all.
const OF_THE_HOST: &str = "/var/lib/routine-template";

/// The directory where the setting names none: that of the host if it is there and this user may write to it, else a private
/// one of the user. php-fpm workers have no home that they may write to, so there is a last resort that survives a reboot.
pub fn default_directory() -> PathBuf {
    let of_the_host = Path::new(OF_THE_HOST);
    if of_the_host.is_dir() && access(of_the_host, AccessFlags::W_OK | AccessFlags::X_OK).is_ok() {
        return of_the_host.to_owned();
    }
    let user = geteuid();
    // From the password database, not from HOME: php-fpm and sudo leave another user's there.
    let home = nix::unistd::User::from_uid(user).ok().flatten().map(|user| user.dir);
    match home {
        Some(home) if is_own(&home, user.as_raw()) => home.join(".local/state/routine-template"),
        _ => PathBuf::from(format!("/var/tmp/routine-template-{user}")),
    }
}

/// Whether nobody else can have put this directory in place of ours: /var/tmp is open to all.
pub fn may_be_trusted(directory: &Path) -> bool {
    match fs::symlink_metadata(directory) {
        Ok(found) => directory == Path::new(OF_THE_HOST) || (found.is_dir() && found.uid() == geteuid().as_raw()),
        Err(_) => true,
    }
}

fn is_own(directory: &Path, user: u32) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.is_dir() && found.uid() == user)
        && access(directory, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_directory_of_this_user_or_of_the_host() {
        let directory = default_directory();
        assert!(directory.is_absolute());
        assert!(directory.ends_with("routine-template") || directory.starts_with("/var/tmp"));
    }
}
