"""The cities of the simulated world: real places, with their clocks.

Clock changes are computed from the two rules below and not taken from the system's time-zone
database, so that a simulation gives the same bytes everywhere.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

EPOCH = date(1970, 1, 1).toordinal()
DAY = 86_400


@dataclass(frozen=True, slots=True)
class City:
    """A place people live in and addresses resolve to. ``offset`` is standard time, minutes."""

    name: str
    region: str
    country: str
    postcode: str
    lat: float
    long: float
    zone: str
    offset: int
    summer: str = ""

    def day(self, time: float) -> date:
        """The date there at a Unix time, by standard time."""
        return date.fromordinal(EPOCH + int((time + self.offset * 60) // DAY))

    def midnight(self, day: date) -> int:
        """The Unix time of local midnight that begins ``day``."""
        offset = self.offset + (60 if self.summer and _is_summer(self.summer, day) else 0)
        return (day.toordinal() - EPOCH) * DAY - offset * 60


def _sunday(year: int, month: int, nth: int) -> date:
    """The nth Sunday of a month; -1 is the last."""
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() + 1) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


@cache
def _is_summer(rule: str, day: date) -> bool:
    if rule == "eu":
        return _sunday(day.year, 3, -1) <= day < _sunday(day.year, 10, -1)
    if rule == "us":
        return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)
    return not _sunday(day.year, 4, 1) <= day < _sunday(day.year, 10, 1)  # southern


def _cities() -> tuple[City, ...]:
    found = []
    for line in _TABLE.strip().splitlines():
        country, name, region, postcode, lat, long, zone, offset, summer = (
            part.strip() for part in line.split("|")
        )
        found.append(
            City(
                name, region, country, postcode, float(lat), float(long), zone, int(offset), summer
            )
        )
    return tuple(found)


_TABLE = """
CA | Toronto | Ontario | M5H | 43.6532 | -79.3832 | America/Toronto | -300 | us
CA | Mississauga | Ontario | L5B | 43.5890 | -79.6441 | America/Toronto | -300 | us
CA | Hamilton | Ontario | L8P | 43.2557 | -79.8711 | America/Toronto | -300 | us
CA | Ottawa | Ontario | K1P | 45.4215 | -75.6972 | America/Toronto | -300 | us
CA | Montreal | Quebec | H3B | 45.5019 | -73.5674 | America/Toronto | -300 | us
CA | Vancouver | British Columbia | V6B | 49.2827 | -123.1207 | America/Vancouver | -480 | us
CA | Calgary | Alberta | T2P | 51.0447 | -114.0719 | America/Edmonton | -420 | us
US | New York | New York | 10007 | 40.7128 | -74.0060 | America/New_York | -300 | us
US | Boston | Massachusetts | 02108 | 42.3601 | -71.0589 | America/New_York | -300 | us
US | Ashburn | Virginia | 20147 | 39.0438 | -77.4874 | America/New_York | -300 | us
US | Atlanta | Georgia | 30303 | 33.7490 | -84.3880 | America/New_York | -300 | us
US | Miami | Florida | 33101 | 25.7617 | -80.1918 | America/New_York | -300 | us
US | Chicago | Illinois | 60602 | 41.8781 | -87.6298 | America/Chicago | -360 | us
US | Austin | Texas | 78701 | 30.2672 | -97.7431 | America/Chicago | -360 | us
US | Dallas | Texas | 75201 | 32.7767 | -96.7970 | America/Chicago | -360 | us
US | Denver | Colorado | 80202 | 39.7392 | -104.9903 | America/Denver | -420 | us
US | Phoenix | Arizona | 85003 | 33.4484 | -112.0740 | America/Phoenix | -420 |
US | San Francisco | California | 94102 | 37.7749 | -122.4194 | America/Los_Angeles | -480 | us
US | Los Angeles | California | 90012 | 34.0522 | -118.2437 | America/Los_Angeles | -480 | us
US | Seattle | Washington | 98104 | 47.6062 | -122.3321 | America/Los_Angeles | -480 | us
MX | Mexico City | Mexico City | 06000 | 19.4326 | -99.1332 | America/Mexico_City | -360 |
MX | Monterrey | Nuevo Leon | 64000 | 25.6866 | -100.3161 | America/Monterrey | -360 |
BR | Sao Paulo | Sao Paulo | 01001 | -23.5505 | -46.6333 | America/Sao_Paulo | -180 |
BR | Rio de Janeiro | Rio de Janeiro | 20010 | -22.9068 | -43.1729 | America/Sao_Paulo | -180 |
AR | Buenos Aires | Buenos Aires | C1002 | -34.6037 | -58.3816 | America/Buenos_Aires | -180 |
CO | Bogota | Bogota | 110111 | 4.7110 | -74.0721 | America/Bogota | -300 |
GB | London | England | EC2V | 51.5074 | -0.1278 | Europe/London | 0 | eu
GB | Reading | England | RG1 | 51.4543 | -0.9781 | Europe/London | 0 | eu
GB | Manchester | England | M2 | 53.4808 | -2.2426 | Europe/London | 0 | eu
GB | Birmingham | England | B2 | 52.4862 | -1.8904 | Europe/London | 0 | eu
GB | Edinburgh | Scotland | EH1 | 55.9533 | -3.1883 | Europe/London | 0 | eu
IE | Dublin | Leinster | D02 | 53.3498 | -6.2603 | Europe/Dublin | 0 | eu
IE | Cork | Munster | T12 | 51.8985 | -8.4756 | Europe/Dublin | 0 | eu
DE | Berlin | Land Berlin | 10117 | 52.5200 | 13.4050 | Europe/Berlin | 60 | eu
DE | Potsdam | Brandenburg | 14467 | 52.3906 | 13.0645 | Europe/Berlin | 60 | eu
DE | Hamburg | Hamburg | 20095 | 53.5511 | 9.9937 | Europe/Berlin | 60 | eu
DE | Munich | Bavaria | 80331 | 48.1351 | 11.5820 | Europe/Berlin | 60 | eu
DE | Frankfurt am Main | Hesse | 60311 | 50.1109 | 8.6821 | Europe/Berlin | 60 | eu
DE | Cologne | North Rhine-Westphalia | 50667 | 50.9375 | 6.9603 | Europe/Berlin | 60 | eu
FR | Paris | Ile-de-France | 75001 | 48.8566 | 2.3522 | Europe/Paris | 60 | eu
FR | Lyon | Auvergne-Rhone-Alpes | 69002 | 45.7640 | 4.8357 | Europe/Paris | 60 | eu
FR | Marseille | Provence-Alpes-Cote d'Azur | 13001 | 43.2965 | 5.3698 | Europe/Paris | 60 | eu
NL | Amsterdam | North Holland | 1012 | 52.3676 | 4.9041 | Europe/Amsterdam | 60 | eu
NL | Rotterdam | South Holland | 3011 | 51.9244 | 4.4777 | Europe/Amsterdam | 60 | eu
BE | Brussels | Brussels Capital | 1000 | 50.8503 | 4.3517 | Europe/Brussels | 60 | eu
CH | Zurich | Zurich | 8001 | 47.3769 | 8.5417 | Europe/Zurich | 60 | eu
AT | Vienna | Vienna | 1010 | 48.2082 | 16.3738 | Europe/Vienna | 60 | eu
ES | Madrid | Madrid | 28013 | 40.4168 | -3.7038 | Europe/Madrid | 60 | eu
ES | Barcelona | Catalonia | 08002 | 41.3851 | 2.1734 | Europe/Madrid | 60 | eu
ES | Palma | Balearic Islands | 07001 | 39.5696 | 2.6502 | Europe/Madrid | 60 | eu
PT | Lisbon | Lisbon | 1100 | 38.7223 | -9.1393 | Europe/Lisbon | 0 | eu
PT | Faro | Faro | 8000 | 37.0194 | -7.9304 | Europe/Lisbon | 0 | eu
IT | Milan | Lombardy | 20121 | 45.4642 | 9.1900 | Europe/Rome | 60 | eu
IT | Rome | Lazio | 00184 | 41.9028 | 12.4964 | Europe/Rome | 60 | eu
GR | Athens | Attica | 105 57 | 37.9838 | 23.7275 | Europe/Athens | 120 | eu
PL | Warsaw | Mazovia | 00-001 | 52.2297 | 21.0122 | Europe/Warsaw | 60 | eu
PL | Krakow | Lesser Poland | 31-001 | 50.0647 | 19.9450 | Europe/Warsaw | 60 | eu
CZ | Prague | Prague | 110 00 | 50.0755 | 14.4378 | Europe/Prague | 60 | eu
RO | Bucharest | Bucuresti | 010011 | 44.4268 | 26.1025 | Europe/Bucharest | 120 | eu
RO | Cluj-Napoca | Cluj | 400001 | 46.7712 | 23.6236 | Europe/Bucharest | 120 | eu
BG | Sofia | Sofia-Capital | 1000 | 42.6977 | 23.3219 | Europe/Sofia | 120 | eu
UA | Kyiv | Kyiv City | 01001 | 50.4501 | 30.5234 | Europe/Kyiv | 120 | eu
RU | Moscow | Moscow | 101000 | 55.7558 | 37.6173 | Europe/Moscow | 180 |
RU | Saint Petersburg | St.-Petersburg | 190000 | 59.9311 | 30.3609 | Europe/Moscow | 180 |
SE | Stockholm | Stockholm | 111 20 | 59.3293 | 18.0686 | Europe/Stockholm | 60 | eu
DK | Copenhagen | Capital Region | 1050 | 55.6761 | 12.5683 | Europe/Copenhagen | 60 | eu
FI | Helsinki | Uusimaa | 00100 | 60.1699 | 24.9384 | Europe/Helsinki | 120 | eu
TR | Istanbul | Istanbul | 34110 | 41.0082 | 28.9784 | Europe/Istanbul | 180 |
IL | Tel Aviv | Tel Aviv | 61000 | 32.0853 | 34.7818 | Asia/Jerusalem | 120 | eu
AE | Dubai | Dubai | 00000 | 25.2048 | 55.2708 | Asia/Dubai | 240 |
NG | Lagos | Lagos | 100001 | 6.5244 | 3.3792 | Africa/Lagos | 60 |
ZA | Johannesburg | Gauteng | 2001 | -26.2041 | 28.0473 | Africa/Johannesburg | 120 |
KE | Nairobi | Nairobi County | 00100 | -1.2921 | 36.8219 | Africa/Nairobi | 180 |
IN | Bengaluru | Karnataka | 560001 | 12.9716 | 77.5946 | Asia/Kolkata | 330 |
IN | Mumbai | Maharashtra | 400001 | 19.0760 | 72.8777 | Asia/Kolkata | 330 |
IN | Hyderabad | Telangana | 500001 | 17.3850 | 78.4867 | Asia/Kolkata | 330 |
SG | Singapore | Singapore | 018956 | 1.3521 | 103.8198 | Asia/Singapore | 480 |
TH | Bangkok | Bangkok | 10200 | 13.7563 | 100.5018 | Asia/Bangkok | 420 |
VN | Ho Chi Minh City | Ho Chi Minh | 700000 | 10.8231 | 106.6297 | Asia/Ho_Chi_Minh | 420 |
PH | Manila | Metro Manila | 1000 | 14.5995 | 120.9842 | Asia/Manila | 480 |
ID | Jakarta | Jakarta | 10110 | -6.2088 | 106.8456 | Asia/Jakarta | 420 |
CN | Shanghai | Shanghai | 200000 | 31.2304 | 121.4737 | Asia/Shanghai | 480 |
CN | Shenzhen | Guangdong | 518000 | 22.5431 | 114.0579 | Asia/Shanghai | 480 |
HK | Hong Kong | Central and Western | 00000 | 22.3193 | 114.1694 | Asia/Hong_Kong | 480 |
JP | Tokyo | Tokyo | 100-0001 | 35.6762 | 139.6503 | Asia/Tokyo | 540 |
JP | Osaka | Osaka | 530-0001 | 34.6937 | 135.5023 | Asia/Tokyo | 540 |
KR | Seoul | Seoul | 03000 | 37.5665 | 126.9780 | Asia/Seoul | 540 |
AU | Sydney | New South Wales | 2000 | -33.8688 | 151.2093 | Australia/Sydney | 600 | south
AU | Melbourne | Victoria | 3000 | -37.8136 | 144.9631 | Australia/Melbourne | 600 | south
"""

CITIES = _cities()
"""Every city, grouped by country."""


def in_country(country: str) -> tuple[City, ...]:
    """The cities of one country."""
    return tuple(city for city in CITIES if city.country == country)


def city(name: str) -> City:
    """The city of that name."""
    return next(city for city in CITIES if city.name == name)


def countries() -> tuple[str, ...]:
    """Every country code, in the table's order."""
    return tuple(dict.fromkeys(city.country for city in CITIES))
