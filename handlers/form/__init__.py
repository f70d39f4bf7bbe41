"""The form: findings chosen instead of typed. No field in it takes free text."""

from handlers.form.origin import Door, Origin
from handlers.form.reading import NotUnderstood, read_form
from handlers.form.view import form_view

__all__ = ["Door", "NotUnderstood", "Origin", "form_view", "read_form"]
