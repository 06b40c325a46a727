//! A program with a time limit: it answers, or it is ended.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::thread::spawn_without_signals;

/// `php -i` prints some 60 KB.
const OUTPUT_LIMIT: u64 = 2 * 1024 * 1024;
const STACK: usize = 256 * 1024;
const LOOK: Duration = Duration::from_millis(5);

/// What the program wrote to both its outputs; `None` if it cannot be started or does not end in time.
pub fn output(program: &Path, arguments: &[&str], until: Instant) -> Option<(String, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let (out, error) = (child.stdout.take().map(reader), child.stderr.take().map(reader));
    let ended = loop {
        match child.try_wait() {
            Ok(Some(_)) => break true,
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
            _ => break false,
        }
    };
    if !ended {
        // It may have ended just now; then there is nothing to end.
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    let read = |reader: Option<mpsc::Receiver<String>>| {
        reader.and_then(|reader| reader.recv_timeout(Duration::from_secs(1)).ok()).unwrap_or_default()
    };
    Some((read(out), read(error)))
}

/// Reads on a thread, so that a full pipe holds up nobody.
fn reader(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (answer, waiting) = mpsc::sync_channel(1);
    // Without a thread there is no output, which reads as a program that says nothing.
    let _ = spawn_without_signals("routine-read", STACK, move || {
        let mut bytes = Vec::new();
        // What came before an error counts.
        let _ = stream.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
        let _ = answer.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    waiting
}
