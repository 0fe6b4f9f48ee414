"""Zones that are signed (DNSSEC), for the tests: with dnspython, by one key, each name with an NSEC."""

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.zone
from nameserver import SOA
from cryptography.hazmat.primitives.asymmetric import ed25519

LIFETIME = 86400
TTL = 300


def signed_zone(origin, lines):
    """What Nsd() needs for a zone of these lines, and the zone's DS: keys, signatures and proofs of absence are added."""
    zone = dns.zone.from_text(f"$TTL {TTL}\n{SOA}{lines}\n", origin, relativize=False, check_origin=False)
    key = ed25519.Ed25519PrivateKey.generate()
    dnskey = dns.dnssec.make_dnskey(key.public_key(), dns.dnssec.Algorithm.ED25519, flags=257)
    zone.find_rdataset(zone.origin, dns.rdatatype.DNSKEY, create=True).add(dnskey, TTL)
    cuts = [name for name in zone if name != zone.origin and zone.get_rdataset(name, dns.rdatatype.NS)]
    below = [name for name in zone if any(name != cut and name.is_subdomain(cut) for cut in cuts)]  # glue
    names = sorted(name for name in zone if name not in below)
    made = []
    for name, following in zip(names, [*names[1:], names[0]]):
        types = {one.rdtype for one in zone[name]} | {dns.rdatatype.NSEC, dns.rdatatype.RRSIG}
        nsec = dns.rdata.from_text("IN", "NSEC", " ".join([str(following), *map(dns.rdatatype.to_text, sorted(types))]))
        zone.find_rdataset(name, dns.rdatatype.NSEC, create=True).add(nsec, TTL)
        for rdataset in list(zone[name]):
            rrset = dns.rrset.from_rdata_list(name, TTL, rdataset)
            if name != zone.origin or rdataset.rdtype not in (dns.rdatatype.SOA, dns.rdatatype.NS):  # which Nsd has
                made.append(rrset.to_text())
            if name not in cuts or rdataset.rdtype in (dns.rdatatype.DS, dns.rdatatype.NSEC):
                signature = dns.dnssec.sign(rrset, key, zone.origin, dnskey, lifetime=LIFETIME)
                made.append(dns.rrset.from_rdata(name, TTL, signature).to_text())
    made += [dns.rrset.from_rdata_list(name, TTL, one).to_text() for name in below for one in zone[name]]
    return "\n".join(made) + "\n", f"{zone.origin} {TTL} IN DS {dns.dnssec.make_ds(zone.origin, dnskey, 'SHA256').to_text()}"
