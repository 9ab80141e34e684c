//! AWS: the only room that names an SDK type. Sessions and their clients, the guard in front of
//! every request, errors in the house's words, and the read and write halves.
//!
//! Nothing leaves the process but through [`guard`]: reads that [`operations`] lists, and writes
//! only in a session that was made with a [`write::WriteToken`].

pub mod call_stats;
mod certificates;
pub mod config;
mod credentials;
pub mod ec2;
pub mod error;
pub mod guard;
mod http;
pub mod operations;
pub mod pace;
mod proxies;
pub mod read;
pub mod session;
pub mod small;
#[cfg(test)]
mod testing;
pub mod write;

pub use config::Options;
pub use error::classify;
pub use session::Session;
pub use write::{WriteToken, Writer};
