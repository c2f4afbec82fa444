//! Hashing passwords in a bounded pool: a flood of sign-ins waits here or is shed, and nobody else notices.
//!
//! argon2id with the parameters of the security facts, section 5 (OWASP's floor: 19 MiB, two passes), about 100 ms a hash. Hashes
//! in bcrypt's form are accepted, since other systems bring them, and replaced at the next sign-in.
//!
//! Each place is a thread of its own that gives way to all others: one on tokio's blocking pool would compete with commits, and
//! could not be given its old priority back. It keeps its memory from hash to hash. Taking 19 MiB from the system and giving them back
//! holds a lock of the whole process, and a thread that gives way while it holds one keeps all others waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::Ambient;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

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

/// How far a hashing thread steps back behind the others of the process, on Linux's scale, which ends at 19. Ten steps leave it about
/// a tenth of what another thread gets: under full load signing in gets slow and does not stop.
const NICENESS: i32 = 10;

/// The pool. Its threads end with it.
#[derive(Debug)]
pub struct Passwords {
    hasher: Arc<Hasher>,
    ambient: Ambient,
    work: mpsc::Sender<Work>,
    waiting: Arc<Semaphore>,
    /// A hash of nothing anybody knows: verified for unknown addresses, so that they take as long as known ones.
    dummy: Arc<str>,
}

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

#[derive(Debug)]
struct Hasher {
    argon2: Argon2<'static>,
}

/// What a thread hashes in.
type Memory = Vec<Block>;

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
    /// A pool with `slots` places, normally one fewer than there are cores.
    /// # Errors
    /// [`Error::Invalid`] when the cost is below what argon2 allows.
    pub fn new(cost: Cost, slots: usize, ambient: Ambient) -> Result<Self> {
        let invalid = |error: argon2::Error| Error::Invalid { field: "password cost", rule: error.to_string() };
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(invalid)?;
        let hasher = Hasher { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params) };
        let slots = slots.max(1);
        let dummy = hasher.hash(&mut Memory::new(), &ambient.bytes::<32>(), &ambient.bytes())?.into();
        let (work, queue) = mpsc::channel();
        start(slots, queue)?;
        let waiting = Arc::new(Semaphore::new(slots + QUEUE));
        Ok(Self { hasher: Arc::new(hasher), ambient, work, waiting, dummy })
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
    pub async fn hash(&self, password: &str) -> Result<String> {
        let (password, salt) = (password.as_bytes().to_vec(), self.ambient.bytes());
        self.run(self.place()?, move |hasher, memory| hasher.hash(memory, &password, &salt)).await?
    }

    /// Verifies a password against a stored hash, or against a dummy when there is none, in the same time.
    /// # Errors
    /// [`Error::Throttled`] when the pool and its queue are full.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<Verdict> {
        self.verify_in(self.place()?, password, hash).await
    }

    /// As [`Passwords::verify`], in a place that was taken before.
    /// # Errors
    /// As the pool.
    pub async fn verify_in(&self, place: Place, password: &str, hash: Option<String>) -> Result<Verdict> {
        let (password, dummy) = (password.as_bytes().to_vec(), self.dummy.clone());
        self.run(place, move |hasher, memory| {
            if let Some(hash) = hash {
                return hasher.verify(memory, &password, &hash);
            }
            hasher.verify(memory, &password, &dummy);
            Verdict::Wrong
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Hasher, &mut Memory) -> T + Send + 'static,
    ) -> Result<T> {
        tracing::trace!("hashing");
        let (tell, told) = oneshot::channel();
        let hasher = self.hasher.clone();
        let work = move |memory: &mut Memory| {
            let done = work(&hasher, memory);
            drop(place);
            let _ = tell.send(done);
        };
        self.work.send(Box::new(work)).map_err(|error| store::Error::Bug(error.to_string()))?;
        Ok(told.await.map_err(|error| store::Error::Bug(error.to_string()))?)
    }
}

/// Starts the threads; they end when nobody can send them work any more.
fn start(slots: usize, queue: mpsc::Receiver<Work>) -> Result<()> {
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..slots {
        let queue = queue.clone();
        let thread = std::thread::Builder::new().name("passwords".into());
        let started = thread.spawn(move || {
            step_back();
            let mut memory = Memory::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(work) = next else { return };
                // Whoever waits for the outcome of work that panicked is told so, and the place stays.
                let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
            }
        });
        started.map_err(|error| store::Error::Bug(format!("a hashing thread could not be started: {error}")))?;
    }
    Ok(())
}

/// Lets all other threads go first. On Linux a priority belongs to the thread that sets it; elsewhere it would be the whole
/// process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let stepped = getpriority_process(None).and_then(|usual| setpriority_process(None, (usual + NICENESS).min(19)));
        if let Err(error) = stepped {
            tracing::warn!(%error, "hashing threads keep the usual priority");
        }
    }
}

