//! The end of a PHP process.

use std::panic::catch_unwind;
use std::time::Duration;

use crate::process::Process;

/// A while to begin what can be begun, the default of `timeout_ms` for it to end, and a moment to write it down.
const GRACE: Duration = Duration::from_secs(5);

/// Waits for the process's own messages, as long as one call may take; `false` if that failed. A process that is killed never
/// comes here, and a php-fpm master that never queued anything does.
pub fn reached() -> bool {
    let ended = catch_unwind(|| {
        if let Some(process) = Process::existing() {
            process.stop_delivery(GRACE);
        }
    });
    ended.is_ok()
}
