//! An echo server over TLS. Its certificate is one that the host keeps, by name, or two files.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 --tls-identity site=cert.pem,key.pem tls_echo.wasm 127.0.0.1:25000 site
//! curio-host --allow-listen=127.0.0.1:25000 --dir .::ro tls_echo.wasm 127.0.0.1:25000 cert.pem key.pem
//! openssl s_client -connect 127.0.0.1:25000 -CAfile cert.pem
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use curio::socket::Address;

use curio::ssl::{Identity, ServerContext, TlsStream, run_tls_server};
use curio::{Error, Result};

async fn echo_client(client: TlsStream, _peer: Address) -> Result<()> {
    loop {
        let data = client.recv(65_536).await?;
        if data.is_empty() {
            return client.close().await;
        }
        client.send_all(&data).await?;
    }
}

/// What the arguments behind the address name.
fn identity(args: &[String]) -> Result<Identity> {
    match args {
        [name] => Ok(Identity::named(name)),
        [certificate, key] => Ok(Identity::from_pem(read(certificate)?, read(key)?)),
        _ => Err(Error::other(
            "give ADDRESS IDENTITY, or ADDRESS CERT.pem KEY.pem",
        )),
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::other(format!("{path}: {error}")))
}

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().collect();
    let address = args.get(1).map_or("127.0.0.1:25000", String::as_str);
    let address: Address = address
        .parse()
        .map_err(|_| Error::other(format!("{address} is no address such as 127.0.0.1:25000")))?;
    let identity = identity(args.get(2..).unwrap_or_default())?;
    let context = ServerContext::builder(identity).build()?;
    let socket = curio::tcp_server_socket(address)?;
    println!("listening on {}", socket.local_address()?);
    match run_tls_server(socket, &context, echo_client).await {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        Err(error) => Err(error),
        Ok(never) => match never {},
    }
}
