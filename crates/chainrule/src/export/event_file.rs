//! Event files of TensorBoard: the losses of a run as curves that it draws.
//!
//! A file is a row of records: length, masked checksum of the length, bytes, masked checksum of the bytes. The bytes are an
//! `Event` in the encoding of protocol buffers. Sources: `tensorflow/core/lib/io/record_writer.h`,
//! `tensorflow/core/util/event.proto`, `tensorflow/core/framework/summary.proto`. It is the one file of a run in which times
//! stand, as its format demands. What it holds stands in the metrics, too; so a failure to write it stops nothing.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crc::{CRC_32_ISCSI, Crc};

/// How the names of event files begin.
pub const PREFIX: &str = "events.out.tfevents.";
const VERSION: &[u8] = b"brain.Event:2";
/// Records are written when there are as many bytes of them, or when the last ones are as old.
const PENDING: usize = 1 << 16;
const OLDEST: Duration = Duration::from_secs(1);
/// The polynomial of Castagnoli.
static CHECKSUM: Crc<u32, crc::Table<16>> = Crc::<u32, crc::Table<16>>::new(&CRC_32_ISCSI);

/// An open event file.
#[derive(Debug)]
pub struct EventFile {
    /// None after a failure.
    file: Option<File>,
    pending: Vec<u8>,
    written: Instant,
}

impl EventFile {
    /// Begins a file in the folder; its name holds the time and the process. `from` is the step that a run goes on from:
    /// readers forget what earlier files say of later steps.
    #[must_use]
    pub fn begin(folder: &Path, from: Option<u64>) -> EventFile {
        let now = since_1970();
        let process = std::process::id();
        let open = |number: u32| {
            let name = format!("{PREFIX}{:010}.chainrule.{process}.{number}", now.as_secs());
            OpenOptions::new().write(true).create_new(true).open(folder.join(name)).ok()
        };
        // Several runs of one process in one second.
        let file = (0..100).find_map(open);
        let mut events = EventFile { file, pending: Vec::new(), written: Instant::now() };
        let mut version = Message::event(now, 0);
        version.bytes(3, VERSION);
        events.record(&version);
        if let Some(step) = from {
            let mut status = Message::default();
            status.number(1, 1);
            let mut start = Message::event(now, step);
            start.bytes(7, &status.0);
            events.record(&start);
        }
        events
    }

    /// Adds values by name after a step.
    pub fn scalars(&mut self, step: u64, values: &[(String, f64)]) {
        let mut summary = Message::default();
        for (tag, value) in values {
            let mut one = Message::default();
            one.bytes(1, tag.as_bytes());
            one.float(2, *value as f32);
            summary.bytes(1, &one.0);
        }
        let mut event = Message::event(since_1970(), step);
        event.bytes(5, &summary.0);
        self.record(&event);
        if self.pending.len() >= PENDING || self.written.elapsed() >= OLDEST {
            self.flush();
        }
    }

    /// Writes what is not written yet.
    pub fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && file.write_all(&self.pending).is_err()
        {
            self.file = None;
        }
        self.pending.clear();
        self.written = Instant::now();
    }

    fn record(&mut self, event: &Message) {
        if self.file.is_some() {
            self.pending.extend(framed(&event.0));
        }
    }
}

impl Drop for EventFile {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Removes the event files of an earlier run from its folder.
pub(super) fn remove(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // One that stays shows an old curve beside the new one.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut out = length.to_vec();
    out.extend(masked(&length).to_le_bytes());
    out.extend(bytes);
    out.extend(masked(bytes).to_le_bytes());
    out
}

/// A checksum that may stand beside checksums of itself.
fn masked(bytes: &[u8]) -> u32 {
    CHECKSUM.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Fields of a protocol buffer.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn event(time: Duration, step: u64) -> Message {
        let mut message = Message::default();
        message.key(1, 1);
        message.0.extend(time.as_secs_f64().to_le_bytes());
        message.number(2, step);
        message
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_format() {
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(CHECKSUM.checksum(&[0; 32]), 0x8a91_36aa);
        // The first record of every event file begins with its length and this checksum of it.
        assert_eq!(framed(&[0; 24])[8..12], [163, 127, 75, 34]);
    }

    #[test]
    fn messages_are_protocol_buffers() {
        let mut value = Message::default();
        value.bytes(1, b"loss/train");
        value.float(2, 0.5);
        assert_eq!(value.0, b"\x0a\x0aloss/train\x15\x00\x00\x00\x3f");
        let event = Message::event(Duration::from_secs(2), 300);
        assert_eq!(event.0, [9, 0, 0, 0, 0, 0, 0, 0, 64, 16, 172, 2]);
    }
}
