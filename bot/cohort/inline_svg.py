"""A matplotlib picture inside a page whose policy forbids inline styles, beside other pictures on the same page.

Matplotlib gives every picture the same ids and writes styles as ``style`` attributes and a ``style`` element. Here
ids get a prefix of the picture's own, and styles become presentation attributes, which the policy lets stand.
"""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree as ET  # matplotlib's own output, nothing from outside

from bot.pictures.drawing import Drawing, render

_NAMESPACE = re.compile(r"\{[^}]*\}")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_DROPPED = {"metadata", "style", "title"}
# What matplotlib's style element says of all elements; both are inherited.
_INHERITED = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline_svg(drawing: Drawing, key: str, description: str) -> str:
    """The picture in a box that scrolls where the screen is narrow.

    Args:
        drawing: the picture; its title becomes the SVG's.
        key: letters, digits and hyphens; each picture of a page needs its own.
        description: what is to be seen, for those who cannot.
    """
    root = ET.fromstring(render(drawing, "svg"))  # noqa: S314 - see above
    _clean(root, key)
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    title, about = ET.Element("title", id=f"{key}-title"), ET.Element("desc", id=f"{key}-desc")
    title.text, about.text = drawing.title, description
    root[:0] = [title, about]
    root.attrib.update({"role": "img", "aria-labelledby": f"{key}-title {key}-desc", **_INHERITED})
    drawn = ET.tostring(root, encoding="unicode")
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(drawing.title)}, picture">{drawn}</div>'


def _clean(element: ET.Element, key: str) -> None:
    element.tag = _NAMESPACE.sub("", element.tag)
    attributes: dict[str, str] = {}
    for name, value in element.attrib.items():
        plain = _NAMESPACE.sub("", name)
        if plain == "style":
            for declaration in filter(None, (part.strip() for part in value.split(";"))):
                property_, _, setting = declaration.partition(":")
                attributes[property_.strip()] = _own(setting.strip(), key)
        elif plain == "id":
            attributes["id"] = f"{key}-{value}"
        elif plain == "href":
            attributes["href"] = f"#{key}-{value.removeprefix('#')}"
        else:
            attributes[plain] = _own(value, key)
    element.attrib.clear()
    element.attrib.update(attributes)
    for child in list(element):
        if _NAMESPACE.sub("", child.tag) in _DROPPED:
            element.remove(child)
        else:
            _clean(child, key)


def _own(value: str, key: str) -> str:
    return _REFERENCE.sub(rf"url(#{key}-\1)", value)
