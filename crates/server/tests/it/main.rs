//! The API through HTTP, on both engines. One binary, so that it links once.

mod access;
mod accounts;
mod api_keys;
mod audit;
mod factors;
mod gateway;
mod invitations;
mod lifetimes;
mod logins;
mod mail_addresses;
mod mail_domains;
mod members;
mod operator;
mod orgs;
mod passwords;
mod profiles;
mod projects;
mod roles;
mod sessions;
mod table;
mod teams;
mod tokens;
mod user_config;
mod walls_between;
mod walls_damage;
mod walls_disk;
