# layers.cr — layers with parameters of their own. Rows of X are examples.

# An affine map of each row, X*W + b, with weights drawn for tanh and sigmoid (note 004; Glorot, Bengio 2010).
layer dense(X, units):
    param W : [cols(X), units] ~ glorot_uniform
    param b : [1, units] = 0
    X*W + b

# An affine map of each row, X*W + b, with weights drawn for relu (note 004; He, Zhang, Ren, Sun 2015).
layer dense_he(X, units):
    param W : [cols(X), units] ~ he_normal
    param b : [1, units] = 0
    X*W + b

# The rows of X with mean 0 and variance 1 in each column of the batch, scaled and shifted; predictions use the weighted
# averages of earlier means and variances (note 000; Ioffe, Szegedy 2015).
layer batch_norm(X, momentum = 0.9, epsilon = 1e-5):
    param scale : [1, cols(X)] = 1
    param shift : [1, cols(X)] = 0
    state mean : [1, cols(X)] = 0
    state variance : [1, cols(X)] = 1
    m = colmean(X)
    v = colmean((X - m).^2)
    center = training(m, mean)
    spread = training(v, variance)
    mean := momentum*mean + (1 - momentum)*m
    variance := momentum*variance + (1 - momentum)*v
    scale .* (X - center) ./ sqrt(spread + epsilon) + shift

# Each row of X with mean 0 and variance 1, scaled and shifted (Ba, Kiros, Hinton 2016).
layer layer_norm(X, epsilon = 1e-5):
    param scale : [1, cols(X)] = 1
    param shift : [1, cols(X)] = 0
    D = X - rowmean(X)
    scale .* D ./ sqrt(rowmean(D.^2) + epsilon) + shift

# The rectifier with a slope on the left that is learnt, one for each column (He, Zhang, Ren, Sun 2015).
layer prelu(X, start = 0.25):
    param slope : [1, cols(X)] = start
    relu(X) + slope .* min(X, 0)

# An affine map of each row whose tanh units divide inputs between -range and range among them, for second-order solvers
# (Nguyen, Widrow 1990).
layer dense_nw(X, units, range = 1):
    param W : [cols(X), units] ~ nguyen_widrow(range)
    param b : [1, units] ~ nguyen_widrow_bias(cols(X))
    X*W + b

# Each column of U, which counts the knots below a value, as so many ramps from 0 to 1, one for each interval between two
# knots: the piecewise linear encoding of numbers (Gorishniy, Rubachev, Babenko 2022).
layer ramps(U, bins):
    state start : [1, cols(U)*bins] ~ counting(bins)
    max(0, min(1, kron(U, ones(1, bins)) - start))

# Columns of 0 and 1, one for each label, as so many learnt numbers for each label: X*W with small weights (Guo, Berkhahn
# 2016).
layer embedding(X, width):
    param W : [cols(X), width] ~ normal(0, 0.5)
    X*W
