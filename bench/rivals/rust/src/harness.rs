//! Thread-CPU nanoseconds per operation, on threads that are pinned to different cores and meet at a barrier before each block.
//! A block is smaller than every queue; after it, outside the measured time, `settle` lets the rival's background thread finish, so
//! that no operation is measured while its record is thrown away.
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};

pub struct Plan {
    pub min_seconds: f64,
    pub block: u64,
}

fn thread_cpu_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn pin(core: usize) {
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, std::mem::size_of::<libc::cpu_set_t>(), &set);
    }
}

/// `make` builds one thread's operation with its own state. Prints one JSON line for one thread and one for two.
pub fn run<M, F>(name: &str, plan: &Plan, make: M, settle: impl Fn() + Sync)
where
    M: Fn() -> F + Sync,
    F: FnMut(),
{
    for threads in [1usize, 2] {
        let barrier = Barrier::new(threads);
        let stop = AtomicBool::new(false);
        let sum = Mutex::new((0u64, 0u64));
        std::thread::scope(|scope| {
            for index in 0..threads {
                let (barrier, stop, sum, make, settle) = (&barrier, &stop, &sum, &make, &settle);
                scope.spawn(move || {
                    pin(index);
                    let mut operation = make();
                    let (mut spent, mut operations) = (0u64, 0u64);
                    for round in 0.. {
                        barrier.wait();
                        let before = thread_cpu_ns();
                        for _ in 0..plan.block {
                            black_box(operation());
                        }
                        let block = thread_cpu_ns() - before;
                        barrier.wait();
                        // The first tenth of a million operations warm up: pages, caches, the histogram's scale.
                        if round * plan.block >= 100_000 {
                            spent += block;
                            operations += plan.block;
                        }
                        if index == 0 {
                            settle();
                            stop.store(spent as f64 >= plan.min_seconds * 1e9, Ordering::SeqCst);
                        }
                        barrier.wait();
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                    }
                    let mut sum = sum.lock().unwrap();
                    sum.0 += spent;
                    sum.1 += operations;
                });
            }
        });
        let (spent, operations) = *sum.lock().unwrap();
        println!("{{\"name\":\"{name}\",\"threads\":{threads},\"ns\":{:.3}}}", spent as f64 / operations as f64);
    }
}
