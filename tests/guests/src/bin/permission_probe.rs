//! Tries what it is told to, each an argument `attempt=what`, and says on a line each what came of it: `ok`, perhaps
//! with what was found, or why not.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use curio::socket::Address;
use curio::{Error, Result, Socket};

#[curio::main]
async fn main() {
    for argument in std::env::args().skip(1) {
        let (attempt, what) = argument.split_once('=').unwrap_or((&argument, ""));
        match run(attempt, what).await {
            Ok(found) if found.is_empty() => println!("ok"),
            Ok(found) => println!("ok {found}"),
            Err(Error::Refused(text)) => println!("refused: {text}"),
            Err(Error::Io(error)) => println!("{:?}: {error}", error.kind()),
            Err(error) => println!("{error}"),
        }
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("the address is one")
}

async fn run(attempt: &str, what: &str) -> Result<String> {
    match attempt {
        "connect" => curio::open_connection(address(what)).await.map(drop)?,
        "listen" => drop(curio::tcp_server_socket(address(what))?),
        "bind" => Socket::tcp_for(address(what))?.bind(address(what))?,
        "connect-bound" => connect_bound(what).await?,
        "udp-bind" => Socket::datagram_for(&any(what))?.bind(any(what))?,
        "udp-connect" => Socket::datagram_for(&any(what))?.connect(any(what)).await?,
        "udp-send" => drop(
            Socket::datagram_for(&any(what))?
                .send_to(b"out", any(what))
                .await?,
        ),
        "udp-send-msg" => {
            let socket = Socket::datagram_for(&any(what))?;
            socket.send_msg_to(b"out", &[], any(what)).await?;
        }
        "udp-answer" | "udp-answer-recv" | "udp-answer-peek" | "udp-answer-msg"
        | "udp-answer-passed" | "udp-answer-bound" => return udp_answer(attempt, what).await,
        "connect-name" => {
            let (name, port) = name(what);
            curio::open_connection((name, port)).await.map(drop)?;
        }
        "udp-send-bound" => udp_send_bound(what).await?,
        "unix-bind" => Socket::unix_stream()?.bind(Address::unix(what))?,
        "unix-connect" => Socket::unix_stream()?.connect(Address::unix(what)).await?,
        "unix-send" => {
            let socket = Socket::unix_datagram()?;
            socket.send_to(b"out", Address::unix(what)).await?;
        }
        "socketpair" => drop(curio::socket::socketpair()?),
        "env" => return Ok(environment()),
        _ => return Ok(with_std(attempt, what)?),
    }
    Ok(String::new())
}

/// Connects from a local address that it asks for: `from>to`.
async fn connect_bound(what: &str) -> Result<()> {
    let (from, to) = what.split_once('>').expect("two addresses");
    let socket = Socket::tcp_for(address(from))?;
    socket.bind(address(from))?;
    socket.connect(address(to)).await
}

fn any(text: &str) -> Address {
    text.parse().expect("the address is one")
}

/// Sends from a local address that it asks for, which is connected to one peer already: `from>first>to`.
async fn udp_send_bound(what: &str) -> Result<()> {
    let (from, peers) = what.split_once('>').expect("three addresses");
    let (first, to) = peers.split_once('>').expect("three addresses");
    let socket = Socket::datagram_for(&any(from))?;
    socket.bind(any(from))?;
    socket.connect(any(first)).await?;
    socket.send_msg_to(b"out", &[], any(to)).await?;
    socket.send_to(b"out", any(to)).await?;
    Ok(())
}

/// Sends, and gives what comes first.
async fn udp_answer(attempt: &str, to: &str) -> Result<String> {
    let mut socket = Socket::datagram_for(&any(to))?;
    if attempt == "udp-answer-bound" {
        socket.bind(any("127.0.0.1:0"))?;
    }
    socket.send_to(b"out", any(to)).await?;
    let data = match attempt {
        "udp-answer-recv" => socket.recv(100).await?,
        "udp-answer-peek" => socket.peek(100).await?,
        "udp-answer-msg" => socket.recv_msg(100, 0).await?.data,
        "udp-answer-passed" => {
            let (one, other) = curio::socket::socketpair()?;
            one.send_msg(b"x", &[&socket]).await?;
            let mut message = other.recv_msg(1, 1).await?;
            socket = message.sockets.pop().expect("it was passed");
            socket.recv_from(100).await?.0
        }
        _ => socket.recv_from(100).await?.0,
    };
    Ok(String::from_utf8_lossy(&data).into_owned())
}

/// A name and a port.
fn name(text: &str) -> (&str, u16) {
    let (name, port) = text.rsplit_once(':').expect("there is a port");
    (name, port.parse().expect("the port is one"))
}

fn environment() -> String {
    let mut variables: Vec<_> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();
    variables.sort();
    variables.join(" ")
}

/// A socket of the standard library's for the family of an address, which nobody has to be asked for.
fn std_socket(peer: &str) -> io::Result<UdpSocket> {
    UdpSocket::bind(if address(peer).is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    })
}

