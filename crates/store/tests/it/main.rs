//! The walls of the store, tested: statements, schemas, row security, cancelled requests, poolers. One binary, so that it links
//! once. What an organisation sees of a damaged file or a full disk stands with the server's tests.

mod cancellation;
mod catalogue;
mod changes;
mod collections;
mod conversations;
mod documents;
mod grants;
mod jobs;
mod knowledge;
mod lean;
mod nodes;
mod orphans;
mod passages;
mod plans;
mod pooler;
mod raw;
mod schemas;
mod sealed;
mod sources;
mod statements;
mod storage;
mod strangers;
mod turns;
mod upgrades;
