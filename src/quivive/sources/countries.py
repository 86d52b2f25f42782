"""ISO 3166-1 alpha-2 codes of countries, found by English name or alpha-3 code."""

import unicodedata
from functools import lru_cache
from typing import Any

from quivive.sources import fields

# One country a line: alpha-2, alpha-3, the ISO or usual English name, then "|" other names that
# vendors and GeoIP databases write. XK is the user-assigned code in general use for Kosovo.
# fmt: off
_TABLE = """\
AD AND Andorra|Principality of Andorra
AE ARE United Arab Emirates|UAE
AF AFG Afghanistan|Islamic Republic of Afghanistan
AG ATG Antigua and Barbuda
AI AIA Anguilla
AL ALB Albania|Republic of Albania
AM ARM Armenia|Republic of Armenia
AO AGO Angola
AQ ATA Antarctica
AR ARG Argentina|Argentine Republic
AS ASM American Samoa
AT AUT Austria|Republic of Austria
AU AUS Australia|Commonwealth of Australia
AW ABW Aruba
AX ALA Åland Islands|Åland
AZ AZE Azerbaijan|Republic of Azerbaijan
BA BIH Bosnia and Herzegovina|Bosnia|Bosnia-Herzegovina
BB BRB Barbados
BD BGD Bangladesh|People's Republic of Bangladesh
BE BEL Belgium|Kingdom of Belgium
BF BFA Burkina Faso
BG BGR Bulgaria|Republic of Bulgaria
BH BHR Bahrain|Kingdom of Bahrain
BI BDI Burundi
BJ BEN Benin
BL BLM Saint Barthélemy
BM BMU Bermuda
BN BRN Brunei|Brunei Darussalam
BO BOL Bolivia|Bolivia, Plurinational State of|Plurinational State of Bolivia
BQ BES Bonaire, Sint Eustatius and Saba|Bonaire|Caribbean Netherlands
BR BRA Brazil|Brasil|Federative Republic of Brazil
BS BHS Bahamas
BT BTN Bhutan
BV BVT Bouvet Island
BW BWA Botswana
BY BLR Belarus|Republic of Belarus
BZ BLZ Belize
CA CAN Canada
CC CCK Cocos (Keeling) Islands|Cocos Islands
CD COD Congo, Democratic Republic of the|Congo, The Democratic Republic of the|\
Democratic Republic of the Congo|DR Congo|DRC|Congo (Kinshasa)|Congo-Kinshasa
CF CAF Central African Republic
CG COG Congo|Republic of the Congo|Congo Republic|Congo, Republic of the|\
Congo (Brazzaville)|Congo-Brazzaville
CH CHE Switzerland|Swiss Confederation
CI CIV Côte d'Ivoire|Ivory Coast|Republic of Côte d'Ivoire
CK COK Cook Islands
CL CHL Chile
CM CMR Cameroon
CN CHN China|People's Republic of China|Mainland China
CO COL Colombia|Republic of Colombia
CR CRI Costa Rica
CU CUB Cuba
CV CPV Cabo Verde|Cape Verde
CW CUW Curaçao
CX CXR Christmas Island
CY CYP Cyprus|Republic of Cyprus
CZ CZE Czechia|Czech Republic
DE DEU Germany|Federal Republic of Germany|Deutschland
DJ DJI Djibouti
DK DNK Denmark|Kingdom of Denmark
DM DMA Dominica
DO DOM Dominican Republic
DZ DZA Algeria
EC ECU Ecuador
EE EST Estonia|Republic of Estonia
EG EGY Egypt|Arab Republic of Egypt
EH ESH Western Sahara
ER ERI Eritrea
ES ESP Spain|Kingdom of Spain|España
ET ETH Ethiopia
FI FIN Finland|Republic of Finland
FJ FJI Fiji
FK FLK Falkland Islands|Falkland Islands (Malvinas)
FM FSM Micronesia|Micronesia, Federated States of|Federated States of Micronesia
FO FRO Faroe Islands
FR FRA France|French Republic
GA GAB Gabon
GB GBR United Kingdom|UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|\
United Kingdom of Great Britain and Northern Ireland
GD GRD Grenada
GE GEO Georgia|Republic of Georgia
GF GUF French Guiana
GG GGY Guernsey
GH GHA Ghana
GI GIB Gibraltar
GL GRL Greenland
GM GMB Gambia
GN GIN Guinea
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea
GR GRC Greece|Hellenic Republic
GS SGS South Georgia and the South Sandwich Islands
GT GTM Guatemala
GU GUM Guam
GW GNB Guinea-Bissau
GY GUY Guyana
HK HKG Hong Kong|Hong Kong SAR|Hong Kong SAR China|Hong Kong, China
HM HMD Heard Island and McDonald Islands|Heard and McDonald Islands
HN HND Honduras
HR HRV Croatia|Republic of Croatia
HT HTI Haiti
HU HUN Hungary
ID IDN Indonesia|Republic of Indonesia
IE IRL Ireland|Republic of Ireland
IL ISR Israel|State of Israel
IM IMN Isle of Man
IN IND India|Republic of India
IO IOT British Indian Ocean Territory
IQ IRQ Iraq|Republic of Iraq
IR IRN Iran|Iran, Islamic Republic of|Islamic Republic of Iran
IS ISL Iceland
IT ITA Italy|Italian Republic|Italia
JE JEY Jersey
JM JAM Jamaica
JO JOR Jordan|Hashemite Kingdom of Jordan
JP JPN Japan
KE KEN Kenya
KG KGZ Kyrgyzstan|Kyrgyz Republic
KH KHM Cambodia
KI KIR Kiribati
KM COM Comoros
KN KNA Saint Kitts and Nevis|St Kitts and Nevis
KP PRK North Korea|Korea, Democratic People's Republic of|Democratic People's Republic of Korea|DPRK
KR KOR South Korea|Korea, Republic of|Republic of Korea|Korea
KW KWT Kuwait
KY CYM Cayman Islands
KZ KAZ Kazakhstan
LA LAO Laos|Lao People's Democratic Republic|Lao PDR
LB LBN Lebanon
LC LCA Saint Lucia
LI LIE Liechtenstein
LK LKA Sri Lanka
LR LBR Liberia
LS LSO Lesotho
LT LTU Lithuania|Republic of Lithuania
LU LUX Luxembourg
LV LVA Latvia|Republic of Latvia
LY LBY Libya|Libyan Arab Jamahiriya
MA MAR Morocco
MC MCO Monaco
MD MDA Moldova|Moldova, Republic of|Republic of Moldova
ME MNE Montenegro
MF MAF Saint Martin|Saint Martin (French part)
MG MDG Madagascar
MH MHL Marshall Islands
MK MKD North Macedonia|Macedonia|Republic of North Macedonia|FYROM|\
Macedonia, the former Yugoslav Republic of
ML MLI Mali
MM MMR Myanmar|Burma|Myanmar (Burma)
MN MNG Mongolia
MO MAC Macao|Macau|Macao SAR China|Macau SAR
MP MNP Northern Mariana Islands
MQ MTQ Martinique
MR MRT Mauritania
MS MSR Montserrat
MT MLT Malta
MU MUS Mauritius
MV MDV Maldives
MW MWI Malawi
MX MEX Mexico|México
MY MYS Malaysia
MZ MOZ Mozambique
NA NAM Namibia
NC NCL New Caledonia
NE NER Niger
NF NFK Norfolk Island
NG NGA Nigeria
NI NIC Nicaragua
NL NLD Netherlands|Kingdom of the Netherlands|Holland
NO NOR Norway|Kingdom of Norway
NP NPL Nepal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand|Aotearoa New Zealand
OM OMN Oman
PA PAN Panama
PE PER Peru
PF PYF French Polynesia
PG PNG Papua New Guinea
PH PHL Philippines|Republic of the Philippines
PK PAK Pakistan|Islamic Republic of Pakistan
PL POL Poland|Republic of Poland
PM SPM Saint Pierre and Miquelon
PN PCN Pitcairn|Pitcairn Islands
PR PRI Puerto Rico
PS PSE Palestine|Palestine, State of|State of Palestine|Palestinian Territory|\
Palestinian Territories|Palestinian Territory, Occupied|Occupied Palestinian Territory
PT PRT Portugal|Portuguese Republic
PW PLW Palau
PY PRY Paraguay
QA QAT Qatar|State of Qatar
RE REU Réunion|Reunion Island
RO ROU Romania
RS SRB Serbia|Republic of Serbia
RU RUS Russia|Russian Federation
RW RWA Rwanda
SA SAU Saudi Arabia|Kingdom of Saudi Arabia
SB SLB Solomon Islands
SC SYC Seychelles
SD SDN Sudan
SE SWE Sweden|Kingdom of Sweden
SG SGP Singapore|Republic of Singapore
SH SHN Saint Helena|Saint Helena, Ascension and Tristan da Cunha
SI SVN Slovenia|Republic of Slovenia
SJ SJM Svalbard and Jan Mayen
SK SVK Slovakia|Slovak Republic
SL SLE Sierra Leone
SM SMR San Marino
SN SEN Senegal
SO SOM Somalia
SR SUR Suriname
SS SSD South Sudan
ST STP São Tomé and Príncipe
SV SLV El Salvador
SX SXM Sint Maarten|Sint Maarten (Dutch part)
SY SYR Syria|Syrian Arab Republic
SZ SWZ Eswatini|Swaziland|Kingdom of Eswatini
TC TCA Turks and Caicos Islands
TD TCD Chad
TF ATF French Southern Territories
TG TGO Togo
TH THA Thailand|Kingdom of Thailand
TJ TJK Tajikistan
TK TKL Tokelau
TL TLS Timor-Leste|East Timor
TM TKM Turkmenistan
TN TUN Tunisia
TO TON Tonga
TR TUR Türkiye|Turkey|Republic of Türkiye|Republic of Turkey
TT TTO Trinidad and Tobago
TV TUV Tuvalu
TW TWN Taiwan|Taiwan, Province of China|Taiwan, China|Taiwan, Republic of China
TZ TZA Tanzania|Tanzania, United Republic of|United Republic of Tanzania
UA UKR Ukraine
UG UGA Uganda
UM UMI United States Minor Outlying Islands|U.S. Minor Outlying Islands|U.S. Outlying Islands
US USA United States|United States of America|America|U.S.|U.S.A.
UY URY Uruguay
UZ UZB Uzbekistan
VA VAT Vatican City|Holy See|Holy See (Vatican City State)|Vatican|Vatican City State
VC VCT Saint Vincent and the Grenadines
VE VEN Venezuela|Venezuela, Bolivarian Republic of|Bolivarian Republic of Venezuela
VG VGB British Virgin Islands|Virgin Islands, British
VI VIR U.S. Virgin Islands|Virgin Islands, U.S.|United States Virgin Islands|US Virgin Islands
VN VNM Vietnam|Viet Nam|Socialist Republic of Vietnam
VU VUT Vanuatu
WF WLF Wallis and Futuna
WS WSM Samoa
XK XKX Kosovo|Republic of Kosovo
YE YEM Yemen
YT MYT Mayotte
ZA ZAF South Africa|Republic of South Africa
ZM ZMB Zambia
ZW ZWE Zimbabwe
"""
# fmt: on

