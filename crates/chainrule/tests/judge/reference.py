"""Writes reference.json: figures of scikit-learn and NumPy for small made-up predictions. Needs scikit-learn 1.7 or newer."""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m

warnings.simplefilter("ignore")
random = np.random.default_rng(5)


def classes(count, rows, weighted):
    truth = random.integers(0, count, rows)
    scores = random.random((rows, count)) + 0.7 * np.eye(count)[truth]
    # Rounded, so that there are ties.
    p = np.round(scores / scores.sum(1, keepdims=True), 2)
    p[:, -1] = np.round(1 - p[:, :-1].sum(1), 2)
    p = np.clip(p, 0, 1)
    w = np.round(random.random(rows) + 0.5, 2) if weighted else np.ones(rows)
    guess = p.argmax(1)
    one = {"average": "binary"} if count == 2 else {"average": "macro"}
    score = p[:, 1] if count == 2 else p
    hot = truth if count == 2 else np.eye(count)[truth]
    figures = {
        "accuracy": m.accuracy_score(truth, guess, sample_weight=w),
        "balanced_accuracy": m.balanced_accuracy_score(truth, guess, sample_weight=w),
        "f1": m.f1_score(truth, guess, sample_weight=w, **one),
        "precision": m.precision_score(truth, guess, sample_weight=w, **one),
        "recall": m.recall_score(truth, guess, sample_weight=w, **one),
        "mcc": m.matthews_corrcoef(truth, guess, sample_weight=w),
        "auc": m.roc_auc_score(truth, score, sample_weight=w, multi_class="ovr"),
        "average_precision": m.average_precision_score(hot, score, sample_weight=w),
        "log_loss": m.log_loss(truth, p, sample_weight=w),
        "brier": m.brier_score_loss(truth, p if count > 2 else p[:, 1], sample_weight=w),
    }
    confidence = p[:, 1] if count == 2 else p.max(1)
    right = truth == 1 if count == 2 else truth == guess
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = 0.0
    for b in range(10):
        inside = bins == b
        if inside.any():
            error += w[inside].sum() * abs(
                np.average(confidence[inside], weights=w[inside]) - np.average(right[inside], weights=w[inside])
            )
    figures["calibration_error"] = error / w.sum()
    return {
        "scores": p.tolist(),
        "truth": truth.tolist(),
        "weights": w.tolist(),
        "confusion": m.confusion_matrix(truth, guess, sample_weight=w).tolist(),
        "figures": figures,
    }


def numbers(rows, weighted):
    truth = random.poisson(4, rows).astype(float) + (0 if weighted else 1)
    guess = np.round(truth * random.uniform(0.5, 1.6, rows) + random.random(rows), 3)
    w = np.round(random.random(rows) + 0.5, 2) if weighted else np.ones(rows)
    figures = {
        "rmse": m.root_mean_squared_error(truth, guess, sample_weight=w),
        "mae": m.mean_absolute_error(truth, guess, sample_weight=w),
        "median_error": m.median_absolute_error(truth, guess, sample_weight=w),
        "r2": m.r2_score(truth, guess, sample_weight=w),
        "poisson_deviance": m.mean_poisson_deviance(truth, guess, sample_weight=w),
        "bias": np.average(guess - truth, weights=w),
    }
    if (truth != 0).all():
        figures["mape"] = m.mean_absolute_percentage_error(truth, guess, sample_weight=w)
    return {"predicted": guess.tolist(), "truth": truth.tolist(), "weights": w.tolist(), "figures": figures}


def delong(case):
    """The variance by its definition, all pairs compared."""
    score = np.array(case["scores"])[:, 1]
    truth = np.array(case["truth"])
    hit, miss = score[truth == 1], score[truth == 0]
    wins = (hit[:, None] > miss) + 0.5 * (hit[:, None] == miss)
    return wins.mean(1).var(ddof=1) / len(hit) + wins.mean(0).var(ddof=1) / len(miss)


cases = [classes(count, rows, weighted) for count, rows in [(2, 80), (3, 90), (5, 120)] for weighted in [False, True]]
document = {
    "classes": cases,
    "numbers": [numbers(70, False), numbers(71, True)],
    "delong": [delong(case) for case in cases[:1]],
}
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(document) + "\n")
