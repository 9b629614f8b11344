# randomness.cr — what a step of training draws and a trained model leaves out.
# training(a, b) is a in training and b in predictions; uniform_like(X) and normal_like(X) are other numbers in every step.

# Inverted dropout: in training each element is 0 with probability p and else divided by 1 - p; predictions use X itself
# (note 000; Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014).
def dropout(X, p = 0.5) = training(X .* step(uniform_like(X) - p) / (1 - p), X)

# Normal noise of standard deviation sd, added in training only (Bishop 1995).
def noise(X, sd = 0.1) = training(X + sd*normal_like(X), X)
