"""The formats that need libraries of their own: FITS, VOTable, HDF5, Feather."""

import gzip
import re
import sys

import numpy as np
import pandas as pd
import pytest

from sknn.study.load import load

FLUX = np.linspace(0.5, 9.5, 10)
KIND = np.array(["star", "galaxy"] * 5)
SPECTRA = np.arange(200.0).reshape(10, 20)
STARS = pd.DataFrame({"flux": FLUX, "counts": np.arange(10), "kind": KIND})


def check_stars(data):
    assert data.labels.tolist() == ["galaxy", "star"]
    assert data.X.to_dict("list") == {"flux": FLUX.tolist(), "counts": list(range(10))}
    assert all(dtype.isnative for dtype in data.X.dtypes)


# -------------------------------------------------------------------------------------------------------------- FITS


@pytest.fixture
def fits():
    return pytest.importorskip("astropy.io.fits")


def table_of(fits, name="STARS", **columns):
    formats = {"f": "D", "i": "J", "U": "10A", "b": "L"}
    made = [
        fits.Column(key, formats[array.dtype.kind] if array.ndim == 1 else f"{array[0].size}D", array=array)
        for key, array in columns.items()
    ]
    return fits.BinTableHDU.from_columns(made, name=name)


def write_fits(fits, path, *units):
    fits.HDUList([fits.PrimaryHDU(), *units] if not isinstance(units[0], fits.PrimaryHDU) else list(units)).writeto(
        path
    )
    return path


def test_a_table_of_fits(fits, tmp_path):
    path = write_fits(
        fits, tmp_path / "stars.fits", table_of(fits, **{name: STARS[name].to_numpy(KINDS[name]) for name in STARS})
    )
    check_stars(load(path, "kind"))
    check_stars(load(f"{path}[1]", "kind"))
    check_stars(load(f"{path}[STARS]", "kind"))
    (tmp_path / "packed.fits.gz").write_bytes(gzip.compress(path.read_bytes()))
    check_stars(load(tmp_path / "packed.fits.gz", "kind"))


KINDS = {"flux": float, "counts": "i4", "kind": "U10"}


def test_missing_values_of_fits(fits, tmp_path):
    columns = [
        fits.Column("counts", "J", null=-99, array=np.array([1, -99, 3])),
        fits.Column("flux", "E", array=np.array([1, np.nan, 3], dtype="f4")),
        fits.Column("band", "3A", array=np.array(["g", "", "g"])),
        fits.Column("kind", "3A", array=np.array(["a", "b", "a"])),
    ]
    data = load(write_fits(fits, tmp_path / "a.fits", fits.BinTableHDU.from_columns(columns)), "kind")
    np.testing.assert_array_equal(data.X["counts"], [1, np.nan, 3])
    np.testing.assert_array_equal(data.X["flux"], [1, np.nan, 3])
    assert data.X["band"].isna().tolist() == [False, True, False]


def test_columns_of_several_values(fits, tmp_path):
    flags = np.arange(20.0).reshape(10, 2)
    columns = {"spectrum": SPECTRA, "flags": flags, "flux": FLUX, "kind": KIND}
    path = write_fits(fits, tmp_path / "a.fits", table_of(fits, **columns))
    assert list(load(path, "kind", drop=["spectrum"]).X) == ["flux", "flags_0", "flags_1"]
    spectra = load(path, "kind", features=["spectrum"], sample_shape=(20, 1))
    assert spectra.sample_shape == (20, 1)
    np.testing.assert_array_equal(spectra.X, SPECTRA)
    assert load(path, "kind").X.shape == (10, 23)


