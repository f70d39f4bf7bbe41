"""Five hundred identifiers of the eighteen HIPAA kinds, as they are typed on a ward; nobody's, made from a seed.

Source of the kinds: 45 CFR 164.514(b)(2)(i).
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from urllib.parse import quote, quote_plus

from handlers.evidence.topics import BY_WORD
from handlers.parsing.figures import canonical_number
from handlers.parsing.vocabulary import KNOWN_WORDS
from tests.support.chaos import rng

COUNT = 500
# A shorter one would be found by chance, in a hash or a time.
SHORTEST = 5

_GIVEN = (
    *("Thorvald", "Ngozika", "Przemysław", "Aoibheann", "Xóchitl", "Søren", "Đặng", "Łucja", "Émeric", "Wilhelmina"),
    *("Ольга", "Дмитрий", "Ελένη", "محمد", "שרה", "美咲", "秀英", "김민준", "प्रिया", "สมชาย"),
)
_FAMILY = (
    *("Quennevilleson", "Okonkwo-Bright", "Wójcikowska", "O'Shaughnessy", "Villaseñor", "Bjørnstad", "Nguyễn"),
    *(
        "D'Ambrosio",
        "van der Westhuizen",
        "St. Germaine",
        "Кузнецова",
        "Παπαδοπούλου",
        "السيد",
        "מזרחי",
        "田中",
        "박서연",
    ),
)
_STREETS = ("Larkspur Lane", "Rue des Acacias", "Hauptstrasse", "Kestrel Crescent", "улица Ленина", "Calle Alcalá")
_TOWNS = ("Wharton NJ", "Tórshavn", "Llanfairpwll", "Kyzyl", "Wagga Wagga", "Sankt Pölten")
_MONTHS = ("Jan", "February", "mars", "avril", "Mai", "Juni", "julio", "Aug", "Sept", "октября", "Nov", "December")


@dataclass(frozen=True)
class Identifier:
    """``kind`` is the letter of the rule: A names to R anything else that is unique."""

    kind: str
    text: str

    @property
    def traces(self) -> tuple[str, ...]:
        """The whole and its parts that could only come from it."""
        parts = [part for part in re.split(r"[\s,;:()<>|/@?&=]+", self.text) if len(part) > SHORTEST]
        return tuple(dict.fromkeys([self.text, *(part for part in parts if not _is_our_own(part))]))


def identifiers() -> tuple[list[Identifier], int]:
    """The identifiers that are typed, and how many were made anew because they name nobody.

    The rule: one that is wholly of Tarla's own words (the vocabulary, the look-ups' topics, what its documents and
    data say) or a plain number from 0 to 9,999 says nothing of a person by itself, and Tarla may show it.
    """
    random_ = rng("identifiers")
    made: dict[str, Identifier] = {}
    excluded = 0
    makers = list(_MAKERS.items())
    while len(made) < COUNT:
        kind, options = makers[len(made) % len(makers)]
        text = random_.choice(options)(random_)
        if len(text) < SHORTEST or names_nobody(text):
            excluded += 1
        else:
            made.setdefault(text, Identifier(kind, text))
    return list(made.values()), excluded


def names_nobody(text: str) -> bool:
    """Whether every word is one of Tarla's own or a plain number in the widest accepted range."""
    words = re.split(r"[\s,;:()=/]+", text.lower())
    return all(_is_own_word(word) for word in words if word)


def _is_own_word(word: str) -> bool:
    number = canonical_number(word)
    if number is not None:
        return number <= 9_999
    return word in KNOWN_WORDS or word in BY_WORD


def traces_in(content: bytes, identifier: Identifier) -> list[str]:
    """What of the identifier stands in ``content`` (lower case), in any usual way of writing bytes."""
    return [trace for trace in identifier.traces if any(_stands_in(content, each, trace) for each in _spellings(trace))]


def _stands_in(content: bytes, spelling: bytes, trace: str) -> bool:
    if spelling not in content:
        return False
    # A figure of a time or a hash may hold a short number by chance, but not between other signs.
    return not trace.isdigit() or re.search(rb"(?<![0-9])" + re.escape(spelling) + rb"(?![0-9])", content) is not None


@lru_cache(maxsize=20_000)
def _spellings(trace: str) -> frozenset[bytes]:
    lower = trace.lower()
    texts = (lower, quote(lower), quote_plus(lower), quote(trace), *(json.dumps(each)[1:-1] for each in (lower, trace)))
    plain = {text.lower().encode() for text in texts}
    wide = {lower.encode("utf-16-le"), lower.encode("utf-16-be")}
    return frozenset(plain | wide | set(_in_base64(trace)))


