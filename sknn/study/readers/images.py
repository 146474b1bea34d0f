"""Folders of images: a file for each, with a table that labels them, or with a label map for each."""

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from sknn.series import ragged

from ..names import listed
from ..output import write_whole
from ..shapes import MOST_CHANNELS
from .content import Arrays, Table, need, reading
from .options import Options
from .series import LABELS, MASK, OF_IMAGES, is_text, names_among
from .text import read_text

IMAGES = "image"  # what they are called among the columns of the table of labels


def _of_pillow(path: Path) -> np.ndarray:
    pillow, frames_of = need("PIL.Image", path), need("PIL.ImageSequence", path)
    with reading(path), pillow.open(path) as file:
        frames = [np.asarray(frame) for frame in frames_of.Iterator(file)]
        return frames[0] if len(frames) == 1 else np.stack(frames)


def _of_palette(path: Path) -> np.ndarray | None:
    """The colours of a picture that holds numbers of colours; None if it does not."""
    if KINDS[path.suffix.lower()] is not _of_pillow:
        return None
    with reading(path), need("PIL.Image", path).open(path) as file:
        return np.asarray(file.convert("RGB")) if file.mode == "P" else None


def _of_numpy(path: Path) -> np.ndarray:
    with reading(path):
        return np.load(path, allow_pickle=False)


def _of_fits(path: Path) -> np.ndarray:
    fits = need("astropy.io.fits", path)
    with reading(path), fits.open(path, memmap=False) as file:
        image = next((unit.data for unit in file if unit.is_image and unit.data is not None), None)
        if image is None:
            raise ValueError("there is no image in it")
        return image.astype(image.dtype.newbyteorder("="), copy=False)


