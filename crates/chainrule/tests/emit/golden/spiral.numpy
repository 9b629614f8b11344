import numpy as np


def value_and_gradients(X, Y, W1, b1, W2, b2):
    """Returns loss and its gradients, each of the shape of its array.

    X [N, 2], Y [N, 3], W1 [2, 100], b1 [1, 100], W2 [100, 3], b2 [1, 3]
    """
    N = X.shape[0]
    reg = 0.001
    Z1 = X @ W1 + b1
    H = np.maximum(Z1, 0.0)
    scores = H @ W2 + b2
    M1 = np.max(scores, axis=1, keepdims=True)
    E1 = np.exp(scores - M1)
    S1 = np.sum(E1, axis=1, keepdims=True)
    g1 = np.sum(M1 + np.log(S1) - np.sum(Y * scores, axis=1, keepdims=True)) / N
    loss = g1 + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    D1 = E1 / S1 - Y
    grad_W2 = (H.T @ D1) / N + reg * W2
    grad_b2 = np.sum(D1, axis=0, keepdims=True) / N
    G1 = (D1 @ W2.T) * (Z1 > 0)
    grad_W1 = (X.T @ G1) / N + reg * W1
    grad_b1 = np.sum(G1, axis=0, keepdims=True) / N
    return loss, grad_W1, grad_b1, grad_W2, grad_b2
