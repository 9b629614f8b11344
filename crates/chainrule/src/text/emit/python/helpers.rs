//! The functions that programs in Python bring along.

use crate::text::emit::pieces::Helper;

pub(super) const SOFTMAX: Helper = Helper {
    name: "softmax",
    text: "\
def softmax(z):
    \"\"\"Probabilities along the last axis; no exponential is larger than 1.\"\"\"
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
",
};

pub(super) const LOGSUMEXP: Helper = Helper {
    name: "logsumexp",
    text: "\
def logsumexp(z):
    \"\"\"log(sum(exp(z))) along the last axis without overflow.\"\"\"
    largest = np.max(z, axis=-1, keepdims=True)
    return largest + np.log(np.sum(np.exp(z - largest), axis=-1, keepdims=True))
",
};

pub(super) const SIGMOID: Helper = Helper {
    name: "sigmoid",
    text: "\
def sigmoid(x):
    \"\"\"1 / (1 + exp(-x)) without overflow.\"\"\"
    return np.exp(-np.logaddexp(0.0, -x))
",
};

pub(super) const ERF: Helper = Helper {
    name: "erf",
    text: "\
def erf(x):
    \"\"\"The error function of each element; scipy.special.erf is faster.\"\"\"
    from math import erf

    return np.vectorize(erf, otypes=[float])(x)
",
};

pub(super) const FIRST_MAX: Helper = Helper {
    name: "first_max",
    text: "\
def first_max(x, axes):
    \"\"\"1 at the first largest element over the axes, 0 elsewhere.\"\"\"
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    mask = np.arange(rows.shape[-1]) == np.argmax(rows, axis=-1)[..., None]
    return np.moveaxis(mask.reshape(moved.shape).astype(float), range(-len(axes), 0), axes)
",
};

pub(super) const JAX_FIRST_MAX: Helper = Helper {
    name: "first_max",
    text: "\
def first_max(x, axes):
    \"\"\"1 at the first largest element over the axes, 0 elsewhere.\"\"\"
    moved = jnp.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    mask = jnp.arange(rows.shape[-1]) == jnp.argmax(rows, axis=-1)[..., None]
    return jnp.moveaxis(mask.reshape(moved.shape).astype(x.dtype), tuple(range(-len(axes), 0)), axes)
",
};

pub(super) const TORCH_FIRST_MAX: Helper = Helper {
    name: "first_max",
    text: "\
def first_max(x, axes):
    \"\"\"1 at the first largest element over the axes, 0 elsewhere.\"\"\"
    last = tuple(range(-len(axes), 0))
    moved = torch.movedim(x, axes, last)
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    mask = torch.zeros_like(rows).scatter_(-1, torch.argmax(rows, dim=-1, keepdim=True), 1.0)
    return torch.movedim(mask.reshape(moved.shape), last, axes)
",
};

pub(super) const TORCH_STEP: Helper = Helper {
    name: "step",
    text: "\
def step(x):
    \"\"\"1 where x is positive, 0 elsewhere.\"\"\"
    return (x > 0).to(x.dtype)
",
};

pub(super) const TORCH_SOFTPLUS: Helper = Helper {
    name: "softplus",
    text: "\
def softplus(x):
    \"\"\"log(1 + exp(x)) without overflow; torch.nn.functional.softplus rounds to x from 20 on.\"\"\"
    return torch.logaddexp(x, torch.zeros_like(x))
",
};
