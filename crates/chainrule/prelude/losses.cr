# losses.cr — loss functions. Rows are the examples of the batch: P predictions, S scores (logits) of classes,
# Z logits of independent yes/no outputs, Y targets. Losses are means over the batch, except those called sums.
#
# Every loss takes weights as its last argument: a column weighs the examples, a row the outputs, a matrix each element.
# A mean is then the weighted sum divided by the sum of the weights. class_weights makes a column from weights of classes.

# Softmax and cross-entropy of logits against one-hot or soft targets (notes 000 and 004).
def cross_entropy(S, Y, weights = 1) = mean(logsumexp(S) - rowsum(Y .* S), weights)

# Cross-entropy of probabilities; log(0) is infinite, so prefer cross_entropy (note 000).
def cross_entropy_probs(P, Y, weights = 1) = mean(-rowsum(Y .* log(P)), weights)

# Cross-entropy against targets moved towards the uniform distribution (Szegedy et al. 2016).
def cross_entropy_smooth(S, Y, smoothing = 0.1, weights = 1):
    cross_entropy(S, (1 - smoothing)*Y + smoothing/cols(S), weights)

# Cross-entropy of logits that counts examples less the better they are classified, for many easy examples of one class
# (Lin, Goyal, Girshick, He, Dollár 2017).
def focal(S, Y, gamma = 2, weights = 1) = mean(-rowsum(Y .* (1 - softmax(S)).^gamma .* log_softmax(S)), weights)

# Sigmoid and binary cross-entropy of logits, summed over the outputs (notes 000 and 002).
def binary_cross_entropy(Z, Y, weights = 1) = cols(Z)*mean(softplus(Z) - Y .* Z, weights)

# Binary cross-entropy of probabilities; log(0) is infinite, so prefer binary_cross_entropy (notes 000 and 002).
def binary_cross_entropy_probs(P, Y, weights = 1) = cols(P)*mean(-(Y .* log(P) + (1 - Y) .* log(1 - P)), weights)

# Binary cross-entropy of logits that counts outputs less the better they are predicted, summed over the outputs
# (Lin, Goyal, Girshick, He, Dollár 2017).
def binary_focal(Z, Y, gamma = 2, weights = 1):
    yes = Y .* sigmoid(-Z).^gamma .* softplus(-Z)
    no = (1 - Y) .* sigmoid(Z).^gamma .* softplus(Z)
    cols(Z)*mean(yes + no, weights)

# The divergence of the distribution that the logits S say from the distribution Y, 0 when they are equal
# (Kullback, Leibler 1951).
def kl_divergence(S, Y, weights = 1) = mean(rowsum(Y .* (log(max(Y, 1e-37)) - log_softmax(S))), weights)

# The mean squared error over all elements (Gauss 1809).
def mse(P, Y, weights = 1) = mean((P - Y).^2, weights)

# The sum of squared errors (note 004).
def sum_of_squares(P, Y, weights = 1) = sum(weights .* (P - Y).^2)

# Half the sum of squared errors, whose gradient is P - Y (note 003).
def half_sum_of_squares(P, Y, weights = 1) = sum(weights .* (P - Y).^2) / 2

# The quadratic cost of Higham and Higham, half the mean over the examples of the squared distance (note 003).
def quadratic_cost(P, Y, weights = 1) = cols(P)*mean((P - Y).^2, weights) / 2

# The mean absolute error over all elements, for data with outliers (Laplace 1774).
def mae(P, Y, weights = 1) = mean(abs(P - Y), weights)

# Quadratic up to an error of delta, linear beyond, mean over all elements (Huber 1964).
def huber(P, Y, delta = 1, weights = 1):
    error = abs(P - Y)
    inner = min(error, delta)
    mean(inner .* (error - inner/2), weights)

# The Huber loss divided by delta, so that its far slope is 1 (Girshick 2015).
def smooth_l1(P, Y, delta = 1, weights = 1) = huber(P, Y, delta, weights) / delta

# The mean of log(cosh(P - Y)), without overflow; its slope is tanh(P - Y) (Green 1990).
def log_cosh(P, Y, weights = 1) = mean(P - Y + softplus(-2*(P - Y)) - log(2), weights)

# The pinball loss, whose best constant prediction is the quantile of the targets at level (Koenker, Bassett 1978).
def quantile(P, Y, level = 0.5, weights = 1) = mean(max(level*(Y - P), (level - 1)*(Y - P)), weights)

# The hinge loss for targets of -1 and 1, mean over all elements (Cortes, Vapnik 1995).
def hinge(S, Y, weights = 1) = mean(relu(1 - Y .* S), weights)

# The square of the hinge loss, mean over all elements (Lee, Mangasarian 2001).
def squared_hinge(S, Y, weights = 1) = mean(relu(1 - Y .* S).^2, weights)

# The hinge loss of each wrong class against the right one, for one-hot targets, mean over all elements
# (Weston, Watkins 1999).
def multiclass_hinge(S, Y, weights = 1) = mean((1 - Y) .* relu(1 + S - rowsum(Y .* S)), weights)

# The negative log-likelihood of counts whose logarithmic rate is S, without its constant (Nelder, Wedderburn 1972).
def poisson(S, Y, weights = 1) = mean(exp(S) - Y .* S, weights)

# The negative log-likelihood of positive amounts whose logarithmic mean is S, gamma distributed, without its constant
# (Nelder, Wedderburn 1972).
def gamma(S, Y, weights = 1) = mean(S + Y .* exp(-S), weights)

# The weight of each example, a column, from a row with the weight of each class and one-hot targets
# (King, Zeng 2001).
def class_weights(Y, weights) = rowsum(Y .* weights)

# The sum of squared weights, for weight decay: add reg/2*l2(W) to the loss (note 000).
def l2(W) = sum(W.^2)

# The sum of absolute weights, for sparse weights (Tibshirani 1996).
def l1(W) = sum(abs(W))

# Both penalties, a share of l1 and the rest half of l2 (Zou, Hastie 2005).
def elastic_net(W, share = 0.5) = share*l1(W) + (1 - share)/2*l2(W)
