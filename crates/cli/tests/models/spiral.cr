# spiral.cr — two-layer classifier, three spiral arms
input  X : [N, 2]
target Y : [N, 3]                       # one-hot rows
const  reg = 1e-3

param  W1 : [2, 5] ~ normal(0, 0.01)
param  b1 : [1, 5] = 0
param  W2 : [5, 3] ~ normal(0, 0.01)
param  b2 : [1, 3] = 0

H       = relu(X*W1 + b1)
scores  = H*W2 + b2
predict softmax(scores)
loss    cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))
train   sgd(rate = 1.0), batch = all, epochs = 10000

claim   grad(loss, W2) == H'*(softmax(scores) - Y)/N + reg*W2
