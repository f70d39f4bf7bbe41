"""Which model answers here: the shipped one, or one updated with the site's own patients, kept and chosen by hand."""
