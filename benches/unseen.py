"""The default network beside scikit-learn on tables of another kind than those of `tables.py`.

    python benches/unseen.py [--data DIR] [--seeds N] [--only NAME,NAME] [--chainrule BINARY] [--peers FILE] [-- OPTION ...]

Most tables are generated, another for each seed; the rest are questions that nobody asks of known files. A fifth of the
rows is set apart. Peers and splits are those of `tables.py`, dates taken apart for the peers.
"""

import argparse
import json
import pathlib
import tempfile

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

from tables import chainrule, own_and_options, peers


def frame(made):
    x, y = made
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).assign(target=y)


def classification(seed, **how):
    return frame(datasets.make_classification(random_state=seed, **how))


def noise_features(seed):
    return classification(seed, n_samples=1000, n_features=25, n_informative=5, n_redundant=0)


def many_classes(seed):
    return classification(seed, n_samples=3000, n_features=20, n_informative=12, n_classes=10, n_clusters_per_class=1)


def imbalanced(seed):
    return classification(seed, n_samples=5000, n_features=10, n_informative=6, weights=[0.98])


def levels(seed):
    """A category of 500 levels, each with an effect, and two numbers."""
    r = np.random.default_rng(seed)
    level, effect = r.integers(0, 500, 5000), r.normal(size=500)
    a, b = r.normal(size=(2, 5000))
    return pd.DataFrame({"shop": [f"shop {n}" for n in level], "a": a, "b": b,
                         "target": effect[level] + np.sin(2 * a) + a * b / 2 + 0.3 * r.normal(size=5000)})


def dates(seed):
    """A trend, a year and a week."""
    r = np.random.default_rng(seed)
    day, price = r.integers(0, 1461, 3000), r.uniform(1, 5, 3000)
    date = pd.Timestamp("2019-01-01") + pd.to_timedelta(day, unit="D")
    sold = 50 + 0.01 * day + 12 * np.sin(2 * np.pi * day / 365.25) + 8 * (date.dayofweek >= 5) - 4 * price
    return pd.DataFrame({"date": date.strftime("%Y-%m-%d"), "price": price, "target": sold + 3 * r.normal(size=3000)})


def lognormal(seed):
    r = np.random.default_rng(seed)
    x = r.normal(size=(2000, 6))
    return frame((x, np.exp(x[:, 0] + 0.8 * x[:, 1] * x[:, 2] + 0.5 * np.sin(3 * x[:, 3]) + 0.3 * r.normal(size=2000))))


def counts(seed):
    r = np.random.default_rng(seed)
    x = r.uniform(-1, 1, size=(2000, 5))
    return frame((x, r.poisson(np.exp(0.5 + x[:, 0] + np.sin(3 * x[:, 1]) * x[:, 2]))))


def missing(seed):
    """Friedman's first table; the larger a number, the more often it is missing."""
    table = frame(datasets.make_friedman1(2000, noise=1, random_state=seed))
    r = np.random.default_rng(seed)
    for column in table.columns[:-1]:
        table.loc[r.uniform(size=2000) < 0.6 * table[column], column] = np.nan
    return table


def duplicated(seed):
    table = frame(datasets.make_friedman1(1000, noise=1, random_state=seed))
    return pd.concat([table.drop(columns="target").add_suffix(f"_{copy}") for copy in range(3)] + [table], axis=1)


def texts(seed):
    """Labels of several kinds, words in an order, and numbers that depend on them."""
    r = np.random.default_rng(seed)
    n, sizes, ways = 1500, ["tiny", "small", "medium", "large", "huge"], ["air", "rail", "road", "sea"]
    size, way, city = r.integers(0, 5, n), r.integers(0, 4, n), r.integers(0, 40, n)
    weight = r.lognormal(size=n)
    cost = weight * np.array([3, 1, 2, 0.5])[way] + size**1.5 + r.normal(size=40)[city] + 0.5 * r.normal(size=n)
    return pd.DataFrame({"size": np.take(sizes, size), "way": np.take(ways, way), "city": [f"C{c:02}" for c in city],
                         "express": np.where(r.uniform(size=n) < 0.5, "yes", "no"), "weight": weight, "target": cost})


def ordinal(seed):
    """Five grades of a smooth function, as words."""
    table = frame(datasets.make_friedman1(2000, noise=1, random_state=seed))
    grades = pd.qcut(table["target"], 5, labels=["very low", "low", "fair", "good", "excellent"])
    return table.assign(target=grades.astype(str))


def outliers(seed):
    """One target in a hundred is twenty times too large."""
    table = frame(datasets.make_friedman1(2000, noise=1, random_state=seed))
    wrong = np.random.default_rng(seed).uniform(size=2000) < 0.01
    return table.assign(target=table["target"] * np.where(wrong, 20, 1))


def large(seed):
    x, y = datasets.make_friedman1(50_000, n_features=20, noise=1, random_state=seed)
    return frame((x, y + 5 * np.sin(10 * x[:, 5]) * x[:, 6]))


def steps(seed):
    """A function that is constant on boxes: the home of trees."""
    r = np.random.default_rng(seed)
    x = r.uniform(size=(4000, 8))
    return frame((x, 3 * (x[:, 0] > 0.3) * (x[:, 1] > 0.6) + 2 * (x[:, 2] > 0.5) - (x[:, 3] > 0.8) + 0.3 * r.normal(size=4000)))


