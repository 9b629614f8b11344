# activations.cr — activation functions, element by element unless said otherwise.
#
# These are primitive, because their usual formulas overflow or lose digits; the textbook definitions (note 000) are
#     sigmoid(z)   = 1 ./ (1 + exp(-z))
#     tanh(z)      = (exp(z) - exp(-z)) ./ (exp(z) + exp(-z))
#     relu(z)      = max(z, 0)
#     softplus(z)  = log(1 + exp(z))
#     softmax(Z)   = exp(Z) ./ rowsum(exp(Z))
#     logsumexp(Z) = log(rowsum(exp(Z)))
# Where a function has a kink, the order of the arguments of max and min fixes the derivative there.

# The rectifier with a small slope on the left, which is also its derivative at 0 (note 000; Maas, Hannun, Ng 2013).
def leaky_relu(z, slope = 0.01) = relu(z) + slope*min(z, 0)

# The exponential linear unit (Clevert, Unterthiner, Hochreiter 2016).
def elu(z, alpha = 1) = relu(z) + alpha*expm1(min(z, 0))

# The exponential linear unit with a continuous slope for every alpha (Barron 2017).
def celu(z, alpha = 1) = relu(z) + alpha*expm1(min(z, 0)/alpha)

# The self-normalising exponential linear unit (Klambauer, Unterthiner, Mayr, Hochreiter 2017).
def selu(z) = 1.0507009873554805*elu(z, 1.6732632423543773)

# The Gaussian error linear unit, z times the normal distribution function (Hendrycks, Gimpel 2016).
def gelu(z) = z .* (1 + erf(z/sqrt(2))) / 2

# The approximation of gelu by tanh, where 0.7978845608028654 is sqrt(2/pi) (Hendrycks, Gimpel 2016).
def gelu_tanh(z) = z .* (1 + tanh(0.7978845608028654*(z + 0.044715*z.^3))) / 2

# The sigmoid linear unit, also called swish (Elfwing, Uchibe, Doya 2018).
def silu(z) = z .* sigmoid(z)

# A smooth relative of silu (Misra 2019).
def mish(z) = z .* tanh(softplus(z))

# A sigmoid between -1 and 1 with slow tails (Bergstra, Desjardins, Lamblin, Bengio 2009).
def softsign(z) = z ./ (1 + abs(z))

# The rectifier cut at 6 (Krizhevsky 2010).
def relu6(z) = min(6, relu(z))

# The sigmoid in three straight pieces (Howard et al. 2019).
def hard_sigmoid(z) = relu6(z + 3) / 6

# The silu with the sigmoid in three straight pieces (Howard et al. 2019).
def hard_swish(z) = z .* hard_sigmoid(z)

# The hyperbolic tangent in three straight pieces (Collobert 2004).
def hard_tanh(z) = max(-1, min(1, z))

# The logarithm of the sigmoid, finite for every z (note 002).
def log_sigmoid(z) = -softplus(-z)

# The logarithm of the softmax of each row, finite for every Z (note 000).
def log_softmax(Z) = Z - logsumexp(Z)
