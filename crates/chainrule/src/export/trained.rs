//! A trained model and its file: text, parameters, preprocessing and figures travel together.

use super::error::FileError;
use super::model_file::{ModelFile, Tensor, TensorData};
use crate::data::preprocess::Preprocessing;
use crate::lang::Id;
use crate::model::Program;
use crate::train::Dtype;
use crate::train::progress::Values;

/// A model that can predict.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The program.
    pub program: Program,
    /// Parameters and states of each network of the ensemble, at least one; a prediction is the mean of theirs.
    pub members: Vec<Values>,
    /// Number type of the training.
    pub dtype: Dtype,
    /// What was fitted to the table's columns, if a table it was.
    pub preprocessing: Option<Preprocessing>,
    /// Extents of open dimensions other than the number of examples.
    pub extents: Vec<(String, usize)>,
    /// Figures and facts of the run: JSON texts by name.
    pub facts: Vec<(String, String)>,
}

/// Keys of the metadata.
mod key {
    pub(super) const TEXT: &str = "chainrule.text";
    pub(super) const PREPROCESSING: &str = "chainrule.preprocessing";
    pub(super) const EXTENTS: &str = "chainrule.extents";
    pub(super) const DTYPE: &str = "chainrule.dtype";
    pub(super) const MEMBERS: &str = "chainrule.members";
    pub(super) const FACT: &str = "chainrule.fact.";
}

fn content(message: impl Into<String>) -> FileError {
    FileError::content(message)
}

/// How many networks the file has.
fn members(file: &ModelFile) -> Result<usize, FileError> {
    let Some(text) = file.metadata.get(key::MEMBERS) else { return Ok(1) };
    let count = text.parse::<usize>().ok().filter(|count| (2..=file.tensors.len().max(1)).contains(count));
    count.ok_or_else(|| content(format!("`{}` is {text}", key::MEMBERS)))
}

