# single_hidden.cr - one hidden layer of sigmoid units, softmax, cross-entropy (note 000).
data   X, Y = blobs(points = 50, classes = 3, noise = 2.0, seed = 4)

input  X : [N, 2]
target Y : [N, 3]                       # one-hot rows

param  W1 : [2, 8] ~ normal(0, 0.5)
param  b1 : [1, 8] = 0
param  W2 : [8, 3] ~ normal(0, 0.5)
param  b2 : [1, 3] = 0

z1      = X*W1 + b1
a1      = sigmoid(z1)
z2      = a1*W2 + b2
predict softmax(z2)
loss    cross_entropy(z2, Y)
train   momentum(rate = 0.5, beta = 0.9), batch = 30, epochs = 200

d2      = (softmax(z2) - Y)/N
claim   grad(loss, W2) == a1'*d2
claim   grad(loss, b2) == colsum(d2)
d1      = (d2*W2').*a1.*(1 - a1)
claim   grad(loss, W1) == X'*d1
claim   grad(loss, b1) == colsum(d1)
