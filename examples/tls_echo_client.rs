//! A client of an echo server over TLS: greets it a few times, and shows what comes back.
//!
//! The second argument is the name that the server's certificate must be for. With a third one, a file in PEM, only the
//! authorities in it are trusted, and not those of the host's system.
//!
//! ```text
//! curio-host --allow-net=127.0.0.1:25000 --dir .::ro tls_echo_client.wasm 127.0.0.1:25000 localhost cert.pem
//! ```
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::net::SocketAddr;

use curio::ssl::{ClientContext, open_tls_connection};
use curio::{Error, Result};

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [address, name, authorities @ ..] = args.as_slice() else {
        return Err(Error::other("give ADDRESS NAME [AUTHORITIES.pem]"));
    };
    let address: SocketAddr = address
        .parse()
        .map_err(|_| Error::other(format!("{address} is no address such as 127.0.0.1:25000")))?;
    let mut builder = ClientContext::builder();
    if let Some(path) = authorities.first() {
        let pem = std::fs::read(path).map_err(|error| Error::other(format!("{path}: {error}")))?;
        builder = builder.authorities(pem).system_authorities(false);
    }
    let context = builder.build().await?;
    let server = open_tls_connection(address, name.as_str(), &context).await?;
    println!("connected with {}", server.cipher().unwrap_or_default());
    for n in 1..=3 {
        let greeting = format!("Hello, world {n}!\n");
        server.send_all(greeting.as_bytes()).await?;
        let mut echo = Vec::new();
        while echo.len() < greeting.len() {
            let data = server.recv(65_536).await?;
            if data.is_empty() {
                return Err(Error::other("the server hung up"));
            }
            echo.extend(data);
        }
        print!("{}", String::from_utf8_lossy(&echo));
    }
    server.close().await
}
