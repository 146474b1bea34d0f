"""Text by characters: how surprised is a model by each letter?
============================================================

You learn to measure a language model, and to look at what it has learnt. A recurrent network reads the descriptions of
scikit-learn's data sets character by character, and says before each which ones may follow. Its score on descriptions
that it has not read is the mean of ln p of what did follow; the picture shows its negative, in nats, smaller is better.
The baseline counts what followed the last two, three, four characters: n-grams, in ten lines. With so little text,
counts of long contexts are of no use, for hardly any comes twice. The network, which needs dropout here, shares what it
learns between contexts that are alike, and is ahead. (One split, one seed.)

A passage of new text is coloured by how surprising each character is to the network. Most words are hard to guess where
they begin and easy to finish; what the training texts hardly mention, as the U.S. Census Bureau, surprises at letter
after letter, and so do ends of lines.

::

    python examples/text_by_characters.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sknn import LanguageModel

ORDERS = range(1, 8)
HELD_OUT = ["wine_data.rst", "california_housing.rst"]
SHOWN = ("california_housing.rst", "This dataset was derived", 9)  # a file, where to begin, how many lines
BLUE, ORANGE = "#0072B2", "#E69F00"  # of Okabe and Ito
LARGEST = 8  # nats, of the scale of colours
START, END = "\2", "\3"  # characters that do not occur

paths = sorted(path for path in files("sklearn.datasets.descr").iterdir() if path.name.endswith(".rst"))
texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
test = [texts[name] for name in HELD_OUT]
training = [text for name, text in texts.items() if name not in HELD_OUT]
n_kinds = len(set("".join(training))) + 2  # characters, one for all unknown ones, and the end of a text


def counts(texts, order):
    """How often each character followed each context of less than so many characters."""
    after = defaultdict(Counter)
    for text in texts:
        text = START * (order - 1) + text + END
        for t in range(order - 1, len(text)):
            for k in range(order):
                after[text[t - k : t]][text[t]] += 1
    return after


def n_gram_nats(after, texts, order):
    """The mean of -ln p; the longer context counts for more the less there was new in it (Witten and Bell 1991)."""
    nats = []
    for text in texts:
        text = START * (order - 1) + text + END
        for t in range(order - 1, len(text)):
            p = 1 / n_kinds
            for k in range(order):
                if seen := after.get(text[t - k : t]):
                    p = (seen[text[t]] + len(seen) * p) / (seen.total() + len(seen))
            nats.append(-np.log(p))
    return np.mean(nats)


model = LanguageModel(
    128, dropout=0.3, unknown="token", learning_rate_init=0.01, batch_size=32, max_iter=32, random_state=0
)
network = -model.fit(training).score(test)
n_grams = [n_gram_nats(counts(training, order), test, order) for order in ORDERS]

print(f"{len(''.join(training))} characters to learn from, {len(''.join(test))} of other texts to test")
print("Nats per character, smaller is better")
print(f"  any character as likely   {np.log(n_kinds):.2f}")
for order, nats in zip(ORDERS, n_grams, strict=True):
    print(f"  n-grams of order {order}        {nats:.2f}")
print(f"  network                   {network:.2f}")
print("What the network writes, from its five most probable characters each:")
(sample,) = model.sample(prefix="The data", max_length=200, top_k=5, random_state=0)
print("  " + sample.replace("\n", "\n  "))

# -- how surprising each character of a passage is -----------------------------------------------------------------

name, begin, n_lines = SHOWN
lines = texts[name][texts[name].index(begin) :].split("\n")[:n_lines]
passage = "\n".join(lines)
column = {token: k for k, token in enumerate(model.vocabulary_)}
p = model.predict_proba([passage[:t] for t in range(len(passage))])
surprise = -np.log(p[np.arange(len(passage)), [column.get(each, len(column)) for each in passage]])

figure, (left, right) = plt.subplots(1, 2, figsize=(14, 4.2), width_ratios=[1, 2.6], layout="constrained")
left.plot(ORDERS, n_grams, color=ORANGE, linewidth=2.5, marker="o")
left.text(ORDERS[-1], n_grams[-1] + 0.08, "n-grams", color=ORANGE, ha="right")
left.axhline(network, color=BLUE, linewidth=2.5)
left.text(ORDERS[-1], network - 0.05, "recurrent network", color=BLUE, ha="right", va="top")
left.set(xlabel="order of the n-grams (characters)", ylabel="nats per character of new text", xticks=ORDERS)
left.set_ylim(network - 0.25)
left.spines[["top", "right"]].set_visible(False)
left.grid(axis="y", alpha=0.3)

grid = np.full((n_lines, max(map(len, lines)) + 1), np.nan)
row = at = 0
for each, nats in zip(passage, surprise, strict=True):
    grid[row, at] = nats
    shown, color = "↵" if each == "\n" else each, "white" if nats > 0.6 * LARGEST else "black"
    right.text(at, row, shown, color=color, family="monospace", fontsize=9, ha="center", va="center")
    row, at = (row + 1, 0) if each == "\n" else (row, at + 1)
image = right.imshow(grid, cmap="Oranges", vmin=0, vmax=LARGEST, aspect="auto")
right.set(title="new text, coloured by how surprising each character is to the network", xticks=[], yticks=[])
right.spines[:].set_visible(False)
figure.colorbar(image, ax=right, label="-ln p (nats)", extend="max", pad=0.01)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "text_by_characters.png", dpi=150)
print(f"Picture: {folder / 'text_by_characters.png'}")
