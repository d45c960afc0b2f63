"""A region refuses digits only when `phonenumbers` finds no number in them."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors.pii.regions import Region

REGIONS = {name: Region.load(name) for name in ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")}
LEADS = st.sampled_from(
    ["", "0", "00", "1", "44", "49", "33", "011", "0049", "180020", "055", "91"]
)


@given(st.sampled_from(sorted(REGIONS)), LEADS, st.text("0123456789", min_size=1, max_size=14))
def test_what_a_region_refuses_is_no_number_there(name, lead, digits) -> None:
    candidate = lead + digits
    if not REGIONS[name].may_own(candidate):
        assert not list(phonenumbers.PhoneNumberMatcher(candidate, name, leniency=1))


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_a_regions_own_example_is_possible_in_every_way_of_writing_it(name) -> None:
    number = phonenumbers.example_number(name)
    assert number is not None
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = "".join(each for each in national if each.isdigit())
    region = REGIONS[name]
    assert region.may_own(digits)
    assert region.may_own(str(number.national_number))
    assert region.may_own(f"{number.country_code}{number.national_number}")


def test_a_card_number_is_refused_where_numbers_are_short() -> None:
    assert not REGIONS["US"].may_own("4111111111111111")
    assert not REGIONS["FR"].may_own("4111111111111111")
