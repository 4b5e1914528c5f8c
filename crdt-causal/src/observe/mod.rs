//! Watching a running system: which guarantees were broken, and which objectives are missed.
//!
//! A [`Monitor`] is told what clients asked and were shown, what each server lags behind, and who reaches whom; it
//! answers with [`Alert`]s. It does not take part: whoever answers a client goes by [`crate::level::decide`], and the monitor
//! knows nothing of that. So it notices where a server, a proxy or a client has gone wrong, as
//! it happens; afterwards, and without trusting the cuts that servers tell, histories can be judged as a whole.
//!
//! * **Sessions and causality**, by [`SessionMonitor`]: each answer against what its session has written and seen, and
//!   against what the writes that it shows depend on.
//! * **Objectives**, by [`Objectives`]: a lag that is too long, a share of writes that are refused, a server that is cut off
//!   for long, and any violation at all. Each is raised once when it begins, and again only after it was over.
//!
//! ```
//! use crdt_causal::cut::{Admission, Cut, Slot};
//! use crdt_causal::observe::{Alert, Monitor, MonitorConfig};
//! use crdt_causal::session::Guarantees;
//!
//! let (near, far, client) = (Slot(0), Slot(1), 7);
//! let mut monitor = Monitor::new(MonitorConfig::default());
//! monitor.wrote(client, Admission::new(near, 1), 1_000);
//! // The other server answers from before that.
//! monitor.answered(client, far, &Cut::new(), 2_000);
//! let Some(Alert::Violation(violation)) = monitor.poll_alert() else { panic!("it is one") };
//! assert_eq!(violation.broken, Guarantees::READ_YOUR_WRITES);
//! assert_eq!(monitor.poll_alert(), None);
//! ```

mod monitor;
mod objectives;
mod recent;
mod sessions;

pub use monitor::{Alert, Monitor, MonitorConfig};
pub use objectives::{Missed, Objective, Objectives, Thresholds};
pub use sessions::{SessionMonitor, Violation};
