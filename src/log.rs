//! The event log (setting `log_file`): one JSON object a line, for what nobody would otherwise see. No token, secret,
//! openid or payload ever goes in.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use jiff::Timestamp;
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
    let mut open = OpenOptions::new();
    open.append(true).mode(0o600);
    let mut log = match open.open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&mut open, file)?,
        opened => opened?,
    };
    log.write_all(line.as_bytes())
}

/// A log that a root cron job makes belongs to the directory's owner, so that it does not lock the web workers out.
fn make(open: &mut OpenOptions, file: &Path) -> io::Result<File> {
    let log = open.create(true).open(file)?;
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
    fn no_file_means_no_log_and_a_bad_one_is_an_error() {
        assert!(write(None, "x", &[]).is_ok());
        assert!(write(Some(Path::new("/proc/nowhere/log")), "x", &[]).is_err());
    }
}
