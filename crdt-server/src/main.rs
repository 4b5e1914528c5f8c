//! The server's command line.

use std::process::ExitCode;

use clap::Parser;
use crdt_server::config::{Arguments, ConfigError};
use crdt_server::log::{self, FilterError};
use crdt_server::server::{Server, ServerError};
use crdt_server::shutdown;

/// The server could not start: a mistake in the arguments, or an address or file in use.
const CANNOT_START: u8 = 2;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Start(reason)) => {
            eprintln!("crdt-server: {reason}");
            ExitCode::from(CANNOT_START)
        }
        Err(Failure::Running(reason)) => {
            eprintln!("crdt-server: {reason}");
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Start(Box<dyn core::error::Error>),
    Running(ServerError),
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    log::start(&arguments.log, arguments.log_format)?;
    let config = arguments.into_config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Start(error.into()))?;
    runtime.block_on(async {
        let server = Server::bind(config).await.map_err(|error| Failure::Start(error.into()))?;
        println!("listening on http://{}", server.address());
        let shutdown = async {
            if let Err(error) = shutdown::requested().await {
                // Without signals the server can still be killed, and loses nothing by it.
                tracing::warn!(%error, "cannot listen for signals");
                std::future::pending::<()>().await;
            }
        };
        server.run(shutdown).await.map_err(Failure::Running)
    })
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Start(error.into())
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::Start(error.into())
    }
}
