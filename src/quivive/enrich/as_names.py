"""A weak guess at the kind of a network from the name of its autonomous system.

The table is modest on purpose: operators that mostly do one thing. A list of the operator's, a
database or a vendor that states the kind is always believed first.
"""

import re
from functools import lru_cache

# Words and phrases as they stand once punctuation is a space: "T-Mobile" is "t mobile". The
# first kind that has a phrase in the name wins.
_SECURE_EDGE = (
    "zscaler, netskope, cato networks, iboss, forcepoint, menlo security, palo alto networks"
)
_VPN = (
    "nordvpn, packethub, mullvad, 31173 services, proton ag, protonvpn, datacamp, cdn77, "
    "surfshark, expressvpn, windscribe, ipvanish, private internet access, airvpn, ivpn, vpn"
)
_TOR = "tor exit, torservers, emerald onion, foundation for applied, nos oignons"
_HOSTING = (
    "amazon, aws, ec2, google, microsoft, azure, oracle, alibaba, tencent, softlayer, "
    "digitalocean, digital ocean, ovh, ovhcloud, hetzner, linode, akamai, fastly, cloudflare, "
    "m247, choopa, vultr, constant company, contabo, leaseweb, scaleway, online sas, ionos, "
    "rackspace, dreamhost, godaddy, hostinger, namecheap, hostwinds, colocrossing, quadranet, "
    "psychz, sharktech, buyvm, frantech, ponynet, racknerd, kamatera, upcloud, gcore, g core, "
    "worldstream, packet host, hivelocity, stark industries, aeza, selectel, timeweb, netcup, "
    "hostkey, tzulo, performive, hosting, hoster, datacenter, datacentre, datacenters, "
    "data center, data centre, colocation, dedicated, vps, cloud, server, servers"
)
_MOBILE = (
    "t mobile, vodafone, mobile, mobil, wireless, cellular, mobility, cellco, mobilis, moviles, "
    "movil, gsm, lte"
)
_INSTITUTION = "university, college, school district, ministry, government"
_NOT_MOBILE = frozenset({"cable wireless", "cable and wireless", "exxon mobil"})
_LONGEST = 3

_PHRASES = tuple(
    (kind, frozenset(words.split(", ")))
    for kind, words in (
        ("corporate", _SECURE_EDGE),
        ("vpn", _VPN),
        ("tor", _TOR),
        ("hosting", _HOSTING),
        ("mobile", _MOBILE),
        ("corporate", _INSTITUTION),
    )
)
_WORD = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=16384)
def guess_kind(as_name: str) -> str | None:
    """The kind of network an autonomous system's name suggests, or None."""
    words = _WORD.findall(as_name[:200].lower())
    told = {
        " ".join(words[at : at + length])
        for length in range(1, _LONGEST + 1)
        for at in range(len(words) - length + 1)
    }
    for kind, phrases in _PHRASES:
        if not phrases.isdisjoint(told) and not (kind == "mobile" and told & _NOT_MOBILE):
            return kind
    return None
