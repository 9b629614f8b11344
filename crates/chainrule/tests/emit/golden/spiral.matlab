function [loss, grad_W1, grad_b1, grad_W2, grad_b2] = value_and_gradients(X, Y, W1, b1, W2, b2)
% Returns loss and its gradients, each of the shape of its matrix.
% X [N, 2], Y [N, 3], W1 [2, 100], b1 [1, 100], W2 [100, 3], b2 [1, 3]
    N = size(X, 1);
    reg = 0.001;
    Z1 = X * W1 + b1;
    H = max(Z1, 0);
    scores = H * W2 + b2;
    M1 = max(scores, [], 2);
    E1 = exp(scores - M1);
    S1 = sum(E1, 2);
    g1 = sum(M1 + log(S1) - sum(Y .* scores, 2)) / N;
    loss = g1 + 0.5 * reg * (sum(sum(W1.^2)) + sum(sum(W2.^2)));
    D1 = E1 ./ S1 - Y;
    grad_W2 = (H' * D1) ./ N + reg .* W2;
    grad_b2 = sum(D1, 1) ./ N;
    G1 = (D1 * W2') .* (Z1 > 0);
    grad_W1 = (X' * G1) ./ N + reg .* W1;
    grad_b1 = sum(G1, 1) ./ N;
end
