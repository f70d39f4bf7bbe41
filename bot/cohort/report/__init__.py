"""``tarla study report``: the page, its pictures, and what the terminal says."""
