input  X : [N, 2]
target Y : [N, 2]

H1 = tanh(dense_he(X, 24))
H2 = tanh(dense_he(H1, 24))
Z  = dense(H2, 2)

predict softmax(Z)
loss    cross_entropy(Z, Y)
data    X, Y = spiral(points = 150, classes = 2, noise = 0.12, seed = 1)
train   adamw(rate = cosine(0.02), decay = 0), batch = 100, epochs = 150, dtype = f32