def _in_base64(trace: str) -> Iterator[bytes]:
    """The middle of the base64 of ``trace`` at each of the three places it may start; content is in lower case."""
    raw = trace.encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        middle = coded[4 if before else 0 : -4]
        if len(middle) >= 8:
            yield middle.lower()


@lru_cache(maxsize=1)
def _our_own_words() -> str:
    """Everything Tarla could show on its own account: its data and its programs' texts."""
    texts = []
    for package in ("knowledge", "handlers", "bot"):
        waiting = [files(package)]
        while waiting:
            for each in waiting.pop().iterdir():
                if each.is_dir():
                    waiting.append(each)
                elif each.name.endswith((".py", ".toml", ".json", ".md")):
                    texts.append(each.read_text(encoding="utf-8").lower())
    return "\n".join(texts)


def _is_our_own(part: str) -> bool:
    return part.lower() in _our_own_words()


def _digits(random_: random.Random, pattern: str) -> str:
    return re.sub("#", lambda _: str(random_.randrange(10)), pattern)


def _of(*patterns: str) -> Callable[[random.Random], str]:
    return lambda random_: _digits(random_, random_.choice(patterns))


def _date(random_: random.Random) -> str:
    year, month, day = random_.randrange(1921, 2009), random_.randrange(1, 13), random_.randrange(1, 29)
    forms = (
        f"{year}-{month:02d}-{day:02d}",
        f"{month:02d}/{day:02d}/{year}",
        f"{day}.{month}.{year}",
        f"{year}{month:02d}{day:02d}",
        f"{day} {_MONTHS[month - 1]} {year}",
        f"DOB {month}/{day}/{year % 100:02d}",
        f"{_MONTHS[month - 1]} {day}, {year}",
    )
    return random_.choice(forms)


def _name(random_: random.Random) -> str:
    given, family = random_.choice(_GIVEN), random_.choice(_FAMILY)
    forms = (f"{given} {family}", f"{family}, {given}", f"Mrs {family}", f"{given[0]}. {family}", f"{given}{family}")
    return random_.choice(forms).translate(str.maketrans({"\n": " "})) + random_.choice(("", " Jr", " III"))


def _mail(random_: random.Random) -> str:
    return random_.choice(("thorvald", "olga.k", "mrs_quenneville")) + _digits(random_, "##@ward##.example")


_MAKERS: dict[str, tuple[Callable[[random.Random], str], ...]] = {
    "A names": (_name,),
    "B places": (
        _of("0####", "0####-####", "####3 ####7"),
        lambda r: f"{r.randrange(1, 999)} {r.choice(_STREETS)}",
        lambda r: f"{r.choice(_TOWNS)} {_digits(r, '0####')}",
    ),
    "C dates and ages over 89": (
        _date,
        lambda r: f"{r.randrange(90, 112)}yo",
        lambda r: f"{r.randrange(90, 112)}-year-old {r.choice(('woman', 'man'))}",
    ),
    "D telephone": (_of("+1-555-01##-###", "(555) 01#-####", "555.01#.####", "+44 20 7946 0###", "015550#####"),),
    "E fax": (_of("fax 555-01#-####", "fax:+495550####", "FAX(555)01#####"),),
    "F e-mail": (_mail,),
    "G social security": (_of("9##-7#-####", "9##7#####", "ssn 9##-8#-####", "9## 7# ####"),),
    "H record number": (_of("MRN 4#######", "mrn:00######", "4#######", "KH-0######", "pat#0#####", "1########"),),
    "I health plan": (_of("1EG4-TE#-MK##", "HP0#######", "member 8########", "A12#####4Z"),),
    "J account": (_of("acct 77#########", "GB82WEST1234569876####", "visit#5######", "FIN5########"),),
    "K licence": (_of("DL S#######-##", "lic 0#######", "DEA BX#######"),),
    "L vehicle": (_of("1HGCM82633A######", "plate KJX-##7", "AB#1 CDZ"),),
    "M device": (_of("SN:0#####-PM", "pacemaker sn 7#######", "UDI(01)0038290#######"),),
    "N address on the web": (
        _of("https://ehr.example/p/4#######", "www.facebook.example/quenneville##", "ehr.example?mrn=4######"),
    ),
    "O IP address": (_of("10.1#.1#.2#", "192.168.1#.###", "fe80::1#:ff:fe2#:#", "2001:db8::4#:####"),),
    "P biometric": (_of("fingerprint FP-0######", "voiceprint-7#####", "retina:0x9f##a#"),),
    "Q photograph": (_of("IMG_2#######.JPG", "face-0#####.png", "DSC0#####.heic"),),
    "R anything unique": (
        _of("trial 20-0##-###", "NCT0499####/subj-0##", "sample#0####", "bed 4##7#B"),
        lambda r: f"{r.choice(_GIVEN)}'s {r.choice(('sister', 'twin', 'dog Rexington'))}",
    ),
}
