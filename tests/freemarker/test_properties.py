"""Whatever the template and the data: it renders or raises TemplateError, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from candu_source.integrations.freemarker import TemplateError, compile_template
from tests.freemarker.__main__ import SHARED, read_cases

PIECES = st.sampled_from(
    [
        "${", "}", "<#if ", "<#else>", "</#if>", "<#list ", " as x", ">", "/>", "</#list>", "<#sep>", "<#assign v = ",
        "<#assign v>", "</#assign>", "<#switch ", "<#case ", "<#default>", "</#switch>", "<#macro m a>", "</#macro>", "<@m ",
        "</@m>", "<#nested>", "<#t>", "<#-- ", "-->", "<#attempt>", "<#recover>", "</#attempt>", "<#setting number_format=",
        "x", "v", "input", ".", "?", "??", "!", "(", ")", "[", "]", "{", ",", ":", "'a'", "\"${x}\"", "'", "\"", "\\", "1",
        "2.5", " + ", " - ", " * ", " / ", " % ", " == ", " < ", " && ", "..", "..*", "->", "\n", " ", "?c", "?string['0.0']",
        "?matches('a*')", "?replace('a', 'b', 'r')", "?substring(1)", "?keys", "?join(',')", "?map(i -> i)", "é🍎",
        "?datetime('yyyy')", "?string.iso", "?left_pad(3)", "?eval_json", "?sort", "?then(1, 2)", "#{", "<#ftl ", "r'",
        "?number", "?date",
    ]
)  # fmt: skip
TEMPLATES = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=25).map("".join)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(st.characters(), max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=10,
)
BUILT_INS = [
    "c", "string", "html", "json_string", "js_string", "url('UTF-8')", "number", "boolean", "trim", "length", "size", "keys?size",
    "first", "last", "reverse?size", "sort?size", "sort_by('a')?size", "join(',')", "round", "abs", "long", "cap_first", "date",
    "datetime('yyyy-MM-dd HH:mm:ss.S')", "datetime('iso')?long", "number_to_datetime?string.iso", "eval_json", "has_content?c",
    "seq_contains(x)?c", "split(' ')?size", "replace(x, x)", "matches(x)?c", "left_pad(9, x)", "contains(x)?c", "string(x)",
    "string[x]", "date(x)", "keep_after(x, 'r')", "substring(1)", "index_of(x)", "map(i -> i)?size", "filter(i -> i??)?size",
]  # fmt: skip
OTHERS = [
    "${UtilClass.toJson(x)}", "${x == x}", "${x + x}", "${x[0]}", "${x.a}", "${x * 3}${x / 7}${x % 2}", "${x[0..1]}",
    "<#list x as y, z>${y}</#list>", "<#list x as y>${y}</#list>", "<#setting number_format=x>${1}",
    "<#setting datetime_format=x>${0?number_to_datetime}",
]  # fmt: skip
GIVEN = [case["template"] for case in read_cases(SHARED) if "expected" in case]
READY = [compile_template(template) for template in [*GIVEN, *(f"${{(x?{name})!}}" for name in BUILT_INS), *OTHERS]]


def ending(render: Callable[[], str]) -> str | TemplateError:
    """Return the text or the error that a rendering ends with."""
    try:
        return render()
    except TemplateError as error:
        return error


@settings(deadline=None, max_examples=300)
@given(TEMPLATES, JSON)
@example("<#list x as x>${x", None)
@example("${'" + "\\", None)
def test_any_template_renders_or_says_why_not(template: str, value: Any) -> None:
    end = ending(lambda: compile_template(template).render({"x": value, "v": value, "input": {"x": value}}, now=0))
    assert isinstance(end, str) or (end.line >= 1 and end.column >= 1 and end.message)


@settings(deadline=None, max_examples=100)
@given(JSON)
@example("\ud800")
@example({"a": [{"a": None}]})
@example(10**400)
def test_any_data_render_or_say_why_not(value: Any) -> None:
    data = {"x": value, "s": value, "input": value, "h": value, "xs": value, "n": value}
    for template in READY:
        end = ending(partial(template.render, data, now=0))
        assert end.encode("utf-8") is not None if isinstance(end, str) else end.kind in {"undefined", "runtime", "unsupported"}


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_is_a_json_string(text: str) -> None:
    rendered = compile_template('"${x?json_string}"').render({"x": text})
    assert json.loads(rendered) == text


@settings(deadline=None, max_examples=200)
@given(JSON.filter(lambda value: value is not None))
def test_the_helper_writes_json(value: Any) -> None:
    end = ending(lambda: compile_template("${UtilClass.toJson(x)}").render({"x": value}))
    if isinstance(end, str):
        json.loads(end)
    else:
        assert end.kind == "runtime"
