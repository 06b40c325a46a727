//! A herd: processes that do the same thing at the same moment. Each is this test program again, in the role of a worker.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const ROLE: &str = "ROUTINE_TEMPLATE_HERD_ROLE";
const MARK: &str = "HERD ";

/// One process of the herd. It runs a role of the program, which hears lines and says values.
pub struct Member {
    child: Child,
    orders: Option<ChildStdin>,
    words: Lines<BufReader<ChildStdout>>,
}

impl Member {
    /// Starts a process in a role. `task` reaches it as [`task`].
    pub fn start(role: &str, task: &Value) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()), role, task)
    }

    /// The same on what looks like another host: its own host name and its own pids, so that nobody here can tell whether it
    /// lives. `None` where this user may not do that.
    pub fn start_elsewhere(role: &str, task: &Value) -> Option<Self> {
        const APART: [&str; 4] = ["--fork", "--pid", "--uts", "--mount-proc"];
        let possible = Command::new("unshare").args(APART).arg("true").stderr(Stdio::null()).status();
        if !possible.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut command = Command::new("unshare");
        command.args(APART).args(["sh", "-c", "hostname other-host && exec \"$0\" \"$@\""]);
        command.arg(std::env::current_exe().unwrap());
        Some(Self::spawn(command, role, task))
    }

    fn spawn(mut command: Command, role: &str, task: &Value) -> Self {
        let mut child = command
            .args(["member_of_the_herd", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, serde_json::json!({ "role": role, "task": task }).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let words = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, orders, words }
    }

    /// The next value that it says.
    pub fn hear(&mut self) -> Value {
        self.try_hear().unwrap_or_else(|| panic!("a member of the herd ended without a word: {:?}", self.child.wait()))
    }

    /// The same, or `None` if it has ended.
    pub fn try_hear(&mut self) -> Option<Value> {
        loop {
            let line = self.words.next()?.ok()?;
            // The test harness may have begun the line.
            if let Some((_, value)) = line.split_once(MARK) {
                return serde_json::from_str(value).ok();
            }
        }
    }

    /// Lets it go on.
    pub fn go(&mut self) {
        self.orders.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Waits for its end; whether that was kill -9.
    pub fn was_killed(&mut self) -> bool {
        self.child.wait().unwrap().signal() == Some(9)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts `number` processes, waits until each has said that it is ready, lets all go at once, and hears what each says then.
pub fn race(number: usize, role: &str, task: &Value) -> Vec<Value> {
    let mut herd = gather(number, role, task);
    herd.iter_mut().for_each(Member::go);
    herd.iter_mut().map(Member::hear).collect()
}

/// The same up to the start.
pub fn gather(number: usize, role: &str, task: &Value) -> Vec<Member> {
    let mut herd: Vec<Member> = (0..number).map(|_| Member::start(role, task)).collect();
    for member in &mut herd {
        assert_eq!(member.hear(), "ready");
    }
    herd
}

/// In a process of the herd: its role and its task. `None` in the test program itself.
pub fn own_role() -> Option<(String, Value)> {
    let role: Value = serde_json::from_str(&std::env::var(ROLE).ok()?).unwrap();
    Some((role["role"].as_str().unwrap().to_owned(), role["task"].clone()))
}

/// In a process of the herd: says a value to the test.
pub fn say(value: impl Into<Value>) {
    println!("{MARK}{}", value.into());
    std::io::stdout().flush().unwrap();
}

/// In a process of the herd: waits for the start. The end of the test is its end.
pub fn wait_for_the_start() {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).unwrap() == 0 {
        std::process::exit(0);
    }
}
