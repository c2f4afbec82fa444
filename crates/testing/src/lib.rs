//! A whole Rowhouse in a test: real storage on either engine, a clock that the test moves, requests without a network.
//!
//! ```ignore
//! testing::both_stores! {
//!     async fn nobody_is_nobody(house) {
//!         assert_eq!(house.visitor().get("/api/v1/auth/me").await.status, 401);
//!     }
//! }
//! ```

mod alarms;
mod bucket;
mod chance;
mod client;
mod company;
mod furnish;
mod house;
mod knowing;
pub mod log;
pub mod packages;
mod post;
mod postgres;
pub mod process;
pub mod receiver;
mod redis;
pub mod shelf;
mod smtp;
mod spending;
pub mod upstream;
mod way;

pub use alarms::{alarms, metric};
pub use bucket::Bucket;
pub use chance::Chance;
pub use client::{Answer, Client, Download, Listening};
pub use house::{PASSWORD, TestHouse, Wish};
pub use post::{code, seed};
pub use postgres::Database;
pub use process::Server;
pub use receiver::Receiver;
pub use redis::Redis;
pub use shelf::Shelf;
pub use smtp::SmtpSink;
pub use spending::Spending;
pub use upstream::ScriptedUpstream;
pub use way::{Piece, Way};

/// Runs each test on both engines: `name::sqlite` and `name::postgres`. `in some_wish;` before the tests tells how the house is to be.
#[macro_export]
macro_rules! both_stores {
    ($($(#[$attribute:meta])* async fn $name:ident($house:ident) $body:block)+) => {
        $crate::both_stores! { in $crate::Wish::default(); $($(#[$attribute])* async fn $name($house) $body)+ }
    };
    (in $wish:expr; $($(#[$attribute:meta])* async fn $name:ident($house:ident) $body:block)+) => {
        $($(#[$attribute])* mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($house: $crate::TestHouse) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::TestHouse::sqlite_with($wish).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::TestHouse::postgres_with($wish).await).await;
            }
        })+
    };
}
