//! Registers the two classes from the table of methods.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::{Arg, ArgInfoTables};
use ext_php_rs::builders::{ClassBuilder, ClassProperty, FunctionBuilder};
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::{Error as ZendError, Result as ZendResult};
use ext_php_rs::ffi::{
    HashTable, IS_ARRAY, IS_FALSE, IS_LONG, IS_NULL, IS_OBJECT, IS_STRING, IS_VOID, MAY_BE_BOOL, zend_function,
    zend_hash_str_find,
};
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags, PropertyFlags};
use ext_php_rs::types::{ZendObject, ZendStr, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use super::call::{run, set_appid};
use super::exception;
use crate::error::Error;
use crate::face::methods::{METHOD_COUNT, METHODS, ONLY_STATIC, Returns, types};

unsafe extern "C" {
    fn zend_add_attribute(
        attributes: *mut *mut HashTable,
        name: *mut ZendStr,
        argument_count: u32,
        flags: u32,
        offset: u32,
        line: u32,
    ) -> *mut c_void;
}

/// `ZEND_ATTRIBUTE_PERSISTENT`: the attribute belongs to the module, not to a request.
const PERSISTENT: u32 = 1;

type Handler = extern "C" fn(&mut ExecuteData, &mut Zval);

// One handler per method, so that a call needs no look-up by name.
static HANDLERS: [Handler; METHOD_COUNT] = [
    run::<0>, run::<1>, run::<2>, run::<3>, run::<4>, run::<5>, run::<6>, run::<7>, run::<8>, run::<9>, run::<10>,
    run::<11>, run::<12>, run::<13>, run::<14>, run::<15>, run::<16>, run::<17>, run::<18>, run::<19>, run::<20>,
    run::<21>, run::<22>, run::<23>, run::<24>, run::<25>, run::<26>, run::<27>, run::<28>, run::<29>, run::<30>,
    run::<31>, run::<32>, run::<33>,
];

static APP: AtomicPtr<ClassEntry> = AtomicPtr::new(std::ptr::null_mut());

/// Registers exceptions and classes; called at module start-up only.
pub fn register() -> ZendResult<()> {
    exception::register()?;
    class("RoutineTemplate", 0, MethodFlags::Static, |class, arguments| describe(class, arguments, 0))
        .method(FunctionBuilder::new("__construct", refuse_construction), MethodFlags::Private)
        .register()?;
    class("RoutineTemplate\\App", ONLY_STATIC, MethodFlags::empty(), |class, arguments| {
        describe(class, arguments, ONLY_STATIC);
        APP.store(class, Ordering::Release);
    })
    .property(property("appid", PropertyFlags::Private, Some(String::new())))
    .method(FunctionBuilder::new("__construct", refuse_construction), MethodFlags::Private)
    .register()
}

fn class(
    name: &str,
    first: usize,
    flags: MethodFlags,
    registered: fn(&'static mut ClassEntry, ArgInfoTables),
) -> ClassBuilder {
    let mut builder =
        ClassBuilder::new(name).flags(ClassFlags::Final | ClassFlags::NotSerializable).registration(registered);
    for (method, handler) in METHODS.iter().zip(HANDLERS).skip(first) {
        let mut function = FunctionBuilder::new(method.name, handler);
        for parameter in method.parameters {
            let kind = if parameter.types == types::ITERABLE { DataType::Iterable } else { DataType::Mixed };
            let mut argument = Arg::new(parameter.name, kind);
            if let Some(default) = parameter.default {
                argument = argument.default(default);
            }
            function = function.arg(argument);
        }
        let returns = match method.returns {
            Returns::Types(_) => DataType::Mixed,
            Returns::App => DataType::object("RoutineTemplate\\App"),
        };
        builder = builder.method(
            function.required_args(method.required()).returns(returns, false, false),
            flags | MethodFlags::Public,
        );
    }
    builder
}

/// PHP's mask for our bits. `iterable` has none: what it means differs between versions of PHP, and the builder knows.
fn mask_of(wanted: u32) -> u32 {
    let masks = [
        (types::STRING, 1 << IS_STRING),
        (types::INT, 1 << IS_LONG),
        (types::ARRAY, 1 << IS_ARRAY),
        (types::OBJECT, 1 << IS_OBJECT),
        (types::NULL, 1 << IS_NULL),
        (types::FALSE, 1 << IS_FALSE),
        (types::BOOL, MAY_BE_BOOL),
        (types::VOID, 1 << IS_VOID),
    ];
    masks.into_iter().filter(|(bit, _)| wanted & bit != 0).fold(0, |mask, (_, bits)| mask | bits)
}

/// The builder knows single types only, and the engine copies its tables: the union types go into the registered copies.
fn describe(class: &mut ClassEntry, tables: ArgInfoTables, first: usize) {
    // Parts of them that are not copied are read for the life of the process.
    Box::leak(tables);
    for method in METHODS.iter().skip(first) {
        let name = method.name.to_ascii_lowercase();
        // SAFETY: the class has just been registered, so its function table holds pointers to live internal functions whose
        // argument table is writable memory of the engine (or ours), with the return type one slot before the parameters.
        unsafe {
            let found = zend_hash_str_find(&raw mut class.function_table, name.as_ptr().cast(), name.len());
            let Some(function) =
                found.as_ref().and_then(|value| value.ptr::<zend_function>()).and_then(|function| function.as_mut())
            else {
                continue;
            };
            let arguments = function.internal_function.arg_info;
            if arguments.is_null() {
                continue;
            }
            if let Returns::Types(returned) = method.returns {
                (*arguments.sub(1)).type_.type_mask = mask_of(returned);
            }
            for (index, parameter) in method.parameters.iter().enumerate() {
                if parameter.types != types::ITERABLE {
                    (*arguments.add(index)).type_.type_mask = mask_of(parameter.types);
                }
                if parameter.sensitive {
                    // Interned strings of start-up live as long as the class does.
                    let name = ZendStr::new_interned("SensitiveParameter", true).into_raw();
                    let offset = u32::try_from(index + 1).unwrap_or(u32::MAX);
                    zend_add_attribute(&raw mut function.internal_function.attributes, name, 0, PERSISTENT, offset, 0);
                }
            }
        }
    }
}

/// A declared property with its default.
pub fn property<T: IntoZval + 'static>(name: &str, flags: PropertyFlags, default: Option<T>) -> ClassProperty {
    ClassProperty {
        name: name.to_owned(),
        flags,
        default: default
            .map(|value| -> Box<dyn FnOnce() -> ZendResult<Zval>> { Box::new(move || value.into_zval(true)) }),
        docs: &[],
        ty: None,
        nullable: false,
        readonly: false,
        default_stub: None,
    }
}

/// An `App` object for an account.
pub fn new_app(appid: &str) -> ZendResult<Zval> {
    // SAFETY: set at module start-up and valid as long as the module is loaded.
    let class = unsafe { APP.load(Ordering::Acquire).as_ref() }.ok_or(ZendError::InvalidPointer)?;
    let mut object = ZendObject::new(class);
    set_appid(&mut object, appid);
    object.into_zval(false)
}

extern "C" fn refuse_construction(_: &mut ExecuteData, _: &mut Zval) {
    exception::throw(&Error::config(
        "请使用 RoutineTemplate 的静态方法，或 RoutineTemplate::app($appid)",
        "use RoutineTemplate's static methods, or RoutineTemplate::app($appid)",
    ));
}
