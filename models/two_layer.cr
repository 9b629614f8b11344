# two_layer.cr - a two-layer ReLU net without biases, sum of squares (note 004, first derivation).
data   X = normal(64, 1000, seed = 1)
data   Y = normal(64, 10, seed = 2)

input  X : [N, 1000]
target Y : [N, 10]

param  W1 : [1000, 100] ~ normal(0, 1)
param  W2 : [100, 10]   ~ normal(0, 1)

H       = relu(X*W1)
Y_pred  = H*W2
predict Y_pred
loss    sum((Y_pred - Y).^2)
train   sgd(rate = 1e-6), batch = all, epochs = 500

claim   grad(loss, W2) == 2*H'*(Y_pred - Y)
claim   grad(loss, W1) == X'*((2*(Y_pred - Y)*W2').*step(X*W1))
