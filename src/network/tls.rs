//! Which certificate authorities are trusted. Verification itself cannot be switched off.

use std::sync::Arc;

use once_cell::sync::Lazy;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// ring, not aws-lc: aws-lc spends 20 to 40 ms of CPU in every process at its first handshake.
static PROVIDER: Lazy<Arc<rustls::crypto::CryptoProvider>> =
    Lazy::new(|| Arc::new(rustls::crypto::ring::default_provider()));

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
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config(format!("无法启用 TLS：{error}"), format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
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
