//! Link settings that Cargo.toml cannot express.

fn main() {
    // PHP dlclose()s extensions at shutdown while a thread of ours may still run; the code must stay mapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
