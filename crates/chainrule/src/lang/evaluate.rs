//! The reference interpreter: every node by its own obvious definition, in `f64`. Slow on purpose; checks, constant
//! folding and the tests of the machine rely on it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{Graph, Id};
use super::op::Op;
use super::shape::Shape;
use super::tensor::Tensor;

/// Values of variables and numbers of dimensions.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// Value of each variable node.
    pub values: FxHashMap<Id, Tensor>,
    /// Extents of named dimensions that the program leaves open.
    pub extents: FxHashMap<super::Dim, usize>,
}

impl Point {
    /// The extents of a shape at this point; `None` when a dimension is open.
    #[must_use]
    pub fn sizes(&self, graph: &Graph, shape: &Shape) -> Option<Vec<usize>> {
        shape.dims().iter().map(|&dim| self.extent(graph, dim)).collect()
    }

    fn extent(&self, graph: &Graph, dim: super::Dim) -> Option<usize> {
        let dim = graph.dims.resolve(dim);
        if let Some(&n) = self.extents.get(&dim) {
            return Some(n);
        }
        graph.dims.value_with(dim, &|d| self.extents.get(&d).map(|&n| n as u64)).map(|n| n as usize)
    }
}

/// The values of all nodes that `roots` need, and on which side of each kink they lie.
#[derive(Clone, Debug, Default)]
pub struct Values {
    values: FxHashMap<Id, Tensor>,
    /// Branch pattern of the whole evaluation.
    pub branches: Vec<i8>,
}

impl Values {
    /// The value of a node that was asked for.
    #[must_use]
    pub fn get(&self, id: Id) -> &Tensor {
        &self.values[&id]
    }

    /// The value of a node, if it was evaluated.
    #[must_use]
    pub fn find(&self, id: Id) -> Option<&Tensor> {
        self.values.get(&id)
    }

    /// The nodes that `roots` need and that have no value here, in an order in which arguments come first.
    #[must_use]
    pub fn unknown(&self, graph: &Graph, roots: &[Id]) -> Vec<Id> {
        let mut seen: FxHashSet<Id> = FxHashSet::default();
        let mut list = Vec::new();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !self.values.contains_key(&id) && seen.insert(id) {
                list.push(id);
                stack.extend(graph.args(id).iter().copied());
            }
        }
        list.sort_unstable();
        list
    }
}

/// Why an expression cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluateError {
    /// A variable has no value.
    Missing(String),
    /// A dimension has no number.
    Open(String),
}

/// Evaluates `roots` at a point.
///
/// # Errors
/// A variable or a dimension has no value.
pub fn evaluate(graph: &Graph, roots: &[Id], point: &Point) -> Result<Values, EvaluateError> {
    evaluate_beyond(graph, roots, point, &Values::default())
}

/// As [`evaluate`], where the values of some nodes at this point are known; the result has those that are new.
///
/// # Errors
/// A variable or a dimension has no value.
pub fn evaluate_beyond(graph: &Graph, roots: &[Id], point: &Point, known: &Values) -> Result<Values, EvaluateError> {
    let mut values: FxHashMap<Id, Tensor> = FxHashMap::default();
    let mut branches = Vec::new();
    for id in known.unknown(graph, roots) {
        let node = graph.node(id);
        let sizes =
            point.sizes(graph, &node.shape).ok_or_else(|| EvaluateError::Open(graph.dims.list(node.shape.dims())))?;
        let value = match node.op {
            Op::Variable(_) => {
                let name = || graph.as_variable(id).map(|v| v.name.clone()).unwrap_or_default();
                point.values.get(&id).cloned().ok_or_else(|| EvaluateError::Missing(name()))?
            }
            Op::Size(size) => {
                let extent = point.extent(graph, size.0);
                Tensor::scalar(extent.ok_or_else(|| EvaluateError::Open(graph.dims.text(size.0)))? as f64)
            }
            _ => {
                let value = |arg: &Id| values.get(arg).unwrap_or_else(|| &known.values[arg]);
                let args: Vec<&Tensor> = node.args.iter().map(value).collect();
                let def = node.op.def();
                branches.extend(def.branches(&args));
                def.evaluate(&args, &sizes)
            }
        };
        values.insert(id, value);
    }
    Ok(Values { values, branches })
}
