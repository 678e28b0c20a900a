//! A certificate for the TLS servers, and a client that trusts it.

use std::io::{self, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

/// A certificate for localhost, with its key, in a folder of their own.
pub(crate) struct Certificate {
    folder: TempDir,
    config: Arc<ClientConfig>,
}

/// A client's end of a TLS connection that does not block.
pub(crate) struct TlsClient {
    stream: TcpStream,
    connection: ClientConnection,
}

impl Certificate {
    /// Makes one.
    pub(crate) fn new() -> Self {
        let made = generate_simple_self_signed(["localhost".to_owned()]);
        let CertifiedKey { cert, signing_key } = made.expect("localhost is a name");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("there is room for a file");
        };
        write("chain.pem", cert.pem());
        write("key.pem", signing_key.serialize_pem());
        let mut trusted = RootCertStore::empty();
        let added = trusted.add(cert.der().clone());
        added.expect("it is a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Self {
            folder,
            config: Arc::new(config),
        }
    }

    /// The files of the certificate and its key.
    pub(crate) fn paths(&self) -> [String; 2] {
        ["chain.pem", "key.pem"].map(|name| self.folder.path().join(name).display().to_string())
    }

    /// Makes the handshake on a new connection.
    pub(crate) fn client(&self, stream: TcpStream) -> TlsClient {
        let name = ServerName::try_from("localhost").expect("it is a name");
        let connection = ClientConnection::new(self.config.clone(), name);
        let mut client = TlsClient {
            stream,
            connection: connection.expect("the configuration is sound"),
        };
        while client.connection.is_handshaking() {
            match client.connection.complete_io(&mut client.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::yield_now();
                }
                Err(error) => panic!("the handshake fails: {error}"),
            }
        }
        client
    }
}

impl Drop for TlsClient {
    /// Hangs up as one should.
    fn drop(&mut self) {
        self.connection.send_close_notify();
        // The server may be gone already.
        drop(self.connection.write_tls(&mut self.stream));
    }
}

impl Read for TlsClient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.connection.read_tls(&mut self.stream)?;
            let processed = self.connection.process_new_packets();
            processed.map_err(io::Error::other)?;
        }
    }
}

impl Write for TlsClient {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.connection.writer().write(data)?;
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.stream)?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