def xor(seed):
    """Parity of three signs among eight numbers."""
    x = np.random.default_rng(seed).normal(size=(2000, 8))
    return frame((x, (x[:, 0] * x[:, 1] * x[:, 2] > 0).astype(int)))


def regression(**how):
    return lambda seed: frame(datasets.make_regression(noise=10, random_state=seed, **how))


# Name, what makes the table of a seed, figure.
TABLES = [
    ("friedman1", lambda s: frame(datasets.make_friedman1(1000, noise=1, random_state=s)), "r2"),
    ("friedman2", lambda s: frame(datasets.make_friedman2(500, noise=50, random_state=s)), "r2"),
    ("friedman3", lambda s: frame(datasets.make_friedman3(500, noise=0.1, random_state=s)), "r2"),
    ("linear", regression(n_samples=2000, n_features=10), "r2"),
    ("linear-wide", regression(n_samples=500, n_features=100, n_informative=20), "r2"),
    ("linear-p>n", regression(n_samples=100, n_features=300, n_informative=10), "r2"),
    ("rows-60", regression(n_samples=60, n_features=5), "r2"),
    ("lognormal", lognormal, "r2"),
    ("counts", counts, "r2"),
    ("missing", missing, "r2"),
    ("duplicated", duplicated, "r2"),
    ("levels-500", levels, "r2"),
    ("dates", dates, "r2"),
    ("texts", texts, "r2"),
    ("steps", steps, "r2"),
    ("imbalanced", imbalanced, "auc"),
    ("many-classes", many_classes, "accuracy"),
    ("noisy-labels", lambda s: classification(s, n_samples=2000, n_features=10, n_informative=6, flip_y=0.3), "accuracy"),
    ("noise-features", noise_features, "accuracy"),
    ("moons", lambda s: frame(datasets.make_moons(500, noise=0.25, random_state=s)), "accuracy"),
    ("circles", lambda s: frame(datasets.make_circles(500, noise=0.1, factor=0.6, random_state=s)), "accuracy"),
    ("hastie", lambda s: frame(datasets.make_hastie_10_2(4000, random_state=s)), "accuracy"),
    ("xor", xor, "accuracy"),
    ("ordinal", ordinal, "accuracy"),
    ("outliers", outliers, "r2"),
    ("rows-50000", large, "r2"),
]

# Name, file or loader, target, figure, columns left out.
ASKED = [
    ("linnerud", datasets.load_linnerud, "Weight", "r2", ["Waist", "Pulse"]),
    ("ocean", "housing.csv", "ocean_proximity", "accuracy", []),
    ("house-age", "housing.csv", "housing_median_age", "r2", []),
    ("fare", "titanic.csv", "Fare", "r2", ["PassengerId", "Name", "Ticket", "Cabin"]),
    ("class", "titanic.csv", "Pclass", "accuracy", ["PassengerId", "Name", "Ticket", "Cabin"]),
    ("age", "titanic.csv", "Age", "r2", ["PassengerId", "Name", "Ticket", "Cabin"]),
]


def all_tables(data):
    for name, make, measure in TABLES:
        yield name, make, "target", measure
    for name, source, target, measure, dropped in ASKED:
        if callable(source):
            table = source(as_frame=True).frame
        elif (data / source).exists():
            table = pd.read_csv(data / source)
        else:
            print(f"{name:14} SKIPPED: {data / source} is not there")
            continue
        table = table.drop(columns=dropped).dropna(subset=[target])
        yield name, lambda _, table=table: table, target, measure


def for_peers(table):
    """Dates as time, month and day of the week."""
    if "date" not in table:
        return table
    date = pd.to_datetime(table["date"])
    return table.drop(columns="date").assign(time=date.astype("int64") / 1e9, month=date.dt.month, weekday=date.dt.dayofweek)


def main():
    own, options = own_and_options()
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--chainrule", default="target/release/chainrule")
    parser.add_argument("--peers", type=pathlib.Path, help="a file that keeps the figures of the peers")
    given = parser.parse_args(own)
    kept = json.loads(given.peers.read_text()) if given.peers and given.peers.exists() else {}
    print(f"{'table':14} {'figure':9} {'chainrule':>9} {'trees':>9} {'mlp':>9}   {'seconds':>20}   each seed of chainrule")
    for name, make, target, measure in all_tables(given.data):
        if given.only and name not in given.only.split(","):
            continue
        found = {"chainrule": [], "trees": [], "mlp": []}
        for seed in range(given.seeds):
            table = make(seed)
            classes = None if measure == "r2" else table[target]
            train, test = train_test_split(table, test_size=0.2, random_state=seed, stratify=classes)
            key = f"{name} {seed}"
            if key not in kept:
                kept[key] = peers(name, for_peers(train), for_peers(test), target, measure, [])
            for peer, result in kept[key].items():
                found[peer].append(result)
            with tempfile.TemporaryDirectory() as folder:
                found["chainrule"].append(chainrule(given.chainrule, pathlib.Path(folder), train, test, target, measure, options))
        mean = {who: np.mean([value for value, _ in results]) for who, results in found.items()}
        seconds = "/".join(f"{np.median([s for _, s in results]):.3g}" for results in found.values())
        each = " ".join(f"{value:.3f}" for value, _ in found["chainrule"])
        figures = " ".join(f"{mean[who]:9.4f}" for who in ("chainrule", "trees", "mlp"))
        print(f"{name:14} {measure:9} {figures}   {seconds:>20}   {each}", flush=True)
        if given.peers:
            given.peers.write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
