//! The event log (setting `log_file`): one JSON object a line, for what nobody would otherwise see. No token, secret,
//! openid or payload ever goes in.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use jiff::Timestamp;
use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use serde_json::{Map, Value};

/// Appends one event. A line is written at once, so lines of several processes do not mix.
pub fn write(file: Option<&Path>, event: &str, details: &[(&str, &str)]) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let mut object = Map::new();
    object.insert("time".to_owned(), Value::from(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()));
    object.insert("event".to_owned(), Value::from(event));
    object.insert("pid".to_owned(), Value::from(std::process::id()));
    for (name, value) in details {
        object.insert((*name).to_owned(), Value::from(*value));
    }
    let mut line = Value::Object(object).to_string();
    line.push('\n');
    open(file)?.write_all(line.as_bytes())
}

/// Whoever owns the directory could put a link there, and root would make or lengthen what it leads to; or a FIFO, and everybody would
/// wait. Of the system's own, `/dev/stderr` is a link and may be a pipe.
fn open(file: &Path) -> io::Result<File> {
    let is_device = file.parent() == Some(Path::new("/dev"));
    let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    if !is_device {
        flags |= OFlag::O_NOFOLLOW;
    }
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600).custom_flags(flags.bits());
    let log = match options.open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match make(&options, file) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(file)?,
            made => made?,
        },
        opened => opened?,
    };
    let found = log.metadata()?;
    // A second name would mean that the file is another one's.
    let is_shared = geteuid().is_root() && found.nlink() > 1;
    if is_device || (found.is_file() && !is_shared) {
        return Ok(log);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file with one name"))
}

/// A log that a root cron job makes belongs to the directory's owner, so that it does not lock the web workers out.
fn make(options: &OpenOptions, file: &Path) -> io::Result<File> {
    let log = options.clone().create_new(true).open(file)?;
    if geteuid().is_root()
        && let Some(directory) = file.parent()
    {
        let owner = directory.metadata()?;
        fchown(&log, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_event_is_one_line_of_json_in_a_file_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        write(Some(&file), "store_down", &[("detail", "a \"b\"\nc")]).unwrap();
        write(Some(&file), "store_up", &[]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["event"], "store_down");
        assert_eq!(lines[0]["detail"], "a \"b\"\nc");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_or_a_fifo_in_its_place_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (log, elsewhere) = (directory.path().join("log"), directory.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &log).unwrap();
        assert!(write(Some(&log), "x", &[]).is_err());
        assert!(!elsewhere.exists(), "made through a link that leads nowhere");
        std::fs::write(&elsewhere, "before").unwrap();
        assert!(write(Some(&log), "x", &[]).is_err());
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "before");
        std::fs::remove_file(&log).unwrap();
        nix::unistd::mkfifo(&log, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(write(Some(&log), "x", &[]).is_err(), "it would have waited for a reader");
    }

    #[test]
    fn root_does_not_lengthen_a_file_that_has_a_second_name() {
        let directory = tempfile::tempdir().unwrap();
        let (log, second) = (directory.path().join("log"), directory.path().join("second"));
        write(Some(&log), "x", &[]).unwrap();
        std::fs::hard_link(&log, &second).unwrap();
        assert_eq!(write(Some(&log), "x", &[]).is_err(), geteuid().is_root());
    }

    #[test]
    fn a_container_may_log_to_its_standard_error() {
        assert!(write(Some(Path::new("/dev/null")), "x", &[]).is_ok());
    }

    #[test]
    fn no_file_means_no_log_and_a_bad_one_is_an_error() {
        assert!(write(None, "x", &[]).is_ok());
        assert!(write(Some(Path::new("/proc/nowhere/log")), "x", &[]).is_err());
    }
}
