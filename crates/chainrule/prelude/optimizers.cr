# optimizers.cr — update rules. W is a parameter, G the gradient of the loss for it, t the number of the step from 1.
# States have the shape of W. Lines run in order: a line sees what the lines above it have updated. A rule that works
# element by element updates all parameters as one row, any other (with norm2, rows or a product) each matrix by itself.

# Gradient descent, stochastic when the batch is a part of the data (notes 000 and 003; Robbins, Monro 1951).
optimizer sgd(rate = 0.1):
    W := W - rate*G

# Gradient descent with momentum, an exponentially weighted mean of gradients; bias_correction = 1 corrects its
# start at 0 (note 000).
optimizer momentum(rate = 0.1, beta = 0.9, bias_correction = 0):
    state V = 0
    V := beta*V + (1 - beta)*G
    W := W - rate*V / (1 - bias_correction*beta^t)

# Momentum as a decaying sum of gradients, the form of PyTorch (Polyak 1964).
optimizer heavy_ball(rate = 0.1, beta = 0.9):
    state V = 0
    V := beta*V + G
    W := W - rate*V

# Momentum with a look ahead, the form of PyTorch (Nesterov 1983; Sutskever, Martens, Dahl, Hinton 2013).
optimizer nesterov(rate = 0.1, beta = 0.9):
    state V = 0
    V := beta*V + G
    W := W - rate*(G + beta*V)

# Steps divided by the root of a mean of squared gradients (note 000; Tieleman, Hinton 2012).
optimizer rmsprop(rate = 0.01, beta = 0.9, epsilon = 1e-8):
    state S = 0
    S := beta*S + (1 - beta)*G.^2
    W := W - rate*G ./ (sqrt(S) + epsilon)

# Steps divided by the root of the sum of squared gradients (Duchi, Hazan, Singer 2011).
optimizer adagrad(rate = 0.01, epsilon = 1e-10):
    state S = 0
    S := S + G.^2
    W := W - rate*G ./ (sqrt(S) + epsilon)

# Momentum and rmsprop together, both with bias correction (note 000; Kingma, Ba 2015).
optimizer adam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8):
    state V = 0, S = 0
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    W := W - rate*(V/(1 - beta1^t)) ./ (sqrt(S/(1 - beta2^t)) + epsilon)

# Adam with weight decay that does not pass through the moments (Loshchilov, Hutter 2019).
optimizer adamw(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.01):
    state V = 0, S = 0
    W := W*(1 - rate*decay)
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    W := W - rate*(V/(1 - beta1^t)) ./ (sqrt(S/(1 - beta2^t)) + epsilon)

# Adam whose divisor never shrinks, except by bias correction (Reddi, Kale, Kumar 2018).
optimizer amsgrad(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8):
    state V = 0, S = 0, largest = 0
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    largest := max(largest, S)
    W := W - rate*(V/(1 - beta1^t)) ./ (sqrt(largest/(1 - beta2^t)) + epsilon)

# Adam with a look ahead and a momentum that grows; product is that of all momenta so far (Dozat 2016).
optimizer nadam(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, growth = 4e-3):
    state V = 0, S = 0, product = 1
    now = beta1*(1 - 0.96^(growth*t)/2)
    next = beta1*(1 - 0.96^(growth*(t + 1))/2)
    product := now*product
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    ahead = (1 - now)*G ./ (1 - product) + next*V ./ (1 - next*product)
    W := W - rate*ahead ./ (sqrt(S/(1 - beta2^t)) + epsilon)

# Adam with the largest gradient of late, in place of the root of a mean of squares (Kingma, Ba 2015).
optimizer adamax(rate = 2e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8):
    state V = 0, U = 0
    V := beta1*V + (1 - beta1)*G
    U := max(beta2*U, abs(G) + epsilon)
    W := W - rate*(V/(1 - beta1^t)) ./ U

# Adam that starts as momentum, until the variance of its divisor can be trusted (Liu et al. 2020).
optimizer radam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8):
    state V = 0, S = 0
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    longest = 2/(1 - beta2) - 1
    length = longest - 2*t*beta2^t/(1 - beta2^t)
    trusted = step(length - 5)
    safe = max(length, 5)
    share = sqrt((safe - 4)*(safe - 2)*longest / ((longest - 4)*(longest - 2)*safe))
    adaptive = trusted*share*sqrt(1 - beta2^t) ./ (sqrt(S) + epsilon)
    W := W - rate*V/(1 - beta1^t) .* (adaptive + 1 - trusted)

# Steps in the units of the parameters, divided by the root of a mean of squared gradients; needs no rate (Zeiler 2012).
optimizer adadelta(rate = 1, beta = 0.9, epsilon = 1e-6):
    state S = 0, D = 0
    S := beta*S + (1 - beta)*G.^2
    change = sqrt(D + epsilon) ./ sqrt(S + epsilon) .* G
    D := beta*D + (1 - beta)*change.^2
    W := W - rate*change

# The sign of momentum, so every parameter moves by the rate; decay is that of adamw (Chen et al. 2023).
optimizer lion(rate = 1e-4, beta1 = 0.9, beta2 = 0.99, decay = 0):
    state V = 0
    W := W*(1 - rate*decay) - rate*sign(beta1*V + (1 - beta1)*G)
    V := beta2*V + (1 - beta2)*G

# A step of its own for each parameter, longer while the sign of its gradient stays and shorter when it turns; for the
# whole batch (Riedmiller, Braun 1993; without going back: Igel, Hüsken 2003).
optimizer rprop(start = 0.01, up = 1.2, down = 0.5, smallest = 1e-6, largest = 50):
    state last = 0, size = 0
    turned = sign(G) .* sign(last)
    size := max(size, start*(1 - min(t - 1, 1)))
    size := min(largest, max(smallest, size .* (1 + (up - 1)*step(turned) - (1 - down)*step(-turned))))
    last := G .* (1 - step(-turned))
    W := W - size .* sign(last)

# Adam with the length of each matrix's step in proportion to that of the matrix, for large batches (You et al. 2020).
optimizer lamb(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, decay = 0.01):
    state V = 0, S = 0
    V := beta1*V + (1 - beta1)*G
    S := beta2*S + (1 - beta2)*G.^2
    change = (V/(1 - beta1^t)) ./ (sqrt(S/(1 - beta2^t)) + epsilon) + decay*W
    length = norm2(W)
    trust = step(length)*length/max(norm2(change), 1e-30) + 1 - step(length)
    W := W - rate*trust*change

# Momentum made nearly orthogonal, so that all directions of a matrix move alike; for weights between hidden layers, with
# another rule for the rest (Jordan et al. 2024).
optimizer muon(rate = 0.02, beta = 0.95):
    state V = 0
    V := beta*V + G
    ahead = G + beta*V
    # No quotient is above 1: min keeps it whole, for the fifth power of a small length is 0 in single precision.
    X0 = min(1, ahead / (norm2(ahead) + 1e-7))
    X1 = towards_orthogonal(X0)
    X2 = towards_orthogonal(X1)
    X3 = towards_orthogonal(X2)
    X4 = towards_orthogonal(X3)
    X5 = towards_orthogonal(X4)
    W := W - rate*sqrt(max(1, cols(W)/rows(W)))*X5