/// What the standard library asks of `wasi:*`.
fn with_std(attempt: &str, what: &str) -> io::Result<String> {
    let mut found = String::new();
    match attempt {
        "std-connect" => drop(TcpStream::connect(address(what))?),
        "std-listen" => drop(TcpListener::bind(address(what))?),
        "std-udp" => drop(UdpSocket::bind(address(what))?),
        "std-send" => drop(std_socket(what)?.send_to(b"out", address(what))?),
        "std-udp-connect" => {
            let socket = std_socket(what)?;
            socket.connect(address(what))?;
            socket.send(b"out")?;
        }
        "std-answer" | "std-answer-bound" => {
            let socket = match attempt {
                "std-answer" => std_socket(what)?,
                _ => UdpSocket::bind("127.0.0.1:0")?,
            };
            socket.send_to(b"out", address(what))?;
            let mut data = [0; 100];
            let (length, _) = socket.recv_from(&mut data)?;
            found = String::from_utf8_lossy(&data[..length]).into_owned();
        }
        "std-connect-name" => drop(TcpStream::connect(name(what))?),
        "std-send-bound" => {
            let (from, to) = what.split_once('>').expect("two addresses");
            UdpSocket::bind(address(from))?.send_to(b"out", address(to))?;
        }
        "std-send-connected" => {
            let (first, to) = what.split_once('>').expect("two addresses");
            let socket = std_socket(first)?;
            socket.connect(address(first))?;
            socket.send_to(b"out", address(to))?;
        }
        "resolve" => {
            let all = (what, 80).to_socket_addrs()?;
            let mut all: Vec<_> = all.map(|at| at.ip().to_string()).collect();
            all.sort();
            all.dedup();
            found = all.join(" ");
        }
        "read" => {
            File::open(what)?.read_to_string(&mut found)?;
        }
        "list" => {
            let mut names = Vec::new();
            for entry in fs::read_dir(what)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            found = names.join(" ");
        }
        "stat" => found = fs::metadata(what)?.len().to_string(),
        "lstat" => found = fs::symlink_metadata(what)?.is_symlink().to_string(),
        "readlink" => found = fs::read_link(what)?.display().to_string(),
        "exists" => found = fs::exists(what)?.to_string(),
        "write" => fs::write(what, "written")?,
        "create" => drop(OpenOptions::new().write(true).create_new(true).open(what)?),
        "append" => {
            let mut file = OpenOptions::new().append(true).open(what)?;
            file.write_all(b"appended")?;
        }
        "overwrite" => {
            let mut file = OpenOptions::new().write(true).open(what)?;
            file.write_all(b"X")?;
        }
        "truncate" => {
            OpenOptions::new().write(true).truncate(true).open(what)?;
        }
        "set-len" => File::open(what)?.set_len(0)?,
        "remove" => fs::remove_file(what)?,
        "mkdir" => fs::create_dir(what)?,
        "rmdir" => fs::remove_dir(what)?,
        "rename" | "link" | "copy" => {
            let (from, to) = what.split_once('>').expect("two paths");
            match attempt {
                "rename" => fs::rename(from, to)?,
                "link" => fs::hard_link(from, to)?,
                _ => drop(fs::copy(from, to)?),
            }
        }
        _ => panic!("there is no attempt {attempt}"),
    }
    Ok(found)
}
