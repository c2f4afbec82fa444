//! Hashing passwords in a bounded pool: a flood of sign-ins waits here or is shed, and nobody else notices.
//!
//! argon2id with the parameters of the security facts, section 5 (OWASP's floor: 19 MiB, two passes), about 100 ms a hash. Hashes
//! in bcrypt's form are accepted, since other systems bring them, and replaced at the next sign-in.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::Ambient;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// The cost of a hash.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// 19,456 KiB and two passes.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// How many may wait for a place; more are shed at once.
const QUEUE: usize = 32;

/// The pool.
#[derive(Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    ambient: Ambient,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// A hash of nothing anybody knows: verified for unknown addresses, so that they take as long as known ones.
    dummy: String,
}

/// A place in the pool or its queue.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "dropping it frees the place")] OwnedSemaphorePermit);

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong.
    Wrong,
    /// It is right.
    Right,
    /// It is right, and the hash should be made anew with today's cost.
    Outdated,
}

impl Passwords {
    /// A pool with `slots` places, normally one per core.
    /// # Errors
    /// [`Error::Invalid`] when the cost is below what argon2 allows.
    pub fn new(cost: Cost, slots: usize, ambient: Ambient) -> Result<Self> {
        let invalid = |error: argon2::Error| Error::Invalid { field: "password cost", rule: error.to_string() };
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(invalid)?;
        let mut pool = Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            running: Arc::new(Semaphore::new(slots.max(1))),
            waiting: Arc::new(Semaphore::new(slots.max(1) + QUEUE)),
            dummy: String::new(),
            ambient,
        };
        let nobody: [u8; 32] = pool.ambient.bytes();
        pool.dummy = pool.hash_now(&nobody)?;
        Ok(pool)
    }

    /// Takes a place in the pool, so that who is shed is shed before anything is read or written for them.
    /// # Errors
    /// [`Error::Throttled`] when the pool and its queue are full.
    pub fn place(&self) -> Result<Place> {
        self.waiting.clone().try_acquire_owned().map(Place).map_err(|_| Error::Throttled { seconds: 2 })
    }

    /// Hashes a password.
    /// # Errors
    /// [`Error::Throttled`] when the pool and its queue are full.
    pub async fn hash(self: &Arc<Self>, password: &str) -> Result<String> {
        let password = password.as_bytes().to_vec();
        self.run(self.place()?, move |pool| pool.hash_now(&password)).await?
    }

    /// Verifies a password against a stored hash, or against a dummy when there is none, in the same time.
    /// # Errors
    /// [`Error::Throttled`] when the pool and its queue are full.
    pub async fn verify(self: &Arc<Self>, password: &str, hash: Option<String>) -> Result<Verdict> {
        self.verify_in(self.place()?, password, hash).await
    }

    /// As [`Passwords::verify`], in a place that was taken before.
    /// # Errors
    /// As the pool.
    pub async fn verify_in(self: &Arc<Self>, place: Place, password: &str, hash: Option<String>) -> Result<Verdict> {
        let password = password.as_bytes().to_vec();
        self.run(place, move |pool| {
            if let Some(hash) = hash {
                return pool.verify_now(&password, &hash);
            }
            pool.verify_now(&password, &pool.dummy);
            Verdict::Wrong
        })
        .await
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        place: Place,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T> {
        let slot = self.running.clone().acquire_owned().await;
        let slot = slot.map_err(|error| store::Error::Bug(error.to_string()))?;
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&pool);
            drop((place, slot));
            done
        });
        done.await.map_err(|error| store::Error::Bug(error.to_string()).into())
    }

    fn hash_now(&self, password: &[u8]) -> Result<String> {
        let salt: [u8; 16] = self.ambient.bytes();
        let hash = self.argon2.hash_password_with_salt(password, &salt);
        hash.map(|hash| hash.to_string()).map_err(|error| store::Error::Bug(error.to_string()).into())
    }

    fn verify_now(&self, password: &[u8], hash: &str) -> Verdict {
        if hash.starts_with("$2") {
            // bcrypt reads 72 bytes and no more; the new hash covers all of them.
            return if bcrypt::verify(password, hash).unwrap_or(false) { Verdict::Outdated } else { Verdict::Wrong };
        }
        let Ok(stored) = PasswordHash::new(hash) else { return Verdict::Wrong };
        if self.argon2.verify_password(password, &stored).is_err() {
            return Verdict::Wrong;
        }
        let params = Params::try_from(&stored).ok();
        let weaker = params
            .is_none_or(|p| p.m_cost() < self.argon2.params().m_cost() || p.t_cost() < self.argon2.params().t_cost());
        if weaker { Verdict::Outdated } else { Verdict::Right }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(memory_kib: u32) -> Arc<Passwords> {
        Arc::new(Passwords::new(Cost { memory_kib, passes: 1 }, 1, Ambient::system()).expect("a good cost"))
    }

    #[tokio::test]
    async fn hashes_verify_and_old_ones_are_outdated() {
        let pool_now = pool(128);
        let hash = pool_now.hash("correct horse").await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=128,t=1,p=1$"), "{hash}");
        assert_eq!(pool_now.verify("correct horse", Some(hash.clone())).await.expect("verified"), Verdict::Right);
        assert_eq!(pool_now.verify("wrong", Some(hash.clone())).await.expect("verified"), Verdict::Wrong);
        assert_eq!(pool_now.verify("wrong", None).await.expect("verified"), Verdict::Wrong);
        assert_eq!(pool(256).verify("correct horse", Some(hash)).await.expect("verified"), Verdict::Outdated);
        let old = bcrypt::hash("correct horse", 4).expect("hashed");
        assert_eq!(pool_now.verify("correct horse", Some(old.clone())).await.expect("verified"), Verdict::Outdated);
        assert_eq!(pool_now.verify("wrong", Some(old)).await.expect("verified"), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_full_pool_sheds_at_once() {
        let pool = pool(4096);
        let _busy = pool.running.clone().acquire_owned().await.expect("open");
        let waiting: Vec<_> = (0..=QUEUE).map(|_| pool.waiting.clone().try_acquire_owned().expect("a place")).collect();
        assert!(matches!(pool.hash("x").await, Err(Error::Throttled { .. })));
        drop(waiting);
    }
}
