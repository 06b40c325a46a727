//! A child process: this test binary again, with a role.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{accept, accept_many, open, soon};
use crate::store::Store;

const ROLE: &str = "ROUTINE_TEMPLATE_TEST_ROLE";
const PLACE: &str = "ROUTINE_TEMPLATE_TEST_PLACE";
/// www-data on Debian; any user but root does.
pub const WORKER: u32 = 33;

/// Plays a role in a directory. `shell` runs before it, as `umask 0`; `user` is who plays it.
pub fn spawn(role: &str, directory: &Path, shell: &str, user: Option<u32>) -> Child {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{shell}\nexec \"$0\" \"$@\""));
    // Under this name another user reaches it as well, whoever may enter the directory that it lies in.
    command.stdin(File::open(std::env::current_exe().unwrap()).unwrap()).arg("/proc/self/fd/0");
    command.args(["--exact", "store::sqlite::tests::child::play", "--ignored", "--nocapture"]);
    command.env(ROLE, role).env(PLACE, directory).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.spawn().unwrap()
}

/// The same, to its end: what it said.
pub fn play_to_end(role: &str, directory: &Path, shell: &str, user: Option<u32>) -> String {
    let Output { status, stdout, stderr } = spawn(role, directory, shell, user).wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{role}: {stdout}{stderr}");
    stderr.lines().filter_map(|line| line.strip_prefix("said: ")).map(|line| format!("{line}\n")).collect()
}

#[test]
#[ignore = "a role for other tests"]
fn play() {
    let directory = std::env::var_os(PLACE).unwrap();
    let directory = Path::new(&directory);
    match std::env::var(ROLE).unwrap().as_str() {
        "accept" => match open(directory).and_then(|store| accept(&store, soon())) {
            Ok(accepted) => eprintln!("said: {accepted}"),
            Err(error) => eprintln!("said: {}", error.fault.name()),
        },
        "hold the gate" => {
            let gate = File::open(directory.join("gate")).unwrap();
            gate.lock().unwrap();
            File::create(directory.join("held")).unwrap();
            thread::sleep(Duration::from_secs(60));
        }
        // Until nothing more goes in; then says why, and what can still be read.
        "fill" => {
            let store = open(directory).unwrap();
            let until = Instant::now() + Duration::from_secs(30);
            let mut accepted = 0;
            while Instant::now() < until {
                let template = format!("{accepted:0>2000}");
                if let Err(error) = accept_many(&store, &template, soon()) {
                    let rows = store.grants(super::APPID, "user", None, soon()).unwrap().len();
                    eprintln!("said: {} {}", error.fault.name(), rows == accepted);
                    return;
                }
                accepted += 1;
            }
            eprintln!("said: never full");
        }
        role => panic!("no such role: {role}"),
    }
}

/// Waits for a file that a child makes.
pub fn wait_for(path: &Path) {
    let until = soon();
    while !path.exists() {
        assert!(Instant::now() < until, "{} did not come", path.display());
        thread::sleep(Duration::from_millis(2));
    }
}