def test_images_of_fits_with_their_targets(fits, tmp_path):
    images = np.arange(640, dtype=">i2").reshape(10, 8, 8)
    path = write_fits(
        fits, tmp_path / "a.fits", fits.PrimaryHDU(images), table_of(fits, kind=KIND, field=np.arange(10) // 2)
    )
    data = load(path, "kind", groups="field")
    assert (data.sample_shape, data.labels.tolist(), data.X.dtype) == ((8, 8, 1), ["galaxy", "star"], np.dtype("i2"))
    np.testing.assert_array_equal(data.X, images)
    units = [fits.PrimaryHDU(), fits.ImageHDU(images, name="CUTOUTS"), fits.ImageHDU(FLUX, name="REDSHIFT")]
    assert load(write_fits(fits, tmp_path / "b.fits", *units), "REDSHIFT").y.tolist() == FLUX.tolist()


def test_arrays_of_several_lengths_are_refused_and_can_be_left_out(fits, tmp_path):
    lengths = np.array([np.ones(1 + n % 3) for n in range(10)], dtype=object)
    columns = [fits.Column("events", "PD()", array=lengths), fits.Column("flux", "D", array=FLUX)]
    columns.append(fits.Column("kind", "10A", array=KIND))
    path = write_fits(fits, tmp_path / "a.fits", fits.BinTableHDU.from_columns(columns))
    with pytest.raises(ValueError, match=r"column 'events' of a.fits holds mixed values such as array"):
        load(path, "kind")
    assert list(load(path, "kind", drop=["events"]).X) == ["flux"]


def test_doubled_names_are_refused(fits, tmp_path):
    columns = [fits.Column(name, "D", array=FLUX) for name in ("flux", "kind", "fluy")]
    path = write_fits(fits, tmp_path / "a.fits", fits.BinTableHDU.from_columns(columns))
    path.write_bytes(path.read_bytes().replace(b"'fluy    '", b"'flux    '"))
    with pytest.raises(ValueError, match="several of its columns are called 'flux'"):
        load(path, "kind")
    pyarrow, feather = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.feather")
    table = pyarrow.table([FLUX, FLUX, FLUX], names=["flux", "kind", "flux"])
    feather.write_feather(table, tmp_path / "a.feather")
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "a.parquet")
    for ending in ("feather", "parquet"):
        with pytest.raises(ValueError, match="several of its columns are called 'flux'"):
            load(tmp_path / f"a.{ending}", "kind")


