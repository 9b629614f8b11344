# higham.cr - the network of Higham & Higham (note 003): 2-2-3-2 sigmoid units, 23 parameters, ten points.
data   X, Y = [
    0.1, 0.1, 1, 0
    0.3, 0.4, 1, 0
    0.1, 0.5, 1, 0
    0.6, 0.9, 1, 0
    0.4, 0.2, 1, 0
    0.6, 0.3, 0, 1
    0.5, 0.6, 0, 1
    0.9, 0.2, 0, 1
    0.4, 0.4, 0, 1
    0.7, 0.6, 0, 1
]

input  X : [N, 2]
target Y : [N, 2]

param  W2 : [2, 2] ~ normal(0, 0.5)
param  b2 : [1, 2] ~ normal(0, 0.5)
param  W3 : [2, 3] ~ normal(0, 0.5)
param  b3 : [1, 3] ~ normal(0, 0.5)
param  W4 : [3, 2] ~ normal(0, 0.5)
param  b4 : [1, 2] ~ normal(0, 0.5)

A2 = sigmoid(X*W2 + b2)
A3 = sigmoid(A2*W3 + b3)
A4 = sigmoid(A3*W4 + b4)
predict A4
loss    quadratic_cost(A4, Y)
train   sgd(rate = 0.05), batch = 1, sampling = with_replacement, epochs = 100000

# Lemma 1 of the note, for a batch: the last delta, and the gradient from it.
D4 = A4.*(1 - A4).*(A4 - Y)/N
claim   grad(loss, W4) == A3'*D4
claim   grad(loss, b4) == colsum(D4)
D3 = A3.*(1 - A3).*(D4*W4')
claim   grad(loss, W3) == A2'*D3
D2 = A2.*(1 - A2).*(D3*W3')
claim   grad(loss, W2) == X'*D2
