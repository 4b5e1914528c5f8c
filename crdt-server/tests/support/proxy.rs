//! A network between two servers, which the test slows down and cuts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Forwards connections to an address: each byte after a delay, or not at all.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    delay: Duration,
    is_cut: bool,
}

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let state = Arc::new(watch::Sender::new(State { delay: Duration::ZERO, is_cut: false }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let state = shared.subscribe();
                if state.borrow().is_cut {
                    continue;
                }
                if let Ok(far) = TcpStream::connect(target).await {
                    tokio::spawn(connect(near, far, state));
                }
            }
        });
        Self { address, state }
    }

    pub fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Breaks all connections and lets no new ones through: once this returns, nothing passes.
    pub async fn cut(&self) {
        self.state.send_modify(|state| state.is_cut = true);
        // Each connection follows the state until it has ended.
        self.state.closed().await;
    }

    pub fn heal(&self) {
        self.state.send_modify(|state| state.is_cut = false);
    }
}

async fn connect(near: TcpStream, far: TcpStream, mut state: watch::Receiver<State>) {
    let (delays_in, delays_out) = (state.clone(), state.clone());
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let there = tokio::spawn(forward(near_in, far_out, delays_in));
    let back = tokio::spawn(forward(far_in, near_out, delays_out));
    let (stop_there, stop_back) = (there.abort_handle(), back.abort_handle());
    tokio::select! {
        _ = state.wait_for(|state| state.is_cut) => {}
        _ = there => {}
        _ = back => {}
    }
    stop_there.abort();
    stop_back.abort();
}

async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin + Send + 'static,
    state: watch::Receiver<State>,
) {
    let (queue, mut late) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let writing = async move {
        while let Some((at, bytes)) = late.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    let reading = async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(len @ 1..) = from.read(&mut buffer).await {
            let at = Instant::now() + state.borrow().delay;
            if queue.send((at, buffer[..len].to_vec())).is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
