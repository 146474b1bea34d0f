"""The report and the other files of a study, read as a browser and a user read them."""

import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknn import PerceptronClassifier
from sknn.study import Study
from sknn.study.data import DataSet
from sknn.study.figures import draw_all
from sknn.study.files import file_names, write_all
from sknn.study.page import page
from sknn.study.page.html import Markup, tag
from sknn.study.page.numbers import MISSING, data_size, digits, fixed, p_value, places_for, seconds
from sknn.study.page.tables import are_best
from sknn.study.verdict import verdict_over_data_sets

IRIS, WINE = load_iris(return_X_y=True), load_wine(return_X_y=True)
DIABETES = tuple(part[:120] for part in load_diabetes(return_X_y=True))
HOSTILE = "<script>alert('me')</script> & \"you\""


class Fails(DummyClassifier):
    def fit(self, X, y):
        raise RuntimeError(f"cannot learn from {HOSTILE}")


class Warns(DummyClassifier):
    def fit(self, X, y):
        import warnings

        warnings.warn(f"beware of {HOSTILE}", stacklevel=1)
        return super().fit(X, y)


class Page(HTMLParser):
    """What a browser sees: elements properly nested, their attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in {"meta", "br"}:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.text.append(data)

    def all(self, name):
        return [attributes for each, attributes in self.elements if each == name]


PICTURE = "data:image/png;base64,"  # one that stands in the page itself


def perceptron():
    return make_pipeline(StandardScaler(), PerceptronClassifier(random_state=None))


def single():
    models = {"net": perceptron(), "bayes": GaussianNB(), "dummy": DummyClassifier()}
    return Study(models, cv=3, learning_curve=True).run({"iris": IRIS})


def tuned():
    return Study(["perceptron", "ridge"], cv=3, tune=2).run({"diabetes": DIABETES})


def hostile():
    models = {"net": perceptron(), "bayes": GaussianNB(), HOSTILE: Fails(), "warns": Warns()}
    return Study(models, cv=3).run({HOSTILE: IRIS, "wine": WINE, "again": IRIS})


def mixed():
    models = ["perceptron", "knn", "dummy"]
    return Study(models, cv=3).run({"iris": IRIS, "diabetes": DIABETES})


def maps():
    labels = np.indices((4, 9, 12)).sum(axis=0) // 4 % 2
    images = labels[..., None] + np.random.default_rng(0).normal(0, 0.1, (*labels.shape, 1))
    return Study(["dummy", "otsu"], cv=2).run({"stripes": (images, labels)})


STUDIES = {"maps": maps, "single": single, "tuned": tuned, "hostile": hostile, "mixed": mixed}


@pytest.fixture(scope="module")
def studies():
    return {name: make() for name, make in STUDIES.items()}


@pytest.fixture(scope="module")
def pages(studies):
    return {name: page(study, draw_all(study)) for name, study in studies.items()}


def text_of(html):
    return re.sub(r"\s+", " ", " ".join(Page(html).text))


# ----------------------------------------------------------------------------------------------- as a browser sees it


@pytest.mark.parametrize("name", STUDIES)
class TestEveryPage:
    def test_is_well_formed(self, pages, name):
        assert pages[name].startswith('<!doctype html>\n<html lang="en">')
        assert Page(pages[name]).all("h1")

    def test_needs_nothing_else(self, pages, name):
        seen = Page(pages[name])
        assert not {"script", "link", "img", "iframe"} & {element for element, _ in seen.elements}
        links = [
            value for _, each in seen.elements for key, value in each.items() if key in ("src", "href", "xlink:href")
        ]
        assert all(link.startswith(("#", PICTURE)) for link in links)
        assert not re.search(r"url\((?!#)|@import", pages[name])

    def test_names_every_element_once_and_refers_only_to_those(self, pages, name):
        seen = Page(pages[name])
        ids = [each["id"] for _, each in seen.elements if "id" in each]
        assert len(ids) == len(set(ids))
        attributes = [each for _, each in seen.elements]
        links = [each[key] for each in attributes for key in ("href", "xlink:href") if key in each]
        labels = {each["aria-labelledby"] for each in attributes if "aria-labelledby" in each}
        clips = set(re.findall(r"url\(#([^)]+)\)", pages[name]))
        assert {link[1:] for link in links if not link.startswith(PICTURE)} | labels | clips <= set(ids)

    def test_has_figures_that_are_labelled(self, pages, name):
        svgs = re.findall(r"<svg.*?</svg>", pages[name], flags=re.DOTALL)
        assert len(svgs) >= 3
        for svg in svgs:
            root = ElementTree.fromstring(svg)
            assert root.attrib["role"] == "img"
            assert root.find("title").text

    def test_has_figures_whose_colours_follow_the_scheme(self, pages, name):
        style, *_ = re.findall(r"<style>(.*?)</style>", pages[name], flags=re.DOTALL)
        body = pages[name][pages[name].index("<body>") :]
        assert not re.search(r"(?:fill|stroke|color): *#", body)
        light, dark = style.split("prefers-color-scheme:dark", 1)
        for variable in set(re.findall(r"var\((--[0-9a-f]{6})\)", body)):
            assert f"{variable}:#" in light
            assert f"{variable}:#" in dark

    def test_has_headers_of_columns_and_rows(self, pages, name):
        heads = Page(pages[name]).all("th")
        assert {each["scope"] for each in heads} == {"col", "row"}

    def test_has_headings_without_gaps(self, pages, name):
        levels = [int(element[1]) for element, _ in Page(pages[name]).elements if re.fullmatch("h[1-6]", element)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_is_small(self, pages, name):
        assert len(pages[name].encode()) < 2_000_000

    def test_is_the_same_when_written_again_but_for_the_time(self, studies, pages, name):
        again = page(studies[name], draw_all(studies[name]))
        assert re.sub("<time.*?</time>", "", again) == re.sub("<time.*?</time>", "", pages[name])


# -------------------------------------------------------------------------------------------------- what is to be read


def test_the_page_is_read_from_the_answer_to_the_method(studies, pages):
    text = text_of(pages["single"])
    first = studies["single"].verdicts()["iris"].split(". ")[0]
    parts = [
        "Networks and baselines on iris",
        "150 rows, 4 columns, 3 classes",
        first,
        "Scores, times and sizes",
        "Figures",
    ]
    parts += [
        "Score against cost",
        "Learning curves",
        "Every model against every other",
        "How it was done",
        "scikit-learn",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_whole_verdict_is_there(studies, pages):
    for name in ("single", "tuned"):
        (verdict,) = studies[name].verdicts().values()
        assert verdict in text_of(pages[name]).replace("  ", " ")


def test_the_table_has_the_numbers_of_the_summary(studies, pages):
    text = text_of(pages["single"])
    for row in studies["single"].summary().to_dict("records"):
        assert f"{row['accuracy_mean']:.3f} ± {row['accuracy_std']:.3f}" in text.replace("  ", " ")


def test_the_best_scores_are_marked(pages):
    assert 4 <= pages["single"].count('class="best"') <= 8


def test_the_tests_are_explained_with_their_sources(pages):
    text = text_of(pages["single"])
    for source in ("Nadeau", "Holm (1979)", "Benavoli", "doi:10.1023/A:1024068626366"):
        assert source in text


def test_how_it_was_done_can_be_repeated(studies, pages):
    text = text_of(pages["single"])
    assert studies["single"].data_sets[0].fingerprint in text
    assert "3-fold cross-validation, shuffled, stratified by class" in text
    for package in ("Python 3", "sknn", "scikit-learn", "NumPy", "SciPy", "pandas"):
        assert package in text
    assert "GaussianNB()" in text
    assert "PerceptronClassifier(" in text
    assert os.uname().nodename not in text or len(os.uname().nodename) < 4


def test_search_spaces_and_what_was_chosen_are_there(studies, pages):
    text = text_of(pages["tuned"])
    assert "2 random configurations in an inner cross-validation of 3 folds" in text
    assert "ridge__alpha: log-uniform" in text
    assert text.count("fold 3: ") == 2


def test_several_data_sets_have_an_overview_first(studies, pages):
    study, text = studies["hostile"], text_of(pages["hostile"])
    overall = verdict_over_data_sets(study.ranks(), {model.name: model.family for model in study.models}, {})
    places = [
        text.index(part) for part in (overall.split(". ")[0], "Data set by data set", "Average ranks", "178 rows")
    ]
    assert places == sorted(places)
    assert [each["href"] for each in Page(pages["hostile"]).all("a")] == ["#data-1", "#data-2", "#data-3", "#method"]
    assert "Demšar" in text


def test_data_sets_that_cannot_be_ranked_together_have_each_its_answer(studies, pages):
    text = text_of(pages["mixed"])
    assert "They cannot be ranked together" in text
    assert text.count("Every model against every other") == 2


def test_names_and_messages_are_texts_not_markup(pages):
    assert "<script" not in pages["hostile"]
    assert HOSTILE in text_of(pages["hostile"])


def test_what_was_noticed_in_the_data_is_told():
    noticed = DataSet.from_arrays("iris", *IRIS, notes=["column '<x>' has odd cells"])
    study = Study({"net": perceptron(), "dummy": DummyClassifier()}, cv=2).run(noticed)
    text = text_of(page(study, draw_all(study)))
    assert "What was noticed in the data column '<x>' has odd cells" in text


def test_failures_and_warnings_are_there_once_with_their_folds(pages):
    text = text_of(pages["hostile"])
    section = text[text.index("Failures") : text.index("Data and parameters")]
    assert section.count("RuntimeError: cannot learn from") == 1
    assert section.count("UserWarning: beware of") == 1
    assert section.count("all 3") == 2
    assert "failed in 3 of 3 folds" in text
    assert "Failures" not in text_of(pages["single"])


PROTOCOLS = {
    "a splitter": ({"cv": TimeSeriesSplit(2)}, "later rows are never trained on; the same 2 folds for every model"),
    "row numbers": ({"cv": [(range(0, 150, 2), range(1, 150, 2))]}, "1 split given as row numbers"),
    "repeats": ({"cv": 2, "repeats": 6}, "2-fold cross-validation, 6 times"),
}


@pytest.mark.parametrize(("options", "said"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_protocol_is_described(options, said, tmp_path):
    order = np.random.RandomState(0).permutation(150)
    study = Study({"net": perceptron(), "bayes": GaussianNB()}, scoring="accuracy", **options)
    study.run({"iris": (IRIS[0][order], IRIS[1][order])})
    assert said in text_of(study.report(tmp_path).read_text("utf-8"))


def test_addresses_in_memory_are_left_out(tmp_path):
    models = {"net": perceptron(), "mapped": make_pipeline(FunctionTransformer(lambda X: X), GaussianNB())}
    html = Study(models, cv=2).run({"iris": IRIS}).report(tmp_path).read_text("utf-8")
    assert "lambda" in html
    assert not re.search("0x[0-9a-f]{6}", html)


# ------------------------------------------------------------------------------------------------------------ numbers

WRITTEN = {
    "thousands": (digits(123456.0), "120,000"),
    "nothing": (digits(np.nan), MISSING),
    "zero": (digits(0.0), "0"),
    "minutes": (seconds(90.0), "90 s"),
    "no time": (seconds(np.nan), MISSING),
    "kilobytes": (data_size(123_456.0), "123 kB"),
    "unknown size": (data_size(np.nan), MISSING),
    "sure": (p_value(1e-9), "< 0.001"),
    "unsure": (p_value(1.0), "1"),
    "no p": (p_value(np.nan), MISSING),
    "minus": (fixed(-0.25, 2), "−0.25"),
    "minus nothing": (fixed(-0.0001, 2), "0.00"),
    "places": (places_for(np.array([np.nan, 0.0, 0.02])), 3),
}


@pytest.mark.parametrize(("written", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_numbers_are_written_for_people(written, expected):
    assert written == expected


def test_what_looks_equal_is_equally_the_best():
    assert are_best(np.array([0.9711, 0.9709, np.nan, 0.5]), True, 3).tolist() == [True, True, False, False]
    assert are_best(np.array([0.9711, 0.9709, np.nan, 0.5]), False, 4).tolist() == [False, False, False, True]
    assert not are_best(np.full(2, np.nan), True, 3).any()


def test_only_markup_is_left_as_it_is():
    assert tag("p", "<b>", Markup("<i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></p>'


# -------------------------------------------------------------------------------------------------------------- files


def test_the_report_is_a_file_or_goes_into_a_directory(studies, tmp_path):
    study = studies["single"]
    assert study.report(tmp_path) == tmp_path / "report.html"
    assert study.report(tmp_path / "new" / "mine.html") == tmp_path / "new" / "mine.html"
    assert Page((tmp_path / "new" / "mine.html").read_text("utf-8"))


def test_there_is_no_report_before_run(tmp_path):
    with pytest.raises(RuntimeError, match="call run"):
        Study(["dummy"]).report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_finished_leaves_the_old_one(studies, tmp_path, monkeypatch):
    report = tmp_path / "report.html"
    report.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        studies["single"].report(tmp_path)
    assert report.read_text() == "old"
    assert list(tmp_path.iterdir()) == [report]


def test_all_is_written(studies, tmp_path):
    study = studies["single"]
    assert write_all(study, tmp_path / "out") == tmp_path / "out" / "report.html"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("results.csv", "summary.csv", "learning_curves.csv", "figures", "report.html")
    }
    for name, frame in {
        "results": study.results,
        "summary": study.summary(),
        "learning_curves": study.learning_curves,
    }.items():
        read = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        pd.testing.assert_frame_equal(*(each.astype(object).where(each.notna(), None) for each in (read, frame)))
    kinds = {kind for _, kind in draw_all(study)}
    written = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert written == {f"iris_{kind}.{ending}" for kind in kinds for ending in ("svg", "png")}
    for path in (tmp_path / "out" / "figures").glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    for path in (tmp_path / "out" / "figures").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_without_learning_curves_there_is_no_file_of_them(studies, tmp_path):
    write_all(studies["hostile"], tmp_path)
    assert not (tmp_path / "learning_curves.csv").exists()
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"ranks.svg", "wine_scores.png"} <= names
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


NAMES = {
    "plain": (["iris"], ["iris"]),
    "case": (["iris", "IRIS"], ["iris", "IRIS_2"]),
    "paths": (["../../etc/passwd", "C:\\data"], ["etc_passwd", "C_data"]),
    "nothing left": (["模型", "…"], ["data", "data_2"]),
    "taken": (["a b", "a_b", "a b_2"], ["a_b", "a_b_2", "a_b_2_2"]),
    "long": (["x" * 300], ["x" * 60]),
}


@pytest.mark.parametrize(("names", "files"), NAMES.values(), ids=NAMES)
def test_every_data_set_has_a_safe_file_name_of_its_own(names, files):
    assert list(file_names(names).values()) == files
