//! The measured servers on tokio.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// How much is taken at a time.
const PIECE: usize = 65_536;

async fn listen(address: &str) -> TcpListener {
    let listener = TcpListener::bind(address).await.expect("the port is free");
    say(listener.local_addr());
    listener
}

fn say(address: Result<SocketAddr>) {
    println!("listening on {}", address.expect("it listens"));
}

async fn accept(listener: &TcpListener) -> TcpStream {
    let (client, _) = listener.accept().await.expect("there is room");
    client
}

pub(crate) async fn echo(args: Vec<String>) {
    let listener = listen(&args[0]).await;
    loop {
        let client = accept(&listener).await;
        tokio::spawn(echo_client(client));
    }
}

pub(crate) async fn tls_echo(args: Vec<String>) {
    let [address, chain, key] = args.as_slice() else {
        panic!("give ADDRESS CHAIN KEY");
    };
    let chain = CertificateDer::pem_file_iter(chain).expect("the file is there");
    let chain = chain.map(|certificate| certificate.expect("it is one"));
    let key = PrivateKeyDer::from_pem_file(key).expect("it is a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key)
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = listen(address).await;
    loop {
        let client = accept(&listener).await;
        let acceptor = acceptor.clone();
        tokio::spawn(async move { echo_client(acceptor.accept(client).await?).await });
    }
}

async fn echo_client(mut client: impl AsyncRead + AsyncWrite + Unpin) -> Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let received = client.read(&mut buffer).await?;
        if received == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..received]).await?;
        client.flush().await?;
    }
}

pub(crate) async fn udp_echo(args: Vec<String>) {
    let socket = UdpSocket::bind(&args[0]).await.expect("the port is free");
    say(socket.local_addr());
    let mut buffer = vec![0; PIECE];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.expect("it works");
        let sent = socket.send_to(&buffer[..length], peer).await;
        sent.expect("it works");
    }
}

pub(crate) async fn bulk(args: Vec<String>) {
    async fn receive(mut client: TcpStream) -> Result<()> {
        let mut buffer = vec![0; PIECE];
        while client.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    async fn send(mut client: TcpStream) -> Result<()> {
        let piece = vec![b'x'; PIECE];
        loop {
            client.write_all(&piece).await?;
        }
    }

    let listener = listen(&args[0]).await;
    loop {
        let client = accept(&listener).await;
        match args[1].as_str() {
            "receive" => tokio::spawn(receive(client)),
            "send" => tokio::spawn(send(client)),
            way => panic!("there is no way {way}"),
        };
    }
}
