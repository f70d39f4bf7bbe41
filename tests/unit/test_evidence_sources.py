"""Sources: whole citations, nothing completed, only addresses of publishers and regulators, and what is out of date."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from knowledge.evidence import Evidence, EvidenceError, load, load_from
from knowledge.evidence.days import add_months, check_day
from tests.support.evidence_files import FACT, SOURCE, write_evidence

DATA = files("knowledge") / "data" / "evidence"
# The address of a work is at its publisher, its authors' institution or a regulator ...
PUBLISHERS = {
    *("doi.org", "pubmed.ncbi.nlm.nih.gov", "pmc.ncbi.nlm.nih.gov", "dailymed.nlm.nih.gov", "www.ema.europa.eu"),
    *("www.clinical-lung-cancer.com", "jtd.amegroups.org", "jitc.bmj.com", "www.researchsquare.com"),
    *("education.iaslc.org", "eguideline.guidelinecentral.com", "ecancer.org", "cancernetwork.com"),
    *("scholars.duke.edu", "repub.eur.nl"),
    *("mml.testcatalog.org", "hallmarkhealthsystem.testcatalog.org", "www.pathology.uci.edu"),
    *("www.healthcare.uiowa.edu", "www.exeterlaboratory.com", "www.nbt.nhs.uk", "lv.mdi-labor.de"),
}
# ... and that of a press or patients' account at whoever wrote it.
ACCOUNTS = {
    *("targetedonc.com", "docwirenews.com", "www.physiciansweekly.com", "www.ajmc.com"),
    *("healthtree.org", "www.myeloma.org"),
}
TITLE = 'title = "A paper"'


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load()


# What ships


def test_only_publishers_and_regulators_are_addressed(evidence: Evidence) -> None:
    """No address of a mirror, copy or aggregator anywhere, and each url on a host chosen by hand."""
    text = "".join(entry.read_text(encoding="utf-8") for entry in DATA.iterdir() if entry.name.endswith(".toml"))
    mirrors = ("vercel", "BG48", "github", "fastly", "int2inf", "seen_url", "booksci", "czeek", "medifind", "avesis")
    aggregators = ("synapsesocial", "researcher.life", "scribd", "stocktitan", "tomesphere", "ashpublications")
    for mirror in mirrors + aggregators:
        assert mirror.lower() not in text.lower(), mirror
    sources = evidence.sources.values()
    urls = [source.url for source in sources if source.url]
    accounts = [source.account_url for source in sources if source.account_url]
    assert sorted(re.findall(r"https?://[^\s\"]+", text)) == sorted(urls + accounts)
    assert {urlsplit(url).hostname for url in urls} == PUBLISHERS
    assert {urlsplit(url).hostname for url in accounts} == ACCOUNTS
    for source in sources:
        if source.url and source.url.startswith("https://doi.org/"):
            assert source.url == f"https://doi.org/{source.doi}"
        if source.url and source.url.startswith("https://pubmed."):
            assert source.url == f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/"
        if source.url and source.url.startswith("https://pmc."):
            assert source.url.startswith(f"https://pmc.ncbi.nlm.nih.gov/articles/{source.pmcid}/")


@pytest.mark.parametrize(
    ("name", "citation"),
    [
        (
            "mountzios2025",
            "Mountzios G, Sun L, Cho BC, et al. Tarlatamab in small-cell lung cancer after platinum-based "
            "chemotherapy. N Engl J Med. 2025-06-02. PMID 40454646.",
        ),
        (
            "majestec1_crs",
            "Authors not seen. Detailed overview of incidence and management of cytokine release syndrome observed "
            "with teclistamab in the MajesTEC-1 study. Cancer 129(13):2035-2046. 2023-03-29. "
            "doi:10.1002/cncr.34756, PMID 36991547.",
        ),
        (
            "smpc_imdylltra_eu_2026",
            "Amgen Europe B.V. IMDYLLTRA (tarlatamab), EU summary of product characteristics. 2026. "
            "https://www.ema.europa.eu/en/documents/product-information/imdylltra-epar-product-information_en.pdf",
        ),
        (
            "uspi_talvey",
            "Company not seen. TALVEY (talquetamab), US prescribing information. "
            "SPL set id 9001355e-003d-4d4e-b4ce-337e0fd14952. Date not printed. "
            "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=9001355e-003d-4d4e-b4ce-337e0fd14952",
        ),
        (
            "lab_ifcc_insert",
            "Laboratory or maker not seen. LDH 21 FS IFCC, reagent package insert. Date not printed. "
            "No DOI, PMID or publisher's address seen.",
        ),
        (
            "dellphi300_targetedonc",
            "Authors not seen. [DeLLphi-300, phase 1, first report; title not seen]. Journal or meeting not seen. "
            "2023. No DOI, PMID or publisher's address seen. Read through an account in the trade press: "
            "https://targetedonc.com/view/tarlatamab-shows-antitumor-activity-safety-in-small-cell-lung-cancer",
        ),
        (
            "astct_tab_both",
            "Authors not seen. [ASTCT grading of CRS and ICANS with the ICE items, Table 2; title not seen]. "
            "Journal or meeting not seen. 2022. "
            "PMC9327779, https://pmc.ncbi.nlm.nih.gov/articles/PMC9327779/table/t0002",
        ),
    ],
)
def test_citation_is_whole_and_says_what_was_not_seen(evidence: Evidence, name: str, citation: str) -> None:
    assert evidence.source(name).citation == citation


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("uspi_imdelltra_2024_05", "Company not seen. IMDELLTRA (tarlatamab-dlle) for injection, US prescribing"),
        (
            "nis_cart_icans",
            "Authors not seen. [risk stratification for ICANS after CAR-T therapy; title not seen]. ASCO",
        ),
        (
            "chen_aacr7164",
            "Authors not seen. Exposure-efficacy and exposure-safety relationships of tarlatamab to inform dose "
            "selection and benefit-risk assessment in patients with advanced SCLC. Meeting",
        ),
        (
            "mayo_tec_outpt",
            "Authors not seen. Real-world safety and health care resource utilization of teclistamab under an "
            "outpatient model for step-up dosing. Journal",
        ),
    ],
)
def test_a_citation_holds_no_more_than_was_seen(evidence: Evidence, source: str, reference: str) -> None:
    """No company or title completed from elsewhere, an address among it."""
    assert evidence.source(source).reference.startswith(reference)


def test_notes_say_what_was_found_and_no_more(evidence: Evidence) -> None:
    assert "26 May 2026" in (evidence.source("uspi_imdelltra_2025_11").note or "")
    assert "DeLLphi-300" in (evidence.fact("pro.tarla.other").note or "")
    for name in ("rf.class.nis.aki", "rf.class.nis.sepsis"):
        assert evidence.association(name).note is None


def test_a_secondary_report_never_passes_for_the_text(evidence: Evidence) -> None:
    """Wherever a title was seen only in a report, the citation says what was read."""
    for source in evidence.sources.values():
        assert source.primary == (source.seen != "secondary_report")
        if not source.primary and source.title:
            assert "Read through " in source.citation, source.id
    assert not evidence.is_primary(evidence.fact("inc.joshi.crs_any"))
    assert evidence.is_primary(evidence.fact("inc.eu473.crs_any"))
    assert not evidence.is_primary(evidence.association("rf.joshi.ldh.crs"))


def test_a_date_that_was_not_printed_is_no_year(evidence: Evidence) -> None:
    assert evidence.source("aarts2015").year is None
    assert evidence.source("joshi2025_hmp").year == "2025"
    assert evidence.source("trinetx643").year == "2026"


def test_the_older_label_is_superseded_and_the_newer_one_reported(evidence: Evidence) -> None:
    older, newer = evidence.source("uspi_imdelltra_2024_05"), evidence.source("uspi_imdelltra_2025_11")
    assert older.superseded_by == newer.id
    assert newer.newer_version_reported == "news_label_update_2026_09"
    assert not evidence.source("news_label_update_2026_09").primary
    marked = {source.id for source in evidence.sources.values() if evidence.marks(source, "2026-11-22")}
    assert marked == {older.id, newer.id}


# Marks


def test_marks_are_those_of_the_source_and_of_the_day(evidence: Evidence) -> None:
    study, american = evidence.fact("inc.joshi.crs_any"), evidence.fact("inc.label473.crs_any")
    old = evidence.fact("inc.d300301.crs_any")
    pooled = evidence.fact("inc.d300301.crs_recurrent")
    assert evidence.review_due(study) == "2027-05-22"
    assert evidence.marks(study, "2027-05-22") == ()
    assert evidence.marks(study, "2027-05-23") == ("past review date",)
    assert evidence.marks(american, "2026-11-22") == ("newer label reported",)
    assert evidence.marks(american, "2030-01-01") == ("past review date", "newer label reported")
    assert old.source == american.source  # the pool of two trials stands in the newer label too
    assert evidence.marks(pooled, "2026-11-22") == ("superseded label",)
    assert evidence.marks(evidence.association("rf.joshi.ldh.crs"), "2027-06-01") == ("past review date",)
    with pytest.raises(ValueError, match="not a day"):
        evidence.marks(study, "tomorrow")


def test_a_record_sets_its_own_day_of_review_before_its_source(tmp_path: Path) -> None:
    text = SOURCE + "review_by = '2026-12-01'\n"
    evidence = load_from(write_evidence(tmp_path, source=text))
    assert evidence.review_due(evidence.fact("inc.a")) == "2026-12-01"
    assert evidence.review_due(evidence.source("paper")) == "2026-12-01"
    fact = FACT.replace("n = 30", "n = 30\nreview_by = '2028-02-29'")
    evidence = load_from(write_evidence(tmp_path, source=text, fact=fact))
    assert evidence.review_due(evidence.fact("inc.a")) == "2028-02-29"
    assert evidence.marks(evidence.fact("inc.a"), "2028-03-01") == ("past review date",)


def test_a_day_of_review_is_no_figure_and_changes_no_other_hash(tmp_path: Path) -> None:
    before = load_from(write_evidence(tmp_path)).facts_hash(["inc.a"])
    assert (
        load_from(write_evidence(tmp_path, source=SOURCE + "review_by = '2026-12-01'\n")).facts_hash(["inc.a"])
        == before
    )


def test_superseding_in_a_circle_is_refused(tmp_path: Path) -> None:
    def source(name: str, later: str) -> str:
        return SOURCE.replace("'paper'", f"'{name}'").replace('"paper"', f'"{name}"') + f"superseded_by = '{later}'\n"

    text = source("paper", "b") + "[[source]]" + source("b", "c") + "[[source]]" + source("c", "b")
    with pytest.raises(EvidenceError, match=r"^sources\.toml: source 'paper': superseded in a circle"):
        load_from(write_evidence(tmp_path, source=text))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-11-22", 6, "2027-05-22"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-30", 6, "2028-02-29"),
        ("2027-08-29", 6, "2028-02-29"),
        ("2099-08-31", 6, "2100-02-28"),
        ("1999-08-31", 6, "2000-02-29"),
        ("2026-05-31", 6, "2026-11-30"),
        ("2026-12-31", 6, "2027-06-30"),
        ("2026-06-30", 6, "2026-12-30"),
        ("2026-12-31", 0, "2026-12-31"),
        ("2026-12-01", 12, "2027-12-01"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_six_months_end_with_the_month(day: str, months: int, later: str) -> None:
    assert add_months(day, months) == later


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "", "२०26-01-01"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a day"):
        check_day(text)


def test_months_backwards_or_past_the_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_months("2026-11-22", -1)
    with pytest.raises(ValueError, match="no day 6 months after"):
        add_months("9999-09-01", 6)


# Sources that are refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"2025-12-05"', '"December 2025"', r"date: "),
        ('"2025-12-05"', "2025-12-05", r"date: "),
        ('"2025-12-05"', '"2025-13"', r"date: "),
        ('"abstract"', '"glimpsed"', r"seen: "),
        ("seen_complete = true", "", r"seen_complete: Field required"),
        ("seen_complete = true", "seen_complete = true\nseen_url = 'http://copy'", r"seen_url: Extra inputs"),
        ("seen_complete = true", "seen_complete = true\ndoi = 'https://doi.org/10.1/x'", r"doi: "),
        ("seen_complete = true", "seen_complete = true\nurl = 'ftp://x'", r"url: "),
        (TITLE, "", r"either a title, or what it is in our words"),
        (TITLE, TITLE + "\ndescribed_as = 'a paper'", r"either a title, or what it is"),
        (
            'title = "A paper"',
            TITLE + "\nauthors = 'A B'\nissued_by = 'C'",
            r"both authors and issued_by",
        ),
        (TITLE, TITLE + "\ncitation = 'A paper'", r"citation: Extra inputs"),
        (
            'title = "A paper"',
            TITLE + "\naccount_url = 'https://x.org'",
            r"account_url without read_through",
        ),
        (
            'title = "A paper"',
            TITLE + "\nread_through = 'a digest'",
            r"read_through, yet the text itself",
        ),
        (TITLE, TITLE + "\nsuperseded_by = 'paper'", r"it cannot come after itself"),
        (TITLE, TITLE + "\nsuperseded_by = 'later'", r"unknown source 'later'"),
        (TITLE, TITLE + "\nnewer_version_reported = 'later'", r"unknown source 'later'"),
        (
            'title = "A paper"',
            TITLE + "\nreview_by = '2026-02-29'",
            r"review_by: .*not a day of the calendar",
        ),
    ],
)
def test_bad_source_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SOURCE
    with pytest.raises(EvidenceError, match=rf"^sources\.toml: source 'paper': {message}"):
        load_from(write_evidence(tmp_path, source=SOURCE.replace(old, new)))
