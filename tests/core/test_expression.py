"""Expressions over what power and ports hang on: how they are read, and what is wrong with others."""

from __future__ import annotations

import re
from itertools import product

import pytest

from hostwatch.core.expression import DEPTH_MAX, NAMES_MAX, name, parse

READ = {
    "a": "a",
    "any(b, a)": "any(a,b)",
    "any(a)": "a",
    "any(a, any(c, b))": "any(a,b,c)",
    "any(a, all(b, c), a)": "any(a,all(b,c))",
    "pdu-1/outlet 7": "pdu-1/outlet 7",
    "any(pdu-2/outlet 7 , sw-1/Gi 0/7)": "any(pdu-2/outlet 7,sw-1/Gi 0/7)",
    "any": "any",
}
WRONG = {
    "": "ends where a name should be",
    "any(": "ends where a name should be",
    "any()": "has ')' where a name should be",
    "a b": "goes on with 'b' where it should end",
    "any(a b)": "lacks the closing parenthesis",
    "any(a/outlet 7": "lacks the closing parenthesis",
    "a & b": "has '&', which belongs to no name",
    "any(" * (DEPTH_MAX + 1) + "a" + ")" * (DEPTH_MAX + 1): "deep",
    f"any({','.join(f'a{n}' for n in range(NAMES_MAX + 1))})": f"more than {NAMES_MAX} names",
}


@pytest.mark.parametrize("text", READ)
def test_an_expression_has_one_form(text: str) -> None:
    assert str(parse(text)) == READ[text]
    assert parse(READ[text]) == parse(text)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(WRONG[text])):
        parse(text)


def test_unknown_stays_unknown_unless_the_others_decide() -> None:
    """However the unknown one turns out: where both come to the same, that is known."""
    for text in ("any(a, b)", "all(a, b)", "any(a, all(b, c))", "all(any(a, b), any(b, c))"):
        whole = parse(text)
        for values in product((True, False, None), repeat=3):
            known = dict(zip("abc", values, strict=True))
            worlds = product(*((value,) if value is not None else (True, False) for value in values))
            outcomes = {whole.value(dict(zip("abc", world, strict=True)).__getitem__) for world in worlds}
            found = whole.value(known.get)
            assert found is None or outcomes == {found}


def test_names_may_be_put_for_others() -> None:
    put = {"a": parse("any(x, y)"), "b": name("y")}
    assert str(parse("any(a, b)").changed(put.__getitem__)) == "any(x,y)"
    assert str(parse("all(a, b)").changed(put.__getitem__)) == "all(any(x,y),y)"
