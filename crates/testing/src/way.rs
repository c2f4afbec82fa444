//! A way to a server on which is heard what is sent there, and which may keep it back.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What becomes of a piece that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// It goes on.
    Passes,
    /// It is swallowed, and the connection stays.
    Vanishes,
    /// The connection breaks off before it.
    Breaks,
    /// It arrives, and the connection breaks off before the answer.
    Last,
}

/// A way to a server. It stays open until the test's process ends.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Where it begins.
    pub address: SocketAddr,
}

impl Way {
    /// A way to a server; of each piece that is sent there `hear` says what becomes of it. Answers come back as they are.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn to(server: &str, hear: impl Fn(&[u8]) -> Piece + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (server, hear) = (server.to_owned(), Arc::new(hear));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(&server).expect("the server listens");
                let (from, to) = (near.try_clone().expect("a copy"), far.try_clone().expect("a copy"));
                let hear = hear.clone();
                std::thread::spawn(move || send(from, to, &*hear));
                std::thread::spawn(move || {
                    let (mut far, mut near) = (far, near);
                    let _ = std::io::copy(&mut far, &mut near);
                    let _ = near.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address }
    }
}

fn send(mut from: TcpStream, mut to: TcpStream, hear: &dyn Fn(&[u8]) -> Piece) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(size @ 1..) = from.read(&mut bytes) {
        let goes_on = match hear(&bytes[..size]) {
            Piece::Passes => to.write_all(&bytes[..size]).is_ok(),
            Piece::Vanishes => true,
            Piece::Breaks => false,
            Piece::Last => {
                let _ = from.shutdown(Shutdown::Both);
                let arrived = to.write_all(&bytes[..size]);
                // The server reads it before it sees that nobody is there.
                let _ = arrived.and_then(|()| to.shutdown(Shutdown::Write)).map(|()| to.read(&mut [0; 64]));
                false
            }
        };
        if !goes_on {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
