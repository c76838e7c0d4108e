//! Work that reads a whole journal: few pieces at one time, on threads that may wait.
//!
//! # Invariants
//! - A piece holds its turn to its end, also where nobody waits for it any more: clients that go away do not make more of it.
//! - Who finds no turn is told to come again; nobody queues.

use crate::problem::{Problem, ProblemCode};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Pieces at one time: each may hold tables as large as the engine's.
const JOBS_MAX: usize = 2;

/// The turns.
pub(crate) struct Jobs {
    turns: Arc<Semaphore>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(JOBS_MAX)),
        }
    }
}

impl Jobs {
    /// Does a piece of work, or says that others are at it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| {
            let detail = format!("{JOBS_MAX} requests are reading the journal already");
            Problem::new(ProblemCode::Busy, detail)
        })?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| {
            Problem::new(ProblemCode::Internal, "the request was given up").caused_by(&error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_turn_is_held_to_the_end_of_the_work_also_where_its_client_has_gone() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let jobs = Arc::new(Jobs::default());
        let mut ends = Vec::new();
        for _ in 0..JOBS_MAX {
            let (end, is_over) = mpsc::channel::<()>();
            let (tell, begun) = mpsc::channel();
            let jobs = Arc::clone(&jobs);
            let client = runtime.spawn(async move {
                let work = move || {
                    let _ = tell.send(());
                    let _ = is_over.recv();
                };
                jobs.run(work).await
            });
            begun.recv().unwrap();
            client.abort();
            ends.push(end);
        }
        let full = runtime.block_on(jobs.run(|| ()));
        assert_eq!(full.unwrap_err().code(), ProblemCode::Busy);
        drop(ends);
        while runtime.block_on(jobs.run(|| ())).is_err() {
            std::thread::yield_now();
        }
    }
}
