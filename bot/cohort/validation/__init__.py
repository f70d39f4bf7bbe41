"""``tarla study validate``: the page, its pictures, and what the terminal says."""
