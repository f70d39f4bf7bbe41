"""``tarla study update``: the page, and what the terminal says."""
