use super::*;

fn sum_of(pool: &Pool, tasks: usize) -> usize {
    let sum = AtomicUsize::new(0);
    pool.run(tasks, &|index| {
        sum.fetch_add(index + 1, Ordering::Relaxed);
    });
    sum.into_inner()
}

#[test]
fn every_task_runs_once_for_any_number_of_threads() {
    for threads in [0, 1, 2, 4, 8] {
        let pool = Pool::new(threads);
        assert_eq!(pool.threads(), threads.max(1));
        for tasks in [0, 1, 2, 3, 7, 100] {
            assert_eq!(sum_of(&pool, tasks), tasks * (tasks + 1) / 2);
        }
    }
}

#[test]
fn ten_thousand_runs_hot_and_sleeping() {
    let pool = Pool::new(2);
    for round in 0..10_000 {
        assert_eq!(sum_of(&pool, 4), 10);
        if round % 500 == 0 {
            // Longer than a worker spins, so that it is asleep at the next run.
            thread::sleep(4 * SPIN);
        }
    }
}

#[test]
fn pools_start_and_stop() {
    for _ in 0..200 {
        let pool = Pool::new(3);
        assert_eq!(sum_of(&pool, 5), 15);
    }
}

#[test]
fn more_threads_than_cores_still_finish() {
    let pool = Pool::new(8);
    for _ in 0..2000 {
        assert_eq!(sum_of(&pool, 16), 136);
    }
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    for threads in [1, 2, 8] {
        let pool = Pool::new(threads);
        for bad in 0..6 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(6, &|index| assert!(index != bad, "task {index} fails"));
            }));
            assert!(outcome.is_err());
            assert_eq!(sum_of(&pool, 6), 21);
        }
    }
}

#[test]
fn a_run_inside_a_task_is_run_by_that_task() {
    let pool = Pool::new(4);
    let count = AtomicUsize::new(0);
    pool.run(4, &|_| {
        pool.run(5, &|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(count.into_inner(), 20);
}

#[test]
fn several_callers_share_a_pool() {
    let pool = Pool::new(2);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| assert_eq!(sum_of(&pool, 8), 36)));
        }
    });
}
