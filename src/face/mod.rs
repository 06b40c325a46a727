//! What both faces share: the methods that PHP applications call, written once. A face (`php/` the extension, `ffi/` the library for
//! PHP's FFI) brings arguments in and results out, and nothing else.

pub mod arguments;
pub mod call;
pub mod ctrl_c;
pub mod end;
pub mod fork;
pub mod key;
pub mod methods;
pub mod request;
pub mod returned;
pub mod thrown;
