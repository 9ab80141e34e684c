//! Network: where jobs run, what they can reach from there, and who reaches their data and models.

mod bucket_walls;
mod dns;
mod endpoint_policy;
mod endpoints;
mod flow_logs;
mod groups;
#[cfg(test)]
pub(super) mod interface_tests;
mod interfaces;
mod jobs;
mod private_link;
mod reach;
mod routes;
#[cfg(test)]
pub(super) mod tests;

pub(super) use bucket_walls::NET_05;
pub(super) use dns::NET_07;
pub(super) use endpoint_policy::NET_04;
pub(super) use endpoints::{NET_03, NoWay, way_to_s3};
pub(super) use flow_logs::NET_08;
pub(super) use groups::NET_06;
pub(super) use interfaces::{DESCRIBE, NET_10};
pub(super) use jobs::NET_01;
pub(super) use private_link::NET_09;
pub(super) use reach::{Network, networks};
pub(super) use routes::{NET_02, Unseen, openings};