_WORDS = {"&": "and", "st": "saint"}
_LONGEST_NAME = 80


def _key(name: str) -> str:
    """The name without case, accents, punctuation and "the", as the table is keyed."""
    plain = unicodedata.normalize("NFKD", name.replace("’", "'")).casefold()
    letters = "".join(
        " " if mark in ",-()" else mark for mark in plain if mark.isalpha() or mark in " ,-()&"
    )
    return " ".join(_WORDS.get(word, word) for word in letters.split() if word != "the")


def _read_table() -> dict[str, str]:
    codes: dict[str, str] = {}
    for line in _TABLE.splitlines():
        alpha_2, alpha_3, names = line.split(" ", 2)
        for name in (alpha_3, *names.split("|")):
            codes[_key(name)] = alpha_2
    return codes


_CODES = _read_table()
_ALPHA_2 = frozenset(_CODES.values())


@lru_cache(maxsize=1024)
def _find(name: str) -> str | None:
    upper = name.upper()
    return upper if upper in _ALPHA_2 else _CODES.get(_key(name))


def country_code(value: Any) -> str | None:
    """The alpha-2 code of a country given as English name, alpha-2 or alpha-3 code; else None.

    "NA" is read as a placeholder, not as Namibia.
    """
    name = fields.clean(value)
    if name is None or len(name) > _LONGEST_NAME:
        return None
    return _find(name)
