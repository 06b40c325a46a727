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
mod event;
mod exception;
mod info;
mod ini;
mod interrupt;
mod iteration;
mod owned;
mod serialize;
mod supplier;
mod value;

use ext_php_rs::prelude::*;

use crate::face::{end, fork, request};

/// Module start-up only registers: no thread, socket, file or lock exists before the first use.
extern "C" fn startup(_type: i32, module_number: i32) -> i32 {
    ini::register(module_number);
    request::read_ini_with(|setting| ini::value(setting, false));
    fork::watch();
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

extern "C" fn shutdown(_type: i32, _module_number: i32) -> i32 {
    if end::reached() { 0 } else { -1 }
}

extern "C" fn request_end(_type: i32, _module_number: i32) -> i32 {
    request::forget();
    // There is no call left that it could go on from.
    callable::forget_ending();
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
