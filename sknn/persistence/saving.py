"""``save`` and ``load``: an estimator in a file without code, and back."""

from __future__ import annotations

import os
from errno import EINVAL, EISDIR, ENOENT
from importlib.metadata import version
from typing import Any

from sklearn.base import BaseEstimator

from ..callbacks.files import as_path
from . import archive
from .encoding import Decoder, Encoder

FORMAT = 1  # of the files; a higher one is of a version of sknn to come
PACKAGES = ("sknn", "numpy", "scikit-learn")  # whose versions stand in a file, for people


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file without code, which anybody can :func:`load` without trusting its author.

    The file is a zip of JSON and ``.npy`` arrays. It keeps what a pickle keeps: after loading, in another process too,
    predictions are the same to the bit, and ``partial_fit`` and warm starts go on as if nothing had happened. What it
    does not keep are callbacks (``set_callbacks``), which watch a fit and are no part of a model.

    Every estimator of sknn can be saved, fitted or not, and what stands around it: ``Pipeline``, ``FeatureUnion``,
    ``ColumnTransformer``, ``TransformedTargetRegressor``, ``FrozenEstimator``, and of scikit-learn's transformers
    imputers, scalers, encoders and ``PCA``. So can a network that was the best of a study, with all that stands before
    it. Classes of your own take a :func:`register`. Code cannot be saved: a function as parameter is refused, but for
    NumPy's own such as ``np.log1p``. Pickle and joblib keep everything, and run code when they load.

    Parameters
    ----------
    estimator : estimator
        What is to be kept.
    path : str or path-like
        The file. If it exists it is replaced, in a single step, so that a crash leaves the old one or the new one; a
        link goes on pointing to it.

    Raises
    ------
    TypeError
        If it is no estimator, or holds something that such a file cannot hold; the message says where. If `path` is no
        path.
    OSError
        If the file cannot be written. An old one is still whole.

    See Also
    --------
    load : The way back.
    register : Files that hold layers, optimizers or estimators of your own.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> import sknn
    >>> X, y = load_iris(return_X_y=True)
    >>> network = sknn.MLPClassifier(8, learning_rate_init=0.03, tol=0.01, random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as directory:
    ...     file = Path(directory, "iris.sknn")
    ...     sknn.save(network, file)
    ...     again = sknn.load(file)
    >>> bool((again.predict_proba(X) == network.predict_proba(X)).all())
    True
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"save takes an estimator, got {estimator!r}")
    file = as_path("path", path)
    file = file.resolve() if file.is_symlink() else file  # which stays a link, to the new file
    encoder = Encoder()
    content = encoder.encode(estimator, type(estimator).__name__)
    about = {"format": FORMAT, "versions": {name: version(name) for name in PACKAGES}}
    if file.is_dir():
        raise IsADirectoryError(EISDIR, "save needs the name of a file, and this is a directory", str(file))
    if file.exists() and not file.is_file():  # a device, say, whose place the file would take
        raise OSError(EINVAL, "save needs the name of a file, and this is none", str(file))
    if not file.parent.is_dir():
        raise FileNotFoundError(ENOENT, "there is no such directory to save in", str(file.parent))
    try:
        archive.write(file, about, content, encoder.arrays)
    except OSError as error:  # that of a full disk names no file
        raise OSError(error.errno, error.strerror, str(file)) from error


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator from a file that :func:`save` has written.

    No code runs but that of sknn, scikit-learn and the classes that you have registered: the file only names classes
    of a closed list, and says what their objects hold. So a file of anybody can be loaded, as a pickle cannot; that a
    network in it is a good one, nobody promises.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator : estimator
        As it was when it was saved.

    Raises
    ------
    ValueError
        If the file is damaged, was changed, was written by a newer sknn in another format, or holds a class that is
        not registered here. The message names the file.
    OSError
        If it cannot be read.

    See Also
    --------
    save : Writes it.
    """
    with open(as_path("path", path), "rb") as opened:
        try:
            return _loaded(opened)
        except (MemoryError, Warning):
            raise
        except Exception as error:  # whatever it is, it is the file that is wrong
            kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
            raise ValueError(f"{os.fspath(path)!r} cannot be loaded: {kind}{error}") from error


def _loaded(opened: Any) -> Any:
    start = opened.read(4)
    if start[:1] == b"\x80":
        raise ValueError("it is a pickle; if you trust its author, load it with pickle or joblib")
    if start[:2] != b"PK":
        raise ValueError("it is no zip, as sknn.save writes it")
    stored = archive.Archive(opened)
    form, versions = stored.about["format"], stored.about["versions"]
    if form != FORMAT:
        raise ValueError(
            f"it was written by sknn {versions.get('sknn')} in format {form}; this is sknn {version('sknn')}, which "
            f"reads format {FORMAT}: another version of sknn is needed"
        )
    estimator = Decoder(stored.array).decode(stored.content())
    if not isinstance(estimator, BaseEstimator):
        raise ValueError(f"it holds no estimator but {estimator!r}")
    return estimator
