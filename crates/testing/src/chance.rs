//! Randomness that a test can foresee.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::Ambient;
use domain::ambient::Random;

/// The system's randomness, but for the draws that a test has foreseen.
pub struct Chance {
    system: Ambient,
    foreseen: Mutex<VecDeque<Vec<u8>>>,
}

impl Default for Chance {
    fn default() -> Self {
        Self { system: Ambient::system(), foreseen: Mutex::default() }
    }
}

impl Chance {
    /// The next draw of so many bytes will be these.
    pub fn foresee(&self, bytes: Vec<u8>) {
        self.foreseen.lock().unwrap_or_else(PoisonError::into_inner).push_back(bytes);
    }
}

impl Random for Chance {
    fn fill(&self, buffer: &mut [u8]) {
        let mut foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        if foreseen.front().is_some_and(|bytes| bytes.len() == buffer.len()) {
            buffer.copy_from_slice(&foreseen.pop_front().unwrap_or_default());
            return;
        }
        drop(foreseen);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.system.bytes::<8>()[..chunk.len()]);
        }
    }
}
