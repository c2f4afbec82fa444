//! Room for large bodies. Requests for models may carry pictures, and are read before a limit can count their tokens; so what lies
//! here of each organisation, and of all, is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Bytes, HttpBody as _};
use axum::extract::Request;
use domain::OrgId;
use http_body_util::BodyExt;

use super::error::{Problem, Result};

/// Bytes of a body that need no room: as much as any other route reads.
const SMALL: usize = 1 << 20;
/// Bytes that bodies of one organisation may take together: four of the largest.
const OF_ONE: usize = 128 << 20;
/// Bytes that all bodies may take together.
const OF_ALL: usize = 1 << 30;

/// How much lies where. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_org: HashMap<OrgId, usize>,
}

/// The room that one body takes, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Rooms,
    org: OrgId,
    bytes: usize,
}

impl Rooms {
    /// Room for a body of an organisation; none is taken yet.
    pub(crate) fn of(&self, org: OrgId) -> Room {
        Room { rooms: self.clone(), org, bytes: 0 }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Taken) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Room {
    /// Takes more room; false when there is none.
    fn take(&mut self, bytes: usize) -> bool {
        let org = self.org;
        let taken = self.rooms.change(|taken| {
            let of_org = taken.by_org.entry(org).or_default();
            let fits = *of_org + bytes <= OF_ONE && taken.in_all + bytes <= OF_ALL;
            if fits {
                *of_org += bytes;
                taken.in_all += bytes;
            } else if *of_org == 0 {
                taken.by_org.remove(&org);
            }
            fits
        });
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    /// Reads a body up to a size into this room.
    /// # Errors
    /// 413 when it is larger, 503 when there is no room, 408 when it does not come, 400 when it breaks off.
    pub(crate) async fn read(&mut self, request: Request, most: usize) -> Result<Bytes> {
        let length = request.body().size_hint().exact().and_then(|exact| usize::try_from(exact).ok());
        if length.is_some_and(|length| length <= SMALL) {
            return super::body::read(request, most).await;
        }
        let mut body = http_body_util::Limited::new(request.into_body(), most);
        let mut read = Vec::with_capacity(length.map_or(0, |length| length.min(most)));
        // A vector that must grow has up to twice its length.
        let apart = if length.is_some() { 1 } else { 2 };
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| super::body::unread(&*error, most))?.into_data() else { continue };
            while apart * (read.len() + data.len()) > SMALL + self.bytes {
                if !self.take(SMALL) {
                    let text = "Too many large requests are being read; send this one again shortly.";
                    return Err(Problem::new("busy", text).retry_after(1));
                }
            }
            read.extend_from_slice(&data);
        }
        Ok(read.into())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let (org, bytes) = (self.org, self.bytes);
        if bytes == 0 {
            return;
        }
        self.rooms.change(|taken| {
            taken.in_all -= bytes;
            if let Some(of_org) = taken.by_org.get_mut(&org) {
                *of_org -= bytes;
                if *of_org == 0 {
                    taken.by_org.remove(&org);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use domain::Ambient;

    use super::*;

    #[test]
    fn one_organisation_takes_its_part_and_no_more_and_all_of_it_comes_back() {
        let (rooms, ambient) = (Rooms::default(), Ambient::system());
        let orgs: Vec<OrgId> = (0..9).map(|_| ambient.id()).collect();
        let mut first = rooms.of(orgs[0]);
        assert!(first.take(OF_ONE) && !first.take(1), "all of its part");
        let mut others: Vec<Room> = orgs[1..8].iter().map(|org| rooms.of(*org)).collect();
        assert!(others.iter_mut().all(|room| room.take(OF_ONE)), "others have their own");
        let mut last = rooms.of(orgs[8]);
        assert!(!last.take(1), "all rooms are taken");
        drop(first);
        assert!(last.take(OF_ONE));
        drop((others, last));
        let taken = rooms.0.lock().expect("nobody panics with it");
        assert_eq!((taken.in_all, taken.by_org.len()), (0, 0));
    }
}
