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
