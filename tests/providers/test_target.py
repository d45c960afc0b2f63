"""What may be an address, a name sent on, and a wait."""

import pytest

from gateway.providers.target import Target, Timeouts
from tests.providers.codec import guarded


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/v1",
        "h/v1",
        "http://u:p@h/v1",
        "http://u@h/v1",
        "http:///v1",
        "http://h/v1?x=1",
        "http://h/v1#x",
        "file:///etc",
        "",
    ],
)
def test_an_address_that_is_not_plain_http_is_refused(url):
    with pytest.raises(ValueError, match="base_url"):
        Target(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/v1", "https://models.example/v1/", "http://[::1]:1"]
)
def test_plain_addresses_are_taken(url):
    assert Target(url).base_url == url


def test_a_key_is_not_in_the_repr():
    assert "k-secret" not in repr(Target("http://h/v1", None, "k-secret"))


@pytest.mark.parametrize("key", ["k\r\nx: y", "k\x00", "schlüssel", "k\n"])
def test_a_key_that_would_break_the_head_is_refused(key):
    with pytest.raises(ValueError, match="printable"):
        Target("http://h/v1", None, key)


@pytest.mark.parametrize(
    ("configured", "sent"), [(None, "lab/one"), ("*", "lab/one"), ("llama", "llama")]
)
def test_the_name_sent_on_is_the_configured_one_or_the_clients(configured, sent):
    assert Target("http://h/v1", configured).name_for(guarded("lab/one").call) == sent


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_wait_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        Timeouts(between=wrong)
