"""Public holidays: by date, by Easter, and, for 2025 and 2026, by the moon."""

from datetime import date, timedelta
from functools import cache

# Month and day, every year.
_FIXED = {
    "AE": "1-1 12-2 12-3", "AR": "1-1 3-24 4-2 5-1 5-25 7-9 12-8 12-25",
    "AT": "1-1 1-6 5-1 8-15 10-26 11-1 12-8 12-25 12-26", "AU": "1-1 1-26 4-25 12-25 12-26",
    "BE": "1-1 5-1 7-21 8-15 11-1 11-11 12-25", "BG": "1-1 3-3 5-1 5-6 9-22 12-24 12-25",
    "BR": "1-1 4-21 5-1 9-7 10-12 11-2 11-15 12-25", "CA": "1-1 7-1 12-25 12-26",
    "CH": "1-1 1-2 8-1 12-25 12-26", "CN": "1-1 5-1 5-4 5-5 10-1 10-2 10-5 10-6 10-7",
    "CO": "1-1 5-1 7-20 8-7 12-8 12-25", "CZ": "1-1 5-1 5-8 7-6 9-28 10-28 12-24 12-25",
    "DE": "1-1 5-1 10-3 12-25 12-26", "DK": "1-1 6-5 12-24 12-25", "ES": "1-1 1-6 5-1 10-12 12-8 "
    "12-25", "FI": "1-1 1-6 5-1 12-24 12-25", "FR": "1-1 5-1 5-8 7-14 11-11 12-25",
    "GB": "1-1 12-25 12-26", "GR": "1-1 1-6 3-25 5-1 10-28 12-25", "HK": "1-1 5-1 7-1 10-1 12-25",
    "ID": "1-1 5-1 6-1 8-17 12-25", "IE": "1-1 2-2 3-17 12-25 12-26", "IN": "1-26 8-15 10-2",
    "IT": "1-1 1-6 5-1 6-2 8-15 12-8 12-25", "JP": "1-1 1-2 2-11 2-23 3-20 4-29 5-4 5-5 7-20 8-11 "
    "9-22 9-23 11-3 11-23", "KE": "1-1 5-1 6-1 10-20 12-25", "KR": "1-1 3-2 5-5 10-9 12-25",
    "MX": "1-1 5-1 9-16 12-25", "NG": "1-1 5-1 6-12 10-1 12-25", "NL": "1-1 4-27 12-25",
    "PH": "1-1 5-1 6-12 8-31 11-30 12-25 12-30", "PL": "1-1 1-6 5-1 11-11 12-25", "PT": "1-1 5-1 "
    "6-10 8-15 10-5 12-1 12-8 12-25", "RO": "1-1 1-2 5-1 6-1 12-1 12-25", "RU": "1-1 1-2 1-5 1-6 "
    "1-7 1-8 2-23 3-9 5-1 6-12 11-4", "SE": "1-1 1-6 5-1 12-24 12-25", "SG": "1-1 5-1 8-10 12-25",
    "TH": "1-1 4-6 4-13 4-14 4-15 5-1 5-4 12-10", "TR": "1-1 4-23 5-1 5-19 7-15 10-29", "UA": "1-1",
    "US": "1-1 6-19 7-3 11-11 12-25", "VN": "1-1 4-30 5-1 9-2", "ZA": "1-1 4-27 5-1 6-16 8-10 9-24 "
    "12-16 12-25",
}  # fmt: skip
# The nth Monday of a month, -1 for its last: month and n; Thanksgiving is a Thursday.
_MONDAYS = {
    "US": ((1, 3), (2, 3), (5, -1), (9, 1), (10, 2)),
    "CA": ((2, 3), (9, 1), (10, 2)),
    "GB": ((5, 1), (5, -1), (8, -1)),
    "IE": ((5, 1), (6, 1), (8, 1), (10, -1)),
    "MX": ((2, 1), (3, 3), (11, 3)),
    "JP": ((1, 2), (7, 3), (9, 3), (10, 2)),
    "AU": ((6, 2),),
    "CO": ((1, 2), (3, 4)),
}
# Days after Easter Sunday, the Orthodox one where the second set has the country.
_EASTER = {
    **dict.fromkeys(("DE", "AT", "CH", "NL", "DK", "SE", "FI"), (-2, 1, 39, 50)),
    **dict.fromkeys(("GB", "AU", "HK", "ZA", "KE", "NG", "CZ"), (-2, 1)),
    "CA": (-2,), "BR": (-48, -47, -2, 60), "AR": (-48, -47, -2), "CO": (-3, -2), "MX": (-3, -2),
    "ES": (-3, -2), "PT": (-2, 60), "FR": (1, 39, 50), "BE": (1, 39, 50), "IT": (1,), "PL": (1, 60),
    "IE": (1,), "PH": (-3, -2), "SG": (-2,), "ID": (-2,),
    "GR": (-48, -2, 1, 50), "BG": (-2, 1), "RO": (-2, 1, 50), "UA": (1, 50),
}  # fmt: skip
_ORTHODOX = frozenset({"GR", "BG", "RO", "UA"})
# New year and other feasts that follow the moon.
_MOON = {
    "CN": "2026-2-16 2026-2-17 2026-2-18 2026-2-19 2026-2-20 2026-2-23 2026-4-6 2026-6-19",
    "HK": "2026-2-17 2026-2-18 2026-2-19 2026-4-7 2026-5-25 2026-6-19",
    "SG": "2026-2-17 2026-2-18 2026-5-27 2026-6-1 2026-11-9 2025-10-20",
    "KR": "2026-2-16 2026-2-17 2026-2-18 2026-5-25 2026-9-24 2026-9-25",
    "VN": "2026-2-16 2026-2-17 2026-2-18 2026-2-19 2026-2-20 2026-4-27",
    "ID": "2026-1-16 2026-2-17 2026-3-19 2026-3-20 2026-3-23 2026-3-24 2026-5-27",
    "PH": "2026-2-17 2026-3-20 2026-5-27",
    "TH": "2026-3-3 2026-6-1 2026-7-29",
    "IN": "2026-3-4 2026-11-9 2025-10-20 2025-10-21",
    "TR": "2026-3-20 2026-5-27 2026-5-28 2026-5-29",
    "AE": "2026-3-20 2026-3-23 2026-5-26 2026-5-27 2026-5-28",
    "NG": "2026-3-20 2026-3-23 2026-5-27",
    "IL": "2026-4-2 2026-4-8 2026-4-22 2026-9-13 2026-9-21 2026-9-27",
}