impl Trained {
    fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        let graph = &self.program.graph;
        let open = |dim: crate::lang::Dim| {
            let found = self.extents.iter().find(|(name, _)| graph.dims.find(name) == Some(dim));
            found.map(|(_, n)| *n as u64)
        };
        graph.shape(id).dims().iter().map(|&d| graph.dims.value_with(d, &open).map(|n| n as usize)).collect()
    }

    /// The name of a tensor in the file: that of the text; in an ensemble with the number of the network, from 1, before it.
    fn tensor_name(&self, id: Id, member: usize, members: usize) -> String {
        let name = self.program.name_of(id);
        if members == 1 { name.to_owned() } else { format!("{}.{name}", member + 1) }
    }

    fn tensors(&self, ids: impl Iterator<Item = Id>, member: usize, values: &[f64]) -> Result<Vec<Tensor>, FileError> {
        let mut start = 0;
        let mut tensors = Vec::new();
        for id in ids {
            let name = self.tensor_name(id, member, self.members.len());
            let shape = self.sizes(id).ok_or_else(|| content(format!("the size of `{name}` is not known")))?;
            let len: usize = shape.iter().product();
            let part = values.get(start..start + len).ok_or_else(|| content(format!("`{name}` has no values")))?;
            let data = match self.dtype {
                Dtype::F32 => TensorData::F32(part.iter().map(|&v| v as f32).collect()),
                Dtype::F64 => TensorData::F64(part.to_vec()),
            };
            tensors.push(Tensor { name, shape, data });
            start += len;
        }
        Ok(tensors)
    }

    /// The model as a file in memory; the same model gives the same bytes.
    ///
    /// # Errors
    /// A parameter is not finite.
    pub fn to_file(&self) -> Result<ModelFile, FileError> {
        let mut file = ModelFile::default();
        let dtype = match self.dtype {
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        };
        let extents = serde_json::to_string(&self.extents).map_err(|e| content(e.to_string()))?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        file.metadata.insert(super::model_file::RELEASE_KEY.to_owned(), version);
        file.metadata.insert(key::TEXT.to_owned(), self.program.source.clone());
        file.metadata.insert(key::DTYPE.to_owned(), dtype.to_owned());
        file.metadata.insert(key::EXTENTS.to_owned(), extents);
        if let Some(preprocessing) = &self.preprocessing {
            file.metadata.insert(key::PREPROCESSING.to_owned(), preprocessing.to_json());
        }
        for (name, value) in &self.facts {
            file.metadata.insert(format!("{}{name}", key::FACT), value.clone());
        }
        if self.members.len() != 1 {
            file.metadata.insert(key::MEMBERS.to_owned(), self.members.len().to_string());
        }
        for (member, values) in self.members.iter().enumerate() {
            let parameters = self.program.parameters.iter().map(|p| p.id);
            file.tensors.extend(self.tensors(parameters, member, &values.parameters)?);
            file.tensors.extend(self.tensors(self.program.states.iter().map(|s| s.id), member, &values.states)?);
        }
        Ok(file)
    }

    /// Reads a model back. The tensors must be exactly those that the text declares.
    ///
    /// # Errors
    /// Something is missing, left over or does not fit.
    pub fn from_file(file: &ModelFile) -> Result<Trained, FileError> {
        let text = |name: &str| file.metadata.get(name).ok_or_else(|| content(format!("`{name}` is missing")));
        let program =
            Program::parse(text(key::TEXT)?).map_err(|e| content(format!("the model text is wrong: {}", e.message)))?;
        let dtype = match text(key::DTYPE)?.as_str() {
            "f32" => Dtype::F32,
            "f64" => Dtype::F64,
            other => return Err(content(format!("unknown number type `{other}`"))),
        };
        let extents = serde_json::from_str(text(key::EXTENTS)?).map_err(|e| content(e.to_string()))?;
        let preprocessing = file.metadata.get(key::PREPROCESSING).map(|json| Preprocessing::from_json(json));
        let preprocessing = preprocessing.transpose().map_err(|e| content(e.to_string()))?;
        let facts =
            file.metadata.iter().filter_map(|(k, v)| k.strip_prefix(key::FACT).map(|k| (k.to_owned(), v.clone())));
        let mut trained =
            Trained { program, members: Vec::new(), dtype, preprocessing, extents, facts: facts.collect() };
        let members = members(file)?;
        let program = &trained.program;
        let wanted = (program.parameters.len() + program.states.len()) * members;
        if file.tensors.len() != wanted {
            return Err(content(format!("{} tensors, the model text declares {wanted}", file.tensors.len())));
        }
        for member in 0..members {
            let name = |id| trained.tensor_name(id, member, members);
            let parameters = trained.values(file, program.parameters.iter().map(|p| (p.id, name(p.id))))?;
            let states = trained.values(file, program.states.iter().map(|s| (s.id, name(s.id))))?;
            trained.members.push(Values { parameters, states });
        }
        Ok(trained)
    }

    /// Number of weights of all networks together.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.members.iter().map(|member| member.parameters.len()).sum()
    }

    /// The model with one of its networks only.
    #[must_use]
    pub fn alone(&self, member: Values) -> Trained {
        Trained { members: vec![member], ..self.clone() }
    }

    fn values(&self, file: &ModelFile, ids: impl Iterator<Item = (Id, String)>) -> Result<Vec<f64>, FileError> {
        let mut values = Vec::new();
        for (id, name) in ids {
            let tensor = file.tensor(&name).ok_or_else(|| content(format!("the tensor `{name}` is missing")))?;
            if self.sizes(id).as_ref() != Some(&tensor.shape) {
                return Err(content(format!(
                    "the tensor `{name}` has the shape {:?}, not that of the model text",
                    tensor.shape
                )));
            }
            match &tensor.data {
                TensorData::F32(data) => values.extend(data.iter().map(|&v| f64::from(v))),
                TensorData::F64(data) => values.extend(data),
            }
        }
        Ok(values)
    }
}
