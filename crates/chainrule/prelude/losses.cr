# losses.cr — loss functions. Rows are the examples of the batch: P predictions, S scores (logits) of classes,
# Z logits of independent yes/no outputs, Y targets. Losses are means over the batch, except those called sums.

# Softmax and cross-entropy of logits against one-hot or soft targets (notes 000 and 004).
def cross_entropy(S, Y) = sum(logsumexp(S) - rowsum(Y .* S)) / rows(S)

# Cross-entropy of probabilities; log(0) is infinite, so prefer cross_entropy (note 000).
def cross_entropy_probs(P, Y) = -sum(Y .* log(P)) / rows(P)

# Cross-entropy against targets moved towards the uniform distribution (Szegedy et al. 2016).
def cross_entropy_smooth(S, Y, smoothing = 0.1) = cross_entropy(S, (1 - smoothing)*Y + smoothing/cols(S))

# Sigmoid and binary cross-entropy of logits, summed over the outputs (notes 000 and 002).
def binary_cross_entropy(Z, Y) = sum(softplus(Z) - Y .* Z) / rows(Z)

# Binary cross-entropy of probabilities; log(0) is infinite, so prefer binary_cross_entropy (notes 000 and 002).
def binary_cross_entropy_probs(P, Y) = -sum(Y .* log(P) + (1 - Y) .* log(1 - P)) / rows(P)

# The mean squared error over all elements (Gauss 1809).
def mse(P, Y) = sum((P - Y).^2) / (rows(P)*cols(P))

# The sum of squared errors (note 004).
def sum_of_squares(P, Y) = sum((P - Y).^2)

# Half the sum of squared errors, whose gradient is P - Y (note 003).
def half_sum_of_squares(P, Y) = sum((P - Y).^2) / 2

# The quadratic cost of Higham and Higham, half the mean over the examples of the squared distance (note 003).
def quadratic_cost(P, Y) = sum((P - Y).^2) / (2*rows(P))

# The mean absolute error over all elements (Laplace 1774).
def mae(P, Y) = sum(abs(P - Y)) / (rows(P)*cols(P))

# Quadratic up to an error of delta, linear beyond, mean over all elements (Huber 1964).
def huber(P, Y, delta = 1):
    error = abs(P - Y)
    inner = min(error, delta)
    sum(inner .* (error - inner/2)) / (rows(P)*cols(P))

# The Huber loss divided by delta, so that its far slope is 1 (Girshick 2015).
def smooth_l1(P, Y, delta = 1) = huber(P, Y, delta) / delta

# The mean of log(cosh(P - Y)), without overflow; its slope is tanh(P - Y) (Green 1990).
def log_cosh(P, Y) = sum(P - Y + softplus(-2*(P - Y)) - log(2)) / (rows(P)*cols(P))

# The hinge loss for targets of -1 and 1, mean over all elements (Cortes, Vapnik 1995).
def hinge(S, Y) = sum(relu(1 - Y .* S)) / (rows(S)*cols(S))

# The square of the hinge loss, mean over all elements (Lee, Mangasarian 2001).
def squared_hinge(S, Y) = sum(relu(1 - Y .* S).^2) / (rows(S)*cols(S))

# The negative log-likelihood of counts whose logarithmic rate is S, without its constant (Nelder, Wedderburn 1972).
def poisson(S, Y) = sum(exp(S) - Y .* S) / (rows(S)*cols(S))

# The sum of squared weights, for weight decay: add reg/2*l2(W) to the loss (note 000).
def l2(W) = sum(W.^2)

# The sum of absolute weights, for sparse weights (Tibshirani 1996).
def l1(W) = sum(abs(W))
