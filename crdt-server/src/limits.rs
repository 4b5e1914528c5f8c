//! The bounds on what clients may take up.

use std::time::Duration;

/// What one client, one address and all of them together may take up.
///
/// Every limit bounds memory or time that a stranger could otherwise choose. None of them
/// decides whether a change is valid: a change that is delayed or whose connection is closed
/// can be sent again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message of a sync session, in bytes. What is longer comes in fragments.
    pub message_bytes_max: usize,
    /// The longest transaction, in bytes: fragments are put together up to this length.
    pub transaction_bytes_max: usize,
    /// How many bytes of changes may be on their way to a client, per document.
    pub in_flight_bytes_max: usize,
    /// How many connections there may be.
    pub connections_max: usize,
    /// How many of them may come from one address. Loopback addresses are exempt: behind a
    /// proxy on the same machine they stand for everyone.
    pub connections_per_address_max: usize,
    /// How many WebSocket handshakes an address may make per second, after a burst of ten
    /// times that many. Loopback addresses are exempt unless `limit_loopback` is set.
    pub handshakes_per_second: u32,
    /// Applies the limits per address to loopback addresses too.
    pub limit_loopback: bool,
    /// How many channels a connection may have open.
    pub channels_max: usize,
    /// How many documents may be open.
    pub rooms_max: usize,
    /// How many bytes may wait to be written to a connection. Rooms stop producing for a
    /// connection whose queue is full, and go on when it has room.
    pub outbound_bytes_max: usize,
    /// How many bytes may have been read from a connection and wait for their rooms; a
    /// connection that is ahead by more is not read from.
    pub inbound_bytes_max: usize,
    /// How many clients' presence a document keeps.
    pub presence_clients_max: usize,
    /// How many presence messages per second a channel may send, after a burst of four times
    /// as many. What is beyond is dropped.
    pub presence_per_second: u32,
    /// The longest body of an HTTP request, in bytes.
    pub http_body_bytes_max: usize,
    /// How long an HTTP request may wait for the consistency that it asks for.
    pub http_wait_max: Duration,
    /// How long a strong operation may take at another server, or at an engine, beside what its request
    /// wants to wait.
    pub strong_timeout: Duration,
    /// How many documents a server opens at a time with each other server.
    pub peer_channels_max: usize,
    /// How long a document stays open with another server while nothing happens in it.
    pub peer_linger: Duration,
    /// How many positions the admission log keeps for servers that have not acknowledged them. One that is
    /// further behind finds out what it lacks by comparing collections.
    pub positions_kept_max: u64,
    /// How long a client may take for its HTTP request, and then until it has opened a
    /// document that it may have.
    pub handshake_timeout: Duration,
    /// How often a silent connection is pinged.
    pub ping_interval: Duration,
    /// After how long without a sign of life a connection is closed.
    pub idle_timeout: Duration,
    /// How long one write to a connection may take; a reader that stalls for longer is
    /// disconnected and catches up when it comes back.
    pub write_timeout: Duration,
    /// How long a document without clients stays in memory.
    pub room_idle_timeout: Duration,
    /// How long an orderly shutdown may take.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 256 << 10,
            transaction_bytes_max: 16 << 20,
            in_flight_bytes_max: 256 << 10,
            connections_max: 4096,
            connections_per_address_max: 256,
            handshakes_per_second: 20,
            limit_loopback: false,
            channels_max: 1024,
            rooms_max: 4096,
            outbound_bytes_max: 256 << 10,
            inbound_bytes_max: 1 << 20,
            presence_clients_max: 256,
            presence_per_second: 50,
            http_body_bytes_max: 1 << 20,
            http_wait_max: Duration::from_secs(30),
            strong_timeout: Duration::from_secs(5),
            peer_channels_max: 128,
            peer_linger: Duration::from_secs(30),
            positions_kept_max: 1 << 20,
            handshake_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(20),
            room_idle_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}
