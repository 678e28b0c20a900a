//! A server that computes: it answers each line that has a number with the Fibonacci number of that, which a pool of
//! processes computes. However long one takes, everybody else is served meanwhile.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 fib_server.wasm
//! curio-host --allow-listen=127.0.0.1 fib_server.wasm 127.0.0.1:0
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use curio::socket::Address;
use curio::{Error, Result, Socket, run_in_process};

/// The greatest number whose answer still fits.
const MAX: u64 = 93;

/// The slow way, on purpose.
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

async fn fib_client(client: Socket, _peer: Address) -> Result<()> {
    let mut stream = client.into_stream();
    let mut line = Vec::new();
    while stream.read_line_into(&mut line).await? > 0 {
        let answer = match String::from_utf8_lossy(&line).trim().parse() {
            Ok(n) if n <= MAX => run_in_process(fib, n).await?.to_string(),
            Ok(n) => format!("error: the Fibonacci number of {n} has more than 64 bits"),
            Err(error) => format!("error: {error}"),
        };
        stream.write(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:25000");
    let address: Address = address
        .parse()
        .map_err(|_| Error::other(format!("{address} is no address such as 127.0.0.1:25000")))?;
    let socket = curio::tcp_server_socket(address)?;
    println!("listening on {}", socket.local_address()?);
    match curio::run_server(socket, fib_client).await {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        Err(error) => Err(error),
        Ok(never) => match never {},
    }
}
