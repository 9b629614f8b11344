"""The default network for tables beside scikit-learn, on the same splits.

    python benches/tables.py [--data DIR] [--seeds N] [--only NAME,NAME] [--chainrule BINARY] [-- OPTION ...]

needs scikit-learn and pandas. For each table and seed a fifth of the rows is set apart (by class where there are classes).
Chainrule sees `train TABLE --target COLUMN` and no other option, unless some stand behind `--`. scikit-learn's peers are
its HistGradientBoosting with defaults (text columns as categories) and its MLP with defaults, behind median imputation,
one-hot encoding and StandardScaler, its target standardised, too. Tables that are in no folder come with scikit-learn.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")

# Name, file or loader, target, figure; columns that no peer of scikit-learn can use.
TABLES = [
    ("housing", "housing.csv", "median_house_value", "rmse", []),
    ("titanic", "titanic.csv", "Survived", "accuracy", ["PassengerId", "Name", "Ticket", "Cabin"]),
    ("ad-clicks", "ad-clicks.csv", "Clicked on Ad", "auc", ["Ad Topic Line", "City", "Country", "Timestamp"]),
    ("diabetes", datasets.load_diabetes, "target", "r2", []),
    ("wine", datasets.load_wine, "target", "accuracy", []),
    ("breast-cancer", datasets.load_breast_cancer, "target", "accuracy", []),
    ("iris", datasets.load_iris, "target", "accuracy", []),
    ("digits", datasets.load_digits, "target", "accuracy", []),
]


def figure(name, truth, predicted, probability):
    if name == "rmse":
        return root_mean_squared_error(truth, predicted)
    if name == "r2":
        return r2_score(truth, predicted)
    if name == "auc":
        return roc_auc_score(truth, probability)
    return accuracy_score(truth, predicted)


def peers(name, train, test, target, measure, dropped):
    x, xt = (t.drop(columns=[target, *dropped]) for t in (train, test))
    y, yt = train[target], test[target]
    texts = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    numbers = [c for c in x.columns if c not in texts]
    regression = measure in ("rmse", "r2")
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), texts),
    )
    trees, net = (HistGradientBoostingRegressor, MLPRegressor) if regression else (HistGradientBoostingClassifier, MLPClassifier)
    # Its trees take at most 255 categories; the most frequent are kept.
    categories = {c: pd.CategoricalDtype(sorted(x[c].value_counts().index[:255])) for c in texts}
    results = {}
    for kind, model, a, b in (
        ("trees", trees(random_state=0, categorical_features="from_dtype"), x.astype(categories), xt.astype(categories)),
        ("mlp", make_pipeline(encode, net(random_state=0)), x, xt),
    ):
        if kind == "mlp" and regression:
            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        start = time.time()
        model.fit(a, y)
        seconds = time.time() - start
        probability = model.predict_proba(b)[:, 1] if measure == "auc" else None
        results[kind] = (figure(measure, yt, model.predict(b), probability), seconds)
    return results


def chainrule(binary, folder, train, test, target, measure, options):
    files = [folder / name for name in ("train.csv", "test.csv", "model.safetensors", "out.csv")]
    train.to_csv(files[0], index=False)
    test.drop(columns=[target]).to_csv(files[1], index=False)
    command = [binary, "train", files[0], "--target", target, "-o", files[2], "--force", "-q", *options]
    start = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.time() - start
    subprocess.run([binary, "predict", files[2], files[1], "-o", files[3], "-q"], check=True)
    out = pd.read_csv(files[3])
    probability = out.iloc[:, -1] if measure == "auc" else None
    return figure(measure, test[target], out["prediction"], probability), seconds


def own_and_options():
    """The arguments of this program, and those behind `--` for Chainrule's."""
    own = sys.argv[1:]
    at = own.index("--") if "--" in own else len(own)
    return own[:at], own[at + 1 :]


def main():
    own, options = own_and_options()
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--chainrule", default="target/release/chainrule")
    parser.add_argument("--peers", type=pathlib.Path, help="a file that keeps the figures of the peers")
    given = parser.parse_args(own)
    kept = json.loads(given.peers.read_text()) if given.peers and given.peers.exists() else {}
    print(f"{'table':14} {'figure':9} {'chainrule':>10} {'trees':>10} {'mlp':>10}   each seed of chainrule")
    for name, source, target, measure, dropped in TABLES:
        if given.only and name not in given.only.split(","):
            continue
        if callable(source):
            table = source(as_frame=True).frame
        elif (given.data / source).exists():
            table = pd.read_csv(given.data / source)
        else:
            print(f"{name:14} SKIPPED: {given.data / source} is not there")
            continue
        found = {"chainrule": [], "trees": [], "mlp": []}
        for seed in range(given.seeds):
            classes = None if measure in ("rmse", "r2") else table[target]
            train, test = train_test_split(table, test_size=0.2, random_state=seed, stratify=classes)
            key = f"{name} {seed}"
            if key not in kept:
                kept[key] = peers(name, train, test, target, measure, dropped)
            for peer, result in kept[key].items():
                found[peer].append(result)
            with tempfile.TemporaryDirectory() as folder:
                found["chainrule"].append(chainrule(given.chainrule, pathlib.Path(folder), train, test, target, measure, options))
        mean = {who: np.mean([value for value, _ in results]) for who, results in found.items()}
        seconds = {who: np.median([s for _, s in results]) for who, results in found.items()}
        each = " ".join(f"{value:.4g}" for value, _ in found["chainrule"])
        print(f"{name:14} {measure:9} {mean['chainrule']:10.5g} {mean['trees']:10.5g} {mean['mlp']:10.5g}   {each}")
        print(f"{'':14} {'seconds':9} {seconds['chainrule']:10.3g} {seconds['trees']:10.3g} {seconds['mlp']:10.3g}", flush=True)
    if given.peers:
        given.peers.write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
