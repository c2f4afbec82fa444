//! The API through HTTP, on both engines. One binary, so that it links once.

mod accounts;
mod teams;
mod walls_between;
mod walls_damage;
mod walls_disk;
