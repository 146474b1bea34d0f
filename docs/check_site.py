"""Whether a built site is whole: its links lead somewhere, pictures have a text, nothing comes from outside.

python docs/check_site.py docs/_build/html
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src"}  # what a browser fetches unasked


class Page(HTMLParser):
    """Anchors, links, what is loaded, and pictures without a text, of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.mute: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := said.get(key))}
        if tag == "a" and said.get("href"):
            self.links.append(said["href"] or "")
        elif tag == "link" and "stylesheet" in (said.get("rel") or ""):
            self.loaded.append(said["href"] or "")
        elif tag in LOADED and said.get(LOADED[tag]):
            self.loaded.append(said[LOADED[tag]] or "")
        if tag == "img" and "alt" not in said:  # an empty one marks what only decorates
            self.mute.append(said.get("src") or "")


def faults(site: Path) -> list[str]:
    """What is wrong, a line each."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        found += [f"{where}: a picture without alt text: {source}" for source in page.mute]
        found += [f"{where}: loaded from outside: {url}" for url in page.loaded if urlsplit(url).netloc]
        for url in [*page.links, *page.loaded]:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{where}: {url} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{where}: {url} has no such place")
    return found


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]))
    print(*wrong, sep="\n")
    sys.exit(f"{len(wrong)} faults" if wrong else 0)
