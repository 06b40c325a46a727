//! What PHP wants to do between two opcodes: signal handlers of the application (`pcntl_async_signals`), the limit of
//! `max_execution_time`, that of the memory in some builds. A long call of ours has to let it.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::ffi::ext_php_rs_executor_globals;
use ext_php_rs::types::Zval;

use super::callable::{Interrupted, guarded};

unsafe extern "C" {
    fn zend_eval_stringl(code: *const c_char, length: usize, returned: *mut Zval, name: *const c_char) -> c_int;
}

/// Lets the engine do what it has been asked to do meanwhile; that may run the application's code.
pub fn honour() -> Result<(), Interrupted> {
    // SAFETY: the globals of this thread live as long as it does. The flag is one byte, which signal handlers write.
    let wanted = unsafe {
        let wanted: *const AtomicBool = (&raw const (*ext_php_rs_executor_globals()).vm_interrupt).cast();
        (*wanted).load(Ordering::Acquire)
    };
    if !wanted {
        return Ok(());
    }
    // What there is to do differs between versions of PHP. The engine does it before the first opcode of whatever it runs: here
    // of no code at all.
    // SAFETY: both texts end with NUL and are only read; nothing is returned. A bailout ends in `guarded`.
    guarded(|| unsafe { zend_eval_stringl(c"".as_ptr(), 0, ptr::null_mut(), c"sendMany()".as_ptr()) }).map(drop)
}
