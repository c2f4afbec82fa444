//! gRPC, as far as a plugin needs it: one message comes, one goes back.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::sync::watch;

use crate::provider::Provider;

/// The largest message that is read: a configuration is some kilobytes.
const LARGEST: usize = 16 << 20;
/// Before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// Where Terraform says that it is enough.
const SHUTDOWN: &str = "/plugin.GRPCController/Shutdown";
/// Before the name of each call of the provider.
const PROVIDER: &str = "/tfplugin6.Provider/";

/// Why a call is not answered. What goes wrong with a resource is no such thing: that is told in the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    code: u8,
    message: String,
}

impl Status {
    /// The call is not one of this provider.
    pub(crate) fn unimplemented() -> Self {
        Self { code: 12, message: "this is not implemented".to_owned() }
    }

    /// The message is none.
    pub(crate) fn malformed(error: impl std::fmt::Display) -> Self {
        Self { code: 3, message: error.to_string() }
    }
}

/// Answers one call.
pub(crate) async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    provider: Arc<Provider>,
    enough: Arc<watch::Sender<bool>>,
) {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let answered = match message(body).await {
        Err(status) => Err(status),
        Ok(_) if path == SHUTDOWN => Ok(Vec::new()),
        Ok(message) => match path.strip_prefix(PROVIDER) {
            Some(call) => provider.answer(call, message).await,
            None => Err(Status::unimplemented()),
        },
    };
    // Terraform may be gone by now, which is no mistake.
    let _ = send(&mut respond, answered);
    if path == SHUTDOWN {
        enough.send_replace(true);
    }
}

/// The message of a call.
async fn message(mut body: RecvStream) -> Result<Bytes, Status> {
    let mut read = BytesMut::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(Status::malformed)?;
        let _ = body.flow_control().release_capacity(part.len());
        if read.len() + part.len() > LARGEST {
            return Err(Status::malformed("the message is too large"));
        }
        read.extend_from_slice(&part);
    }
    framed(read.freeze())
}

/// The one message in a body.
fn framed(mut body: Bytes) -> Result<Bytes, Status> {
    if body.len() < PREFIX {
        return Err(Status::malformed("there is no message"));
    }
    let (compressed, length) = (body.get_u8(), body.get_u32());
    if compressed != 0 {
        return Err(Status { message: "nothing here is compressed".to_owned(), ..Status::unimplemented() });
    }
    if usize::try_from(length) != Ok(body.len()) {
        return Err(Status::malformed("there is not exactly one message"));
    }
    Ok(body)
}

fn send(respond: &mut SendResponse<Bytes>, answered: Result<Vec<u8>, Status>) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    match answered {
        Ok(message) => {
            let mut stream = respond.send_response(response, false)?;
            stream.send_data(frame(&message), false)?;
            stream.send_trailers(HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]))
        }
        Err(status) => {
            let headers = response.headers_mut();
            headers.insert(STATUS, HeaderValue::from(u16::from(status.code)));
            // A header holds no control characters, and ours have no others than ASCII.
            if let Ok(message) = HeaderValue::try_from(status.message) {
                headers.insert(MESSAGE, message);
            }
            respond.send_response(response, true).map(drop)
        }
    }
}

const STATUS: http::HeaderName = http::HeaderName::from_static("grpc-status");
const MESSAGE: http::HeaderName = http::HeaderName::from_static("grpc-message");

fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("answers are small"));
    framed.put_slice(message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_message() {
        assert_eq!(framed(frame(b"abc")), Ok(Bytes::from_static(b"abc")));
        assert_eq!(framed(frame(b"")), Ok(Bytes::new()));
        for wrong in
            [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02a", b"\0\0\0\0\x01ab", b"\x01\0\0\0\x01a", b"\0\xff\xff\xff\xffa"]
        {
            assert!(framed(Bytes::from_static(wrong)).is_err(), "{wrong:?}");
        }
    }
}
