//! `ffi/routine_template.h` and the declarations in `ffi/src/Library.php` are what `src/ffi/mod.rs` exports.
//!
//! `UPDATE_DOCS=1 cargo test --test header` writes the header anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::string_slice)]

use std::fs;
use std::path::Path;

use cbindgen::{Builder, DocumentationStyle, Language};

const NOTE: &str = "// Made from src/ffi/mod.rs by `UPDATE_DOCS=1 cargo test --test header`.";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn made() -> String {
    let config = cbindgen::Config {
        language: Language::C,
        header: Some(NOTE.to_owned()),
        include_guard: Some("ROUTINE_TEMPLATE_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        cpp_compat: true,
        documentation: true,
        documentation_style: DocumentationStyle::C99,
        usize_is_size_t: true,
        ..Default::default()
    };
    let bindings =
        Builder::new().with_config(config).with_src(root().join("src/ffi/mod.rs")).generate().expect("a header");
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).expect("UTF-8")
}

/// Functions as `type name(type name, …)`, without comments, line breaks and runs of spaces.
fn declarations(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.join(" ")
        .split(';')
        .filter(|part| part.contains('('))
        .map(|part| {
            let start = part.find("uint32_t").or_else(|| part.find("const ")).unwrap_or(0);
            part[start..].split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn the_header_is_what_the_library_exports() {
    let path = root().join("ffi/routine_template.h");
    let made = made();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "run UPDATE_DOCS=1 cargo test --test header");
}

#[test]
fn the_php_side_declares_every_function_of_the_header() {
    let library = fs::read_to_string(root().join("ffi/src/Library.php")).unwrap();
    let (_, after) = library.split_once("<<<'C'").expect("the declarations");
    let (block, _) = after.split_once("C;").expect("their end");
    let header = declarations(&made());
    assert!(header.len() >= 5, "{header:?}");
    assert_eq!(declarations(block), header);
}
