//! Signals that nobody here can receive.

/// Was this process told to ignore the signal of this exit code (`nohup`, `&`)? Then so are those it starts.
pub(crate) fn is_ignored(code: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0) >> (code - 129) & 1 == 1;
    if ignored {
        eprintln!("SKIPPED: signal {} is ignored here", code - 128);
    }
    ignored
}