impl Hasher {
    fn hash(&self, memory: &mut Memory, password: &[u8], salt: &[u8; 16]) -> Result<String> {
        let made = (|| {
            let salt = Salt::new(salt)?;
            let output = output(&self.argon2, memory, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
            let params = ParamsString::try_from(self.argon2.params())?;
            let (algorithm, version) = (Algorithm::Argon2id.ident(), Some(Version::V0x13.into()));
            Ok::<_, argon2::password_hash::Error>(PasswordHash {
                algorithm,
                version,
                params,
                salt: Some(salt),
                hash: Some(output),
            })
        })();
        made.map(|hash| hash.to_string()).map_err(|error| store::Error::Bug(error.to_string()).into())
    }

    fn verify(&self, memory: &mut Memory, password: &[u8], hash: &str) -> Verdict {
        if hash.starts_with("$2") {
            // bcrypt reads 72 bytes and no more; the new hash covers all of them.
            return if bcrypt::verify(password, hash).unwrap_or(false) { Verdict::Outdated } else { Verdict::Wrong };
        }
        let Ok(stored) = PasswordHash::new(hash) else { return Verdict::Wrong };
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Verdict::Wrong };
        let (Ok(algorithm), Ok(version), Ok(params)) = (
            Algorithm::try_from(stored.algorithm.as_str()),
            stored.version.map_or(Ok(Version::default()), Version::try_from),
            Params::try_from(&stored),
        ) else {
            return Verdict::Wrong;
        };
        let today = self.argon2.params();
        let weaker = params.m_cost() < today.m_cost() || params.t_cost() < today.t_cost();
        let argon2 = Argon2::new(algorithm, version, params);
        // The comparison of outputs takes the same time wherever they differ.
        match output(&argon2, memory, password, salt, expected.len()) {
            Ok(found) if found == *expected => {
                if weaker {
                    Verdict::Outdated
                } else {
                    Verdict::Right
                }
            }
            _ => Verdict::Wrong,
        }
    }
}

/// The hash itself, made in the thread's memory, which grows to what it is asked for.
fn output(
    argon2: &Argon2<'_>,
    memory: &mut Memory,
    password: &[u8],
    salt: &Salt,
    length: usize,
) -> argon2::password_hash::Result<Output> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or(argon2::password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, salt, bytes, &mut memory[..blocks])?;
    Output::new(bytes).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher as _, PasswordVerifier as _};

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
        // By the library's own way: hashes of other programs have this form, with costs of their own.
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, Params::new(64, 3, 2, Some(24)).expect("a cost"));
        let other = other.hash_password_with_salt(b"correct horse", b"some other salt").expect("hashed").to_string();
        assert_eq!(pool_now.verify("correct horse", Some(other.clone())).await.expect("verified"), Verdict::Outdated);
        assert_eq!(pool_now.verify("wrong", Some(other)).await.expect("verified"), Verdict::Wrong);
        let library =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(128, 1, 1, Some(32)).expect("a cost"));
        let ours = pool_now.hash("correct horse").await.expect("hashed");
        library.verify_password(b"correct horse", ours.as_str()).expect("the library verifies what we made");
        let old = bcrypt::hash("correct horse", 4).expect("hashed");
        assert_eq!(pool_now.verify("correct horse", Some(old.clone())).await.expect("verified"), Verdict::Outdated);
        assert_eq!(pool_now.verify("wrong", Some(old)).await.expect("verified"), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_full_pool_sheds_at_once() {
        let pool = pool(128);
        let waiting: Vec<_> = (0..=QUEUE).map(|_| pool.place().expect("a place")).collect();
        assert!(matches!(pool.hash("x").await, Err(Error::Throttled { .. })));
        drop(waiting);
        pool.hash("x").await.expect("there is room again");
    }

    #[tokio::test]
    async fn work_that_panics_costs_no_place() {
        let pool = pool(128);
        for _ in 0..=QUEUE + 1 {
            let place = pool.place().expect("a place");
            let outcome: Result<()> = pool.run(place, |_, _| panic!("on purpose")).await;
            assert!(outcome.is_err());
        }
        pool.hash("x").await.expect("its thread goes on");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_gives_way_to_all_else() {
        let pool = pool(128);
        let priority = || rustix::process::getpriority_process(None).expect("told");
        let usual = priority();
        let hashing = pool.run(pool.place().expect("a place"), move |_, _| priority()).await.expect("done");
        assert_eq!(hashing, (usual + NICENESS).min(19));
        assert_eq!(priority(), usual, "the thread that asked keeps its own");
    }
}
