//! TLS between tasks of one program: who is trusted, and what contexts take.

use std::net::Ipv4Addr;

use curio::ssl::{
    ClientBuilder, ClientContext, Identity, ServerBuilder, ServerContext, SslErrorKind, TlsStream,
    TlsVersion,
};
use curio::{Error, Result, open_connection, spawn, tcp_server_socket};
use test_guests::fails;

test_guests::cases! {
    a_certificate_must_be_good
    what_is_not_to_be_checked_is_not
    a_name_is_needed_to_check_it
    an_address_is_a_name
    protocols_are_chosen
    old_versions_can_be_refused
    clients_can_be_asked_who_they_are
    clients_may_stay_unknown
    texts_must_make_sense
    identities_are_refused_by_name
    a_key_that_stays_in_the_host_can_t_be_read
    an_identity_can_be_the_program_s_own
    the_limit_of_memory_is_told
    the_limit_of_handles_is_told
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("/tls/{name}")).expect("it is granted")
}

fn site() -> ServerBuilder {
    named("site")
}

fn named(name: &str) -> ServerBuilder {
    ServerContext::builder(Identity::named(name))
}

/// Trusts the authority.
fn client() -> ClientBuilder {
    let builder = ClientContext::builder().authorities(read("authority.pem"));
    builder.system_authorities(false)
}

/// How both ends of a connection find each other: a few bytes are exchanged.
async fn connect(
    client: ClientBuilder,
    name: Option<&str>,
    server: ServerBuilder,
) -> Result<(Result<TlsStream>, Result<TlsStream>)> {
    let (client, server) = (client.build().await?, server.build()?);
    let listener = tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let socket = open_connection(listener.local_address()?).await?;
    let (accepted, _) = listener.accept().await?;
    let server = server.wrap_socket(accepted)?;
    let stream = client.wrap_socket(socket, name)?;
    let task = spawn(async move {
        assert_eq!(server.recv(10).await?, b"who?");
        server.send_all(b"me").await?;
        Ok(server)
    });
    let conversation = async {
        stream.send_all(b"who?").await?;
        assert_eq!(stream.recv(10).await?, b"me");
        Ok(stream)
    };
    let client = conversation.await;
    let server = task.join().await.map_err(|error| match error {
        Error::Task(error) => Error::other(error.cause().to_string()),
        error => error,
    });
    Ok((client, server))
}

#[track_caller]
fn assert_ssl(error: &Error, kind: SslErrorKind, text: &str) {
    match error {
        Error::Ssl(ssl) if ssl.kind() == kind && ssl.to_string().contains(text) => {}
        error => panic!("{error} should be {kind:?}, with {text:?}"),
    }
}

async fn a_certificate_must_be_good() -> Result<()> {
    for (identity, text, alert) in [
        (
            "elsewhere",
            "not valid for name \"localhost\"",
            "Certificate",
        ),
        ("expired", "it expired ", "CertificateExpired"),
        (
            "future",
            "it is not valid before another ",
            "CertificateExpired",
        ),
        (
            "self-signed",
            "none of the trusted authorities",
            "UnknownCA",
        ),
        ("stranger", "none of the trusted authorities", "UnknownCA"),
    ] {
        let (client, server) = connect(client(), Some("localhost"), named(identity)).await?;
        assert_ssl(&fails(client), SslErrorKind::Certificate, text);
        let told = fails(server).to_string();
        assert!(
            told.contains("refused the connection"),
            "{identity}: {told}"
        );
        assert!(told.contains(alert), "{identity}: {told}");
    }
    Ok(())
}

async fn what_is_not_to_be_checked_is_not() -> Result<()> {
    let any_name = || client().check_hostname(false);
    for name in [Some("localhost"), None] {
        connect(any_name(), name, named("elsewhere")).await?.0?;
        let (client, _) = connect(any_name(), name, named("stranger")).await?;
        assert_ssl(&fails(client), SslErrorKind::Certificate, "authorities");
        let (client, _) = connect(any_name(), name, named("expired")).await?;
        assert_ssl(&fails(client), SslErrorKind::Certificate, "expired");
    }
    for identity in ["elsewhere", "expired", "future", "self-signed", "stranger"] {
        let anybody = ClientContext::builder().danger_accept_invalid_certs(true);
        let (client, server) = connect(anybody, None, named(identity)).await?;
        assert!(client?.peer_certificate().is_some());
        server?;
    }
    Ok(())
}

