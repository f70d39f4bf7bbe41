"""Maximising the likelihood of logistic regressions under Jeffreys' penalty, many data sets at once.

``lanes`` holds the data in the order the arithmetic wants, ``symmetric``
inverts the information, ``likelihood`` evaluates, ``ascent`` maximises from
``starts``, ``limits`` finds where the profile crosses a level. ``batch`` and
``grouped`` fit many data sets; ``checks``, ``basis`` and ``solution`` serve one,
``separation`` looks for a plane between its events and non-events.
"""
