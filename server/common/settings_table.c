#include "server/common/settings_table.h"

#include <string.h>

#include "server/common/parser_settings.h"

#define DAY        (24 * 60 * 60)
#define CENTURY    36525 /* days */
#define NOT_NUMBER 0, 0
#define PARSER_ROW(member, type, fallback, min, max, help)                                                   \
	{ "parser." #member, SETTING_##type, fallback, min, max, help },

const struct setting setting_table[] = {
	{ "server.state_dir", SETTING_STRING, "/var/lib/ruad", NOT_NUMBER,
	    "Where ruad keeps what is its own: the private PostgreSQL cluster, its socket and a lock file. "
	    "At most 84 bytes long, since socket paths must be short." },
	{ "server.user", SETTING_STRING, "ruad", NOT_NUMBER,
	    "The user to become when started as root. Started by another user, ruad stays that user." },

	{ "lmtp.listen", SETTING_LIST, "127.0.0.1:2424", NOT_NUMBER,
	    "Where mail is taken by LMTP: one or more of ADDRESS:PORT, [IPV6]:PORT and unix:/path. "
	    "A Unix socket gets mode 0660. Sockets that systemd hands over under the name lmtp are used "
	    "instead." },
	{ "lmtp.recipients", SETTING_LIST, "dmarc-sum@* dmarc-full@* tls-rpt@*", NOT_NUMBER,
	    "Mailboxes that are ours, * standing for any text; other recipients are answered 550." },
	{ "lmtp.max_message_size", SETTING_SIZE, "50M", 1024, G_GUINT64_CONSTANT(1) << 30,
	    "Largest mail taken, in bytes (K, M, G are powers of 1024); larger ones are answered 552." },
	{ "lmtp.max_connections", SETTING_INT, "100", 1, 10000,
	    "Connections served at the same time; more are answered 421." },
	{ "lmtp.timeout", SETTING_SECONDS, "300", 1, DAY,
	    "Silence after which a connection is closed (RFC 5321 section 4.5.3.2.7 asks for 5 minutes)." },
	{ "lmtp.authserv_id", SETTING_STRING, "", NOT_NUMBER,
	    "The name that your own mail server writes into Authentication-Results (RFC 8601), where it must "
	    "remove fields of that name that come from outside. Of the fields with this name the topmost is "
	    "believed; empty: none is." },
	{ "lmtp.require_authentic", SETTING_CHOICE, "off", NOT_NUMBER,
	    "What becomes of a report by LMTP whose mail no domain aligned with its From authenticates (RFC "
	    "9990 section 3.5), as lmtp.authserv_id says: off stores it all the same, flag too, with the "
	    "note S1, and quarantine sets the mail aside." },

	{ "parser.workers", SETTING_INT, "0", 0, 1024,
	    "Parser processes at most; 0 is one for each processor core." },
	{ "parser.max_mails", SETTING_INT, "1000", 1, 1000000000,
	    "Mails after which a parser process is replaced by a fresh one." },
	{ "parser.timeout", SETTING_SECONDS, "60", 1, DAY,
	    "Silence of a parser process after which it is killed and its mail is quarantined." },
	{ "parser.max_time", SETTING_SECONDS, "120", 1, DAY,
	    "Time that a parser process may take for a mail in all. It is then killed and the mail "
	    "quarantined; "
	    "ruad reprocess reads it again when the setting is larger." },
	{ "parser.memory", SETTING_SIZE, "1G", G_GUINT64_CONSTANT(64) << 20, G_MAXINT64,
	    "Address space that a parser process may take." },
	PARSER_SETTINGS(PARSER_ROW)

	    { "database.url", SETTING_SECRET, "", NOT_NUMBER,
		"The PostgreSQL database, as a libpq URI or key=value words, for a role that may migrate it. "
		"Empty: "
		"ruad runs a private cluster in server.state_dir." },
	{ "database.ingest_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that stores mail, as a role that may act as ruad_ingest. "
	    "Empty: database.url with the role set to ruad_ingest." },
	{ "database.web_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that serves pages, as a role that may act as ruad_web. "
	    "Empty: database.url with the role set to ruad_web." },
	{ "database.edit_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for labels that are set on the page, as a role that may act as ruad_editor; "
	    "used where http.editors names someone. Empty: database.url with the role set to ruad_editor." },
	{ "database.enrich_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that looks up addresses, as a role that may act as "
	    "ruad_enrich. "
	    "Empty: database.url with the role set to ruad_enrich." },

	{ "http.listen", SETTING_LIST, "127.0.0.1:8080", NOT_NUMBER,
	    "Where the page and the JSON API are served, in the form of lmtp.listen. Sockets that systemd "
	    "hands over "
	    "under the name http are used instead." },
	{ "http.auth", SETTING_CHOICE, "none", NOT_NUMBER,
	    "Who may look: none lets everyone who reaches the port, basic asks for the password of a user in "
	    "http.htpasswd, proxy believes a reverse proxy, which names the user in http.user_header: nobody "
	    "but the proxy may then be able to reach the port. /healthz and /readyz are open to all." },
	{ "http.htpasswd", SETTING_STRING, "", NOT_NUMBER,
	    "For auth = basic: a file with lines USER:HASH, read again whenever it changes; server.user must "
	    "be able to read it. Hashes are bcrypt (htpasswd -B), yescrypt, scrypt and SHA-512 of crypt(5); "
	    "the $apr1$ of htpasswd -m is not supported." },
	{ "http.user_header", SETTING_STRING, "X-Remote-User", NOT_NUMBER,
	    "For auth = proxy: the header in which the proxy names the user. The proxy must set it on every "
	    "request, over one that comes from outside." },
	{ "http.editors", SETTING_LIST, "", NOT_NUMBER,
	    "Users who may say on the page whose a source is; * is every user. Empty: none, and the process "
	    "that serves pages can then write nothing at all." },
	{ "http.threads", SETTING_INT, "4", 1, 256,
	    "Requests worked on at the same time; each has a database connection." },
	{ "http.timeout", SETTING_SECONDS, "30", 1, DAY,
	    "Silence after which an HTTP connection is closed." },

	{ "enrich.enabled", SETTING_BOOL, "on", NOT_NUMBER,
	    "Run ruad-enrich, which looks up names, networks and countries of sending addresses, and checks "
	    "the "
	    "DNS of the domains that reports are about. Nothing that a browser asks for causes a look-up." },
	{ "enrich.resolver", SETTING_STRING, "", NOT_NUMBER,
	    "The DNS server to ask: ADDRESS, ADDRESS:PORT or [IPV6]:PORT. Empty: those of "
	    "/etc/resolv.conf." },
	{ "enrich.lookups", SETTING_INT, "600", 0, 1000000,
	    "Addresses looked up in the DNS in a minute, at most; 0 looks up none." },
	{ "enrich.keep", SETTING_DAYS, "7", 1, 365,
	    "Days after which an address is looked up again at the latest; a shorter time to live of its "
	    "records "
	    "counts from a day on." },
	{ "enrich.check_every", SETTING_DAYS, "1", 0, 365,
	    "Days between two checks of a domain's DNS (as ruad check does); 0 checks none." },
	{ "enrich.mmdb", SETTING_LIST, "", NOT_NUMBER,
	    "Files that tell network and country of an address, in MaxMind's format: GeoLite2 ASN and "
	    "Country, "
	    "DB-IP, IPinfo. Several complete each other. A file that is replaced is noticed within a minute, "
	    "or at "
	    "once on SIGHUP." },
	{ "enrich.services", SETTING_STRING, "", NOT_NUMBER,
	    "A file with further services that send mail for others, or other rules for known ones; ruad(8) "
	    "shows "
	    "its form." },

	/* Aggregate reports hold counts of machines, take little room, and cannot be had again: who audits asks for
	 * years. Failure reports hold the mail of people. What could not be read may hold anything, and waits for a
	 * ruad that reads it, which a year should bring. */
	{ "retention.reports", SETTING_DAYS, "0", 0, CENTURY,
	    "Days that aggregate reports and their records are kept, counted from the beginning of the time "
	    "that they speak of; 0 is for ever. 822 is 27 months, as some services keep them." },
	{ "retention.failures", SETTING_DAYS, "90", 0, CENTURY,
	    "Days that failure reports, which hold personal data, are kept, counted from the arrival of the "
	    "message that they speak of; 0 is for ever." },
	{ "retention.tls", SETTING_DAYS, "0", 0, CENTURY,
	    "Days that SMTP TLS reports are kept, counted as for retention.reports; 0 is for ever." },
	{ "retention.unread", SETTING_DAYS, "365", 0, CENTURY,
	    "Days that the bytes of mails are kept that could not be read, or contradict a report, from "
	    "their arrival; 0 is for ever. Until then ruad reprocess can read them again." },
	{ "retention.failure_bodies", SETTING_BOOL, "off", NOT_NUMBER,
	    "Keep the message of a failure report whole, with its body and the addresses of third parties. "
	    "Off keeps its header alone, with their local parts masked." },
};

const gsize setting_table_size = G_N_ELEMENTS(setting_table);

const char *setting_words(const struct setting *setting)
{
	static const struct {
		const char *name;
		const char *words;
	} choices[] = { { "http.auth", "none basic proxy" },
		{ "lmtp.require_authentic", "off flag quarantine" } };

	for (gsize i = 0; i < G_N_ELEMENTS(choices); i++)
		if (g_str_equal(choices[i].name, setting->name))
			return choices[i].words;
	g_assert_not_reached();
}

char *setting_section(const struct setting *setting, const char **key)
{
	const char *dot = strchr(setting->name, '.');

	*key = dot + 1;
	return g_strndup(setting->name, (gsize)(dot - setting->name));
}
