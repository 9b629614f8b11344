# A straight line through the features of a table.
input  X : [N, D]
target Y : [N, 1]
Z = dense(X, 1)
predict Z
loss    mse(Z, Y)
train   adam(rate = 0.05), batch = 4, epochs = 60
