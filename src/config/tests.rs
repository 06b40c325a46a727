//! What settings take, what they refuse, and what they never show.

use super::*;

fn text(value: &'static str) -> Input<'static> {
    Input::text(value)
}

fn change(name: &'static str, value: Input<'static>) -> Input<'static> {
    Input::Map(vec![(name.as_bytes().into(), value)])
}

#[test]
fn every_default_is_allowed_and_every_name_is_unique() {
    let settings = Settings::from_pairs([]).unwrap();
    assert_eq!(settings.timeout, Duration::from_secs(3));
    for (index, setting) in SETTINGS.iter().enumerate() {
        assert!(SETTINGS[..index].iter().all(|other| other.name != setting.name), "{} twice", setting.name);
        assert!(!setting.zh.is_empty() && !setting.en.is_empty());
    }
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let error = Settings::from_pairs([("app_id", "wx")]).unwrap_err().to_string();
    assert!(
        error.contains("app_id")
            && error.contains("did you mean appid?")
            && error.contains("appid")
            && error.contains("timeout_ms"),
        "{error}"
    );
}

#[test]
fn a_wrong_value_names_the_setting_and_what_is_allowed() {
    for (name, value) in [
        ("timeout_ms", "soon"),
        ("timeout_ms", "0"),
        ("validate", "lax"),
        ("lang", "de_DE"),
        ("state", "beta"),
        ("base_url", "ftp://x"),
        ("base_url", "not an address"),
        ("fallback_urls", "api2.weixin.qq.com"),
        ("fallback_urls", "https://api2.weixin.qq.com, https://sh.api.weixin.qq.com/cgi-bin"),
        ("fallback_urls", "http://api2.weixin.qq.com"),
        ("fallback_urls", "https://a,https://b,https://c,https://d,https://e,https://f,https://g,https://h,https://i"),
        ("base_url", "https://api.weixin.qq.com/cgi-bin"),
        ("base_url", "https://:password@api.weixin.qq.com"),
        ("proxy", "socks5://localhost:1"),
        ("allow_plain_http", "maybe"),
        ("appid", "wx 1"),
        ("token_mode", "magic"),
        ("store", "var/lib/shop"),
        ("store", "mysql://localhost"),
        ("store", "redis://"),
        ("durability", "some"),
        ("grants", "maybe"),
        ("retention_days", "0"),
        ("log_file", "shop.log"),
    ] {
        let error = Settings::from_pairs([(name, value)]).unwrap_err().to_string();
        assert!(error.contains(name), "{name}={value}: {error}");
    }
}

#[test]
fn plain_http_stays_on_this_host_unless_it_is_allowed() {
    for address in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"] {
        assert!(Settings::from_pairs([("base_url", address)]).is_ok(), "{address}");
    }
    assert!(Settings::from_pairs([("base_url", "http://api.weixin.qq.com")]).is_err());
    assert!(Settings::from_pairs([("base_url", "http://api.weixin.qq.com"), ("allow_plain_http", "1")]).is_ok());
}

#[test]
fn what_goes_to_another_address_never_falls_back_to_wechats_public_hosts_unasked() {
    let hosts = |settings: &Settings| settings.fallbacks().iter().map(Url::to_string).collect::<Vec<String>>();
    let usual = Settings::from_pairs([]).unwrap();
    assert_eq!(hosts(&usual).len(), 3);
    let sandbox = change("base_url", text("https://127.0.0.1:8443"));
    assert!(hosts(&usual.with(&sandbox, false).unwrap()).is_empty());
    for base in ["http://api.weixin.qq.com", "https://api.weixin.qq.com:8443", "https://proxy.shop.example"] {
        let pairs = [("base_url", base), ("allow_plain_http", "1")];
        assert!(hosts(&Settings::from_pairs(pairs).unwrap()).is_empty(), "{base}");
    }
    // Whoever names them means them, but for the address that he names them with.
    let own = Settings::from_pairs([("base_url", "https://a.example"), ("fallback_urls", "https://b.example,")]);
    assert_eq!(hosts(own.as_ref().unwrap()), ["https://b.example/"]);
    assert!(hosts(&own.unwrap().with(&sandbox, false).unwrap()).is_empty());
    assert!(hosts(&Settings::from_pairs([("fallback_urls", "")]).unwrap()).is_empty());
}

#[test]
fn configure_takes_php_types_and_leaves_the_rest_alone() {
    let before = Settings::from_pairs([("appid", "wx1"), ("secret", "s1")]).unwrap();
    let after = before.with(&change("timeout_ms", Input::Int(1500)), false).unwrap();
    assert_eq!(after.timeout, Duration::from_millis(1500));
    assert_eq!(after.appid, "wx1");
    assert!(before.with(&change("timeout_ms", Input::Map(vec![])), false).is_err());
    assert!(before.with(&text("timeout_ms=1"), false).is_err());
}

#[test]
fn another_account_inherits_no_secret_and_no_token() {
    let first =
        Settings::from_pairs([("appid", "wx1"), ("secret", "s1"), ("token", "t1"), ("timeout_ms", "900")]).unwrap();
    let second = first.for_account("wx2").unwrap();
    assert!(second.secret.is_empty() && second.token.is_empty());
    assert_eq!(second.timeout, Duration::from_millis(900));
    assert!(second.require_account(false).unwrap_err().to_string().contains("secret"));
}

#[test]
fn a_secret_is_never_shown() {
    let settings = Settings::from_pairs([
        ("secret", "hush"),
        ("token", "quiet"),
        ("proxy", "http://me:whisper@proxy:1"),
        ("store", "redis://:whisper@cache:6379"),
    ])
    .unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hush") && !shown.contains("quiet") && !shown.contains("whisper"));
    for (name, value) in [
        ("proxy", "socks5://me:whisper@proxy:1"),
        ("base_url", "ftp://me:whisper@host"),
        ("secret", " whisper"),
        ("store", "mysql://:whisper@cache"),
    ] {
        let error = Settings::from_pairs([(name, value)]).unwrap_err().to_string();
        assert!(!error.contains("whisper"), "{error}");
    }
}
