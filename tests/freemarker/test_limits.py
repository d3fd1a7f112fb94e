"""Templates and data that want too much are ended by a limit, and cannot catch it."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.integrations.freemarker import TemplateError, compile_template

DATA: dict[str, Any] = {"a": "a" * 5000, "big": "a" * 1_000_000, "emoji": "\U0001f34e" * 200_000, "blanks": " " * 300}

LIMITED = {
    "a long loop": "<#list 1..1000000 as i>x</#list>",
    "an endless loop": "<#list 1.. as i></#list>",
    "loops within loops": "<#list 1..1000 as i><#list 1..1000 as j>x</#list></#list>",
    "an endless range joined": "${(1..)?join(',')}",
    "an endless range filtered": "${(1..)?filter(x -> false)?first}",
    "a large range made a list": "${(1..100000000)?reverse?size}",
    "parentheses": "${" + "(" * 10000 + "1" + ")" * 10000 + "}",
    "brackets": "${" + "[" * 10000 + "]" * 10000 + "}",
    "nots": "${" + "!" * 10000 + "true}",
    "a chain of sums": "${" + "1+" * 20000 + "1}",
    "a chain of members": "${a" + ".a" * 20000 + "}",
    "a chain of built-ins": "${a" + "?trim" * 10000 + "}",
    "a chain of defaults": "${" + "a!" * 20000 + "1}",
    "tags within tags": "<#if true>" * 3000 + "</#if>" * 3000,
    "text that doubles": "<#assign s='aaaaaaaa'><#list 1..100 as i><#assign s = s + s></#list>",
    "text that is copied": "<#list 1..100000 as i><#assign t = big + 'x'></#list>",
    "lists that double": "<#assign s=[1]><#list 1..100 as i><#assign s = s + s></#list>",
    "a long pad": "${'a'?left_pad(1000000000)}",
    "a replacement that grows": "${big?replace('a', 'xxxxxxxxxx')}",
    "a replacement that grows, whatever the case": "${a?replace('A', a, 'i')}",
    "a replacement that grows, by pattern": "${a?replace('a', a, 'r')}",
    "a number with an exponent": "${'1e999999999'?number}",
    "a number close to nothing": "${'1e-999999999'?number}",
    "numbers that square": "<#assign n = 9><#list 1..100 as i><#assign n = n*n></#list>",
    "a macro that calls itself": "<#macro m><@m/></#macro><@m/>",
    "a function that calls itself": "<#function f x><#return " + "(" * 45 + "f(x)" + ")" * 45 + "></#function>${f(1)}",
    "much output": "<#list 1..50000 as i>" + "x" * 1000 + "</#list>",
    "places in text beyond ASCII": "<#list 1..100000 as i>${emoji[1]}</#list>",
    "long comparisons": "<#list 1..100000 as i><#if big == big></#if></#list>",
    "JSON within JSON": "${('" + "[" * 5000 + "]" * 5000 + "')?eval_json?size}",
    "tags on one line": " <#t>" * 10000,
    "a long template": "x" * 70000,
    "a long pattern": "${a?matches('" + "a" * 2000 + "')?c}",
    "blanks that can be divided anyhow": r"${blanks?matches('" + r"\\s*" * 20 + "x')?c}",
    "repetitions in a row": "${a?matches('a*a*a*b')?c}",
    "optional letters": "${a?replace('" + "a?" * 30 + "a" * 30 + "', 'x', 'r')}",
    "a group that comes again": r"${a?matches('(a+)\\1+b')?c}",
    "a split by a slow pattern": "${a?split('a*b', 'r')?size}",
    "a cut by a slow pattern": "${a?keep_after('a*b', 'r')}",
}
REFUSED_PATTERNS = ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){20}", "(a*)*b", "(a|b|ab)*c", "((a{1,50}){1,50}){1,50}b", r"(\w+\s?)*$"]


@pytest.mark.parametrize("template", LIMITED.values(), ids=LIMITED.keys())
def test_a_limit_ends_it(template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(template).render(DATA)
    assert caught.value.kind == "runtime"
    assert caught.value.limit
    assert "limit" in caught.value.message or "too long" in caught.value.message or "too deeply" in caught.value.message


@pytest.mark.parametrize("pattern", REFUSED_PATTERNS)
def test_patterns_that_may_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template("${a?matches(p)?c}").render({"a": "a" * 40, "p": pattern})
    assert caught.value.kind == "unsupported" or caught.value.limit


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"[\w.]+@(\w+\.)+\w+", "ann.b@mail.example.org", True),
        (r"(\d+)-(\d+)-(\d+)", "2022-02-28", True),
        (r"([^,]*,)*[^,]*", "a,b,,c", True),
        (r"\s*(yes|no)\s*", " no ", True),
        (r"(a|b)*c", "abbac", True),
        (r"\Qa.b\E(?<rest>.*)", "a.bcd", True),
        (r"[]a]+", "]a]", True),
        (r"x{2,3}", "xxxx", False),
    ],
)
def test_patterns_of_everyday_are_taken(pattern: str, text: str, matches: bool) -> None:
    assert compile_template("${t?matches(p)?c}").render({"t": text, "p": pattern}) == ("true" if matches else "false")


def test_a_simple_pattern_takes_a_long_text() -> None:
    assert compile_template("${big?replace('[^b]', '-', 'r')?length?c}").render({"big": "a" * 20_000}) == "20000"


def test_attempt_does_not_catch_a_limit() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template("<#attempt><#list 1.. as i>x</#list><#recover>caught</#attempt>").render({})
    assert caught.value.limit


def test_within_the_limits_all_is_well() -> None:
    assert compile_template("<#list 1..10000 as i>${i?c}</#list>").render({}).endswith("10000")
    assert compile_template("${" + "(" * 40 + "1" + ")" * 40 + "}").render({}) == "1"
    assert compile_template("${" + " + ".join(["'a'"] * 150) + "}").render({}) == "a" * 150
    assert compile_template("<#macro m n><#if (n > 0)>${n}<@m n - 1/></#if></#macro><@m 40/>").render({}).startswith("40393837")
