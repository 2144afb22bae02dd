"""What is written parses to what was meant; what is malformed is refused by a sentence that names it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.errors import NotationError, RequestError, SpaceError
from wsframework.spaces import Axis, Dim, Occurrence, Parameter, WeightSpace
from wsframework.testing.strategies import mlp_spaces, weight_spaces

DIMS = "free hidden=3 heads=2 value[heads]=4 c:scale=2\nfixed in=2\n"


@settings(deadline=None)
@given(weight_spaces() | mlp_spaces() | mlp_spaces(gauge="sign"))
def test_text_is_the_inverse_of_parse(space: WeightSpace) -> None:
    assert WeightSpace.parse(str(space)) == space


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_layout_does_not_matter(space: WeightSpace, data: st.DataObject) -> None:
    def respaced(line: str) -> str:
        words = line.replace("(", " ( ").replace(")", " ) ").split()
        gaps = [data.draw(st.sampled_from([" ", "\t", "   "])) for _ in words]
        text = "".join(w + g for w, g in zip(words, gaps, strict=True))
        return text + data.draw(st.sampled_from(["", "# a comment (with a + b) as c", "\r"]))

    lines = [respaced(line) for line in str(space).splitlines()]
    for _ in range(2):
        lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from(["", "  # note", "\t"])))
    assert WeightSpace.parse("\n".join(lines)) == space


def test_each_construct_means_what_the_documentation_says() -> None:
    space = WeightSpace.parse(
        DIMS
        + """
        plain   hidden in                        # two axes
        product in (heads value)
        sum     (heads value + hidden + hidden)
        nested  (heads (value + in) + (in + hidden) in) hidden
        gauged  c^+1 c^-2  as some.role
        again   (heads value[heads])
        scalar  ()
        """
    )
    assert [str(d) for d in space.dims] == ["hidden=3", "heads=2", "value[heads]=4", "c:scale=2", "in=2"]
    assert space.free == {"hidden": 3, "heads": 2, "value": 4, "c": 2}
    assert space.shapes == {
        "plain": (3, 2),
        "product": (2, 8),
        "sum": (14,),
        "nested": (22, 3),
        "gauged": (2, 2),
        "again": (8,),
        "scalar": (),
    }
    assert [p.role for p in space.parameters] == ["plain", "product", "sum", "nested", "some.role", "again", "scalar"]
    assert space.parameters[4].occurrences == (Occurrence("c", 1), Occurrence("c", -2))


def test_a_parameter_may_be_called_free() -> None:
    assert WeightSpace.parse("free h=2\nfixed i=3\nfree h i\nfixed i").shapes == {"free": (2, 3), "fixed": (3,)}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("free hidden=x", "'hidden=x' is not a declaration such as"),
        ("free b=3 c", "'c' is not a declaration such as"),
        ("free 2b=3", "'2b=3' is not a declaration"),
        ("free b=-3", "'b=-3' is not a declaration"),
        ("free b:spin=3", "gauge 'spin' is neither 'sign' nor 'scale'"),
        ("free hidden=4", "'hidden' is declared twice"),
        ("fixed hidden=3", "'hidden' is declared twice"),
        ("w", "'w' states no axes; a scalar is written 'w ()'"),
        ("w hiden", "'hiden' is used before any line declares it; did you mean 'hidden'"),
        ("w as role", "'as' is used before"),
        ("w hidden^x", "'hidden^x' is not a dim such as"),
        ("w hidden^", "'hidden^' is not a dim such as"),
        ("w hidden^1.5", "'hidden^1.5' is not a dim such as"),
        ("w hidden[in]", "'hidden' was not declared within 'in'"),
        ("w value[hidden]", "'value' was not declared within 'hidden'"),
        ("w (hidden in", "parentheses don't match"),
        ("w hidden) in", "parentheses don't match"),
        ("w ((hidden in) in", "parentheses don't match"),
        ("w )hidden in(", "')' is not a dim"),
        ("w (hidden (in + ))", "empty term"),
        ("w (hidden + )", "empty term"),
        ("w (+ hidden)", "empty term"),
        ("w () hidden", "empty term"),
        ("w (hidden+in)", "'hidden+in' is not a dim"),
        ("w hidden + in", "is not a dim"),
        ("w hidden, in", "'hidden,' is not a dim"),
    ],
)
def test_a_malformed_line_is_quoted_and_explained(line: str, sentence: str) -> None:
    with pytest.raises(NotationError) as caught:
        WeightSpace.parse(DIMS + line)
    assert str(caught.value).startswith(f"line 3 ({line!r}): ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("free a=0\nw a", "dim 'a' has size 0"),
        ("free b[a]=2\nfree a=2", "'b' depends on 'a', which is not declared before it"),
        ("free a[a]=2", "'a' depends on 'a'"),
        ("fixed a:sign=2", "'a' has a gauge but is fixed"),
        ("free a=2\nw a\nw a a", "parameter 'w' is stated twice"),
        ("free a=2 b[a]=3\nw b", "parameter 'w': dim 'b' occurs without 'a'"),
        ("free a=2 b[a]=3\nw (a b + b)", "dim 'b' occurs without 'a'"),
        ("free a=2 b[a]=3\nfixed c=2\nw (b (a + c))", "dim 'b' occurs without 'a'"),
        ("free a=2 b[a]=3\nfixed c=2\nw (a + c) b", "dim 'b' occurs without 'a'"),
    ],
)
def test_a_space_that_can_not_be_is_explained(text: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        WeightSpace.parse(text)


@pytest.mark.parametrize("word", ["", " ", "a b", "a#b", "a\n", "a\tb", "a\u2028b"])
def test_names_that_no_text_could_state_are_refused(word: str) -> None:
    axis = Axis(((Occurrence("h"),),))
    hidden = Dim("h", 2, True)
    with pytest.raises(NotationError, match="can't be written"):
        WeightSpace((hidden,), (Parameter(word, (axis,), "role"),))
    with pytest.raises(NotationError, match="can't be written"):
        WeightSpace((hidden, Dim(word, 2, True)), (Parameter("w", (axis,), "role"),))
    if word != "a b":
        with pytest.raises(NotationError, match="can't be written"):
            WeightSpace((hidden,), (Parameter("w", (axis,), word),))


@pytest.mark.parametrize("word", ["as", "free", "fixed"])
def test_a_keyword_is_a_name_where_it_reads_back_as_one(word: str) -> None:
    for dim, name, role in itertools.product((word, "h"), (word, "w"), (word, "w", "a=b")):
        parts = (Dim(dim, 2, True),), (Parameter(name, (Axis(((Occurrence(dim),),)),), role),)
        refused = dim == "as" or (name in ("free", "fixed") and role == "a=b")
        if refused:
            with pytest.raises(NotationError, match=r"has the name of a keyword|reads as a declaration"):
                WeightSpace(*parts)
        else:
            space = WeightSpace(*parts)
            assert WeightSpace.parse(str(space)) == space


def test_what_is_there_twice_or_not_at_all_is_refused() -> None:
    hidden = Dim("h", 2, True)
    axis = Axis(((Occurrence("h"),),))
    with pytest.raises(NotationError, match="dim 'h' is stated twice"):
        WeightSpace((hidden, hidden), ())
    with pytest.raises(SpaceError, match="no dim 'h' in this space"):
        WeightSpace((Dim("a", 2, True),), (Parameter("w", (axis,), "w"),))
    for empty in (Axis(()), Axis(((),)), Axis(((Occurrence("h"), Axis(())),))):
        with pytest.raises(SpaceError, match="axis without dims"):
            WeightSpace((hidden,), (Parameter("w", (axis, empty), "w"),))
