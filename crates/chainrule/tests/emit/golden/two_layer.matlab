function [loss, grad_W1, grad_W2] = value_and_gradients(X, Y, W1, W2)
% Returns loss and its gradients, each of the shape of its matrix.
% X [N, 1000], Y [N, 10], W1 [1000, 100], W2 [100, 10]
    Z1 = X * W1;
    H = max(Z1, 0);
    Y_pred = H * W2;
    D1 = Y_pred - Y;
    loss = sum(sum(D1.^2));
    grad_W2 = 2 .* (H' * D1);
    grad_W1 = 2 .* (X' * ((D1 * W2') .* (Z1 > 0)));
end
