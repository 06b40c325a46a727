//! Which root a chain of certificates leads to, and how long it holds.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

/// Longer chains do not exist.
const LONGEST: usize = 10;
/// What WeChat's hosts chain to since 2024-10-22.
pub const WECHAT_ROOT: &str = "DigiCert Global Root G2";

/// A trusted certificate, as far as it can be recognised.
struct Root {
    /// Its subject, DER.
    subject: Vec<u8>,
    name: String,
}

/// The certificates that are trusted here.
pub struct Trusted {
    roots: Vec<Root>,
    /// How many come from the system; without any, Mozilla's list is used.
    pub of_system: usize,
}

/// What is known about a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The root's name, if it is known here by name.
    pub root: Option<String>,
    /// The end of whichever certificate of the chain ends first, as days from now; negative if it has ended.
    pub days_left: i64,
}

impl Trusted {
    /// The system's and those of `ca_file`.
    pub fn load(ca_file: Option<&str>) -> Self {
        let system = rustls_native_certs::load_native_certs().certs;
        let mut roots: Vec<Root> = system.iter().filter_map(root).collect();
        let of_system = roots.len();
        // One that cannot be read is an error of the client's, which says so.
        let own = ca_file.and_then(|path| CertificateDer::pem_file_iter(path).ok());
        roots.extend(own.into_iter().flatten().flatten().filter_map(|certificate| root(&certificate)));
        Self { roots, of_system }
    }

    /// Whether a root of this name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.roots.iter().any(|root| root.name == name)
    }

    /// What a chain, the host's own certificate first, leads to.
    pub fn chain(&self, chain: &[Vec<u8>], now: Timestamp) -> Option<Chain> {
        let certificates: Vec<X509Certificate<'_>> =
            chain.iter().take(LONGEST).filter_map(|der| Some(X509Certificate::from_der(der).ok()?.1)).collect();
        let end = certificates.iter().map(|certificate| certificate.validity().not_after.timestamp()).min()?;
        let mut current = certificates.first()?;
        let mut root = None;
        for _ in 0..LONGEST {
            let issuer = current.issuer().as_raw();
            root = self.roots.iter().find(|root| root.subject == issuer).map(|root| root.name.clone());
            let next = certificates.iter().find(|other| other.subject().as_raw() == issuer);
            match next {
                Some(next) if root.is_none() && next.subject().as_raw() != current.subject().as_raw() => current = next,
                _ => break,
            }
        }
        Some(Chain { root, days_left: (end - now.as_second()).div_euclid(86_400) })
    }
}

fn root(certificate: &CertificateDer<'_>) -> Option<Root> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Root { subject: certificate.subject().as_raw().to_vec(), name: name(certificate.subject()) })
}

/// The common name, else the whole name.
fn name(subject: &X509Name<'_>) -> String {
    let common = subject.iter_common_name().find_map(|part| part.as_str().ok());
    common.map_or_else(|| subject.to_string(), str::to_owned)
}
