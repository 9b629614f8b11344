//! Resident worker threads that share the tasks of one kernel call.
//!
//! A job is published in one word, `(epoch, tasks left)`; every thread, the caller included, claims a task by lowering
//! it with compare-and-swap. A worker that claims nothing is never waited for, so foreign load costs little.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long an idle worker spins before it sleeps; waking a sleeper costs 4 to 13 microseconds.
const SPIN: Duration = Duration::from_micros(50);
/// Spins between two looks at the clock.
const SPINS_PER_LOOK: u32 = 64;
/// Spins of a waiting caller before it offers its core to others.
const SPINS_BEFORE_YIELD: u32 = 2000;

/// A fixed set of threads; one belongs to the caller, the others are resident workers.
pub struct Pool {
    shared: Arc<State>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool of `threads` threads including the caller's (0 counts as 1). If the system refuses a thread, the pool
    /// goes on with fewer: results do not depend on their number.
    #[must_use]
    pub fn new(threads: usize) -> Pool {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // With more threads than cores a spinning worker only takes time from one that works.
        let spin = if threads <= cores { SPIN } else { Duration::ZERO };
        let sleepers = (1..threads).map(|_| AtomicBool::new(false)).collect();
        let shared = Arc::new(State {
            claim: AtomicU64::new(0),
            job: UnsafeCell::new(Job { task: None, tasks: 0 }),
            done: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            panic: Mutex::new(None),
            sleepers,
        });
        let spawn = |index: usize| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("kernel-{index}"));
            builder.spawn(move || work(&shared, index, spin)).ok()
        };
        let workers = (0..threads.saturating_sub(1)).map_while(spawn).collect();
        Pool { shared, workers }
    }

    /// Number of threads, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task(0)` to `task(tasks - 1)`, each once, on any threads, and returns when all have ended.
    ///
    /// A call from inside a task, or while another thread uses the pool, runs its tasks itself.
    ///
    /// # Panics
    ///
    /// Re-raises the first panic of a task, after all tasks have ended.
    pub fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        if tasks <= 1
            || self.workers.is_empty()
            || tasks > u32::MAX as usize
            || self.shared.busy.swap(true, Ordering::Acquire)
        {
            (0..tasks).for_each(task);
            return;
        }
        self.shared.publish(tasks, task);
        self.wake(tasks - 1);
        while self.shared.claim_and_run() {}
        self.shared.wait(tasks);
        let panic = self.shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.busy.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    fn wake(&self, wanted: usize) {
        for (worker, sleeps) in self.workers.iter().zip(&self.shared.sleepers).take(wanted) {
            if sleeps.load(Ordering::SeqCst) && sleeps.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.workers.iter().map(JoinHandle::thread).for_each(Thread::unpark);
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks; it has nothing to report.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pool").field("threads", &self.threads()).finish()
    }
}

/// What caller and workers share; the hot words lie on cache lines of their own.
struct State {
    claim: AtomicU64,
    job: UnsafeCell<Job>,
    done: AtomicUsize,
    busy: AtomicBool,
    stop: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether worker `i` is about to sleep or sleeps.
    sleepers: Box<[AtomicBool]>,
}

#[derive(Clone, Copy)]
struct Job {
    task: Option<&'static (dyn Fn(usize) + Sync)>,
    tasks: usize,
}

// SAFETY: `job` is written only while no task is left and no task runs (`publish`), and read only after a claim.
unsafe impl Sync for State {}
// SAFETY: the reference in `job` points to a `Sync` closure.
unsafe impl Send for State {}

impl State {
    fn publish(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime changes; `run` returns after the last call of the task has ended.
        let task = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
        // SAFETY: `busy` is ours and the last job has no task left, so nobody claims and nobody reads.
        unsafe { *self.job.get() = Job { task: Some(task), tasks } };
        self.done.store(0, Ordering::Relaxed);
        let epoch = (self.claim.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.claim.store((epoch << 32) | tasks as u64, Ordering::SeqCst);
    }

    /// Claims one task and runs it; false if none is left.
    fn claim_and_run(&self) -> bool {
        let mut word = self.claim.load(Ordering::Acquire);
        loop {
            if word as u32 == 0 {
                return false;
            }
            match self.claim.compare_exchange_weak(word, word - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        // SAFETY: the claimed task has not ended, so the caller has not returned and writes no new job.
        let job = unsafe { *self.job.get() };
        if let Some(task) = job.task {
            let index = job.tasks - word as u32 as usize;
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| task(index))) {
                self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
            }
        }
        self.done.fetch_add(1, Ordering::Release);
        true
    }

    fn wait(&self, tasks: usize) {
        let mut spins = 0;
        while self.done.load(Ordering::Acquire) != tasks {
            spins += 1;
            if spins < SPINS_BEFORE_YIELD {
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }

    fn has_task(&self) -> bool {
        self.claim.load(Ordering::SeqCst) as u32 != 0
    }
}

fn work(state: &State, index: usize, spin: Duration) {
    while !state.stop.load(Ordering::Acquire) {
        while state.claim_and_run() {}
        if spin_for_task(state, spin) {
            continue;
        }
        // The flag is raised before the last look for a task and read after a task is published (both sequentially
        // consistent): either the caller sees the flag or this worker sees the task.
        state.sleepers[index].store(true, Ordering::SeqCst);
        if state.has_task() || state.stop.load(Ordering::SeqCst) {
            state.sleepers[index].store(false, Ordering::SeqCst);
        } else {
            thread::park();
        }
    }
}

fn spin_for_task(state: &State, spin: Duration) -> bool {
    if spin.is_zero() {
        return state.has_task();
    }
    let start = Instant::now();
    loop {
        for _ in 0..SPINS_PER_LOOK {
            if state.claim.load(Ordering::Relaxed) as u32 != 0 {
                return true;
            }
            spin_loop();
        }
        if start.elapsed() > spin || state.stop.load(Ordering::Relaxed) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests;
