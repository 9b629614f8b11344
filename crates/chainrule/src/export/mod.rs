//! Floor 6: model files.
