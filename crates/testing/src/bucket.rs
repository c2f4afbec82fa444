//! A bucket of a test's own, at the server that all tests share, looked into from outside.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use domain::Ambient;
use store::blobs::BucketSettings;

/// The server takes any signature for a good one, and nobody without one for somebody.
const KNOWN: &str = "authorization: AWS4-HMAC-SHA256 Credential=access/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n";

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// What a house needs to know to keep its originals there.
    pub settings: BucketSettings,
    /// Where the server is: a host and a port.
    pub address: String,
}

impl Bucket {
    /// A new one. None where there is no server; on CI there must be one.
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn fresh() -> Option<Self> {
        let Ok(endpoint) = std::env::var("ROWHOUSE_TEST_S3_URL") else {
            assert!(std::env::var_os("CI").is_none(), "run scripts/services start, and read its env");
            eprintln!("skipped: there is no server that speaks S3");
            return None;
        };
        let random: [u8; 8] = Ambient::system().bytes();
        let settings = BucketSettings {
            name: format!("test-{:016x}", u64::from_le_bytes(random)),
            folder: "of/rowhouse".into(),
            endpoint: endpoint.clone(),
            region: "us-east-1".into(),
            access_key: "access".into(),
            secret_key: "secret-of-the-bucket".to_owned().into(),
            path_style: true,
        };
        let address = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let bucket = Self { settings, address };
        assert_eq!(bucket.send("PUT", "", b"").0, 200);
        Some(bucket)
    }

    /// The same bucket, spoken to over another address.
    #[must_use]
    pub fn over(&self, address: &str) -> BucketSettings {
        BucketSettings { endpoint: format!("http://{address}"), ..self.settings.clone() }
    }

    /// The names of all that lies in it.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        between(&self.text("?list-type=2"), "<Key>")
    }

    /// The names of what is going up.
    #[must_use]
    pub fn uploads(&self) -> Vec<String> {
        between(&self.text("?uploads"), "<Key>")
    }

    /// What lies under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Vec<u8> {
        self.send("GET", &format!("/{name}"), b"").1
    }

    /// Lays something there.
    /// # Panics
    /// When it is refused.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        assert_eq!(self.send("PUT", &format!("/{name}"), bytes).0, 200);
    }

    /// Takes something away.
    /// # Panics
    /// When it is refused.
    pub fn delete(&self, name: &str) {
        assert_eq!(self.send("DELETE", &format!("/{name}"), b"").0, 204);
    }

    /// Begins an upload that nobody ends; gives its id.
    #[must_use]
    pub fn begin_upload(&self, name: &str) -> String {
        let (_, answer) = self.send("POST", &format!("/{name}?uploads"), b"");
        between(&String::from_utf8_lossy(&answer), "<UploadId>").remove(0)
    }

    fn text(&self, query: &str) -> String {
        let (status, answer) = self.send("GET", query, b"");
        assert_eq!(status, 200);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let head = format!(
            "{method} /{}{path} HTTP/1.1\r\nhost: {}\r\n{KNOWN}connection: close\r\ncontent-length: {}\r\n\r\n",
            self.settings.name,
            self.address,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let status = String::from_utf8_lossy(&answer[..end]);
        let status = status.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, answer[end + 4..].to_vec())
    }
}

/// What stands in each element of a name, which `tag` opens.
fn between(text: &str, tag: &str) -> Vec<String> {
    text.split(tag).skip(1).filter_map(|rest| Some(rest.split_once('<')?.0.to_owned())).collect()
}
