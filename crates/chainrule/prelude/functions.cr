# functions.cr — functions of matrices that are made of the primitive ones.
#
# Primitive, hence not defined here: exp log sqrt sin cos atan tanh abs sign step relu sigmoid softplus erf log1p expm1;
# sum rowsum colsum rowmax max min; softmax logsumexp (of rows); inv det logdet kron diag vec eye ones zeros
# commutation rows cols.

# The trace, the sum of the diagonal of a square matrix (note 004).
def tr(X) = sum(diag(X))

# The inner product of two matrices of one shape, tr(X'*Y) (note 004).
def dot(X, Y) = sum(X .* Y)

# The Frobenius norm of a matrix, which is the Euclidean norm of a vector (note 000).
def norm2(X) = sqrt(sum(X.^2))

# The sum of the absolute values of all elements (Tibshirani 1996).
def norm1(X) = sum(abs(X))

# Ones, as many as X has elements (note 004).
def ones_like(X) = X.^0

# The mean of all elements; with weights, which are stretched to X, their weighted sum divided by theirs (note 000).
def mean(X, weights = 1) = sum(weights .* X) / sum(weights .* ones_like(X))

# The mean of each row, an m×1 column (note 000).
def rowmean(X) = rowsum(X) / cols(X)

# The mean of each column, a 1×n row (note 000).
def colmean(X) = colsum(X) / rows(X)

# A step of the iteration that brings all singular values of X, which are at most 1, near 1 (Jordan et al. 2024).
def towards_orthogonal(X):
    A = X*X'
    3.4445*X - 4.775*(A*X) + 2.0315*(A*(A*X))
