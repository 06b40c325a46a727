//! The native face: PHP values in, `App`, PHP values out. Nothing else happens here.
//!
//! Invariants: no Zend pointer outlives its request, PHP code is called in one place only (`callable`, which lets no bailout
//! skip a destructor of ours), values whose end may run PHP code go through that place as well (`owned`), and every exported body
//! runs inside one guard that turns a panic into an exception.
#![allow(unsafe_code)]

mod bulk;
mod call;
mod callable;
mod class;
mod ctrl_c;
mod event;
mod exception;
mod info;
mod ini;
mod interrupt;
mod iteration;
mod methods;
mod owned;
mod request;
mod supplier;
mod value;

use ext_php_rs::prelude::*;

/// See [`shutdown`]: a while to begin what can be begun, the default of `timeout_ms` for it to end, and a moment to write it down.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> i32;
}

extern "C" fn before_fork() {
    crate::thread::before_fork();
}

extern "C" fn in_parent() {
    crate::thread::after_fork();
}

extern "C" fn in_child() {
    crate::process::forked();
}

/// Module start-up only registers: no thread, socket, file or lock exists before the first use.
extern "C" fn startup(_type: i32, module_number: i32) -> i32 {
    ini::register(module_number);
    // SAFETY: the handlers take no lock and allocate nothing, and the library is never unmapped (`-z nodelete`). Where they cannot
    // be registered, or are registered twice, the pid still tells processes apart.
    unsafe { pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
    match class::register() {
        Ok(()) => 0,
        Err(error) => {
            ext_php_rs::error::php_error(
                &ext_php_rs::flags::ErrorType::CoreWarning,
                &format!("routine_template: {error}"),
            );
            -1
        }
    }
}

/// What a process that ends still waits for its own messages: as long as one call may take. It does not run when the process is
/// killed, and it does run in a php-fpm master that never queued anything.
extern "C" fn shutdown(_type: i32, _module_number: i32) -> i32 {
    let ended = std::panic::catch_unwind(|| {
        if let Some(process) = crate::process::Process::existing() {
            process.stop_delivery(GRACE);
        }
    });
    if ended.is_ok() { 0 } else { -1 }
}

extern "C" fn request_end(_type: i32, _module_number: i32) -> i32 {
    request::forget();
    0
}

#[php_module]
#[php(startup = startup)]
pub fn get_module(module: ModuleBuilder) -> ModuleBuilder {
    module
        .name("routine_template")
        .version(env!("CARGO_PKG_VERSION"))
        .shutdown_function(shutdown)
        .request_startup_function(request_end)
        .request_shutdown_function(request_end)
        .info_function(info::print)
}
