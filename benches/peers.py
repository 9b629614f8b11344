"""The spiral net (300 x 2-100-3, full batch, SGD) in NumPy and PyTorch, to be compared with `cargo bench`.

usage: python benches/peers.py        needs numpy; torch is used when it is there
"""
import statistics
import time

import numpy as np


def median_us(step, count=300, rounds=7):
    step()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            step()
        times.append((time.perf_counter() - start) / count * 1e6)
    return statistics.median(times)


def data(dtype):
    rng = np.random.default_rng(1)
    y = np.zeros((300, 3), dtype)
    y[np.arange(300), np.arange(300) % 3] = 1
    w1 = (0.05 * rng.standard_normal((2, 100))).astype(dtype)
    w2 = (0.05 * rng.standard_normal((100, 3))).astype(dtype)
    return rng.standard_normal((300, 2)).astype(dtype), y, w1, np.zeros((1, 100), dtype), w2, np.zeros((1, 3), dtype)


def numpy_step(dtype):
    x, y, w1, b1, w2, b2 = data(dtype)
    rate, reg, n = dtype(1), dtype(1e-3), dtype(300)

    def step():
        h = np.maximum(x @ w1 + b1, 0)
        s = h @ w2 + b2
        e = np.exp(s - s.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log((p * y).sum(axis=1)).sum() / n + reg / 2 * ((w1 * w1).sum() + (w2 * w2).sum())
        d = (p - y) / n
        dh = d @ w2.T
        dh[h <= 0] = 0
        dw1, db1, dw2, db2 = x.T @ dh, dh.sum(0, keepdims=True), h.T @ d, d.sum(0, keepdims=True)
        w1[:] -= rate * (dw1 + reg * w1)
        b1[:] -= rate * db1
        w2[:] -= rate * (dw2 + reg * w2)
        b2[:] -= rate * db2
        return loss

    return step


def torch_step(torch, dtype):
    x, y, *weights = [torch.tensor(v) for v in data(dtype)]
    labels = y.argmax(1)
    w1, b1, w2, b2 = [w.requires_grad_() for w in weights]
    optimizer = torch.optim.SGD([w1, b1, w2, b2], lr=1.0)

    def step():
        optimizer.zero_grad()
        scores = torch.relu(x @ w1 + b1) @ w2 + b2
        loss = torch.nn.functional.cross_entropy(scores, labels) + 5e-4 * ((w1 * w1).sum() + (w2 * w2).sum())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


for dtype in (np.float64, np.float32):
    print(f"numpy {dtype.__name__}: {median_us(numpy_step(dtype)):.1f} us a step")
try:
    import torch
except ImportError:
    print("torch: not here, skipped")
else:
    torch.set_num_threads(1)
    for dtype in (np.float64, np.float32):
        print(f"torch {torch.__version__} {dtype.__name__}: {median_us(torch_step(torch, dtype)):.1f} us a step")
