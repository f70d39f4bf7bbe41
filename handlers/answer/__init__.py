"""The answer: built once as plain data, then rendered for Slack and for a terminal."""

from handlers.answer.blocks import TableMode, answer_blocks
from handlers.answer.echo import understood_line
from handlers.answer.plain import answer_text
from handlers.answer.view import AnswerView, build_view

__all__ = ["AnswerView", "TableMode", "answer_blocks", "answer_text", "build_view", "understood_line"]