WRONG_FITS = {
    "several tables": (
        "a.fits",
        "a.fits cannot be read: it has several tables, [0] PRIMARY, [1] STARS, [2] OTHERS; "
        "name one as in 'a.fits[STARS]'",
    ),
    "no such table": ("a.fits[QSO]", "it has no extension [QSO]; it has [0] PRIMARY, [1] STARS, [2] OTHERS"),
    "nothing in it": ("a.fits[0]", "there is no table and no image in it"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_FITS.values(), ids=WRONG_FITS)
def test_wrong_fits(text, message, fits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_fits(fits, tmp_path / "a.fits", table_of(fits, flux=FLUX), table_of(fits, "OTHERS", flux=FLUX))
    with pytest.raises(ValueError, match=re.escape(message)):
        load(text, "kind")


def test_a_table_beside_images_of_something_else_is_to_be_named(fits, tmp_path):
    image = fits.ImageHDU(np.zeros((4, 4)), name="CHART")
    columns = {name: STARS[name].to_numpy(KINDS[name]) for name in STARS}
    path = write_fits(fits, tmp_path / "a.fits", image, table_of(fits, **columns))
    message = (
        r"it has a table of 10 rows and images of other lengths, \[0\] PRIMARY, \[1\] CHART, \[2\] STARS; name the"
    )
    with pytest.raises(ValueError, match=message):
        load(path, "kind")
    check_stars(load(f"{path}[STARS]", "kind"))


# ----------------------------------------------------------------------------------------------------------- VOTable


@pytest.mark.parametrize("form", ["tabledata", "binary2"])
@pytest.mark.parametrize("ending", ["vot", "xml", "vot.gz"])
def test_a_votable(form, ending, tmp_path):
    table = pytest.importorskip("astropy.table").Table.from_pandas(STARS)
    table.write(tmp_path / "stars.vot", format="votable", tabledata_format=form)
    content = (tmp_path / "stars.vot").read_bytes()
    (tmp_path / f"stars.{ending}").write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    data = load(tmp_path / f"stars.{ending}", "kind")
    assert data.name == "stars"
    check_stars(data)


@pytest.mark.parametrize(("form", "file"), [("mrt", "stars.txt"), ("mrt", "stars.dat.gz"), ("ipac", "stars.tbl")])
def test_tables_that_describe_their_columns(form, file, tmp_path):
    ascii = pytest.importorskip("astropy.io.ascii")
    table = pytest.importorskip("astropy.table").Table.from_pandas(STARS)
    ascii.write(table, tmp_path / "table", format=form)
    content = (tmp_path / "table").read_bytes()
    (tmp_path / file).write_bytes(gzip.compress(content) if file.endswith("gz") else content)
    check_stars(load(tmp_path / file, "kind"))


# -------------------------------------------------------------------------------------------------------------- HDF5


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


def test_arrays_of_hdf5(h5py, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["X"], file["y"] = SPECTRA, KIND.astype("S")
    data = load(tmp_path / "a.h5")
    np.testing.assert_array_equal(data.X, SPECTRA)
    assert data.labels.tolist() == ["galaxy", "star"]


def test_columns_of_hdf5(h5py, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in STARS:
            array = STARS[name].to_numpy(dtype=object if name == "kind" else ">f8" if name == "flux" else "i8")
            file[f"stars/{name}"] = array
        file["other/x"] = np.arange(3)
    check_stars(load(f"{tmp_path / 'a.h5'}[stars]", "kind"))


def test_records_of_hdf5(h5py, tmp_path):
    records = np.rec.fromarrays([FLUX, np.arange(10), KIND.astype("S")], names=["flux", "counts", "kind"])
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["stars"] = records
    check_stars(load(tmp_path / "a.hdf5", "kind"))
    check_stars(load(f"{tmp_path / 'a.hdf5'}[stars]", "kind"))
    with pytest.raises(ValueError, match=r"it has no \[galaxies\]; it has stars"):
        load(f"{tmp_path / 'a.hdf5'}[galaxies]", "kind")


def test_what_pandas_wrote_is_named(h5py, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["df/axis0"], file["df/block0_values"] = np.arange(3), np.eye(3)
    with pytest.raises(ValueError, match="pandas' to_hdf wrote it, which only pandas reads; write it with to_parquet"):
        load(tmp_path / "a.h5", "kind")


def test_numbers_of_netcdf_are_decoded(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["counts"], file["kind"] = np.arange(10), KIND.tolist()
        file["flux"] = np.array([*range(5, 95, 10), -99], dtype="i2")
        file["flux"].attrs.update({"_FillValue": np.int16(-99), "scale_factor": 0.1, "add_offset": [1.0]})
    X = load(tmp_path / "a.h5", "kind").X
    np.testing.assert_allclose(X["flux"], [*np.arange(1.5, 10.5), np.nan])
    assert X["counts"].tolist() == list(range(10))


def test_arrays_of_different_lengths_in_hdf5_are_named(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        series = file.create_dataset("light/curve", (2,), dtype=h5py.vlen_dtype("f4"))
        series[0], series[1] = [1, 2], [3]
    with pytest.raises(ValueError, match="its 'light/curve' holds arrays of different lengths, or references"):
        load(tmp_path / "a.h5", "kind")


# ----------------------------------------------------------------------------------------------------------- Feather


@pytest.mark.parametrize("ending", ["feather", "parquet"])
def test_lists_of_one_length_are_columns_as_arrays_of_fits_are(ending, tmp_path):
    pytest.importorskip("pyarrow")
    frame = STARS.assign(spectrum=list(SPECTRA[:, :2]))
    getattr(frame, f"to_{ending}")(tmp_path / f"a.{ending}")
    X = load(tmp_path / f"a.{ending}", "kind").X
    assert list(X) == ["flux", "counts", "spectrum_0", "spectrum_1"]
    assert X["spectrum_1"].tolist() == SPECTRA[:, 1].tolist()
    assert load(tmp_path / f"a.{ending}", "kind", features=["spectrum"]).X.shape == (10, 2)


def test_an_index_with_a_name_is_a_column(tmp_path):
    pytest.importorskip("pyarrow")
    STARS.set_index(["kind", "flux"]).to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet", "kind")
    assert data.X[["counts", "flux"]].to_dict("list") == STARS[["counts", "flux"]].to_dict("list")


def test_durations_and_times_of_the_day_are_days(tmp_path):
    pytest.importorskip("pyarrow")
    hours = pd.to_timedelta([1, 12, None] * 3 + [6], unit="h")
    times = [pd.Timestamp("2026-07-31 06:00").time(), None] * 5
    STARS.assign(exposure=hours, at=times).to_parquet(tmp_path / "a.parquet")
    X = load(tmp_path / "a.parquet", "kind").X
    np.testing.assert_array_equal(X["exposure"], [1 / 24, 0.5, np.nan] * 3 + [0.25])
    np.testing.assert_array_equal(X["at"], [0.25, np.nan] * 5)


def test_a_table_of_feather(tmp_path):
    pytest.importorskip("pyarrow")
    STARS.to_feather(tmp_path / "stars.feather")
    check_stars(load(tmp_path / "stars.feather", "kind"))


@pytest.mark.parametrize(
    ("file", "package", "extra"),
    [
        ("a.fits", "astropy", "'sknn[astronomy]'"),
        ("a.vot", "astropy", "'sknn[astronomy]'"),
        ("a.h5", "h5py", "'sknn[hdf5]'"),
        ("a.feather", "pyarrow", "pyarrow"),
    ],
)
def test_without_a_library_it_says_what_to_install(file, package, extra, tmp_path, monkeypatch):
    for name in (package, *(each for each in sys.modules if each.startswith(f"{package}."))):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(ValueError, match=re.escape(f"{file} cannot be read without {package}: pip install {extra}")):
        load(tmp_path / file, "kind")


@pytest.mark.parametrize("ending", ["fits", "vot", "h5", "feather", "parquet"])
def test_broken_files_are_named(ending, tmp_path):
    (tmp_path / f"a.{ending}").write_bytes(b"\x00\x01\x02" * 10)
    with pytest.raises(ValueError, match=rf"^a\.{ending} cannot be read: "):
        load(tmp_path / f"a.{ending}", "kind")
