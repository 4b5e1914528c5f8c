//! The messages of a sync session and their bytes.
//!
//! One byte of kind, then the fields; a message ends where its bytes end. Only canonical
//! varints are accepted, nothing is reserved on the word of a declared count, and whatever is
//! left over at the end of a message is an error.
//!
//! | kind | message | fields |
//! |---|---|---|
//! | 0 | hello | protocol, genesis, nonce, echo, limits, what the sender holds, writers |
//! | 1 | changes, the last or only fragment of a body | number, bytes |
//! | 2 | changes, more fragments of the body follow | number, bytes |
//! | 3 | claim of a writer | number, replica id |
//! | 4 | acknowledgement | received, received − durable |
//! | 5 | acknowledgement after a gap: the next number is missing here | as 4 |
//! | 6 | request for an acknowledgement | |
//! | 7 | presence | bytes |
//! | 8 | refusal | code, argument |
//!
//! Kinds 1 to 3 are *numbered*: they are delivered once and in order, whatever the network does.

use alloc::vec::Vec;
use core::fmt;

use crdt_core::causality::{Frontier, VersionVector};
use crdt_core::codec::{DecodeError, Reader, Writer};
use crdt_core::id::ReplicaId;
