# deep.cr - an L-layer net, here L = 4 (note 000): forward z, a cached, backward the recurrence of the deltas.
data   X, Y = moons(points = 100, noise = 0.15, seed = 5)

input  X : [N, 2]
target Y : [N, 2]

param  W1 : [2, 16]  ~ glorot_uniform
param  b1 : [1, 16]  = 0
param  W2 : [16, 16] ~ glorot_uniform
param  b2 : [1, 16]  = 0
param  W3 : [16, 8]  ~ glorot_uniform
param  b3 : [1, 8]   = 0
param  W4 : [8, 2]   ~ glorot_uniform
param  b4 : [1, 2]   = 0

a1      = tanh(X*W1 + b1)
a2      = tanh(a1*W2 + b2)
a3      = tanh(a2*W3 + b3)
z4      = a3*W4 + b4
predict softmax(z4)
loss    cross_entropy(z4, Y) + 1e-4/2*(l2(W1) + l2(W2) + l2(W3) + l2(W4))
train   adam(rate = 0.01), batch = 40, epochs = 200

d4      = (softmax(z4) - Y)/N
d3      = (d4*W4').*(1 - a3.^2)
d2      = (d3*W3').*(1 - a2.^2)
d1      = (d2*W2').*(1 - a1.^2)
claim   grad(loss, W4) == a3'*d4 + 1e-4*W4
claim   grad(loss, W3) == a2'*d3 + 1e-4*W3
claim   grad(loss, W2) == a1'*d2 + 1e-4*W2
claim   grad(loss, W1) == X'*d1 + 1e-4*W1
claim   grad(loss, b1) == colsum(d1)
