//! Grants of TLS identities that stay in the host: `--tls-identity NAME=CERT.pem,KEY.pem`.
//!
//! Only the words are dealt with here: whoever starts the guest reads the files. Invariant: no two grants have the same
//! name. Called by `Permissions`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Permissions;
use super::denied::InvalidPermission;

const FLAG: &str = "--tls-identity";

const FORM: &str = "give NAME=CERT.pem,KEY.pem";

/// A certificate and its key, which a guest may use by a name, and cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsIdentity {
    /// The name by which the guest uses it.
    pub name: String,
    /// The file of the certificate and those that lead from it to an authority, as typed.
    pub certificate: PathBuf,
    /// The file of the key, as typed.
    pub key: PathBuf,
}

/// All that `--tls-identity` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct IdentityGrants(Vec<TlsIdentity>);

impl IdentityGrants {
    /// Adds a grant; it takes the place of an earlier one of the same name.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let grant = parse(spec)
            .map_err(|problem| InvalidPermission::new(FLAG, spec, &format!("{problem}; {FORM}")))?;
        self.0.retain(|earlier| earlier.name != grant.name);
        self.0.push(grant);
        Ok(())
    }

    pub(super) fn as_slice(&self) -> &[TlsIdentity] {
        &self.0
    }
}

fn parse(spec: &str) -> Result<TlsIdentity, &'static str> {
    if spec.contains('\0') {
        return Err("contains a NUL, which no path can");
    }
    let Some((name, files)) = spec.split_once('=') else {
        return Err("names no files");
    };
    if name.is_empty() || name.contains(char::is_control) {
        return Err("has no name that could be printed");
    }
    let Some((certificate, key)) = files.split_once(',') else {
        return Err("names one file, and the key is another one");
    };
    if key.contains(',') {
        return Err("names more than two files, or one with a comma in its name");
    }
    if certificate.is_empty() || key.is_empty() {
        return Err("has an empty path");
    }
    Ok(TlsIdentity {
        name: name.to_owned(),
        certificate: certificate.into(),
        key: key.into(),
    })
}

impl Permissions {
    /// Allows the use of a TLS identity that the guest cannot read: `NAME=CERT.pem,KEY.pem`. The files are read
    /// when the guest starts. It takes the place of an earlier one of the same name.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_tls_identity("site=site.pem,site.key")?;
    /// assert!(permissions.check_tls_identity("site").is_ok());
    ///
    /// let denied = permissions.check_tls_identity("bank").unwrap_err();
    /// assert_eq!(
    ///     denied.to_string(),
    ///     "no permission to use the TLS identity \"bank\"; add --tls-identity=bank=CERT.pem,KEY.pem",
    /// );
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    pub fn allow_tls_identity(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.identities.allow(spec)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_a_name_and_two_files() {
        let mut grants = IdentityGrants::default();
        grants.allow("site=a.pem,b.pem").unwrap();
        grants.allow("other=/etc/x=y.pem,../k.pem").unwrap();
        grants.allow("site=c.pem,d.pem").unwrap();
        let rows = grants.as_slice().iter().map(|grant| {
            let file = |path: &PathBuf| path.display().to_string();
            (
                grant.name.as_str(),
                file(&grant.certificate),
                file(&grant.key),
            )
        });
        let expected = [
            ("other", "/etc/x=y.pem".to_owned(), "../k.pem".to_owned()),
            ("site", "c.pem".to_owned(), "d.pem".to_owned()),
        ];
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn unclear_forms_are_refused() {
        for (spec, hint) in [
            ("", "names no files"),
            ("site", "names no files"),
            ("=a,b", "has no name"),
            ("a\nb=a,b", "has no name"),
            ("site=a.pem", "names one file"),
            ("site=a,b,c", "more than two files"),
            ("site=,b", "has an empty path"),
            ("site=a,", "has an empty path"),
            ("site=a\0,b", "contains a NUL"),
        ] {
            let mut grants = IdentityGrants::default();
            let error = grants.allow(spec).unwrap_err().to_string();
            assert!(error.starts_with("--tls-identity: "), "{error}");
            assert!(error.contains(hint) && error.contains(FORM), "{error}");
            assert!(grants.as_slice().is_empty(), "{spec}");
        }
    }
}
