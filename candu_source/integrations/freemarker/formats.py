"""Hold the settings that say how values print, and apply them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo

from candu_source.integrations.freemarker.dates import formatted_moment, zone_named
from candu_source.integrations.freemarker.faults import refused, wrong
from candu_source.integrations.freemarker.numerals import by_pattern
from candu_source.integrations.freemarker.values import Moment, Number, When

# What <#setting> takes, and what FreeMarker takes beyond that.
SETTINGS = frozenset({"number_format", "boolean_format", "date_format", "time_format", "datetime_format", "time_zone", "locale",
                      "url_escaping_charset", "output_encoding"})  # fmt: skip
REFUSED_SETTINGS = frozenset({"classic_compatible", "sql_date_and_time_time_zone"})
_UNCONVERTED = "true,false"


@dataclass(slots=True)
class Formats:
    """Hold the settings in force; en_US and UTC unless the template says otherwise."""

    number_format: str = "number"
    boolean_format: str = _UNCONVERTED
    date_format: str = ""
    time_format: str = ""
    datetime_format: str = ""
    zone: tzinfo = UTC
    charset: str = ""

    def set(self, name: str, value: str) -> None:
        """Take a setting; raise `runtime` for a value that it cannot have."""
        if name == "time_zone":
            self.zone = zone_named(value)
        elif name == "locale":
            if value.replace("-", "_") != "en_US":
                raise refused(f"the locale {value} is not supported; it is always en_US")
        elif name in {"url_escaping_charset", "output_encoding"}:
            self.charset = value
        else:
            if name == "boolean_format" and value != "c" and value.count(",") != 1:
                raise wrong("boolean_format takes two words with a comma between, as in 'yes,no', or c")
            setattr(self, name, value)

    def number(self, number: Number) -> str:
        """Return the number as `${…}` prints it."""
        if self.number_format == "number" and isinstance(number, int):
            return f"{number:,}"
        return by_pattern(number, self.number_format)

    def boolean_words(self) -> tuple[str, str]:
        """Return the words for true and false."""
        true, _, false = ("true,false" if self.boolean_format == "c" else self.boolean_format).partition(",")
        return true, false

    def boolean(self, value: bool) -> str:
        """Return the boolean as `${…}` prints it; raise `runtime` while no boolean_format is set."""
        if self.boolean_format == _UNCONVERTED:
            raise wrong("a boolean does not print by itself; write ?c for true and false, or ?string('yes', 'no')")
        return self.boolean_words()[0 if value else 1]

    def pattern(self, kind: When) -> str:
        """Return the format in force for that kind of moment."""
        return {"date": self.date_format, "time": self.time_format, "datetime": self.datetime_format}[kind]

    def moment(self, moment: Moment, pattern: str | None = None) -> str:
        """Return the moment printed by a pattern, or by the setting for its kind."""
        return formatted_moment(moment, self.pattern(moment.kind) if pattern is None else pattern, self.zone)
