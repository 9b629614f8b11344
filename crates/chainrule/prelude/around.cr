# around.cr — what may stand around an update rule: options of `train`, such as `train adam, clip_norm = 1`.
# W and A are all parameters and G their gradient as one row; max_norm is applied to each weight matrix.

# The gradient, shortened where its length is above limit (Pascanu, Mikolov, Bengio 2013).
def clip_norm(G, limit) = G * min(1, limit / max(norm2(G), 1e-30))

# Each element of the gradient, cut at -limit and limit (Mikolov 2012).
def clip_value(G, limit) = max(-limit, min(limit, G))

# The mean of the gradients of so many batches, of which part were added to A before (Goyal et al. 2017).
def accumulate(A, G, part, batches) = A*min(part, 1) + G/batches

# The exponentially weighted average of the parameters with its start corrected, in the place of the parameters after
# training (Polyak, Juditsky 1992; Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018).
def average(A, W, t, beta) = A + (W - A)*(1 - beta)/(1 - beta^t)

# The weights, with each column, which leads to one unit, shortened where its length is above limit
# (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014).
def max_norm(W, limit) = W .* min(1, limit ./ max(sqrt(colsum(W.^2)), 1e-30))
