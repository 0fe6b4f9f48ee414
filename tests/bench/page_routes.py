"""The routes that the page calls, with the parameters that it gives them."""
import datetime
import urllib.parse

WATCHED = ["mine", "none"]  # the overview's
DOMAIN = "d01.example"      # the one with the most records

# Routes that depend on the window, each with the parameters that it has beside it. Lists are as long as the page asks for. {ip} is an
# address that sends much, {other_ip} one that sends little.
WINDOWED = [
    ("summary", {}),
    ("summary", {"label": WATCHED}),
    ("summary", {"result": "fail"}),
    ("summary", {"ip": "{ip}"}),
    ("timeseries", {"bucket": None}),
    ("timeseries", {"source": "service:bench-1", "bucket": None}),
    ("domains", {"limit": 100}),
    ("domains", {"sort": "-fail", "limit": 200}),
    ("attention", {}),
    ("advice", {}),
    ("sources", {"label": WATCHED, "sort": "-fail", "limit": 8}),
    ("sources", {"limit": 100}),
    ("sources", {"limit": 200}),
    ("sources", {"group": "ip", "limit": 100}),
    ("sources", {"group": "rdns", "limit": 100}),
    ("sources", {"group": "asn", "limit": 100}),
    ("sources", {"group": "country", "limit": 100}),
    ("sources", {"group": "auth_domain", "limit": 100}),
    ("sources", {"result": "fail", "sort": "-fail", "limit": 100}),
    ("sources", {"reporter": "reporter2.example", "limit": 100}),
    ("sources", {"q": "isp7.example", "limit": 100}),
    ("sources/service:bench-1", {}),
    ("sources/service:bench-1/ips", {"limit": 50}),
    ("sources/service:bench-1/identifiers", {"limit": 50}),
    ("sources/service:bench-1/reporters", {"limit": 50}),
    ("sources/domain:isp1.example", {}),
    ("sources/ip:{ip}", {}),
    ("sources/ip:{ip}/identifiers", {"limit": 50}),
    ("sources/ip:{ip}/reporters", {"limit": 50}),
    ("sources/ip:{other_ip}", {}),
    ("domains", {"source": "service:bench-1", "limit": 50}),
    ("records", {"limit": 100}),
    ("records", {"result": "fail", "limit": 100}),
    ("records", {"source": "service:bench-1", "limit": 100}),
    ("records", {"q": "isp7.example", "limit": 100}),
    ("reports", {"limit": 100}),
    ("reports", {"reporter": "reporter2.example", "limit": 100}),
    ("reporters", {"limit": 8}),
    ("reporters", {"limit": 100}),
    ("failures", {"limit": 100}),
    ("failures", {"ip": "{ip}", "limit": 50}),
    ("tls/summary", {}),
    ("tls/timeseries", {"bucket": None}),
    ("tls/reports", {"limit": 25}),
    ("intake", {}),
    ("intake/events", {"limit": 100}),
    ("help", {}),
]
# The same of one domain: not those that ignore "domain".
NOT_OF_DOMAIN = {"intake", "intake/events"}
# Of one domain alone.
OF_DOMAIN = [
    (f"domains/{DOMAIN}", {}),
    (f"domains/news.{DOMAIN}", {}),
    (f"domains/{DOMAIN}/impact", {"policy": "quarantine"}),
    (f"domains/{DOMAIN}/impact", {"policy": "reject"}),
    (f"domains/{DOMAIN}/dns", {}),
]
# Without a window; {report}, {failure} and {tls} are numbers of such. Not here are PUT label and upload, which
# change something, and audit, which needs a user.
PLAIN = [
    ("domains", {"limit": 500}),
    ("reports", {"from": "1990-01-01", "to": "2100-01-01", "limit": 1}),
    ("reports/{report}", {}),
    ("reports/{report}/records", {"limit": 500}),
    ("intake/events", {"report": "{report}", "limit": 100}),
    ("reports/{report}/xml", {}),
    ("failures/{failure}", {}),
    ("tls/reports/{tls}", {}),
    ("labels", {"limit": 100}),
    ("search", {"q": "isp7"}),
    ("me", {}),
    ("meta", {}),
]


class Window:
    """The last days, today included, as the page counts them."""

    def __init__(self, days):
        end = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
        self.days, self.params = days, {"from": str(end - datetime.timedelta(days=days)), "to": str(end)}


def url(path, params):
    query = urllib.parse.urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)
    return f"/api/v1/{path}" + (f"?{query}" if query else "")


def filled(path, params, ids):
    """A route with its {names} filled in."""
    return path.format(**ids), {key: value.format(**ids) if isinstance(value, str) else value for key, value in params.items()}


def windowed(path, params, window, domain=None):
    """The URL of a route for a window; its bars are days or weeks, as the page chooses."""
    params = {**({"domain": domain} if domain else {}), **window.params, **params}
    if "bucket" in params:
        params["bucket"] = "week" if window.days > 120 else "day"
    return url(path, params)


def name(path, params):
    """A route in the table."""
    text = " ".join(f"{key}={'+'.join(value) if isinstance(value, list) else value}" for key, value in params.items()
                    if value is not None)
    return f"{path} {text}".strip()
