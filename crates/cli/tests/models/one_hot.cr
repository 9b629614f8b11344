# The gradient of softmax and cross-entropy by the scores is P - Y only for rows of Y that sum to one.
input  S : [N, 3]
target Y : [N, 3]
P      = softmax(S)
loss   -sum(Y.*log(P))
claim  grad(loss, S) == P - Y