async fn a_name_is_needed_to_check_it() -> Result<()> {
    let error = fails(connect(client(), None, site()).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert!(error.to_string().contains("without a name"), "{error}");
    let error = fails(connect(client(), Some("no name"), site()).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    assert_eq!(error.to_string(), "\"no name\" is no host name");
    Ok(())
}

async fn an_address_is_a_name() -> Result<()> {
    let (client, server) = connect(client(), Some("127.0.0.1"), site()).await?;
    assert_ssl(&fails(client), SslErrorKind::Certificate, "127.0.0.1");
    assert!(server.is_err());
    Ok(())
}

async fn protocols_are_chosen() -> Result<()> {
    let name = Some("localhost");
    for (offered, spoken, chosen) in [
        (
            &["h2", "http/1.1"][..],
            &["http/1.1", "h2"][..],
            Some("http/1.1"),
        ),
        (&["h2"], &[], None),
        (&[], &["h2"], None),
    ] {
        let (client, server) = (
            client().alpn_protocols(offered),
            site().alpn_protocols(spoken),
        );
        let (client, server) = connect(client, name, server).await?;
        let chosen = chosen.map(|name| name.as_bytes().to_vec());
        assert_eq!(client?.alpn_protocol(), chosen);
        assert_eq!(server?.alpn_protocol(), chosen);
    }
    let (client, server) = (client().alpn_protocols(["a"]), site().alpn_protocols(["b"]));
    let (client, server) = connect(client, name, server).await?;
    assert_ssl(&fails(client), SslErrorKind::Alert, "NoApplicationProtocol");
    let told = fails(server).to_string();
    assert!(told.contains("none of the protocols"), "{told}");
    Ok(())
}

async fn old_versions_can_be_refused() -> Result<()> {
    let client = client().minimum_version(TlsVersion::Tls13);
    let server = site().minimum_version(TlsVersion::Tls13);
    let (client, _) = connect(client, Some("localhost"), server).await?;
    assert_eq!(client?.version(), Some(TlsVersion::Tls13));
    Ok(())
}

async fn clients_can_be_asked_who_they_are() -> Result<()> {
    let name = Some("localhost");
    let server = || site().require_client_certificate(read("authority.pem"));
    let known = client().identity(Identity::named("client"));
    let (known, server_end) = connect(known, name, server()).await?;
    known?;
    assert!(server_end?.peer_certificate().is_some());

    let (unknown, server_end) = connect(client(), name, server()).await?;
    assert_ssl(&fails(unknown), SslErrorKind::Alert, "CertificateRequired");
    let told = fails(server_end).to_string();
    assert!(told.contains("has shown no certificate"), "{told}");

    // One for servers is no good, nor is one of another authority.
    for wrong in ["site", "stranger"] {
        let wrong = client().identity(Identity::named(wrong));
        let (wrong, server_end) = connect(wrong, name, server()).await?;
        assert!(matches!(fails(wrong), Error::Ssl(_)));
        let told = fails(server_end).to_string();
        assert!(told.contains("certificate was refused"), "{told}");
    }
    Ok(())
}

async fn clients_may_stay_unknown() -> Result<()> {
    let server = || site().request_client_certificate(read("authority.pem"));
    let (unknown, server_end) = connect(client(), Some("localhost"), server()).await?;
    unknown?;
    assert_eq!(server_end?.peer_certificate(), None);
    let known = client().identity(Identity::from_pem(read("client.pem"), read("client.key")));
    let (known, server_end) = connect(known, Some("localhost"), server()).await?;
    known?;
    assert_eq!(server_end?.peer_certificates().len(), 1);
    Ok(())
}

async fn texts_must_make_sense() -> Result<()> {
    let long = || vec![b'x'; 2 << 20];
    for (builder, text) in [
        (
            client().authorities("nothing"),
            "has no PEM of certificates",
        ),
        (
            client().authorities(read("client.key")),
            "has no PEM of certificates",
        ),
        (
            client().authorities("-----BEGIN CERTIFICATE-----\n!"),
            "has no PEM",
        ),
        (client().authorities(long()), "more than 1 MiB"),
        (client().authorities(""), "nobody to trust"),
        (client().alpn_protocols([""]), "1 to 255 bytes"),
        (client().alpn_protocols([long()]), "1 to 255 bytes"),
        (
            client().alpn_protocols(["x"; 1000]),
            "more than 100 protocols",
        ),
    ] {
        let error = fails(builder.build().await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    let own = |chain, key| ServerContext::builder(Identity::from_pem(chain, key));
    let (chain, key) = (read("client.pem"), read("client.key"));
    for (builder, text) in [
        (
            own(key.clone(), key.clone()),
            "the certificate chain has no PEM",
        ),
        (
            own(chain.clone(), chain.clone()),
            "the key is no PEM of a private key",
        ),
        (
            own(read("authority.pem"), key.clone()),
            "not that of the certificate",
        ),
        (own(chain.clone(), long()), "more than 1 MiB"),
        (
            site().require_client_certificate(""),
            "has no PEM of certificates",
        ),
        (site().alpn_protocols([""]), "1 to 255 bytes"),
    ] {
        let error = fails(builder.build());
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    Ok(())
}

async fn identities_are_refused_by_name() -> Result<()> {
    let text =
        "no permission to use the TLS identity \"bank\"; add --tls-identity=bank=CERT.pem,KEY.pem";
    let bank = || Identity::named("bank");
    for error in [
        fails(ServerContext::builder(bank()).build()),
        fails(client().identity(bank()).build().await),
    ] {
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert_eq!(error.to_string(), text);
    }
    Ok(())
}

async fn a_key_that_stays_in_the_host_can_t_be_read() -> Result<()> {
    let (client, _) = connect(client(), Some("localhost"), site()).await?;
    client?;
    let path = std::env::var("KEY").expect("the test says where it is");
    assert!(std::fs::read(path).is_err());
    assert!(!format!("{:?}", Identity::named("site")).contains("KEY"));
    Ok(())
}

async fn an_identity_can_be_the_program_s_own() -> Result<()> {
    let identity = Identity::from_pem(read("client.pem"), read("client.key"));
    assert_eq!(format!("{identity:?}"), "Identity::from_pem(..)");
    let anybody = ClientContext::builder().danger_accept_invalid_certs(true);
    let (client, server) = connect(anybody, None, ServerContext::builder(identity)).await?;
    let shown = client?.peer_certificate();
    assert!(shown.is_some_and(|der| der.len() > 100));
    server?;
    Ok(())
}

async fn the_limit_of_memory_is_told() -> Result<()> {
    let (client, server) = (client().build().await?, site().build()?);
    let listener = tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let mut kept = Vec::new();
    let error = loop {
        // Their sockets take memory, too.
        let pair = async {
            let socket = open_connection(listener.local_address()?).await?;
            let (accepted, _) = listener.accept().await?;
            let client = client.wrap_socket(socket, "localhost")?;
            Ok((client, server.wrap_socket(accepted)?))
        };
        match pair.await {
            Ok(pair) => kept.push(pair),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000);
    };
    assert!(matches!(error, Error::Limit(_)), "{error}");
    assert!(error.to_string().contains("--max-memory"), "{error}");
    // What is given up can be had again, and those that were kept are well.
    let (client, server) = kept.pop().expect("some fit");
    drop(kept);
    let task = spawn(async move { server.recv(10).await });
    client.send_all(b"still here").await?;
    assert_eq!(task.join().await?, b"still here");
    Ok(())
}

async fn the_limit_of_handles_is_told() -> Result<()> {
    let mut kept = Vec::new();
    let error = loop {
        match site().build() {
            Ok(context) => kept.push(context),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000);
    };
    assert!(matches!(error, Error::Limit(_)), "{error}");
    assert!(error.to_string().contains("--max-handles"), "{error}");
    kept.pop();
    site().build()?;
    Ok(())
}
