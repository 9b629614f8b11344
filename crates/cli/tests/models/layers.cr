input  X : [N, 4]
target Y : [N, 2]
H       = tanh(dense(X, 3))
predict dense(H, 2)
loss    mse(dense(H, 2), Y)
