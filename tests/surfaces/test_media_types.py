"""A `data:` URL names a media type that is known, and so says nothing else."""

import pytest

from gateway.core.errors import InvalidField
from gateway.surfaces.media_types import FILE, IMAGE
from gateway.surfaces.walker import Walk

COMMON = (
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/heic"),
    *("application/pdf", "application/json", "application/zip", "application/msword"),
    *("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    *(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel",
    ),
    *(
        "application/vnd.oasis.opendocument.text",
        "application/octet-stream",
        "audio/mpeg",
        "audio/wav",
    ),
    *("text/plain", "text/csv", "text/html", "text/markdown", "text/x-python", "text/x-c++"),
    *("message/rfc822", "video/mp4"),
)


@pytest.mark.parametrize("named", COMMON)
def test_a_file_of_a_common_type_is_taken(named: str) -> None:
    Walk().visit(FILE, f"data:{named};base64,aGk=", ("file_data",))


@pytest.mark.parametrize("written", ["png", "PNG", "jpg", "JPEG", "svg+xml"])
def test_a_picture_is_taken(written: str) -> None:
    Walk().visit(IMAGE, f"data:image/{written};base64,aGk=", ("url",))


@pytest.mark.parametrize(
    "url",
    [
        "data:image/457-55-5462;base64,aGk=",
        "data:image/john.doe;base64,aGk=",
        "data:image/pngx;base64,aGk=",
        "data:image/svgxml;base64,aGk=",
        "data:image/png;name=john.doe;base64,aGk=",
        "data:image/png,john.doe",
        "data:text/plain;base64,aGk=",
        "data:application/pdf;base64,aGk=",
        "https://example.org/x.png",
    ],
)
def test_what_is_no_picture_of_a_known_type_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Walk().visit(IMAGE, url, ("url",))

    assert caught.value.path == "url"
    for words in ("john", "457", "pngx", "aGk"):
        assert words not in caught.value.message
