"""What every page of ours keeps to, so that everybody can use it (WCAG 2.2, as far as HTML shows).

Reads the page as a browser does, and shares no code with what makes it.
"""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from attrs import define, field

VOID = {"meta", "link", "input"}
NO_SCRIPT = {"script", "style", "iframe", "object", "img"}


@define
class ReadPage(HTMLParser):
    """The tags of a page, in their order, and the words in it."""

    tags: list[tuple[str, dict[str, str | None]]] = field(factory=list)
    words: Counter[str] = field(factory=Counter)
    _open: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> says something twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "an element ends in which another began"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words[self._open[-1]] += len(data.split())

    def close(self) -> None:
        super().close()
        assert not self._open, f"{self._open} have no end"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [marks for each, marks in self.tags if each == tag]


def assert_for_everybody(page: str) -> ReadPage:
    """Well-formed, in a language, with headings, labels, and errors where they belong."""
    read = ReadPage()
    read.feed(page)
    read.close()
    assert page.startswith("<!DOCTYPE html>\n")
    (html,), (main,) = read.all("html"), read.all("main")
    assert html == {"lang": "en"}
    assert not main
    assert not NO_SCRIPT.intersection(tag for tag, _ in read.tags)
    levels = [int(tag[1]) for tag, _ in read.tags if tag in ("h1", "h2", "h3")]
    assert levels in ([1], [1, 2])
    for tag in ("title", "h1"):
        assert len(read.all(tag)) == 1
        assert read.words[tag] > 0
    assert_fields(read)
    for tag, marks in read.tags:
        assert not [name for name in marks if name.startswith("on") or name == "style"], tag
        assert (marks.get("tabindex") or "-1") == "-1", "the order of the page is the order of tabs"
    for button in read.all("button"):
        assert button["type"] == "submit"
    assert len([marks for _, marks in read.tags if "autofocus" in marks]) <= 1
    return read


def assert_fields(read: ReadPage) -> None:
    """Each field has one label, and what is said of it is there."""
    ids = Counter(marks["id"] for _, marks in read.tags if "id" in marks)
    assert not [name for name, times in ids.items() if times > 1]
    labels = Counter(marks["for"] for marks in read.all("label"))
    fields = [marks for marks in read.all("input") if marks["type"] != "hidden"]
    assert labels == Counter(marks["id"] for marks in fields)
    for marks in fields:
        described = (marks.get("aria-describedby") or "").split()
        assert set(described) <= ids.keys()
        assert ("problem" in described) == (marks.get("aria-invalid") == "true")
        if marks["type"] in ("email", "password"):
            assert marks.get("autocomplete") in ("username", "current-password")
    legends = len(read.all("legend"))
    assert legends == len(read.all("fieldset"))
