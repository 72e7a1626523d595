//! A TCP proxy on loopback that delays without limiting: what is read is written half a round trip
//! later, however much it is.

use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Listens on a free port for as long as the runtime lives, and returns the port.
pub async fn start(to: SocketAddr, round_trip: Duration) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on loopback")?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, to, round_trip));
        }
    });
    Ok(port)
}

/// TCP's own handshake counts too: the client may send after one round trip, and the server hears
/// of it half of one later.
async fn carry(client: TcpStream, to: SocketAddr, round_trip: Duration) -> std::io::Result<()> {
    let open = Instant::now() + round_trip;
    let half = round_trip / 2;
    let (reader, writer) = halves(client)?;
    let (sent, due) = mpsc::unbounded_channel();
    tokio::spawn(take(reader, sent, open, half));
    sleep_until(open + half).await;
    let (server_reader, server_writer) = halves(TcpStream::connect(to).await?)?;
    tokio::spawn(give(server_writer, due));
    let (sent, due) = mpsc::unbounded_channel();
    tokio::spawn(take(server_reader, sent, open, half));
    give(writer, due).await
}

fn halves(stream: TcpStream) -> std::io::Result<(OwnedReadHalf, OwnedWriteHalf)> {
    stream.set_nodelay(true)?;
    Ok(stream.into_split())
}

type Chunk = (Instant, Vec<u8>);

/// Reads, and stamps each chunk with the time at which the other side gets it; an empty one is the
/// end.
async fn take(mut from: OwnedReadHalf, to: mpsc::UnboundedSender<Chunk>, open: Instant, half: Duration) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await.unwrap_or(0);
        let due = Instant::now().max(open) + half;
        let chunk = buffer.get(..count).unwrap_or_default().to_vec();
        if to.send((due, chunk)).is_err() || count == 0 {
            return;
        }
    }
}

async fn give(mut to: OwnedWriteHalf, mut from: mpsc::UnboundedReceiver<Chunk>) -> std::io::Result<()> {
    while let Some((due, chunk)) = from.recv().await {
        sleep_until(due).await;
        if chunk.is_empty() {
            break;
        }
        to.write_all(&chunk).await?;
    }
    to.shutdown().await
}
