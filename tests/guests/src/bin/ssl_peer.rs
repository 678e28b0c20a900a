//! TLS with a peer outside: a case, an address, and what the case wants to know.
#![expect(clippy::print_stdout, reason = "it tells the test how far it is")]

use std::net::SocketAddr;

use curio::ssl::{ClientContext, Identity, TlsStream, open_tls_connection};
use curio::{Error, Result};

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let [case, address, rest @ ..] = args.as_slice() else {
        panic!("a case and an address are given");
    };
    let address: SocketAddr = address.parse().expect("the address is one");
    match (*case, rest) {
        ("get", [name, trust, identity @ ..]) => {
            let context = client(trust, identity.first()).await?;
            get(&open_tls_connection(address, *name, &context).await?).await
        }
        ("talk", []) => {
            let context = client("authority", None).await?;
            talk(&open_tls_connection(address, "localhost", &context).await?).await
        }
        _ => panic!("there is no case {case}"),
    }
}

async fn client(trust: &str, identity: Option<&&str>) -> Result<ClientContext> {
    let mut builder = ClientContext::builder();
    if trust != "system" {
        let pem = std::fs::read(format!("/tls/{trust}.pem")).expect("it is granted");
        builder = builder.authorities(pem).system_authorities(false);
    }
    if let Some(name) = identity {
        builder = builder.identity(Identity::named(*name));
    }
    builder.alpn_protocols(["http/1.0"]).build().await
}

/// Asks for a page, and shows what was chosen and what came first.
async fn get(stream: &TlsStream) -> Result<()> {
    let alpn = stream.alpn_protocol().unwrap_or_default();
    println!(
        "{:?} {:?}",
        stream.version(),
        String::from_utf8_lossy(&alpn)
    );
    stream.send_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = Vec::new();
    loop {
        match stream.recv(65_536).await {
            Ok(data) if data.is_empty() => break,
            Ok(data) => page.extend(data),
            Err(error) => return Err(error),
        }
    }
    let page = String::from_utf8_lossy(&page);
    println!("{}", page.lines().next().unwrap_or_default());
    Ok(())
}

/// Is answered once, and then waits for what happens.
async fn talk(stream: &TlsStream) -> Result<()> {
    stream.send_all(b"ping").await?;
    assert_eq!(stream.recv(10).await?, b"ping");
    println!("answered");
    let end = stream.recv(10).await;
    match end {
        Ok(data) => println!("{} bytes", data.len()),
        Err(Error::Ssl(error)) => println!("{:?}: {error}", error.kind()),
        Err(error) => return Err(error),
    }
    Ok(())
}
