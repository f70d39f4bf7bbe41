"""Slack's rules for interactive elements: buttons, menus, inputs."""

from __future__ import annotations

from typing import Any

from tests.support.slack_limits_text import Report, check_text_object

Element = dict[str, Any]

ACTION_ID_MAX = 255
BUTTON_TEXT_MAX, BUTTON_VALUE_MAX, URL_MAX = 75, 2_000, 3_000
OPTION_TEXT_MAX, OPTION_VALUE_MAX, OPTION_DESCRIPTION_MAX = 75, 150, 75
OPTIONS_MAX = {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}
MENU_OPTIONS_MAX = 100
PLACEHOLDER_MAX = 150
CONFIRM_MAX = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
PLAIN_TEXT_INPUT_MAX = 3_000

WITH_OPTIONS = frozenset({"static_select", "multi_static_select", "overflow", "radio_buttons", "checkboxes"})
PICKERS = frozenset({"datepicker", "timepicker", "users_select", "conversations_select", "channels_select"})
TEXT_INPUTS = frozenset({"plain_text_input", "number_input"})

# Where each element may stand. An image is checked with the block it stands in.
ALLOWED_IN = {
    "section": {"button", "image"} | WITH_OPTIONS | PICKERS,
    "actions": {"button"} | WITH_OPTIONS | PICKERS,
    "input": (WITH_OPTIONS - {"overflow"}) | PICKERS | TEXT_INPUTS,
}

_COMMON = frozenset({"type", "action_id", "confirm", "focus_on_load", "placeholder"})
_OWN_KEYS = {
    "button": {"text", "url", "value", "style", "accessibility_label"},
    "plain_text_input": {"initial_value", "multiline", "min_length", "max_length", "dispatch_action_config"},
    "number_input": {"is_decimal_allowed", "initial_value", "min_value", "max_value", "dispatch_action_config"},
    "static_select": {"options", "option_groups", "initial_option"},
    "multi_static_select": {"options", "option_groups", "initial_options", "max_selected_items"},
    "overflow": {"options"},
    "radio_buttons": {"options", "initial_option"},
    "checkboxes": {"options", "initial_options"},
    "datepicker": {"initial_date"},
    "timepicker": {"initial_time", "timezone"},
    "users_select": {"initial_user"},
    "conversations_select": {"initial_conversation", "default_to_current_conversation", "response_url_enabled"},
    "channels_select": {"initial_channel", "response_url_enabled"},
}


def check_element(where: str, element: Any, block: str, report: Report) -> None:
    """Check one interactive element that stands in a block of type ``block``."""
    if not isinstance(element, dict):
        report.add(where, f"an element is needed, not {element!r}")
        return
    kind = str(element.get("type"))
    if kind not in ALLOWED_IN[block] or kind not in _OWN_KEYS:
        report.add(where, f"element {kind!r} is unknown or not allowed in block type {block}")
        return
    if unknown := set(element) - _COMMON - _OWN_KEYS[kind]:
        report.add(where, f"keys {sorted(unknown)} do not belong to {kind}")
    action_id = element.get("action_id")
    if not isinstance(action_id, str) or not action_id:
        report.add(where, "action_id is missing: the app could not tell what was used")
    else:
        report.longest(f"{where}.action_id", action_id, ACTION_ID_MAX)
    if "placeholder" in element:
        check_text_object(f"{where}.placeholder", element["placeholder"], PLACEHOLDER_MAX, report, plain=True)
    if "confirm" in element:
        _check_confirm(f"{where}.confirm", element["confirm"], report)
    if kind in WITH_OPTIONS:
        _check_options(where, element, kind, report)
    elif kind == "button":
        _check_button(where, element, report)
    elif kind in TEXT_INPUTS:
        _check_text_input(where, element, kind, report)


def _check_button(where: str, button: Element, report: Report) -> None:
    check_text_object(f"{where}.text", button.get("text"), BUTTON_TEXT_MAX, report, plain=True)
    report.longest(f"{where}.value", str(button.get("value", "")), BUTTON_VALUE_MAX)
    report.longest(f"{where}.url", str(button.get("url", "")), URL_MAX)
    report.longest(f"{where}.accessibility_label", str(button.get("accessibility_label", "")), BUTTON_TEXT_MAX)
    if button.get("style", "primary") not in ("primary", "danger"):
        report.add(where, f"style {button['style']!r} is neither 'primary' nor 'danger'")
    if "url" in button and button["url"] not in report.allowed_links:
        report.add(where, f"link {button['url']!r} is not one of those allowed")


def _check_confirm(where: str, confirm: Any, report: Report) -> None:
    if not isinstance(confirm, dict):
        report.add(where, "a confirmation object is needed")
        return
    for part, most in CONFIRM_MAX.items():
        check_text_object(f"{where}.{part}", confirm.get(part), most, report, plain=part != "text")


def _check_options(where: str, menu: Element, kind: str, report: Report) -> None:
    groups = menu.get("option_groups")
    options = menu.get("options") if groups is None else [o for group in groups for o in group.get("options", [])]
    most = OPTIONS_MAX.get(kind, MENU_OPTIONS_MAX)
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        report.add(where, f"1 to {most} options are needed")
        return
    if not all(isinstance(option, dict) for option in options):
        report.add(where, "every option is an object")
        return
    rich = kind in ("radio_buttons", "checkboxes")
    for number, option in enumerate(options):
        at = f"{where}.options[{number}]"
        check_text_object(f"{at}.text", option.get("text"), OPTION_TEXT_MAX, report, plain=not rich)
        value = option.get("value")
        if not isinstance(value, str) or not value:
            report.add(at, "value is missing")
        else:
            report.longest(f"{at}.value", value, OPTION_VALUE_MAX)
        if "description" in option:
            check_text_object(
                f"{at}.description", option["description"], OPTION_DESCRIPTION_MAX, report, plain=not rich
            )
    values = [option.get("value") for option in options]
    if len(set(values)) != len(values):
        report.add(where, "two options have the same value")
    chosen = [menu["initial_option"]] if "initial_option" in menu else menu.get("initial_options", [])
    if any(option not in options for option in chosen):
        report.add(where, "the initial option is not, to the letter, one of the options")


def _check_text_input(where: str, field: Element, kind: str, report: Report) -> None:
    if kind == "number_input":
        if not isinstance(field.get("is_decimal_allowed"), bool):
            report.add(where, "is_decimal_allowed must be given")
        numbers = [field[key] for key in ("initial_value", "min_value", "max_value") if key in field]
        if not all(isinstance(number, str) for number in numbers):
            report.add(where, "numbers are given as strings")
        return
    for key in ("min_length", "max_length"):
        if field.get(key, 0) > PLAIN_TEXT_INPUT_MAX:
            report.add(f"{where}.{key}", f"at most {PLAIN_TEXT_INPUT_MAX:,}")
    report.longest(f"{where}.initial_value", field.get("initial_value", ""), PLAIN_TEXT_INPUT_MAX)