def holiday(country: str, day: date) -> bool:
    """Whether nobody is expected to work there that day."""
    return day in _year(country, day.year)


@cache
def _year(country: str, year: int) -> frozenset[date]:
    found = set()
    for word in _FIXED.get(country, "").split():
        first, second = word.split("-")
        found.add(date(year, int(first), int(second)))
    for month, nth in _MONDAYS.get(country, ()):
        found.add(_weekday(year, month, nth, 0))
    if country == "US":
        found |= {_weekday(year, 11, 4, 3), _weekday(year, 11, 4, 3) + timedelta(days=1)}
    easter = _orthodox(year) if country in _ORTHODOX else _western(year)
    found |= {easter + timedelta(days=offset) for offset in _EASTER.get(country, ())}
    for word in _MOON.get(country, "").split():
        found.add(date(*map(int, word.split("-"))))
    return frozenset(found)


def _weekday(year: int, month: int, nth: int, weekday: int) -> date:
    """The nth such weekday of a month; -1 is the last."""
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _western(year: int) -> date:
    """Easter Sunday by the Gregorian reckoning."""
    golden, century = year % 19, year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    epact -= epact // 28 * (1 - 29 // (epact + 1) * ((21 - golden) // 11))
    shift = (year + year // 4 + epact + 2 - century + century // 4) % 7
    return date(year, 3, 28) + timedelta(days=epact - shift)


def _orthodox(year: int) -> date:
    """Easter Sunday by the Julian reckoning, which is 13 days behind until 2099."""
    moon = (19 * (year % 19) + 15) % 30
    shift = (year + year // 4 + moon) % 7
    return date(year, 3, 28) + timedelta(days=moon - shift + 13)
