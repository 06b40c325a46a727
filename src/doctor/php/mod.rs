//! The PHPs of this host: which version, whether the extension is loaded in them and is this version, which php.ini.

mod binary;
mod run;

pub use binary::Binary;

use std::path::Path;
use std::time::Instant;

use super::finding::{Finding, Level, subject};
use super::source::Layer;
use crate::language::Text;

/// The first PHP that needs no client through FFI.
const NATIVE: (u32, u32) = (8, 1);

/// The settings that php.ini gives to the first of them with the extension.
pub fn settings(binaries: &[Binary], until: Instant) -> Option<Layer> {
    let php = binaries.iter().find(|php| !php.is_fpm && php.extension.is_some())?;
    let pairs = php.settings(until)?;
    let name = php.path.display();
    Some(Layer { origin: Text::new(format!("php.ini（{name}）"), format!("php.ini of {name}")), pairs })
}

/// One line for each PHP that matters.
pub fn check(binaries: &[Binary]) -> Vec<Finding> {
    if binaries.is_empty() {
        return vec![Finding::skip(subject::PHP, "本机没有找到 PHP", "there is no PHP on this host")];
    }
    let any_loaded = binaries.iter().any(|php| php.extension.is_some());
    binaries.iter().map(|php| finding(php, any_loaded)).collect()
}

fn finding(php: &Binary, any_loaded: bool) -> Finding {
    let path = php.path.display().to_string();
    let name = format!("{} {} ({path})", if php.is_fpm { "php-fpm" } else { "PHP" }, php.shown_version());
    let ini = php.ini.as_deref().unwrap_or("–");
    let own = env!("CARGO_PKG_VERSION");
    let finding = match (&php.extension, &php.load_failure) {
        _ if php.version.is_none() => {
            Finding::warn(subject::PHP, format!("{path} 没有及时回答"), format!("{path} did not answer in time"))
        }
        (Some(version), _) if version == own => Finding::ok(
            subject::PHP,
            format!("{name} 已加载扩展 {version}，{ini}"),
            format!("{name} has extension {version}, {ini}"),
        ),
        (Some(version), _) => Finding::warn(
            subject::PHP,
            format!("{name} 的扩展是 {version}，本命令是 {own}"),
            format!("{name} has extension {version}, this command is {own}"),
        )
        .remedy("把两者更新到同一版本，并重启 php-fpm", "bring both to one version and restart php-fpm"),
        (None, Some(reason)) => Finding::fail(
            subject::PHP,
            format!("{name} 无法加载扩展：{reason}"),
            format!("{name} cannot load the extension: {reason}"),
        )
        .remedy(
            "使用与该 PHP 版本（含 ZTS/NTS）对应的 routine_template.so",
            "use the routine_template.so made for this version of PHP (ZTS or NTS)",
        ),
        (None, None) => not_loaded(php, &name, any_loaded),
    };
    finding
        .fact("path", path)
        .fact("version", php.version.clone())
        .fact("fpm", php.is_fpm)
        .fact("extension", php.extension.clone())
        .fact("ini", php.ini.clone())
        .fact("ffi", php.ffi.clone())
}

fn not_loaded(php: &Binary, name: &str, any_loaded: bool) -> Finding {
    let ini = php.ini.as_deref().unwrap_or("php.ini");
    if php.number().is_some_and(|number| number < NATIVE) {
        let usable = php.ffi.as_deref().is_some_and(|ffi| matches!(ffi, "preload" | "1" | "On" | "true"));
        return if usable {
            let ffi = php.ffi.as_deref().unwrap_or_default();
            Finding::ok(
                subject::PHP,
                format!("{name} 可通过 FFI 使用（ffi.enable={ffi}）"),
                format!("{name} can use it through FFI (ffi.enable={ffi})"),
            )
        } else {
            let level = if any_loaded { Level::Skip } else { Level::Warn };
            Finding::new(subject::PHP, level, format!("{name} 没有启用 FFI"), format!("{name} has no FFI")).remedy(
                format!("PHP 7.4、8.0 通过 FFI 使用：安装 ffi 扩展，并在 {ini} 设置 ffi.enable=preload"),
                format!(
                    "PHP 7.4 and 8.0 use it through FFI: install the extension ffi and set ffi.enable=preload in {ini}"
                ),
            )
        };
    }
    let (zh, en) = (format!("{name} 没有加载扩展"), format!("{name} does not load the extension"));
    if any_loaded {
        return Finding::skip(subject::PHP, zh, en);
    }
    let (zh_program, en_program) =
        if php.is_fpm { ("php-fpm", "php-fpm") } else { ("队列等常驻进程", "queue workers") };
    Finding::warn(subject::PHP, zh, en).remedy(
        format!("在 {ini} 加入 extension=/完整路径/routine_template.so，并重启{zh_program}"),
        format!("add extension=/full/path/routine_template.so to {ini} and restart {en_program}"),
    )
}

/// Whether a file may be the program of a PHP: `php`, `php8.2`, `php-fpm`, `php-fpm8.2`.
fn is_php(path: &Path) -> Option<bool> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("php")?;
    let (is_fpm, version) = match rest.strip_prefix("-fpm") {
        Some(version) => (true, version),
        None => (false, rest),
    };
    version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then_some(is_fpm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_php_are_known_by_their_names() {
        for (name, is_fpm) in
            [("php", false), ("php8.2", false), ("php74", false), ("php-fpm", true), ("php-fpm8.2", true)]
        {
            assert_eq!(is_php(Path::new(name)), Some(is_fpm), "{name}");
        }
        for name in ["phpize", "php-config", "phpdbg", "php-cgi8.2", "php.ini", "phpunit"] {
            assert_eq!(is_php(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn an_extension_of_another_version_is_worth_a_look_and_one_that_cannot_be_loaded_is_a_fault() {
        let php = |extension: Option<&str>, failure: Option<&str>| Binary {
            version: Some("8.2.1".to_owned()),
            extension: extension.map(str::to_owned),
            load_failure: failure.map(str::to_owned),
            ..Binary::default()
        };
        assert_eq!(finding(&php(Some(env!("CARGO_PKG_VERSION")), None), true).level, Level::Ok);
        assert_eq!(finding(&php(Some("0.0.1"), None), true).level, Level::Warn);
        assert_eq!(finding(&php(None, Some("wrong API")), false).level, Level::Fail);
        assert_eq!(finding(&php(None, None), true).level, Level::Skip);
        assert_eq!(finding(&php(None, None), false).level, Level::Warn);
        let old = Binary { version: Some("7.4.33".to_owned()), ffi: Some("preload".to_owned()), ..Binary::default() };
        assert_eq!(finding(&old, false).level, Level::Ok);
    }
}
