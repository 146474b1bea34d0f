"""What the user says about a file, where it leaves doubts."""

from dataclasses import dataclass
from pathlib import Path

FLAGS = {"sep": "--sep", "encoding": "--encoding", "comment": "--comment", "not_na": "--not-na", "na_values": "--na"}


@dataclass(frozen=True)
class Options:
    """What the user says about a file.

    Parameters
    ----------
    sep : str, default=None
        What stands between the columns of a text; a blank is any number of blanks and tabulators.
    encoding : str, default=None
        Of a text.
    comment : str, default=None
        What lines of a text that are none of the table begin with.
    na_values : tuple of str, default=()
        Words and numbers that mean missing.
    not_na : tuple of str, default=()
        Words of a text that are values, such as labels, though they look as if there was none.
    texts : tuple of str, default=()
        Columns of a text that are no numbers, whatever they look like, such as codes like 007.
    words : tuple of str, default=()
        As `not_na`, but known from elsewhere: no file is refused for them.
    images : Path or None, default=None
        The folder of images that a table names.
    masks : Path or None, default=None
        The folder of the label maps of a folder of images.
    """

    sep: str | None = None
    encoding: str | None = None
    comment: str | None = None
    na_values: tuple[str, ...] = ()
    not_na: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    images: Path | None = None
    masks: Path | None = None

    def refuse_text_options(self, source: str) -> None:
        """Raise an error if something is said that only text has.

        Parameters
        ----------
        source : str
            The file, which is no text.
        """
        self._refuse(("sep", "encoding", "comment", "not_na"), source, "no text")

    def refuse_table_options(self, source: str) -> None:
        """Raise an error if something is said that only tables have.

        Parameters
        ----------
        source : str
            The file, which holds arrays.
        """
        self._refuse(("na_values",), source, "no table but arrays")

    def refuse_images(self, source: str) -> None:
        """Raise an error if images are said to be named by a table, where there is none.

        Parameters
        ----------
        source : str
            The file or folder.
        """
        self._refuse(("images",), source, "no table in a file, which names images")

    def refuse_masks(self, source: str) -> None:
        """Raise an error if label maps are said to be those of images, where there are none.

        Parameters
        ----------
        source : str
            The file.
        """
        self._refuse(("masks",), source, "no folder of images")

    def _refuse(self, names: tuple[str, ...], source: str, what: str) -> None:
        for name in names:
            if value := getattr(self, name):
                shown = str(value) if isinstance(value, Path) else value
                raise ValueError(f"{name}={shown!r} was given for {source}, which is {what}; leave it out")
