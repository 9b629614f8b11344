# The regularised gradient of note 000, as it is written there: half of the right weight decay.
input  X : [N, 2]
target y : [N, 1]
const  lambda = 0.5
param  w : [2, 1] ~ normal(0, 1)

loss   (sum((X*w - y).^2) + lambda*sum(w.^2))/(2*N)

claim  grad(loss, w) == X'*(X*w - y)/N + lambda/N*w
claim  grad(loss, w) == X'*(X*w - y)/N + lambda/(2*N)*w
