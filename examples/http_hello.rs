//! A small web server: HTTP/1.1, plain or over TLS, with keep-alive and limits on what a client may send.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:8080 http_hello.wasm 127.0.0.1:8080
//! curio-host --allow-listen=127.0.0.1:8443 --tls-identity site=cert.pem,key.pem http_hello.wasm 127.0.0.1:8443 site
//! curio-host --allow-listen=127.0.0.1:8443 --dir .::ro http_hello.wasm 127.0.0.1:8443 cert.pem key.pem
//! curl --cacert cert.pem https://localhost:8443/
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use curio::io::{RawIo, Stream};
use curio::ssl::{Identity, ServerContext, run_tls_server};
use curio::{Error, Result, ignore_after, run_server};

/// How many bytes the head of a request may have, and how many fields.
const MAX_HEAD: usize = 8 * 1024;
const MAX_FIELDS: usize = 64;

/// How long a client that was answered an error may go on sending.
const LINGER: Duration = Duration::from_secs(5);

/// How long a client may take to send the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the head of a request asks for.
struct Request {
    /// How many bytes the head has.
    length: usize,
    is_head: bool,
    path: String,
    keep_alive: bool,
}

/// An answer to be sent.
struct Answer {
    status: &'static str,
    text: String,
}

impl Answer {
    fn new(status: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }

    /// As it is sent. The answer to a HEAD request has no text, but the length of it.
    fn bytes(&self, is_head: bool, keep_alive: bool) -> Vec<u8> {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut head = format!(
            "HTTP/1.1 {}\r\nDate: {date}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: {connection}\r\n",
            self.status,
            self.text.len(),
        );
        if self.status.starts_with("405") {
            head.push_str("Allow: GET, HEAD\r\n");
        }
        head.push_str("\r\n");
        if !is_head {
            head.push_str(&self.text);
        }
        head.into_bytes()
    }
}

/// Reads the head of a request; none if there is not all of it yet.
fn parse(data: &[u8]) -> Result<Option<Request>, Answer> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(data) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(httparse::Status::Partial) if data.len() < MAX_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {
            let status = "431 Request Header Fields Too Large";
            return Err(Answer::new(
                status,
                "The head of the request is too long.\n",
            ));
        }
        Err(httparse::Error::Version) => {
            let text = "This server speaks HTTP/1.1.\n";
            return Err(Answer::new("505 HTTP Version Not Supported", text));
        }
        Err(error) => {
            let text = format!("That is no HTTP: {error}.\n");
            return Err(Answer::new("400 Bad Request", text));
        }
    };
    let is_new = request.version == Some(1);
    let field = |name: &str| {
        let mut fields = request.headers.iter();
        let field = fields.find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| String::from_utf8_lossy(field.value).to_ascii_lowercase())
    };
    if is_new && field("host").is_none() {
        let text = "The request has no Host.\n";
        return Err(Answer::new("400 Bad Request", text));
    }
    let has_body = field("transfer-encoding").is_some()
        || field("content-length").is_some_and(|length| length.trim() != "0");
    let method = request.method.unwrap_or_default();
    if has_body || !matches!(method, "GET" | "HEAD") {
        let text = "This server answers GET and HEAD, without a body.\n";
        return Err(Answer::new("405 Method Not Allowed", text));
    }
    let keep_alive = match field("connection") {
        Some(value) if value.contains("close") => false,
        Some(value) if value.contains("keep-alive") => true,
        _ => is_new,
    };
    Ok(Some(Request {
        length,
        is_head: method == "HEAD",
        path: request.path.unwrap_or_default().to_owned(),
        keep_alive,
    }))
}

fn answer(request: &Request) -> Answer {
    if request.path != "/" {
        let mut text = String::from("There is nothing at ");
        // Writing to a string can't fail.
        _ = writeln!(text, "{}.", request.path.escape_debug());
        return Answer::new("404 Not Found", text);
    }
    Answer::new("200 OK", "Hello, world!\n")
}

/// Serves one connection to its end.
async fn serve(mut client: Stream<impl RawIo>) -> Result<()> {
    loop {
        match ignore_after(PATIENCE, next_request(&mut client)).await? {
            Some(Ok(Some(request))) => {
                let bytes = answer(&request).bytes(request.is_head, request.keep_alive);
                client.write(&bytes).await?;
                if !request.keep_alive {
                    break;
                }
            }
            // What follows can't be told from what is wrong.
            Some(Err(answer)) => {
                client.write(&answer.bytes(false, false)).await?;
                client.end().await?;
                return ignore_after(LINGER, until_the_end(&mut client))
                    .await
                    .map(drop);
            }
            Some(Ok(None)) | None => break,
        }
    }
    client.end().await
}

/// Takes what a client still sends. If it were hung up on before, it might not get its answer.
async fn until_the_end(client: &mut Stream<impl RawIo>) -> Result<()> {
    while !client.read(65_536).await?.is_empty() {}
    Ok(())
}

/// Waits for the next request; none if the client has no more.
async fn next_request(client: &mut Stream<impl RawIo>) -> Result<Result<Option<Request>, Answer>> {
    loop {
        let received = client.buffered();
        match parse(received) {
            Ok(Some(request)) => {
                client.consume(request.length);
                return Ok(Ok(Some(request)));
            }
            Ok(None) => {}
            Err(answer) => return Ok(Err(answer)),
        }
        let more = received.len() + 1;
        if !client.buffer_up_to(more).await? {
            return Ok(Ok(None));
        }
    }
}

/// Serves one connection. A client that vanishes is nothing to complain of.
async fn serve_quietly(client: Stream<impl RawIo>) -> Result<()> {
    match serve(client).await {
        Err(Error::Io(_) | Error::Ssl(_)) => Ok(()),
        result => result,
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::other(format!("{path}: {error}")))
}

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().collect();
    let address = args.get(1).map_or("127.0.0.1:8080", String::as_str);
    let address: SocketAddr = address
        .parse()
        .map_err(|_| Error::other(format!("{address} is no address such as 127.0.0.1:8080")))?;
    let identity = match args.get(2..).unwrap_or_default() {
        [] => None,
        [name] => Some(Identity::named(name)),
        [certificate, key, ..] => Some(Identity::from_pem(read(certificate)?, read(key)?)),
    };
    let context = match identity {
        Some(identity) => {
            let builder = ServerContext::builder(identity);
            Some(builder.alpn_protocols(["http/1.1"]).build()?)
        }
        None => None,
    };
    let socket = curio::tcp_server_socket(address)?;
    println!("listening on {}", socket.local_address()?);
    let ended = match &context {
        Some(context) => {
            run_tls_server(socket, context, async |stream, _peer| {
                serve_quietly(stream.into_stream()).await
            })
            .await
        }
        None => {
            run_server(socket, async |socket, _peer| {
                serve_quietly(socket.into_stream()).await
            })
            .await
        }
    };
    match ended {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        Err(error) => Err(error),
        Ok(never) => match never {},
    }
}
