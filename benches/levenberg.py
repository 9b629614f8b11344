"""Levenberg-Marquardt on sinc (2 000 points, 1-20-1 tanh, Nguyen-Widrow start): Chainrule, SciPy and pyrenn, one thread.

usage: python benches/levenberg.py [path to chainrule]      needs numpy and scipy; pyrenn is used when it is there
Prints milliseconds of an iteration and the mean squared error after 100 of them.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
from scipy.optimize import least_squares

binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/chainrule"
x = np.linspace(-10, 10, 2000).reshape(-1, 1)
y = np.sinc(x / np.pi)
H = 20
MODEL = """input X : [N, 1]
target Y : [N, 1]
param W1 : [1, 20] = npz("start.npz", "W1")
param b1 : [1, 20] = npz("start.npz", "b1")
param W2 : [20, 1] = npz("start.npz", "W2")
param b2 : [1, 1] = 0
P = tanh(X*W1 + b1)*W2 + b2
predict P
loss mse(P, Y)
data X = npz("start.npz", "X")
data Y = npz("start.npz", "Y")
train levenberg_marquardt, epochs = %d
"""


def start(seed):
    """Nguyen-Widrow for inputs in [-10, 10]."""
    rng = np.random.default_rng(seed)
    beta = 0.7 * H
    w = np.where(rng.random((1, H)) < 0.5, -1.0, 1.0) * beta / 10
    b = beta * np.linspace(-1, 1, H).reshape(1, -1) * np.sign(w)
    return w, b, rng.uniform(-0.5, 0.5, (H, 1))


def chainrule(seed, epochs):
    with tempfile.TemporaryDirectory() as folder:
        w, b, v = start(seed)
        np.savez(folder + "/start.npz", W1=w, b1=b, W2=v, X=x, Y=y)
        with open(folder + "/m.cr", "w") as out:
            out.write(MODEL % epochs)
        begun = time.perf_counter()
        run = subprocess.run([binary, "train", folder + "/m.cr", "--json", "--threads", "1"], capture_output=True, check=True)
        seconds = time.perf_counter() - begun
        lines = run.stdout.decode().strip().splitlines()
        import json
        end = json.loads(lines[-1])
        return seconds, end["epochs"], end["metrics"]["train"]["loss"]


def flat(seed):
    w, b, v = start(seed)
    return np.concatenate([w.ravel(), b.ravel(), v.ravel(), [0.0]])


def residuals(p):
    return (np.tanh(x * p[:H] + p[H:2 * H]) @ p[2 * H:3 * H] + p[-1] - y[:, 0])


def jacobian(p):
    h = np.tanh(x * p[:H] + p[H:2 * H])
    d = (1 - h * h) * p[2 * H:3 * H]
    return np.hstack([x * d, d, h, np.ones((len(x), 1))])


def scipy_lm(seed, evaluations):
    count = [0]

    def counted(p):
        count[0] += 1
        return jacobian(p)

    begun = time.perf_counter()
    tight = dict(ftol=1e-15, xtol=1e-15, gtol=1e-15)
    found = least_squares(residuals, flat(seed), counted, method="lm", max_nfev=evaluations, **tight)
    return time.perf_counter() - begun, max(count[0], 1), 2 * found.cost / len(x)


def pyrenn_lm(iterations):
    import pyrenn
    net = pyrenn.CreateNN([1, H, 1])
    begun = time.perf_counter()
    net = pyrenn.train_LM(x.T, y.T, net, k_max=iterations, verbose=False, E_stop=1e-30)
    seconds = time.perf_counter() - begun
    return seconds, iterations, float(np.mean((pyrenn.NNOut(x.T, net) - y.T) ** 2))


def median(runs):
    return [statistics.median(column) for column in zip(*runs)]


seeds = range(5)
# The time of an iteration is the difference of a long and a short run: neither start-up nor compiling counts.
ours = median([(lambda a, b: ((a[0] - b[0]) / (a[1] - b[1]) * 1e3, a[2]))(chainrule(s, 100), chainrule(s, 20)) for s in seeds])
whole = statistics.median(chainrule(s, 100)[0] for s in seeds)
print(f"chainrule   {ours[0]:8.3f} ms/iteration   mse {ours[1]:.1e}   whole command {whole * 1e3:.0f} ms")
theirs = median([(lambda a: (a[0] / a[1] * 1e3, a[2]))(scipy_lm(s, 101)) for s in seeds])
print(f"scipy lm    {theirs[0]:8.3f} ms/iteration   mse {theirs[1]:.1e}   ratio {theirs[0] / ours[0]:.1f}")
try:
    other = median([(lambda a: (a[0] / a[1] * 1e3, a[2]))(pyrenn_lm(10)) for _ in range(2)])
    print(f"pyrenn      {other[0]:8.3f} ms/iteration   mse {other[1]:.1e} (10 iterations)   ratio {other[0] / ours[0]:.1f}")
except ImportError:
    print("pyrenn is not installed")
