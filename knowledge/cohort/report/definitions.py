"""What the words of the report mean, and which methods stand behind its figures."""

from __future__ import annotations

DEFINITIONS = {
    "Cohort": "Every row of the file is a patient who was given a first dose of tarlatamab.",
    "CRS, grade ≥ 2, grade ≥ 3": "Worst grade in the window between the first dose and the second, as recorded.",
    "ICANS": "Worst grade after cycle 1 day 1, as recorded.",
    "After dose 2, after dose 3": "Worst grade after it and before the next. Empty where the dose was not given: "
    "the file cannot tell that from a grade that is not known.",
    "Prophylaxis": "Tocilizumab given before CRS was seen, as recorded. Patients of whom it is not known are counted "
    "in the flow, in Table 1 and in the toxicity tables, and belong to neither group of the comparison.",
    "Known": "Every share is of the patients of whom the answer is known. Those of whom it is not are counted beside "
    "it, never as having had no event.",
    "LDH": "By the upper limit of normal (ULN) of its own laboratory; above ULN means strictly above.",
    "Age": "90 stands for 90 or more.",
}
METHODS = {
    "Share": "Exact interval, Clopper and Pearson, Biometrika 1934;26:404-413, shown; Wilson, J Am Stat Assoc "
    "1927;22:209-212, in report.json.",
    "Median and quartiles": "Quartiles interpolate between values: type 7 of Hyndman and Fan, Am Stat 1996;50:361-365.",
    "Standardised difference": "Austin, Stat Med 2009;28:3083-3107, with both groups' variances in equal parts; of "
    "several categories: Yang and Dalton, SAS Global Forum 2012, paper 335.",
    "Test": "Fisher's exact test, two-sided: all tables no more probable than the one seen. Not adjusted for several "
    "outcomes.",
    "Risk difference": "Newcombe's hybrid score interval, Stat Med 1998;17:873-890, method 10.",
    "Risk ratio": "Koopman's score interval, Biometrics 1984;40:513-517, which also exists where no event was seen.",
    "E-value": "VanderWeele and Ding, Ann Intern Med 2017;167:268-274, from the risk ratio and the limit nearest to 1.",
    "Intervals": "All are 95 % intervals. They tell of chance, not of bias.",
    "Rounding": "The page rounds, report.json does not; what is below 0.001 is said to be so.",
}
MODEL_METHODS = {
    "Regressions": "Firth, Biometrika 1993;80:27-38; profile limits and tests: Heinze and Schemper, Stat Med "
    "2002;21:2409-2419; predictions by FLIC: Puhr et al., Stat Med 2017;36:2302-2317.",
    "Least sample size": "Riley et al., Stat Med 2019;38:1276-1296.",
}
