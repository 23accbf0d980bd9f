"""Of versions, ranges and edits of images: what holds for all of them."""

from __future__ import annotations

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.core.image_edits import Wanted, edit_text, written
from reconciler.core.images import choose
from reconciler.core.semver import Version, parse, parse_range
from reconciler.model.image_feed import ImagePolicy

small = st.integers(0, 3)
labels = st.from_regex(r"(0|[1-9][0-9]?|[a-z-][a-z0-9-]{0,3})", fullmatch=True)
pres = st.lists(labels, max_size=3).map(".".join)
versions = st.builds(Version, small, small, small, pres)
releases = st.builds(Version, small, small, small, st.just(""))
IMAGE = "r.example:5000/team/shop"
digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
tags = st.one_of(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True), st.sampled_from(["1.10", "on", "1e3"])
)


@given(versions)
def test_a_version_is_read_as_it_is_written(version: Version) -> None:
    assert parse(str(version)) == parse(f"v{version}") == version


@given(st.lists(versions, max_size=8))
def test_the_order_is_total_and_releases_follow_their_pre_releases(found: list[Version]) -> None:
    ordered = sorted(found, key=lambda each: each.key)
    backwards = list(reversed(found))
    assert sorted(backwards, key=lambda each: each.key) == ordered
    for version in found:
        if version.pre:
            assert version.key < version._replace(pre="").key


@given(releases, versions)
def test_a_caret_is_a_lower_bound_and_the_next_breaking_version(low: Version, version: Version) -> None:
    after = f"{low.major + 1}" if low.major else f"0.{low.minor + 1}" if low.minor else f"0.0.{low.patch + 1}"
    assert parse_range(f"^{low}").holds(version) == parse_range(f">={low} <{after}").holds(version)
    tilde = parse_range(f">={low} <{low.major}.{low.minor + 1}")
    assert parse_range(f"~{low}").holds(version) == tilde.holds(version)


@given(versions, versions, versions)
def test_alternatives_are_a_union_and_a_set_is_an_intersection(one: Version, two: Version, version: Version) -> None:
    first, second = f">={one}", f"<={two}"
    either = parse_range(first).holds(version) or parse_range(second).holds(version)
    assert parse_range(f"{first} || {second}").holds(version) == either
    if not version.pre:
        both = parse_range(first).holds(version) and parse_range(second).holds(version)
        assert parse_range(f"{first} {second}").holds(version) == both
        assert parse_range(f"{one} - {two}").holds(version) == both


@given(releases, versions)
def test_a_range_that_names_no_pre_release_has_none(low: Version, version: Version) -> None:
    assume(version.pre)
    for text in (f"^{low}", f"~{low}", f">={low}", f"<{low}", "*", f"{low.major}.x", f"0 - {low}"):
        assert not parse_range(text).holds(version)


@given(st.lists(versions.map(str), max_size=6), st.lists(versions.map(str), max_size=2), st.sets(versions.map(str)))
def test_a_choice_is_never_older_and_never_refused(listed: list[str], current: list[str], refused: set[str]) -> None:
    choice = choose(ImagePolicy(semver=">=0.0.0-0"), listed, current, refused)
    assert bool(choice.tag) != bool(choice.why)
    if choice.tag:
        assert choice.tag in listed
        assert choice.tag not in refused
        chosen, others = parse(choice.tag), [parse(each) for each in current]
        assert chosen is not None
        assert all(each is not None and chosen.key >= each.key for each in others)


noise = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="'\ufeff"), max_size=8)
quotes = st.sampled_from(["'", '"'])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str, Wanted, str]:
    """A file with images in it, the same with others in their places, what is wanted, and the file's name."""
    wanted = Wanted(draw(tags), draw(digests))
    before: list[str] = []
    after: list[str] = []
    kind = draw(st.sampled_from(["d.yaml", "values.yaml", "kustomization.yaml"]))

    def line(text: str, old: str = "", new: str = "") -> None:
        end = f" # {draw(noise)}{newline}"
        before.append(text.replace("@@", old) + end)
        after.append(text.replace("@@", new) + end)

    newline = draw(st.sampled_from(["\n", "\r\n"]))
    for _ in range(draw(st.integers(1, 3))):
        line(f"# {draw(noise)}")
        quote, tag, digest = draw(quotes), draw(tags), draw(digests)
        pinned = draw(st.booleans())
        old = f"{IMAGE}:{tag}" + (f"@{digest}" if pinned else "")
        new = f"{IMAGE}:{wanted.tag}@{wanted.digest}"
        if kind == "d.yaml":
            line(f"apiVersion: v1{newline}kind: Pod{newline}note: '{draw(noise)}'{newline}spec:{newline}  containers:")
            line(f"  - name: '{draw(noise)}'")
            line(f"    image: {quote}@@{quote}", old, new)
            line(f"  - {{image: {quote}@@{quote}, name: x}}", old, new)
            line("  - image: r.example:5000/team/shop-2:1")
        elif kind == "values.yaml":
            line(f"image:{newline}    tag: {quote}@@{quote}", tag, wanted.tag)
            line(f"    repository:   {IMAGE}")
            line(f"    digest: {quote}@@{quote}", digest, wanted.digest)
            line(f"'{draw(noise)}': {{image: {quote}@@{quote}}}", old, new)
        else:
            line("images:")
            line(f"  -   name: {IMAGE}")
            line(f"      newTag: {quote}@@{quote}", tag, wanted.tag)
            line(f"      digest: {quote}@@{quote}", digest, wanted.digest)
            line(f"  - name: '{draw(noise)}'{newline}    newTag: {tag!r}")
        line("---")
    return "".join(before), "".join(after), wanted, kind


@given(texts())
def test_everything_but_the_image_stays_byte_for_byte(case: tuple[str, str, Wanted, str]) -> None:
    before, after, wanted, name = case
    assert edit_text(name, before, IMAGE, wanted) == after
    assert edit_text(name, after, IMAGE, wanted) == after


@given(tags, digests, st.sampled_from(["{}", "'{}'", '"{}"', "&a {}", "!!str {}"]))
def test_a_written_tag_is_read_as_the_same_text_by_every_reader(tag: str, digest: str, style: str) -> None:
    text = f"repository: {IMAGE}\ntag: {style.format('old')}\n"
    after = edit_text("values.yaml", text, IMAGE, Wanted(tag, digest))
    assert yaml.load(after, yaml.CSafeLoader)["tag"] == tag
    assert [place.ref.tag for place in written({"values.yaml": after}, IMAGE)] == [tag]
