//! The API through HTTP, on both engines. One binary, so that it links once.

mod access;
mod accounts;
mod invitations;
mod members;
mod operator;
mod orgs;
mod roles;
mod teams;
mod walls_between;
mod walls_damage;
mod walls_disk;
