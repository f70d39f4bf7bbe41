"""A model's file says whether a centre's own patients updated it, and by which."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from pydantic import ValidationError

from bot.models.folder import check_basis, updates_shipped
from knowledge.evidence import Evidence
from knowledge.model import ModelError, data_folder, decode, encode, load
from knowledge.site_origin import SiteOrigin

ORIGIN = SiteOrigin(
    parent_id="facts-2", parent_sha256="0" * 64, data_sha256="a" * 64, simulated=True, seed=1, patients=40,
    with_prophylaxis=10, prophylaxis_unknown=0, crs_patients=30, crs_events=16, crs_grade2plus_events=8, crs_unknown=0,
    icans_patients=30, icans_events=7, icans_unknown=0, khat_crs=0.1, khat_icans=-0.2, effective_crs=9_000.0,
    effective_icans=None,
)  # fmt: skip


def test_the_shipped_model_has_no_site_and_its_bytes_stay_what_they_were() -> None:
    shipped = load()
    assert shipped.site is None
    assert "site" not in shipped.description
    again = encode(shipped.content, shipped.version.id)
    assert hashlib.sha256(again).hexdigest() == shipped.version.sha256
    assert again == data_folder().joinpath("facts-2.npz").read_bytes()


def test_the_origin_goes_through_the_file_and_back() -> None:
    data = encode(replace(load().content, site=ORIGIN), "facts-2+site-aaaaaaaa")
    model = decode(data)
    assert model.site == ORIGIN
    assert model.version.id == "facts-2+site-aaaaaaaa"
    assert encode(model.content, model.version.id) == data


def test_a_site_model_of_other_facts_is_refused_and_what_to_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(replace(load().content, site=ORIGIN), "facts-2+site-aaaaaaaa")
    monkeypatch.setattr(Evidence, "facts_hash", lambda *_: "f" * 64)  # a fact was corrected since
    with pytest.raises(ModelError, match="changed since; update again from a model of the present facts"):
        decode(data)


def test_a_hash_that_is_none_and_a_negative_count_are_no_origin() -> None:
    with pytest.raises(ValidationError):
        SiteOrigin.model_validate({**ORIGIN.model_dump(), "data_sha256": "cohort.csv"})
    with pytest.raises(ValidationError):
        SiteOrigin.model_validate({**ORIGIN.model_dump(), "crs_events": -1})


def test_a_larger_build_of_the_same_facts_may_be_the_parent() -> None:
    model = decode(encode(replace(load().content, site=ORIGIN), "facts-2+site-aaaaaaaa"))
    assert ORIGIN.parent_sha256 != load().version.sha256
    check_basis(model)
    assert not updates_shipped(model)
