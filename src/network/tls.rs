//! Which certificate authorities are trusted. Verification itself cannot be switched off.

use std::path::Path;
use std::sync::Arc;

use once_cell::sync::Lazy;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::load_certs_from_paths;

use crate::error::Error;

/// ring, not aws-lc: aws-lc spends 20 to 40 ms of CPU in every process at its first handshake.
static PROVIDER: Lazy<Arc<rustls::crypto::CryptoProvider>> =
    Lazy::new(|| Arc::new(rustls::crypto::ring::default_provider()));

/// Where systems keep what they trust: Debian, Red Hat, Fedora, SUSE, and what the others link to.
const FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const DIRECTORIES: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// Makes what all connections of the process share and the first one would make: a fork while another thread makes it leaves
/// the child waiting for ever.
pub fn prepare() {
    for suite in PROVIDER.cipher_suites.iter().filter_map(|suite| suite.tls13()) {
        // ring looks at the processor before it hashes for the first time.
        let _ = suite.common.hash_provider.hash(b"");
    }
}

/// TLS settings: the system's certificate store (Mozilla's list where a machine has none) and, if given, the
/// certificates of `ca_file` beside it.
pub fn client_config(ca_file: Option<&str>) -> Result<ClientConfig, Error> {
    let roots = trusted(ca_file)?;
    let config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config(format!("无法启用 TLS：{error}"), format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// The environment (`SSL_CERT_FILE`) has no say: `ca_file` is the one way to trust more.
fn trusted(ca_file: Option<&str>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let there = |places: &[&'static str]| places.iter().copied().map(Path::new).find(|place| place.exists());
    let system = load_certs_from_paths(there(&FILES), there(&DIRECTORIES));
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    Ok(roots)
}

fn add_file(roots: &mut RootCertStore, path: &str) -> Result<(), Error> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::config(
            format!("设置 ca_file：{path} 无法使用（{error}），请填写包含 CA 证书的 PEM 文件"),
            format!("setting ca_file: {path} cannot be used ({error}); give a PEM file with the CA certificates"),
        )
    };
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
        found = true;
    }
    if found { Ok(()) } else { Err(unreadable(&"no certificate in it")) }
}

#[cfg(test)]
pub fn is_prepared() -> bool {
    Lazy::get(&PROVIDER).is_some()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[ignore = "a role for the next test"]
    fn say_how_many() {
        std::fs::write(std::env::var_os("COUNTED").unwrap(), trusted(None).unwrap().len().to_string()).unwrap();
    }

    #[test]
    fn the_environment_names_no_certificates() {
        let directory = tempfile::tempdir().unwrap();
        let (empty, counted) = (directory.path().join("none.pem"), directory.path().join("counted"));
        std::fs::write(&empty, "").unwrap();
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "network::tls::tests::say_how_many", "--ignored"])
            .env("SSL_CERT_FILE", &empty)
            .env("SSL_CERT_DIR", directory.path())
            .env("COUNTED", &counted)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(std::fs::read_to_string(&counted).unwrap(), trusted(None).unwrap().len().to_string());
        assert!(trusted(None).unwrap().len() > 20);
    }
}
