"""A small folder of evidence: one source, one fact and one association, to be changed in one place by a test."""

from __future__ import annotations

from pathlib import Path

SOURCE = """
id = "paper"
title = "A paper"
date = "2025-12-05"
study_type = "cohort"
seen = "abstract"
seen_complete = true
"""
FACT = """
id = "inc.a"
endpoint = "crs_any"
population = "adults"
setting = "one centre"
window = "after dose 1"
events = 3
n = 30
percent = "10%"
source = "paper"
centre_term = { use = true, reason = "any grade" }
"""
TERM = 'centre_term = { use = true, reason = "any grade" }\n'
LINK = """
id = "rf.a"
factor = "liver metastases"
endpoint = "crs_any"
direction = "higher"
population = "adults"
window = "not stated"
scope = "tarlatamab"
absent = true
source = "paper"
"""
SUBJECTS = """
[[subject]]
id = "crs"
title = "CRS"
endpoints = ["crs"]

[[subject]]
id = "all"
title = "All"
ids = ["."]
"""
CONFLICTS = """
order_of_trust = "labels first"

[[conflict]]
id = "con.a"
title = "Two figures"
subjects = ["crs"]
statement = "One paper says this, another that."
trust = "Neither."
facts = ["inc.a", "rf.a"]
sources = ["paper"]

[[gap]]
id = "gap.a"
title = "A paper"
subjects = ["all"]
statement = "The paper was not seen."
sources = ["paper"]
"""


def write_evidence(
    folder: Path,
    source: str = SOURCE,
    fact: str = FACT,
    link: str = LINK,
    compiled: str = "'2026-11-22'",
    extra: str = "",
    subjects: str = SUBJECTS,
    conflicts: str = CONFLICTS,
) -> Path:
    """Writes the files of the evidence into ``folder`` and gives it back."""
    texts = {
        "sources": f"compiled = {compiled}\n[[source]]{source}",
        "incidence": f"[[fact]]{fact}{extra}",
        "risk_factors": f"[[association]]{link}",
        "prophylaxis": "",
        "covariates": "",
        "subjects": subjects,
        "conflicts": conflicts,
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder
