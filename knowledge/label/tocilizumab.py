"""Records of tocilizumab's dose for CRS and of its volume."""

from __future__ import annotations

from pydantic import model_validator

from knowledge.label.base import Exact, Positive, Record, Text


class TocilizumabDose(Record):
    """Dose of tocilizumab for CRS by weight."""

    route: Text
    below_kg: Positive
    mg_per_kg: Positive
    mg_per_kg_below: Positive
    max_mg: Positive
    infusion_minutes: Positive
    dilution: Text
    with_steroid: Text
    further_doses: Positive
    hours_apart: Positive
    total_doses: Positive
    repeat: Text

    @model_validator(mode="after")
    def _doses_add_up(self) -> TocilizumabDose:
        if self.total_doses != 1 + self.further_doses:
            raise ValueError("the first and the further doses do not add up to the total")
        return self


class Volume(Record):
    """Volume of the undiluted injection."""

    ml_per_kg: Exact
    at_mg_per_kg: Positive
    mg_per_ml: Positive
    cap_reached_kg: Positive
    says: Text

    @model_validator(mode="after")
    def _agrees(self) -> Volume:
        if self.ml_per_kg * self.mg_per_ml != self.at_mg_per_kg:
            raise ValueError("mL/kg times mg/mL is not mg/kg")
        return self
