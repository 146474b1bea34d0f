"""Folders of images with a table of labels or with label maps: as data sets, on the command line, and predicted for."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal
from PIL import Image

from sknn.__main__ import main
from sknn.study.load import load, load_inputs
from sknn.study.readers.images import image_files, read_images, write_map

RNG = np.random.default_rng(0)
KINDS = np.where(np.arange(12) % 2, "bright", "dark")
MAPS = (np.indices((12, 8, 10)).sum(axis=0) // 4 % 2).astype(np.uint8)
IMAGES = (100 * MAPS + RNG.integers(0, 40, MAPS.shape)).astype(np.uint8)
IMAGES[1::2] += 60


def write(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def folder(tmp_path):
    for k, image in enumerate(IMAGES):
        write(tmp_path / "cells" / f"c{k:02}.png", image)
    return tmp_path / "cells"


@pytest.fixture
def masks(tmp_path):
    for k, labels in enumerate(MAPS):
        write(tmp_path / "maps" / f"c{k:02}.png", labels)
    return tmp_path / "maps"


@pytest.fixture
def labels(tmp_path):
    names = [f"c{k:02}.png" if k % 3 else f"c{k:02}" for k in range(12)]
    pd.DataFrame({"file": names, "kind": KINDS, "night": np.arange(12) // 2}).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


# -- files ---------------------------------------------------------------------------------------------------------

COLORS = RNG.integers(0, 255, (6, 7, 3)).astype(np.uint8)
PALETTE = Image.fromarray(COLORS[..., 0] % 4).convert("P")
FORMS = {
    "grey.png": (lambda path: write(path, IMAGES[0]), IMAGES[0][..., None]),
    "color.png": (lambda path: write(path, COLORS), COLORS),
    "deep.png": (lambda path: write(path, np.uint16(300) + IMAGES[0]), (np.uint16(300) + IMAGES[0])[..., None]),
    "floats.tif": (lambda path: write(path, IMAGES[0] / np.float32(3)), (IMAGES[0] / np.float32(3))[..., None]),
    "array.npy": (lambda path: np.save(path, IMAGES[0] / 3), IMAGES[0][..., None] / 3),
    "channels.npy": (lambda path: np.save(path, COLORS), COLORS),
    "channels_first.npy": (lambda path: np.save(path, np.moveaxis(COLORS, -1, 0)), COLORS),
    "volume.npy": (lambda path: np.save(path, IMAGES), IMAGES[..., None]),
    "sky.fits": (lambda path: fits.writeto(path, IMAGES[0].astype(">f4")), IMAGES[0][..., None].astype("f4")),
}


@pytest.mark.parametrize("name", FORMS)
def test_images_have_their_channels_last(name, tmp_path):
    make, expected = FORMS[name]
    make(tmp_path / name)
    (found,) = read_images([tmp_path / name])
    assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_pictures_of_several_frames_are_volumes(tmp_path):
    first, *others = map(Image.fromarray, IMAGES)
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others)
    assert_array_equal(read_images([tmp_path / "stack.tif"])[0], IMAGES[..., None])


def test_a_palette_is_colours_in_an_image_and_numbers_in_a_map(folder, tmp_path):
    for k in range(12):
        indexed = Image.fromarray(MAPS[k], "L").convert("P")
        indexed.putpalette([0, 0, 0, 200, 10, 30])
        indexed.save(folder / f"c{k:02}_mask.png")
    data = load(folder)
    assert_array_equal(data.y, MAPS)
    (colors,) = read_images([folder / "c00_mask.png"])
    assert_array_equal(np.unique(colors.reshape(-1, 3), axis=0), [[0, 0, 0], [200, 10, 30]])


# -- label maps ----------------------------------------------------------------------------------------------------


def test_label_maps_in_a_folder_of_their_own(folder, masks):
    data = load(folder, masks=masks)
    assert (data.name, data.task, data.sample_shape) == ("cells", "segmentation", (8, 10, 1))
    assert_array_equal(data.X[..., 0], IMAGES)
    assert_array_equal(data.y, MAPS)


def test_label_maps_beside_their_images(folder, masks):
    for path in masks.iterdir():
        path.rename(folder / f"{path.stem}_mask.png")
    data = load(folder)
    assert data.fingerprint == load(folder, masks=folder).fingerprint
    assert_array_equal(data.y, MAPS)
    assert list(image_files(folder)) == [f"c{k:02}" for k in range(12)]
    assert load_inputs(folder).shape == (12, 8, 10, 1)


def test_label_maps_of_several_sizes_grey_ones_in_colours_and_none(folder, masks):
    write(folder / "c03.png", IMAGES[3][:6])
    write(masks / "c03.png", np.repeat(255 * MAPS[3][:6, :, None], 3, axis=2))
    (masks / "c04.png").unlink()
    with pytest.warns(UserWarning, match="there is no label map for 'c04', left out"):
        data = load(folder, masks=masks)
    assert (data.n_samples, data.sample_shape, data.labels.tolist()) == (11, (None, None, 1), [0, 1, 255])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder, masks: write(masks / "c03.png", MAPS[3][:6]),
            "c03.png is of shape (6, 10), but its image of (8",
        ),
        (lambda folder, masks: write(masks / "c03.png", COLORS), "c03.png is in colours; a label map holds one whole"),
        (
            lambda folder, masks: write(folder / "c03.png", COLORS),
            "c03.png is of shape (6, 7, 3), but c00.png of (8, 10",
        ),
        (lambda folder, masks: (folder / "c03.png").write_bytes(b"no"), "c03.png cannot be read: "),
        (
            lambda folder, masks: np.save(folder / "c03.npy", MAPS[3]),
            "holds both c03.npy and c03.png;",
        ),
        (
            lambda folder, masks: [path.unlink() for path in masks.iterdir()],
            "holds no label map for images such as c00",
        ),
        (lambda folder, masks: [path.unlink() for path in folder.iterdir()], "is a folder without images (.png, "),
    ],
)
def test_wrong_folders_of_label_maps(folder, masks, change, message):
    change(folder, masks)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(folder, masks=masks)


# -- tables of labels ----------------------------------------------------------------------------------------------


def test_a_table_names_images(folder, labels):
    data = load(labels, "kind", groups="night", images=folder)
    assert (data.name, data.task, data.sample_shape) == ("t", "classification", (8, 10, 1))
    assert_array_equal(data.X[..., 0], IMAGES)
    assert data.y.tolist() == KINDS.tolist()
    assert data.groups.tolist() == (np.arange(12) // 2).tolist()
    labels.rename(folder / "labels.csv")
    assert load(folder, "kind", groups="night").fingerprint == data.fingerprint
    assert load_inputs(folder).shape == (12, 8, 10, 1)


def test_images_of_several_sizes_and_without_labels(folder, labels):
    write(folder / "c03.png", IMAGES[3][:6])
    pd.read_csv(labels).iloc[1:].to_csv(labels, index=False)
    with pytest.warns(UserWarning, match=r"no row of t.csv names 'c00', left out"):
        data = load(labels, "kind", images=folder)
    assert (data.n_samples, data.sample_shape) == (11, (None, None, 1))


@pytest.mark.parametrize(
    ("text", "stated", "message"),
    [
        ("cells", {}, "cells' is a folder without labels.csv; one of images has labels.csv, with the names of these"),
        ("t.csv", {"target": "kind", "images": "maps"}, "'maps' is no folder; images and label maps are files in one"),
        (
            "t.csv",
            {"target": "kind", "masks": "cells"},
            "masks='cells' was given for t.csv, which is no folder of images",
        ),
        ("cells", {"images": "cells"}, "images='cells' was given for cells, which is no table in a file"),
        ("iris", {"images": "cells"}, "was given for iris, which has its target and nothing else"),
        ("arrays.npz", {"images": "cells"}, "images='cells' was given for arrays.npz, which is no table"),
        ("other.csv", {"target": "kind", "images": "cells"}, "no column of labels names files of 'cells', such as c00"),
    ],
)
def test_what_does_not_go_together(folder, labels, monkeypatch, text, stated, message):
    monkeypatch.chdir(folder.parent)
    np.savez("arrays.npz", X=IMAGES, y=KINDS)
    pd.DataFrame({"file": ["a", "b"], "kind": ["x", "y"]}).to_csv("other.csv", index=False)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(text, **stated)


def test_pictures_beside_tables_of_curves_are_none(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("flux\n1\n2\n")
    write(tmp_path / "plot.png", IMAGES[0])
    assert load_inputs(tmp_path)[0].tolist() == [[1.0], [2.0]]


# -- from the command line -----------------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = SimpleNamespace(write_all=lambda study, folder, figures=True: folder / "report.html")
    monkeypatch.setitem(sys.modules, "sknn.study.files", report)
    return lambda *arguments: main(["study", *arguments, "--cv", "2", "--n-jobs", "1"])


def test_label_maps_from_the_command_line(folder, masks, study, tmp_path, capsys):
    kept = ["--models", "otsu", "dummy", "--keep", "best.joblib"]
    assert study("cells", "--masks", "maps", *kept) == 0
    assert "cells: 12 samples, 80 features, 2 classes" in capsys.readouterr().out
    assert main(["predict", "best.joblib", "cells"]) == 0
    assert capsys.readouterr().out == "Label maps: cells-predictions (12, such as c00.png)\n"
    found = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "cells-predictions").iterdir())]
    assert_array_equal(found, MAPS)
    np.savez("new.npz", X=IMAGES[:2, ..., None])
    assert main(["predict", "best.joblib", "new.npz", "--out", "new"]) == 0
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == ["0000.png", "0001.png"]


def test_a_folder_without_maps_says_how_they_are_named(folder, study, capsys):
    assert study("cells") == 2
    assert capsys.readouterr().err.endswith("NAME_mask.png or in a folder that is named with --masks\n")


def test_a_table_of_images_from_the_command_line(folder, labels, study, capsys):
    models = ["--models", "dummy", "knn", "--keep", "best.joblib"]
    assert study("t.csv", "--target", "kind", "--images", "cells", *models) == 0
    assert "t: 12 samples, 80 features, 2 classes" in capsys.readouterr().out
    assert main(["predict", "best.joblib", "cells", "--out", "found.csv"]) == 0
    assert pd.read_csv("found.csv")["predicted"].tolist() == KINDS.tolist()
    assert study("t.csv", "--target", "kind", "--masks", "cells", *models) == 2
    assert (
        capsys.readouterr().err
        == "sknn study: --masks 'cells' was given for t.csv, which is no folder of images; leave it out\n"
    )


def test_label_maps_that_no_picture_holds_are_arrays(tmp_path):
    for name, labels in {
        "large": MAPS[0].astype(int) + 300,
        "unknown": MAPS[0].astype(int) - 1,
        "volume": MAPS,
    }.items():
        path = write_map(tmp_path, name, labels)
        assert path.name == f"{name}.npy"
        assert_array_equal(np.load(path), labels)
