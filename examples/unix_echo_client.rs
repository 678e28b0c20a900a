//! Sends lines to an echo server on a Unix socket, and shows what comes back.
//!
//! ```text
//! curio-host --allow-net=unix:/tmp/echo.sock unix_echo_client.wasm unix:/tmp/echo.sock
//! ```
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::net::Shutdown;

use curio::Result;
use curio::socket::Address;

#[curio::main]
async fn main() -> Result<()> {
    let server = std::env::args().nth(1);
    let server: Address = server.as_deref().unwrap_or("unix:/tmp/echo.sock").parse()?;
    let socket = curio::open_connection(server).await?;
    socket.send_all(b"hello\nhow are you?\ngood-bye\n").await?;
    socket.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    loop {
        let data = socket.recv(1000).await?;
        if data.is_empty() {
            break;
        }
        answer.extend(data);
    }
    print!("{}", String::from_utf8_lossy(&answer));
    Ok(())
}
