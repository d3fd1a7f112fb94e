"""What callers rely on beside the output: places of errors, names that are read, the clock, what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from candu_source.integrations.freemarker import TemplateError, compile_template


def error_of(template: str, data: dict[str, Any] | None = None) -> TemplateError:
    """Return the error that compiling or rendering gives."""
    with pytest.raises(TemplateError) as caught:
        compile_template(template).render(data or {})
    return caught.value


@pytest.mark.parametrize(
    ("template", "kind", "line", "column"),
    [
        ("a\n  ${x.y}", "undefined", 2, 5),
        ("a\r\n${1 +}", "parse", 2, 6),
        ("<#if x>", "parse", 1, 1),
        ("ab\n<#include 'x'>", "unsupported", 2, 1),
        ("ab\n ${x?eval}", "unsupported", 2, 6),
        ("\n\n${'a'?substring(5)}", "runtime", 3, 3),
        ("<#stop 'enough'>", "stop", 1, 1),
        ("${'a${nope}'}", "undefined", 1, 3),
        ("<#list 1..2 as i>\n${i?substring(i)}${i / 0}\n</#list>", "runtime", 2, 20),
    ],
)
def test_errors_tell_kind_and_place(template: str, kind: str, line: int, column: int) -> None:
    error = error_of(template)
    assert (error.kind, error.line, error.column) == (kind, line, column), error


def test_messages_name_what_is_missing_and_what_helps() -> None:
    error = error_of("${input.user_properties.email}", {"input": {"user_properties": {}}})
    assert "input.user_properties.email" in error.message
    assert "??" in error.message
    assert str(error) == f"line 1, column 3: {error.message}"
    assert "enough" in error_of("<#stop 'enough'>").message
    assert "n > 2" not in error_of("<#if n>2</#if>", {"n": 3}).message


@pytest.mark.parametrize(
    "template",
    [
        "<#import 'a' as a>",
        "<#visit x>",
        "<#recurse>",
        "<#ftl output_format='HTML'>",
        "${x?new()}",
        "${x?interpret}",
        "${x?api}",
        "${.data_model}",
        "${.globals}",
        "#{1}",
        "${statics['java.lang.System'].exit(0)}",
        "${statics[x]}",
        "${statics['com.amplitude.integrations.connector.utils.FtlUtils'].getClass()}",
        "<#setting locale='de_DE'>",
        "<#escape x as x?html></#escape>",
    ],
)
def test_what_is_refused_is_found_when_compiling(template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(template)
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("template", ["${UtilClass.getClass()}", "<#attempt>${UtilClass.x}<#recover>caught</#attempt>", "${.now}"])
def test_what_is_refused_when_rendering_is_not_caught(template: str) -> None:
    assert error_of(template).kind == "unsupported"


def test_one_letter_stays_one() -> None:
    assert compile_template("${'ßa'?cap_first} ${'ßa'?upper_case}").render({}) == "ßa SSA"


@pytest.mark.parametrize("template", ["", " ", "\n", "\r\n\t"])
def test_a_template_of_white_space_is_what_it_is(template: str) -> None:
    assert compile_template(template).render({}) == template


def test_names_read_below_a_root() -> None:
    template = compile_template(
        """<#if parameters.a??>${parameters["b c"]}</#if>${"x${parameters.d}"}<#list parameters.e as i>${i.f}</#list>
        ${xs?map(x -> x + parameters.g)?join(parameters.h)}<#assign v>${parameters.i!parameters.j}</#assign>
        <#macro m p=parameters.k>${parameters.l}</#macro><@m p=parameters.m/>${parameters[name]}${other.n}${input.parameters.o}
        <#switch parameters.q><#case parameters.r></#switch><#-- ${parameters.s} --><#noparse>${parameters.t}</#noparse>"""
    )
    names = frozenset({"a", "b c", "d", "e", "g", "h", "i", "j", "k", "l", "m", "q", "r"})
    assert template.uses("parameters") == names
    assert template.uses("other") == {"n"}
    assert template.uses("mappedFields") == frozenset()


def test_the_clock_is_an_argument() -> None:
    template = compile_template("${.now?long?c} ${.now?string.iso}")
    assert template.render({}, now=1646078821795) == "1646078821795 2022-02-28T20:07:01.795Z"


def test_numbers_of_json_keep_their_decimals() -> None:
    template = compile_template("${x?string['0.00']} ${x?c}")
    assert template.render({"x": Decimal("1.005")}) == "1.00 1.005"
    assert template.render({"x": 0.1}) == "0.10 0.1"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")])
def test_numbers_that_are_none_are_refused(number: object) -> None:
    assert error_of("${x}", {"x": number}).kind == "runtime"


def test_half_a_character_is_written_as_java_does() -> None:
    assert compile_template("${x[0]}|${x}|${x?length}").render({"x": "\U0001f34e"}) == "?|\U0001f34e|2"
    assert compile_template("${x}").render({"x": "a\ud83c"}) == "a?"


def test_a_template_renders_in_several_threads() -> None:
    template = compile_template("<#assign n = x><#list 1..50 as i><#assign n = n + 1></#list>${n}")
    with ThreadPoolExecutor(4) as threads:
        outputs = list(threads.map(lambda number: template.render({"x": number}), range(40)))
    assert outputs == [str(number + 50) for number in range(40)]


def test_nothing_of_one_rendering_is_left_for_the_next() -> None:
    template = compile_template("${n!'none'}<#assign n = 1><#setting number_format='0.00'>${n}")
    assert [template.render({}), template.render({})] == ["none1.00", "none1.00"]


def test_the_data_stay_as_they_are() -> None:
    data = {"xs": [3, 1], "h": {"a": 1}}
    compile_template("<#assign xs = xs + [2] h = h + {'b': 2}><#global q = 1>${xs?sort?join('')}").render(data)
    assert data == {"xs": [3, 1], "h": {"a": 1}}
