"""Whether some digits could be a valid number of a region, without parsing them.

Says no only when `phonenumbers` would: a national number has the form that its plan states, and only
the country code and the national prefix may stand before it. Anything unusual is possible.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Region:
    """A region's numbering plan. `form` is any region's that shares its country code."""

    name: str
    country_code: str
    form: re.Pattern[str]
    abroad: re.Pattern[str]
    prefix: re.Pattern[str] | None
    rewrites: bool

    @classmethod
    def load(cls, name: str) -> Region:
        from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

        plan: Any = PhoneMetadata.metadata_for_region(name, None)
        sharing = COUNTRY_CODE_TO_REGION_CODE[plan.country_code]
        plans: list[Any] = [PhoneMetadata.metadata_for_region(each, None) for each in sharing]
        prefix = plan.national_prefix_for_parsing
        return cls(
            name=name,
            country_code=str(plan.country_code),
            form=re.compile("|".join(_form(each.general_desc) for each in plans)),
            abroad=re.compile(plan.international_prefix),
            prefix=re.compile(prefix) if prefix else None,
            rewrites=plan.national_prefix_transform_rule is not None,
        )

    def may_own(self, digits: str) -> bool:
        """`digits` are ASCII, written without a plus sign and without an extension."""
        if self.abroad.match(digits):
            return True
        rests = [digits]
        if digits.startswith(self.country_code):
            rests.append(digits[len(self.country_code) :])
        return any(self._fits(rest) or self._may_strip(rest) for rest in rests)

    def _fits(self, rest: str) -> bool:
        return self.form.fullmatch(rest) is not None

    def _may_strip(self, digits: str) -> bool:
        """Whether the national prefix can be taken off, leaving what fits."""
        match = self.prefix.match(digits) if self.prefix else None
        return match is not None and (self.rewrites or self._fits(digits[match.end() :]))


def _form(plan: Any) -> str:
    """The plan's pattern, where it has one; the lengths are in the pattern."""
    return f"(?:{plan.national_number_pattern})"
