"""How a policy names what is no text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Media
from gateway.core.policy import Policy, media_ruling
from gateway.services.policy_media import media_label
from gateway.services.validation import UnfitError


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("image", "image"),
        ("audio", "audio"),
        ("file", "file"),
        ("image.png", "image.png"),
        ("file.pdf", "file.pdf"),
        ("file.vnd.ms-excel", "file.vnd.ms-excel"),
        ("image/png", "image.png"),
        ("image/svg+xml", "image.svg+xml"),
        ("image/*", "image"),
        ("audio/*", "audio"),
        ("audio/wav", "audio.wav"),
        ("application/pdf", "file.pdf"),
        ("text/csv", "file.csv"),
    ],
)
def test_labels_and_media_types_name_the_same(written, label):
    assert media_label(written) == label


@pytest.mark.parametrize(
    "written",
    [
        "",
        "picture",
        "image.",
        "image/",
        "image.PNG",
        "*",
        "*/*",
        "application/*",
        "text/*",
        "image.*",
        "file/pdf",
        "video/mp4",
        "media.image",
        "image/png;base64",
        "image.png\n",
    ],
)
def test_what_names_no_media_is_refused_with_how_to_mend_it(written):
    with pytest.raises(UnfitError) as refused:
        media_label(written)
    assert "such as `image/png`" in refused.value.mend


@pytest.mark.parametrize("written", ["Image", "imgae", "images"])
def test_a_slip_of_the_pen_is_told_the_word_that_was_meant(written):
    with pytest.raises(UnfitError) as refused:
        media_label(written)
    assert refused.value.mend == "Did you mean `image`?"


SUBTYPES = st.from_regex(r"[a-z0-9+-]{1,12}(\.[a-z0-9]{1,5})?", fullmatch=True)


@given(st.sampled_from(["image", "audio"]), SUBTYPES)
def test_what_a_media_type_allows_is_that_media_alone(kind, subtype):
    allowed = {media_label(f"{kind}/{subtype}"): Action.ALLOW}
    policy = Policy("p", "d", media=allowed)
    assert media_ruling(policy, Media((), kind, subtype)).action is Action.ALLOW
    assert media_ruling(policy, Media((), kind, "")).action is Action.BLOCK
    assert media_ruling(policy, Media((), "file", subtype)).action is Action.BLOCK
