"""Reversing words: where a decoder looks while it writes
======================================================

You learn what attention is for. An encoder reads a word of random letters, and a decoder writes it backwards, letter by
letter. Without attention all that the decoder gets is one summary, always of the same number of units: short words fit
into it, longer ones do not. With attention it looks, at each letter it writes, at all that the encoder has made of the
word. Nobody tells it where: that is learnt from pairs of words alone, and when it is drawn, the reversal can be seen.
The longer words are than all those of training, the more of them go wrong: what it has learnt is not the rule.

One line of Python reverses words. That is why it is a good test: what is right is known. (One seed.)

::

    python examples/reversing_with_attention.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sknn import Seq2Seq

N_TRAIN, N_TEST = 10_000, 200  # words to learn from; to test, of each length
SHORTEST, LONGEST = 3, 10  # letters of a word in training
LENGTHS = np.arange(2, 17)
ALPHABET = list("abcdefghijklmnopqrstuvwxyz")
SHOWN = "networks"
COLORS = {"with attention": "#0072B2", "without attention": "#E69F00"}  # blue and orange of Okabe and Ito

rng = np.random.RandomState(0)


def words(lengths):
    return ["".join(rng.choice(ALPHABET, length)) for length in lengths]


def backwards(words):
    return [word[::-1] for word in words]


X = words(rng.randint(SHORTEST, LONGEST + 1, N_TRAIN))
test = [words(np.full(N_TEST, length)) for length in LENGTHS]
training = {"learning_rate_init": 0.01, "max_iter": 5, "max_length": 2 * LENGTHS[-1], "random_state": 0}
models = {
    "with attention": Seq2Seq(48, **training),
    "without attention": Seq2Seq(48, attention=False, **training),
}

print(f"Share of {N_TEST} words that are reversed without any error, by their number of letters;")
print(f"{N_TRAIN} words of {SHORTEST} to {LONGEST} letters to learn from, all of the test new")
print(f"{'letters':>19}" + "".join(f"{length:6}" for length in LENGTHS))
accuracy = {}
for name, model in models.items():
    model.fit(X, backwards(X))
    accuracy[name] = [model.score(some, backwards(some)) for some in test]
    print(f"{name:>19}" + "".join(f"{share:6.2f}" for share in accuracy[name]))

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), width_ratios=[1, 1.25], layout="constrained")

(weights,) = models["with attention"].attention_weights([SHOWN])  # (letters written and the end, letters read)
(written,) = models["with attention"].predict([SHOWN])
image = left.imshow(weights, cmap="magma", vmin=0, vmax=1)
left.set_xticks(range(len(SHOWN)), SHOWN)
left.set_yticks(range(len(written) + 1), [*written, "end"])
left.xaxis.tick_top()
left.xaxis.set_label_position("top")
left.set(title="where the decoder looks", xlabel="letter read", ylabel="letter written")
figure.colorbar(image, ax=left, label="weight of attention (a row adds up to 1)")

right.axvspan(SHORTEST - 0.5, LONGEST + 0.5, color="0.9", linewidth=0)
right.text((SHORTEST + LONGEST) / 2, 1.04, "lengths of training", ha="center", color="0.35")
for name, shares in accuracy.items():
    right.plot(LENGTHS, shares, color=COLORS[name], linewidth=2.5, marker="o")
    half = int(np.argmin(np.abs(np.array(shares) - 0.5)))
    right.annotate(name, (LENGTHS[half], shares[half]), (8, 4), textcoords="offset points", color=COLORS[name])
right.set(title="new words", xlabel="letters of a word", ylabel="share reversed without any error", ylim=(-0.03, 1.1))
right.set_xticks(LENGTHS)
right.spines[["top", "right"]].set_visible(False)
right.grid(axis="y", alpha=0.3)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "reversing_with_attention.png", dpi=150)
print(f"Picture: {folder / 'reversing_with_attention.png'}")
