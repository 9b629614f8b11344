//! Checkpoint files: what is written is read back, and every other file is refused.

use std::path::Path;

use chainrule::export::checkpoint_file::{SavedRun, to_file};
use chainrule::export::error::FileError;
use chainrule::export::model_file::{ModelFile, Tensor, TensorData};
use chainrule::train::session::Session;
use chainrule::train::{Checkpoint, Event, Flow};

const MODEL: &str = "data X, Y = blobs(points = 9, classes = 2, noise = 1, seed = 1)\ninput X : [N, 2]\ntarget Y : [N, 2]\n\
    S = dense(batch_norm(dense(X, 3)), 2)\npredict softmax(S)\nloss cross_entropy(S, Y)\n\
    train adam(rate = 0.01), batch = 4, epochs = 3, seed = 5, patience = 2, dtype = ";

fn session(dtype: &str) -> Session {
    let mut session = Session::of_program(&format!("{MODEL}{dtype}\n"), Path::new("."), &|_| {}).expect("it is right");
    // Something to find the best epoch with.
    session.validation = Some(session.data.clone());
    session
}

fn checkpoints(session: &Session) -> Vec<Checkpoint> {
    let mut list = Vec::new();
    let mut listen = |event: &Event| {
        if let Event::Checkpoint(checkpoint) = event {
            list.push((**checkpoint).clone());
        }
        Flow::Save
    };
    session.run(&mut listen).expect("the run is stable");
    list
}

fn saved(session: &Session, checkpoint: &Checkpoint) -> ModelFile {
    to_file(session, &session.fingerprint(), 77, checkpoint).expect("they fit")
}

#[test]
fn a_checkpoint_is_read_back_to_the_bit() {
    for dtype in ["f32", "f64"] {
        let session = session(dtype);
        for checkpoint in checkpoints(&session) {
            let bytes = saved(&session, &checkpoint).to_bytes().expect("it is finite");
            let read = SavedRun::from_file(ModelFile::from_bytes(&bytes).expect("it is whole")).expect("it is one");
            assert_eq!(read.checkpoint, checkpoint);
            assert_eq!((read.metrics, &read.data), (77, &session.fingerprint()));
            assert_eq!(read.options, session.options.threads_of(&read));
            assert_eq!(saved(&session, &read.checkpoint).to_bytes().expect("as before"), bytes);
        }
    }
}

/// The number of threads is not part of a checkpoint.
trait Threads {
    fn threads_of(&self, read: &SavedRun) -> Self;
}

impl Threads for chainrule::train::Options {
    fn threads_of(&self, read: &SavedRun) -> Self {
        chainrule::train::Options { threads: read.options.threads, ..*self }
    }
}

#[test]
fn every_changed_bit_and_every_beginning_is_refused() {
    let session = session("f32");
    let kept = checkpoints(&session);
    let bytes = saved(&session, &kept[3]).to_bytes().expect("it is finite");
    let read = |bytes: &[u8]| ModelFile::from_bytes(bytes).and_then(SavedRun::from_file);
    assert!(read(&bytes).is_ok());
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            changed[at] ^= 1 << bit;
            assert!(read(&changed).is_err(), "bit {bit} of byte {at}");
            changed[at] ^= 1 << bit;
        }
        assert!(read(&bytes[..at]).is_err(), "the first {at} bytes");
    }
}

#[test]
fn files_that_are_whole_but_wrong_are_refused() {
    let session = session("f64");
    let kept = checkpoints(&session);
    let file = saved(&session, kept.last().expect("there are checkpoints"));
    let reason = |file: ModelFile| match SavedRun::from_file(file) {
        Err(error) => (error.exit_code(), error.to_string()),
        Ok(_) => panic!("it is accepted"),
    };
    for key in file.metadata.keys().filter(|key| key.starts_with("chainrule.checkpoint")) {
        let mut missing = file.clone();
        missing.metadata.remove(key);
        assert_eq!(reason(missing).0, 5, "{key}");
        for text in ["", "null", "{", "{\"step\":-1}", "[1e400]"] {
            let mut wrong = file.clone();
            wrong.metadata.insert(key.clone(), text.to_owned());
            // The identity of the data is any text.
            if !key.ends_with(".data") {
                assert_eq!(reason(wrong).0, 5, "{key} = {text}");
            }
        }
    }
    let mut more = file.clone();
    let data = TensorData::F64(vec![1.0]);
    more.tensors.push(Tensor { name: "checkpoint/more".to_owned(), shape: vec![1], data });
    assert!(reason(more).1.contains("nothing needs"));
    let model = session.trained(vec![kept[0].now.clone()]).expect("they fit");
    let model = model.to_file().expect("a model");
    assert!(matches!(SavedRun::from_file(model), Err(FileError::NotAModel { .. })));
    // What the file cannot know is found by the trainer.
    for name in ["checkpoint/good.parameters", "checkpoint/best.states", "checkpoint/memory.1.S"] {
        let mut short = file.clone();
        let at = short.tensors.iter().position(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no {name}"));
        short.tensors.remove(at);
        let run = SavedRun::from_file(short).expect("the file is in order");
        let answer = session.run_from(Some(&run.checkpoint), &mut |_| Flow::Continue);
        assert!(answer.is_err_and(|error| error.to_string().contains("checkpoint")), "{name}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_never_saved() {
    let session = session("f64");
    let mut checkpoint = checkpoints(&session).remove(2);
    checkpoint.memories[0].1[0] = f64::INFINITY;
    assert!(!checkpoint.is_finite());
    let file = saved(&session, &checkpoint);
    assert!(matches!(file.to_bytes(), Err(FileError::NonFinite { .. })));
}
