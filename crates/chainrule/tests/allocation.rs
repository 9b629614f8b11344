//! After the first epoch a run allocates nothing: forward, backward and update work in memory planned before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use chainrule::train::session::Session;
use chainrule::train::{Event, Flow};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations from the end of the first epoch to the end of the last.
fn allocations(text: &str, epochs: u32, threads: usize) -> usize {
    let change = |options: &mut chainrule::train::Options| {
        options.epochs = epochs;
        options.threads = threads;
    };
    let mut session = Session::of_program(text, std::path::Path::new("."), &change).expect("the model is right");
    // Nor does the end of an epoch: the loss and the figure of validation.
    session.validation = Some(session.data.clone());
    let (mut first, mut last) = (0, 0);
    let mut listen = |event: &Event| {
        if let Event::Epoch { epoch, .. } = event {
            last = COUNT.load(Ordering::Relaxed);
            if *epoch == 1 {
                first = last;
            }
        }
        Flow::Continue
    };
    session.run(&mut listen).expect("the run is stable");
    last - first
}

// One test, so that no other test allocates at the same time.
#[test]
fn steps_after_the_first_epoch_allocate_nothing() {
    let wide = "data X, Y = blobs(points = 100, classes = 3, noise = 1, seed = 1)\ninput X : [N, 2]\ntarget Y : [N, 3]\n\
        H1 = relu(dense(X, 256))\nH2 = tanh(dense(H1, 256))\nS = dense(H2, 3)\npredict softmax(S)\nloss cross_entropy(S, Y)\n\
        train adam(rate = cosine(0.001)), batch = 64, dtype = f32\n";
    let random = "data X, Y = blobs(points = 96, classes = 3, noise = 1, seed = 1)\ninput X : [N, 2]\ntarget Y : [N, 3]\n\
        H = dropout(relu(batch_norm(dense(noise(X), 32))), 0.3)\nS = dense(H, 3)\npredict softmax(S)\n\
        loss focal(S, Y) + 1e-4*l2(all_weights)\ngroup b = sgd(rate = 0.1)\n\
        train adamw(rate = plateau(0.01)), batch = 16, clip_norm = 1, accumulate = 2, average = 0.99, max_norm = 3\n";
    for threads in [1, 2] {
        for (name, text, epochs) in [
            ("spiral", include_str!("../../../models/spiral.cr"), 50),
            ("higham", include_str!("../../../models/higham.cr"), 200),
            ("single hidden", include_str!("../../../models/single_hidden.cr"), 20),
            ("deep", include_str!("../../../models/deep.cr"), 20),
            ("two layers", include_str!("../../../models/two_layer.cr"), 60),
            ("wide", wide, 40),
            ("random", random, 40),
        ] {
            // A worker gets its own scratch memory when it first takes a task of a kind, which may be after the first
            // epoch; that is once for each kind of product, not once for each step.
            let (found, scratch) = (allocations(text, epochs, threads), 32 * (threads - 1));
            assert!(found <= scratch, "{name}, {threads} threads: {found} allocations");
        }
    }
}
