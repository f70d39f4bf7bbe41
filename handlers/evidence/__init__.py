"""The evidence on view: look-ups by topic, page and id, and the same as a modal."""
