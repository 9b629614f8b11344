# spiral.cr - a two-layer classifier of three spiral arms (note 004, second derivation).
data   X, Y = spiral(points = 100, classes = 3, noise = 0.2, seed = 1)

input  X : [N, 2]
target Y : [N, 3]                       # one-hot rows
const  reg = 1e-3

param  W1 : [2, 100] ~ normal(0, 0.01)
param  b1 : [1, 100] = 0
param  W2 : [100, 3] ~ normal(0, 0.01)
param  b2 : [1, 3]   = 0

H       = relu(X*W1 + b1)
scores  = H*W2 + b2
predict softmax(scores)
loss    cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))
train   sgd(rate = 1.0), batch = all, epochs = 10000

claim   grad(loss, W2) == H'*(softmax(scores) - Y)/N + reg*W2     # checked by `chainrule check`
claim   grad(loss, b2) == colsum(softmax(scores) - Y)/N
claim   grad(loss, W1) == X'*(((softmax(scores) - Y)*W2').*step(X*W1 + b1))/N + reg*W1
