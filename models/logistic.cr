# logistic.cr - logistic regression (note 002), vectorised: a row is an example, the loss its mean likelihood cost.
# Hours of study and of sleep before an examination, and whether it was passed.
data   X, Y = [
    0.5, 6.0, 0
    1.0, 7.5, 0
    1.5, 5.0, 0
    1.8, 8.0, 0
    2.0, 6.5, 0
    2.2, 4.5, 0
    2.5, 7.0, 1
    2.8, 5.5, 0
    3.0, 8.0, 1
    3.2, 6.0, 0
    3.5, 7.5, 1
    3.8, 5.0, 0
    4.0, 6.5, 1
    4.3, 7.0, 1
    4.5, 5.5, 1
    4.8, 8.0, 1
    5.0, 6.0, 1
    5.2, 4.0, 0
    5.5, 7.0, 1
    6.0, 6.5, 1
]

input  X : [N, 2]
target Y : [N, 1]                       # 0 or 1

param  w : [2, 1] = 0
param  b = 0                            # one number, broadcast over the examples

z       = X*w + b
a       = sigmoid(z)
predict a
loss    -sum(Y.*log(a) + (1 - Y).*log(1 - a))/N
train   sgd(rate = 0.1), batch = all, epochs = 5000

claim   grad(loss, w) == X'*(a - Y)/N
claim   grad(loss, b) == sum(a - Y)/N
claim   loss == binary_cross_entropy(z, Y)
