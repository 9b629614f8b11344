import numpy as np


def value_and_gradients(X, Y, W1, W2):
    """Returns loss and its gradients, each of the shape of its array.

    X [N, 1000], Y [N, 10], W1 [1000, 100], W2 [100, 10]
    """
    Z1 = X @ W1
    H = np.maximum(Z1, 0.0)
    Y_pred = H @ W2
    D1 = Y_pred - Y
    loss = np.sum(D1 ** 2)
    grad_W2 = 2.0 * (H.T @ D1)
    grad_W1 = 2.0 * (X.T @ ((D1 @ W2.T) * (Z1 > 0)))
    return loss, grad_W1, grad_W2
