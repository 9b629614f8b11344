//! Ctrl-C, SIGTERM and SIGHUP: the first asks the running command to stop, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What signals have asked for so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Registers the handlers. A signal that the parent has set to be ignored (`nohup`, `&`) stays ignored.
    pub(crate) fn install() -> Interrupt {
        let interrupt = Interrupt::default();
        let again = Arc::new(AtomicBool::new(false));
        let ignored = ignored_signals();
        for signal in stopping_signals().into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
            // In this order: the first signal finds the flag unset.
            let registered = flag::register_conditional_shutdown(signal, exit_code(signal).into(), Arc::clone(&again))
                .and_then(|_| flag::register(signal, Arc::clone(&again)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&interrupt.signal), signal as usize));
            // Without a handler the signal ends the program as by default, which damages no file either.
            drop(registered);
        }
        survive_file_size_limit();
        interrupt
    }

    /// The signal that asked to stop, if one did.
    pub(crate) fn requested(&self) -> Option<i32> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal as i32),
        }
    }
}

/// The exit code after a signal, as shells have it: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
pub(crate) fn exit_code(signal: i32) -> u8 {
    128 + (signal & 0x7f) as u8
}

/// What a person calls a signal.
pub(crate) fn name(signal: i32) -> &'static str {
    match signal {
        SIGINT => "Ctrl-C",
        SIGTERM => "SIGTERM",
        _ => "SIGHUP",
    }
}

#[cfg(unix)]
fn stopping_signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM, signal_hook::consts::SIGHUP]
}

#[cfg(not(unix))]
fn stopping_signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// The mask of ignored signals, bit 0 for signal 1; none where the system does not say.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// With a handler a write beyond the limit is an error that can be reported, not the end of the program.
fn survive_file_size_limit() {
    #[cfg(unix)]
    drop(flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))));
}