KINDS: dict[str, Callable[[Path], np.ndarray]] = {
    **dict.fromkeys((".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".gif"), _of_pillow),
    ".npy": _of_numpy,
    **dict.fromkeys((".fits", ".fit", ".fts"), _of_fits),
}


def image_files(folder: Path) -> dict[str, Path]:
    """List the images of a folder.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    dict of str to Path
        By their names without endings, in this order; without label maps that lie beside their images.

    Raises
    ------
    ValueError
        If two files differ in their endings alone.
    """
    found = _by_name(folder)
    return {name: path for name, path in found.items() if not _is_mask(name, found)}


def holds_images(folder: Path) -> bool:
    """Tell whether a folder is one of images, rather than of tables beside which some pictures lie."""
    return set(_tables(folder)) <= {LABELS} and bool(_by_name(folder))


def _tables(folder: Path) -> dict[str, Path]:
    return {path.name.partition(".")[0]: path for path in sorted(folder.iterdir()) if is_text(path)}


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is no folder; images and label maps are files in one")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (path.stem, path.suffix)):
        if path.suffix.lower() not in KINDS or path.name.startswith("."):
            continue
        if path.stem in found:
            raise ValueError(f"{str(folder)!r} holds both {found[path.stem].name} and {path.name}; leave one of them")
        found[path.stem] = path
    return found


def _is_mask(name: str, found: Mapping[str, Path]) -> bool:
    return name.endswith(MASK) and name.removesuffix(MASK) in found


def read_folder(folder: Path, options: Options) -> Table | Arrays:
    """Read a folder of images, with what is to be learnt of them, if it is there.

    Parameters
    ----------
    folder : Path
        Where the images are; with ``labels.csv``, or with label maps whose names end in ``_mask``.
    options : Options
        What the user says about the table of labels, and in `masks` the folder of label maps, under the same names or
        with ``_mask`` behind them, where they are not beside the images.

    Returns
    -------
    Table or Arrays
        Images ``X`` and maps ``y``; or the labels, and with them the column of images ``image``, or these alone.

    Raises
    ------
    ValueError
        If there are no images, or none that goes with a map, or some cannot be read.
    """
    files, all_files = image_files(folder), _by_name(folder)
    if not files:
        raise ValueError(f"{str(folder)!r} is a folder without images ({', '.join(KINDS)})")
    if options.masks is not None:
        return _with_maps(files, _by_name(options.masks), str(options.masks), options)
    if table := _tables(folder).get(LABELS):
        return label_images(read_text(table, None, options), folder, table.name)
    if len(files) < len(all_files):
        return _with_maps(files, all_files, str(folder), options)
    return Table(pd.DataFrame(index=range(len(files))), vectors={IMAGES: read_images(files.values())})


def label_images(labels: Table, folder: Path, source: str) -> Table:
    """Put the images that a table names beside its rows.

    Parameters
    ----------
    labels : Table
        One of its columns holds names of files, with or without their endings.
    folder : Path
        Where these are.
    source : str
        Where the table comes from, for messages.

    Returns
    -------
    Table
        Without that column, and with the column of images ``image``.

    Raises
    ------
    ValueError
        If no column names images, or one that is not there.
    """
    files = image_files(folder)
    column = names_among(labels.frame, files, folder, _stem)
    names = [_stem(name) for name in labels.frame[column]]
    left_out = sorted(files.keys() - set(names))
    notes = [f"no row of {source} names {listed(map(repr, left_out))}, left out"] if left_out else []
    images = read_images(files[name] for name in names)
    frame = labels.frame.drop(columns=column)
    return labels._replace(frame=frame, notes=(*labels.notes, *notes), vectors={IMAGES: images})


def _stem(name: object) -> str:
    path = Path(str(name))
    return path.stem if path.suffix.lower() in KINDS else path.name


def _with_maps(files: Mapping[str, Path], maps: Mapping[str, Path], where: str, options: Options) -> Arrays:
    options.refuse_text_options(where)
    options.refuse_table_options(where)
    found = {name: maps.get(f"{name}{MASK}", maps.get(name)) for name in files}
    pairs = {name: path for name, path in found.items() if path is not None and path != files[name]}
    if not pairs:
        raise ValueError(f"{where!r} holds no label map for images such as {listed(list(files)[:3])}; {OF_IMAGES}")
    without = [repr(name) for name in files if name not in pairs]
    notes = (f"there is no label map for {listed(without)}, left out",) if without else ()
    y = [_map(path) for path in pairs.values()]
    images = read_images(files[name] for name in pairs)
    for image, labels, path in zip(images, y, pairs.values(), strict=True):
        if image.shape[:-1] != labels.shape:
            raise ValueError(f"{path} is of shape {labels.shape}, but its image of {image.shape[:-1]}")
    return Arrays({"X": images, "y": _stacked(y)}, notes=notes)


def _map(path: Path) -> np.ndarray:
    """A label map as it is; of a picture in colours, all of which are greys, the grey."""
    labels = _array(path)
    if labels.ndim > 2 and labels.shape[-1] <= MOST_CHANNELS:
        colors = labels[..., :3]
        if (colors != colors[..., :1]).any():
            raise ValueError(f"{path.name} is in colours; a label map holds one whole number for each pixel")
        return colors[..., 0]
    return labels


def read_images(paths: Iterable[Path]) -> np.ndarray:
    """Read images, with their channels last.

    Parameters
    ----------
    paths : iterable of Path
        Files of the kinds in ``KINDS``.

    Returns
    -------
    ndarray of shape (n_images, height, width, channels), or of object of shape (n_images,)
        An object array where they differ in size. Volumes have an axis more.

    Raises
    ------
    ValueError
        If one cannot be read, or has other axes or channels than the first.
    """
    names, images = [], []
    for path in paths:
        colors = _of_palette(path)
        names.append(path.name)
        images.append(_with_channels(_array(path)) if colors is None else colors)
        shape, of_first = images[-1].shape, images[0].shape
        if (len(shape), shape[-1]) != (len(of_first), of_first[-1]):
            raise ValueError(
                f"{path.name} is of shape {shape}, but {names[0]} of {of_first}; all images need the same axes and "
                "channels"
            )
    return _stacked(images)


def _array(path: Path) -> np.ndarray:
    return KINDS[path.suffix.lower()](path)


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else ragged(arrays)


def _with_channels(image: np.ndarray) -> np.ndarray:
    if image.ndim > 2 and image.shape[-1] <= MOST_CHANNELS:
        return image
    if image.ndim > 2 and image.shape[0] <= MOST_CHANNELS:
        return np.moveaxis(image, 0, -1)
    return image[..., None]


def write_map(folder: Path, name: str, labels: np.ndarray) -> Path:
    """Write a label map: as a PNG of whole numbers if it is one of an image with labels from 0 to 255, or else as NPY.

    Parameters
    ----------
    folder : Path
        Where; it is made if it is not there.
    name : str
        Of the file, without its ending.
    labels : ndarray of int
        The labels.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if labels.ndim == 2 and labels.min() >= 0 and labels.max() <= np.iinfo(np.uint8).max:
        path = folder / f"{name}.png"
        picture = need("PIL.Image", path).fromarray(labels.astype(np.uint8))
        return write_whole(path, lambda unfinished: picture.save(unfinished, "PNG"))
    content = BytesIO()
    np.save(content, labels, allow_pickle=False)
    return write_whole(folder / f"{name}.npy", content.getvalue())
