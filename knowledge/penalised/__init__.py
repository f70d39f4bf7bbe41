"""Maximising the likelihood of logistic regressions under Jeffreys' penalty, many data sets at once.

``lanes`` holds the data in the order the arithmetic wants, ``symmetric``
inverts the information, ``likelihood`` evaluates, ``ascent`` maximises,
``limits`` finds where the profile crosses a level, ``separation`` looks for a
plane between events and non-events.
"""
