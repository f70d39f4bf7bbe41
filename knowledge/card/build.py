"""Making the model card from the model, the evidence and the committed results of the study."""

from __future__ import annotations

from importlib.resources.abc import Traversable

from knowledge.card import texts
from knowledge.card.assumptions import assumptions, spec_figures
from knowledge.card.data import AGE, ECOG, MALE, STUDY_SIZE, data_section
from knowledge.card.findings import build_findings, sample_size, sensitivity_table, simulation
from knowledge.card.found import SampleSize
from knowledge.card.records import Identity, ModelCard, Use
from knowledge.evidence import Evidence
from knowledge.evidence import load as load_evidence
from knowledge.model import Model
from knowledge.model import load as load_model
from knowledge.simulation.results import load_sensitivity, load_study
from knowledge.synthesis.facts import model_fact_ids


def build_card(program: str, model: Model | None = None, folder: Traversable | None = None) -> ModelCard:
    """The card of ``model`` (default: the shipped one).

    Args:
        program: version of the program that makes the card.
        model: another model than the shipped one.
        folder: where the card's texts lie, if not in the package.

    Raises:
        ModelError: the shipped model is missing, altered or built from other facts.
        CardError: the card's texts are incomplete or name a figure that does not exist.
        OSError: the committed results of the study are missing.
    """
    chosen = model or load_model()
    evidence = load_evidence()
    spec = chosen.spec
    place = folder or texts.data_folder()
    sizes = sample_size(spec)
    figures = {**spec_figures(spec), **_evidence_figures(evidence), **_size_figures(sizes)}
    figures["centre_rates"] = str(len(spec.crs_centres) + len(spec.icans_centres))
    figures["grade3_events"] = str(spec.crs_grade3)
    figures["icans_events"] = str(spec.icans_any)
    figures["study_n"] = str(spec.n)
    found = build_findings(chosen)
    figures["cohorts"] = f"{sum(each.simulated for each in found.strata):,}"
    prose = texts.read_prose(place, figures)
    return ModelCard(
        identity=Identity(
            model=chosen.version.id,
            sha256=chosen.version.sha256,
            facts_sha256=chosen.facts_sha256,
            facts=model_fact_ids(spec),
            seed=chosen.content.seed,
            evidence=evidence.version,
            program=program,
        ),
        summary=prose.summary,
        release=prose.release,
        use=Use(intended=prose.intended, excluded=prose.excluded),
        data=data_section(evidence, spec),
        assumptions=assumptions(spec, texts.read_assumptions(place, figures), prose.structure),
        build=found,
        sample_size=sizes,
        performance=simulation(load_study(), chosen),
        sensitivity=sensitivity_table(load_sensitivity(), chosen),
        notes=prose.notes,
        risks=prose.risks,
        fairness=prose.fairness,
        maintenance=prose.maintenance,
        trust=prose.trust,
        source_attributes=texts.read_attributes(place, figures),
        tripod_ai=texts.read_checklist(place, figures),
        references=(*prose.reference, prose.chai),
    )


def _evidence_figures(evidence: Evidence) -> dict[str, str]:
    study = evidence.fact(STUDY_SIZE)
    return {
        "evidence": evidence.version,
        "study_all": str(study.n),
        "period": study.setting.rpartition(", ")[2],
        "age": str(evidence.fact(AGE).value),
        "male": _spaced(evidence.fact(MALE).percent),
        "ecog": _spaced(evidence.fact(ECOG).percent),
    }


def _size_figures(sizes: SampleSize) -> dict[str, str]:
    """Patients needed for CRS, which for 2 to 4 predictors must be one number to be told as one."""
    needed = {row.needed for row in sizes.rows if row.outcome.startswith("CRS")}
    return {"needed_crs": str(needed.pop())} if len(needed) == 1 else {}


def _spaced(percent: str | None) -> str:
    return "unknown" if percent is None else percent.replace("%", " %")
