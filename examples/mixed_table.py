"""A table of numbers and categories with gaps: a network beside gradient boosting, and what each must be told of it
=================================================================================================================

You learn what a table must become before a network can read it. Trees take columns as they are: they ask whether a
number is above a threshold or a category among some, and send gaps to one side. A network multiplies and adds. So
numbers come to one scale, a gap is filled and marked in a column of its own, each category gets a column of zeros and
ones; and whatever is learnt for that (medians, scales, the list of categories) is learnt inside the folds, by a
Pipeline. What comes out are columns with names, and the network keeps these names and refuses any others.

::

    python examples/mixed_table.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPRegressor

# The energy that heats a house: what its walls lose to the cold outside, divided by what the heating makes of fuel.
rng = np.random.RandomState(0)
n = 1500
efficiency = {"gas": 0.9, "oil": 0.8, "heat pump": 3.0, "wood": 0.7}
leak = {"none": 1.5, "half": 0.8, "full": 0.3}
houses = pd.DataFrame(
    {
        "area": rng.uniform(50, 250, n),
        "outside": rng.normal(3, 5, n),
        "residents": pd.array(rng.randint(1, 6, n), dtype="Int64"),
        "insulation": pd.Categorical(rng.choice(list(leak), n)),
        "heating": pd.Categorical(rng.choice(list(efficiency), n)),
    }
)
lost = houses["area"] * houses["insulation"].map(leak).astype(float) * (20 - houses["outside"]).clip(lower=0)
water = 300.0 * houses["residents"].astype(float)
energy = (lost + water) / houses["heating"].map(efficiency).astype(float) * rng.lognormal(0, 0.05, n)
for name, share in {"outside": 0.05, "residents": 0.1, "insulation": 0.05}.items():  # nobody knows everything
    houses.loc[rng.uniform(size=n) < share, name] = pd.NA

numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)  # a gap is one more category
columns = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (categories, make_column_selector(dtype_include="category")),
    verbose_feature_names_out=False,
).set_output(transform="pandas")
network = MLPRegressor((64, 64), learning_rate_init=0.003, early_stopping=True, max_iter=500, random_state=0)
models = {
    "network": make_pipeline(columns, network),
    "gradient boosting": HistGradientBoostingRegressor(random_state=0),  # knows categories by their dtype
}

print(f"{n} houses, the first three:\n{houses.head(3)}\n")
print("Five folds, the same for both: mean R2 ± standard deviation")
folds = KFold(5, shuffle=True, random_state=0)
for name, model in models.items():
    found = cross_validate(model, houses, energy, cv=folds, return_estimator=True, return_indices=True)
    print(f"  {name:17}  {found['test_score'].mean():.3f} ± {found['test_score'].std(ddof=1):.3f}")
    models[name] = found["estimator"][0]
    unseen = found["indices"]["test"][0]  # the same houses for both

print(f"\nWhat the network reads: {', '.join(models['network'][-1].feature_names_in_)}")
wrong = columns.fit_transform(houses).rename(columns={"area": "surface"})
try:
    models["network"][-1].predict(wrong)
except ValueError as error:
    print(f"\nWith a column of another name:\n{error}")

figure, panels = plt.subplots(1, 2, figsize=(8, 4.4), sharex=True, sharey=True, layout="constrained")
for ax, (name, model), color in zip(panels, models.items(), ["#0072B2", "#E69F00"], strict=True):
    with_gaps = houses.iloc[unseen].isna().any(axis=1)
    predicted = model.predict(houses.iloc[unseen])
    for chosen, marker, what in ((~with_gaps, "o", "all is known"), (with_gaps, "x", "something is missing")):
        ax.scatter(energy.iloc[unseen][chosen], predicted[chosen], s=16, c=color, marker=marker, alpha=0.6, label=what)
    ax.axline((0, 0), slope=1, color="black", linewidth=1)
    ax.set(title=name, xlabel="energy", box_aspect=1)
    ax.legend(frameon=False)
panels[0].set_ylabel("predicted, for houses of the first fold")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "mixed_table.png", dpi=150)
print(f"Picture: {folder / 'mixed_table.png'}")
