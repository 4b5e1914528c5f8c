//! The server with a clock that is set by hand, to try what takes months in seconds:
//! `cargo run -p crdt-server --example clock_by_hand -- --horizon-days 30`, with the options of the
//! server itself. Every number that is typed lets as many hours pass; of more than a 240th of the horizon at
//! once the server believes no more, as of any clock that jumps.

use std::io::{BufRead as _, Error, stdin};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser as _;
use crdt_server::clock::HandClock;
use crdt_server::config::Arguments;
use crdt_server::server::Server;
use crdt_server::{log, shutdown};

const HOUR_MS: u64 = 3_600_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    log::start(&arguments.log, arguments.log_format)?;
    let mut config = arguments.into_config()?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let hand = HandClock::new(u64::try_from(since.as_millis())?);
    config.clock = hand.clock();
    let server = Server::bind(config).await?;
    println!("listening on http://{}", server.address());
    // A thread of its own, which the end of the program does not wait for.
    thread::spawn(move || {
        for line in stdin().lock().lines() {
            match line?.trim().parse::<u64>() {
                Ok(hours) => hand.advance(hours.saturating_mul(HOUR_MS)),
                Err(_) => eprintln!("how many hours are to pass?"),
            }
        }
        Ok::<_, Error>(())
    });
    server.run(async { shutdown::requested().await.unwrap_or_default() }).await?;
    Ok(())
}
