//! Certificates for one test, with their keys: good ones, and one for each thing that can be wrong.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};

use super::Run;
use super::components::Folder;

/// Files in a folder: `NAME.pem` and `NAME.key`, for each of these names.
///
/// - `authority`, and `other-authority`, which nobody is told to trust
/// - `site`: a server at localhost; `elsewhere`: one at example.org
/// - `expired`, `future`: once, and one day, a server at localhost
/// - `self-signed`, `stranger`: servers at localhost that the authority has not signed, but they themselves, or the
///   other one
/// - `client`: for clients
///
/// `public` in it has the authority's certificate, and all that is the client's.
#[derive(Debug)]
pub(crate) struct Certificates(Folder);

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Certificates {
    /// Makes them all.
    pub(crate) fn new() -> Self {
        let certificates = Self(Folder::new());
        std::fs::create_dir(certificates.0.path().join("public")).unwrap();
        let authority = certificates.authority("authority");
        let other = certificates.authority("other-authority");
        for (name, issuer, host, years) in [
            ("site", &authority, "localhost", (2000, 4000)),
            ("elsewhere", &authority, "example.org", (2000, 4000)),
            ("expired", &authority, "localhost", (2000, 2001)),
            ("future", &authority, "localhost", (3999, 4000)),
            ("stranger", &other, "localhost", (2000, 4000)),
        ] {
            let usage = ExtendedKeyUsagePurpose::ServerAuth;
            certificates.issue(name, Some(issuer), host, years, usage);
        }
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        certificates.issue("self-signed", None, "localhost", (2000, 4000), usage);
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        certificates.issue("client", Some(&authority), "client", (2000, 4000), usage);
        for name in ["authority.pem", "client.pem", "client.key"] {
            let public = certificates.0.path().join("public").join(name);
            std::fs::copy(certificates.path(name), public).unwrap();
        }
        certificates
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Lets a guest use identities, without reading their keys.
    pub(crate) fn allow(&self, run: Run, names: &[&str]) -> Run {
        names.iter().fold(run, |run, name| {
            let chain = self.path(&format!("{name}.pem"));
            let key = self.path(&format!("{name}.key"));
            let (chain, key) = (chain.display(), key.display());
            run.flag(format!("--tls-identity={name}={chain},{key}"))
        })
    }

    /// Lets a guest read what is public, in `/tls`.
    pub(crate) fn publish(&self, run: Run) -> Run {
        let public = self.path("public");
        run.flag(format!("--dir={}::/tls::ro", public.display()))
    }

    fn authority(&self, name: &str) -> Issuer {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        self.0.file(&format!("{name}.pem"), issuer.pem());
        issuer
    }

    fn issue(
        &self,
        name: &str,
        issuer: Option<&Issuer>,
        host: &str,
        (from, to): (i32, i32),
        usage: ExtendedKeyUsagePurpose,
    ) {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        let certificate = certificate.unwrap();
        self.0.file(&format!("{name}.pem"), certificate.pem());
        self.0.file(&format!("{name}.key"), key.serialize_pem());
    }
}
