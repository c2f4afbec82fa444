//! Pages of the web: fetched one by one as anybody would, through the one way out (`egress`), which calls nothing behind this server.
//! Each redirect is checked as the address was. Nothing of whoever asked goes along.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use egress::{Egress, Endpoint, Limits, Request};
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::source::{Answer, Error, Fetched, Item, Listing, PAGE, Readers, Source};

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How large a page may be, and how long each answer may take.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(15),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(30),
    size: 32 << 20,
};
/// How long a page may take, with all the redirects on the way to it.
const PATIENCE: Duration = Duration::from_secs(35);
/// The longest that a server may ask to be left alone, and how long it is when it does not say.
const LONGEST: Duration = Duration::from_hours(1);
const USUAL: Duration = Duration::from_mins(1);
/// The pages that a sitemap may name, and how many of the addresses in it are looked at.
pub const MOST: usize = 1000;
const LOCATIONS: usize = 50_000;
/// Pages of a listing: few, since each may take its time, and between two listings others have their turn.
const AT_ONCE: usize = 2;
const _: () = assert!(AT_ONCE <= PAGE);
/// The longest address, in bytes.
const ADDRESS: usize = 300;

/// A page, or why there is none.
#[derive(Debug)]
pub enum Page {
    /// Its bytes, and the mark by which its server knows it.
    Content(Bytes, Option<String>),
    /// It is as it was when it had the mark that was given.
    Unchanged,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// The server answered with another status.
    #[error("The page was not given: its server answered with the status {}.", .0.as_u16())]
    Status(StatusCode),
    /// The server asks to come later.
    #[error("The page was not given: its server asks to come later.")]
    Later(Duration),
    /// Each address leads to another one.
    #[error("The page leads from one address to the next without an end.")]
    Endless,
    /// No answer, or too large a one. Of the network behind this server nothing is said.
    #[error("The page cannot be reached, or its server did not answer.")]
    Unreachable(#[source] egress::Error),
}

/// An address as it is kept, and as it is called; what follows `#` is left out. None for what is no address of a page.
#[must_use]
pub fn address(url: &str) -> Option<(String, Endpoint)> {
    let url = url.trim().split('#').next().unwrap_or("");
    let plain = url.len() <= ADDRESS && url.chars().all(|c| c.is_ascii_graphic());
    Some((url.to_owned(), Endpoint::with_query(url).ok().filter(|_| plain)?))
}

/// Fetches a page, unless it is as it was when it had a mark.
/// # Errors
/// [`NoPage`].
pub async fn fetch(egress: &Egress, endpoint: Endpoint, mark: Option<&str>) -> Result<Page, NoPage> {
    fetch_within(PATIENCE, egress, endpoint, mark).await
}

async fn fetch_within(time: Duration, egress: &Egress, endpoint: Endpoint, mark: Option<&str>) -> Result<Page, NoPage> {
    let late = || NoPage::Unreachable(egress::Error::Timeout("a page and what leads to it"));
    tokio::time::timeout(time, fetch_in_the_end(egress, endpoint, mark)).await.unwrap_or_else(|_| Err(late()))
}

/// Fetches a page, wherever its address leads.
async fn fetch_in_the_end(egress: &Egress, mut endpoint: Endpoint, mark: Option<&str>) -> Result<Page, NoPage> {
    for _ in 0..=REDIRECTS {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("rowhouse"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html, */*;q=0.5"));
        if let Some(mark) = mark.and_then(|mark| HeaderValue::from_str(mark).ok()) {
            headers.insert(IF_NONE_MATCH, mark);
        }
        let request =
            Request { method: Method::GET, endpoint: endpoint.clone(), headers, body: Bytes::new(), limits: LIMITS };
        let response = egress.send(request).await.map_err(NoPage::Unreachable)?;
        let status = response.status;
        let text = |name| response.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if status == StatusCode::NOT_MODIFIED && mark.is_some() {
            return Ok(Page::Unchanged);
        }
        if status.is_success() {
            let mark = text(ETAG).filter(|mark| mark.len() <= 200).map(str::to_owned);
            return Ok(Page::Content(response.body.whole().await.map_err(NoPage::Unreachable)?, mark));
        }
        if [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status) {
            let seconds = text(RETRY_AFTER).and_then(|text| text.trim().parse().ok());
            return Err(NoPage::Later(
                seconds.map_or(USUAL, Duration::from_secs).clamp(Duration::from_secs(1), LONGEST),
            ));
        }
        let next = text(LOCATION).filter(|_| status.is_redirection()).and_then(|to| follow(&endpoint, to));
        endpoint = next.ok_or(NoPage::Status(status))?;
    }
    Err(NoPage::Endless)
}

/// Where a redirect leads: to a whole address, or another path of the same server. From `https` nothing leads to less.
fn follow(from: &Endpoint, to: &str) -> Option<Endpoint> {
    let to = to.split('#').next().unwrap_or("");
    let next = if to.starts_with('/') && !to.starts_with("//") {
        let scheme = if from.tls() { "https" } else { "http" };
        let host = if from.host().contains(':') { format!("[{}]", from.host()) } else { from.host().to_owned() };
        Endpoint::with_query(&format!("{scheme}://{host}:{}{to}", from.port())).ok()?
    } else {
        Endpoint::with_query(to).ok()?
    };
    (next.tls() || !from.tls()).then_some(next)
}

/// Which pages a source has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// These.
    Listed(Vec<String>),
    /// Those that a sitemap names, on the same host as itself.
    Sitemap(String),
}

/// A source: pages that are listed, or that a sitemap names.
#[derive(Debug)]
pub struct Pages {
    egress: Egress,
    which: Which,
    /// The addresses in their order, once they are known: the same for as long as a round goes on without a pause.
    known: tokio::sync::OnceCell<Vec<String>>,
}

impl Pages {
    /// Pages that are called by this way out.
    #[must_use]
    pub fn new(egress: Egress, which: Which) -> Self {
        Self { egress, which, known: tokio::sync::OnceCell::new() }
    }

    async fn addresses(&self) -> Result<&[String], Error> {
        let all = self.known.get_or_try_init(async || match &self.which {
            Which::Listed(all) => Ok(all.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()),
            Which::Sitemap(url) => self.sitemap(url).await,
        });
        all.await.map(Vec::as_slice)
    }

    async fn sitemap(&self, url: &str) -> Result<Vec<String>, Error> {
        let (_, endpoint) = address(url).ok_or_else(|| Error::Failed("The sitemap has no address.".into()))?;
        let host = endpoint.host().to_owned();
        let body = match fetch(&self.egress, endpoint, None).await.map_err(failed)? {
            Page::Content(body, _) => body,
            Page::Unchanged => Bytes::new(),
        };
        // It may be as large as a page, and made to take long.
        let named = tokio::task::spawn_blocking(move || named(&body, &host)).await;
        let all = named.map_err(|_| Error::Failed("The sitemap cannot be read.".into()))?;
        // Else a server that answers with something else for once would take all documents away.
        if all.is_empty() {
            return Err(Error::Failed("The sitemap names no pages of its host.".into()));
        }
        Ok(all)
    }
}

/// The pages of a host that a sitemap names, each once, in the order of their addresses.
fn named(sitemap: &[u8], host: &str) -> Vec<String> {
    let mut all = BTreeSet::new();
    for url in locations(&String::from_utf8_lossy(sitemap)).take(LOCATIONS) {
        if all.len() >= MOST {
            break;
        }
        if let Some((url, endpoint)) = address(&url)
            && endpoint.host() == host
        {
            all.insert(url);
        }
    }
    all.into_iter().collect()
}

/// The addresses that a sitemap names.
fn locations(text: &str) -> impl Iterator<Item = String> {
    text.split("<loc>").skip(1).filter_map(|rest| rest.split_once("</loc>")).map(|(url, _)| {
        let url = url.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
        url.replace("&amp;", "&")
    })
}

fn failed(no_page: NoPage) -> Error {
    match no_page {
        NoPage::Later(pause) => Error::Later(pause),
        other => Error::Failed(other.to_string()),
    }
}

impl Source for Pages {
    /// All pages in each round: the web does not tell which changed. The cursor is the last address that was listed, so that a round which
    /// goes on with another sitemap than it began with leaves out none that both name.
    fn changed<'a>(&'a self, since: Option<&'a str>) -> Answer<'a, Listing> {
        Box::pin(async move {
            let all = self.addresses().await?;
            let first = since.map_or(0, |last| all.partition_point(|url| url.as_str() <= last));
            let last = (first + AT_ONCE).min(all.len());
            let items = all[first..last].iter().map(|url| Item { key: url.clone(), readers: Readers::Collection });
            let more = last < all.len();
            let cursor = all[first..last].last().filter(|_| more).cloned();
            Ok(Listing { items: items.collect(), gone: Vec::new(), cursor, more, whole: true })
        })
    }

    fn remembers(&self) -> bool {
        false
    }

    fn fetch<'a>(&'a self, key: &'a str, mark: Option<&'a str>) -> Answer<'a, Fetched> {
        Box::pin(async move {
            let wrong = || Error::Failed("It is no address of a page on the internet.".into());
            let (_, endpoint) = address(key).ok_or_else(wrong)?;
            match fetch(&self.egress, endpoint, mark).await {
                Ok(Page::Content(bytes, mark)) => Ok(Fetched::Content { bytes, mark }),
                Ok(Page::Unchanged) => Ok(Fetched::Unchanged),
                Err(NoPage::Status(StatusCode::NOT_FOUND | StatusCode::GONE)) => Ok(Fetched::Gone),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn a_sitemap_names_pages() {
        let text = "<urlset><url><loc> https://a.example/x?a=1&amp;b=2 </loc></url><url><loc>https://a.example/y</loc></url><loc>";
        assert_eq!(locations(text).collect::<Vec<_>>(), ["https://a.example/x?a=1&b=2", "https://a.example/y"]);
    }

    #[test]
    fn addresses_are_plain() {
        assert_eq!(address(" https://a.example/x#top ").expect("good").0, "https://a.example/x");
        let long = format!("https://a.example/{}", "x".repeat(400));
        for wrong in ["", "https://", "//a.example", "https://a.example/\u{202e}", "https://a.example/ x", &long] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_redirect_stays_where_it_may() {
        let from = Endpoint::with_query("https://a.example/x").expect("an address");
        assert!(follow(&from, "http://a.example/y").is_none());
        assert_eq!(follow(&from, "/y#z").expect("good").path(), "/y");
    }

    #[tokio::test]
    async fn a_listing_comes_in_pages() {
        let urls: Vec<String> = (10..55).map(|n| format!("https://a.example/{n}")).collect();
        let pages = Pages::new(Egress::new(egress::Policy::default()), Which::Listed(urls.clone()));
        let (mut cursor, mut keys, mut asked) = (None, Vec::new(), 0);
        loop {
            let listing = pages.changed(cursor.as_deref()).await.expect("listed");
            assert!(listing.items.len() <= AT_ONCE && listing.whole);
            keys.extend(listing.items.into_iter().map(|item| item.key));
            asked += 1;
            if !listing.more {
                break;
            }
            cursor = listing.cursor;
        }
        assert_eq!((keys, asked), (urls, 23));
    }

    #[tokio::test]
    async fn a_listing_goes_on_where_it_was_in_another_sitemap() {
        let listed = async |numbers: &[u32], since: &str| {
            let urls = numbers.iter().map(|n| format!("https://a.example/{n}")).collect();
            let pages = Pages::new(Egress::new(egress::Policy::default()), Which::Listed(urls));
            let listing = pages.changed(Some(&format!("https://a.example/{since}"))).await.expect("listed");
            (listing.items.into_iter().map(|item| item.key).collect::<Vec<_>>(), listing.more)
        };
        let next = vec!["https://a.example/3".to_owned(), "https://a.example/4".to_owned()];
        assert_eq!(listed(&[1, 2, 3, 4, 5], "2").await, (next.clone(), true));
        assert_eq!(listed(&[5, 4, 3], "2").await, (next.clone(), true), "those before are gone meanwhile");
        assert_eq!(listed(&[0, 1, 3, 4], "2").await, (next, false));
        assert_eq!(listed(&[1, 2], "2").await, (Vec::new(), false));
    }

    #[test]
    fn a_sitemap_of_many_addresses_is_read_as_far_as_it_matters() {
        let map = |host: &str, count: usize| {
            let urls = (0..count).map(|n| format!("<url><loc>https://{host}/{n}</loc></url>"));
            urls.collect::<String>().into_bytes()
        };
        let started = std::time::Instant::now();
        assert_eq!(named(&map("a.example", 400_000), "a.example").len(), MOST);
        assert_eq!(named(&map("a.example", MOST - 1).repeat(400), "a.example").len(), MOST - 1);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        // Of another host none is looked at for long.
        let after = [map("b.example", LOCATIONS), map("a.example", 1)].concat();
        assert!(named(&after, "a.example").is_empty());
    }

    #[tokio::test]
    async fn redirects_share_the_time_of_their_page() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
                tokio::time::sleep(Duration::from_millis(100)).await;
                let answer = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let allow = vec!["127.0.0.1".parse().expect("an entry")];
        let egress = Egress::new(egress::Policy { allow, own: Vec::new() });
        let endpoint = || Endpoint::with_query(&url).expect("an address");
        let found = fetch_within(Duration::from_millis(250), &egress, endpoint(), None).await;
        assert!(matches!(found, Err(NoPage::Unreachable(egress::Error::Timeout(_)))), "{found:?}");
        let found = fetch_within(Duration::from_secs(20), &egress, endpoint(), None).await;
        assert!(matches!(found, Err(NoPage::Endless)), "{found:?}");
    }
}
