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
	    "Directory for ruad's own data: the private PostgreSQL cluster, its socket and a lock file. "
	    "Its path has at most 84 bytes, since the paths of sockets must be short." },
	{ "server.user", SETTING_STRING, "ruad", NOT_NUMBER,
	    "The user to become if ruad is started as root. If another user starts ruad, it stays that "
	    "user." },
	{ "server.min_free", SETTING_SIZE, "64M", 0, G_MAXINT64,
	    "Free space on the disk of the private cluster below which /readyz says that ruad is not ready, "
	    "since mail may no longer be stored." },
	{ "server.domains", SETTING_LIST, "", NOT_NUMBER,
	    "Your own domains; *.example.com are all names below example.com. Reports on others' domains are "
	    "kept, but do not count, and nothing is looked up for them. Empty: the domains whose DMARC "
	    "record names a mailbox of lmtp.recipients, and those for which that is not known; all, if no "
	    "record does." },

	{ "lmtp.listen", SETTING_LIST, "127.0.0.1:2424", NOT_NUMBER,
	    "Where mail is received by LMTP: one or more of ADDRESS:PORT, [IPV6]:PORT and unix:/path. A "
	    "Unix socket gets mode 0660 and lmtp.group. If systemd passes sockets with the name lmtp, these "
	    "are used instead." },
	{ "lmtp.group", SETTING_STRING, "", NOT_NUMBER,
	    "The group of Unix sockets in lmtp.listen: its members may deliver mail. server.user must be a "
	    "member, unless ruad is started as root. Empty: the group of server.user, whose members may also "
	    "connect to the private database." },
	{ "lmtp.recipients", SETTING_LIST, "dmarc-sum@* dmarc-full@* tls-rpt@*", NOT_NUMBER,
	    "Mailboxes of this server, * matches any text; other recipients are rejected with 550." },
	{ "lmtp.max_message_size", SETTING_SIZE, "50M", 1024, G_GUINT64_CONSTANT(1) << 30,
	    "Largest mail accepted, in bytes (K, M, G are powers of 1024); larger mail is rejected with "
	    "552." },
	{ "lmtp.max_connections", SETTING_INT, "100", 1, 10000,
	    "Largest number of connections at the same time; further connections are rejected with 421." },
	{ "lmtp.timeout", SETTING_SECONDS, "300", 1, DAY,
	    "Idle time after which a connection is closed (RFC 5321 section 4.5.3.2.7 asks for 5 "
	    "minutes)." },
	{ "lmtp.max_time", SETTING_SECONDS, "600", 1, DAY,
	    "Time in which the content of a mail must arrive. A client that is slower is answered 421." },
	{ "lmtp.min_rate", SETTING_SIZE, "1K", 1, G_GUINT64_CONSTANT(1) << 30,
	    "Bytes per second at which the content of a mail must arrive, after the first 30 seconds. A "
	    "client that is slower is answered 421." },
	{ "lmtp.max_memory", SETTING_SIZE, "256M", 1 << 20, G_GUINT64_CONSTANT(1) << 40,
	    "Memory for the contents of all mails that are being received, in addition to 1M for each "
	    "connection. A mail for which there is none left is answered 452, so the mail server sends it "
	    "again later." },
	{ "lmtp.authserv_id", SETTING_STRING, "", NOT_NUMBER,
	    "The name that your own mail server writes into Authentication-Results (RFC 8601). Your mail "
	    "server must remove fields with this name from incoming mail. The topmost field with this "
	    "name is trusted; empty: none is." },
	{ "lmtp.require_authentic", SETTING_CHOICE, "off", NOT_NUMBER,
	    "What happens to a report received by LMTP if no domain aligned with the From of its mail is "
	    "authenticated (RFC 9990 section 3.5), according to lmtp.authserv_id: off stores it, flag "
	    "stores it with the note S1, and quarantine quarantines the mail." },

	{ "imap.url", SETTING_STRING, "", NOT_NUMBER,
	    "An IMAP server to fetch mail from, if no mail server delivers it: imaps://HOST, "
	    "imaps://HOST:PORT, or imap://HOST, where STARTTLS is required. Empty: none. Its mail has the "
	    "limits of lmtp; each mail is marked only after it is stored. Each section [imap NAME] is a "
	    "further account and has the same keys." },
	{ "imap.user", SETTING_STRING, "", NOT_NUMBER, "The user of the account." },
	{ "imap.password", SETTING_SECRET, "", NOT_NUMBER,
	    "The password. Put it into a file that only root or ruad can read, and name that in "
	    "imap.password_file." },
	{ "imap.token_command", SETTING_STRING, "", NOT_NUMBER,
	    "Instead of a password: a command that prints an access token of OAuth 2, for SASL OAUTHBEARER "
	    "or XOAUTH2. It is run without a shell, as server.user, whenever ruad connects." },
	{ "imap.mailbox", SETTING_STRING, "INBOX", NOT_NUMBER, "The mailbox to fetch from." },
	{ "imap.after", SETTING_STRING, "mark", NOT_NUMBER,
	    "What happens to a mail after it is stored: mark sets \\Seen and the keyword $RuadStored (only "
	    "\\Seen where the server keeps no keywords), move:FOLDER moves it, delete deletes it." },
	{ "imap.poll", SETTING_SECONDS, "5m", 10, DAY,
	    "Time until ruad looks for mail again. A server with IDLE announces new mail at once." },
	{ "imap.tls", SETTING_CHOICE, "required", NOT_NUMBER,
	    "required, or none for imap:// and a server on this machine." },
	{ "imap.ca_file", SETTING_STRING, "", NOT_NUMBER,
	    "A file with the certificates (PEM) of the authorities that may sign the server's certificate. "
	    "Empty: those of the system." },

	{ "maildir.path", SETTING_LIST, "", NOT_NUMBER,
	    "Maildirs to take mail from: all files in new, and those in cur that have neither the flag S nor "
	    "T. server.user must be able to read them and to write to both folders." },
	{ "maildir.after", SETTING_CHOICE, "seen", NOT_NUMBER,
	    "What happens to a mail after it is stored: seen moves it to cur with the flag S, delete deletes "
	    "it." },

	{ "parser.workers", SETTING_INT, "0", 0, 1024,
	    "Largest number of parser processes; 0 is one for each processor core." },
	{ "parser.max_mails", SETTING_INT, "5000", 1, 1000000000,
	    "Number of mails after which a parser process is replaced by a new one." },
	{ "parser.timeout", SETTING_SECONDS, "60", 1, DAY,
	    "Idle time of a parser process after which it is killed and its mail is quarantined." },
	{ "parser.max_time", SETTING_SECONDS, "120", 1, DAY,
	    "Total time that a parser process may take for one mail. After that it is killed and the "
	    "mail is quarantined; ruad reprocess reads it again when the setting is larger." },
	{ "parser.memory", SETTING_SIZE, "1G", G_GUINT64_CONSTANT(64) << 20, G_MAXINT64,
	    "Address space that a parser process may use." },
	PARSER_SETTINGS(PARSER_ROW)

	    { "database.url", SETTING_SECRET, "", NOT_NUMBER,
		"The PostgreSQL database, as a libpq URI or key=value words, for a role that may migrate it. "
		"Empty: ruad runs a private cluster in server.state_dir." },
	{ "database.ingest_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that stores mail, as a role that may act as ruad_ingest. "
	    "Empty: database.url with the role set to ruad_ingest." },
	{ "database.web_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that serves pages, as a role that may act as ruad_web. "
	    "Empty: database.url with the role set to ruad_web." },
	{ "database.edit_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for labels that are set on the page, as a role that may act as "
	    "ruad_editor; used if http.editors names a user or http.auth is not none. Empty: "
	    "database.url with the role set to ruad_editor." },
	{ "database.enrich_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that looks up addresses, as a role that may act as "
	    "ruad_enrich. Empty: database.url with the role set to ruad_enrich." },
	{ "database.notify_url", SETTING_SECRET, "", NOT_NUMBER,
	    "The same database for the process that sends notices, as a role that may act as ruad_notify. "
	    "Empty: database.url with the role set to ruad_notify." },

	{ "http.listen", SETTING_LIST, "127.0.0.1:8080", NOT_NUMBER,
	    "Where the page and the JSON API are served, in the format of lmtp.listen. If systemd passes "
	    "sockets with the name http, these are used instead." },
	{ "http.health_listen", SETTING_LIST, "", NOT_NUMBER,
	    "Where only /healthz and /readyz are served, by a thread of its own: whatever happens at "
	    "http.listen cannot delay them. They are served at http.listen, too. If systemd passes sockets "
	    "with the name http-health, these are used instead. Needs http.listen." },
	{ "http.group", SETTING_STRING, "", NOT_NUMBER,
	    "The group of Unix sockets in http.listen and http.health_listen, as lmtp.group." },
	{ "http.auth", SETTING_CHOICE, "none", NOT_NUMBER,
	    "Who may read: none allows everyone with access to the port, basic asks for the password of "
	    "a user in http.htpasswd, proxy trusts a reverse proxy that names the user in "
	    "http.user_header and connects over a Unix socket or sends http.proxy_secret. /healthz and "
	    "/readyz are always open." },
	{ "http.hosts", SETTING_LIST, "", NOT_NUMBER,
	    "For auth = none: names and addresses, besides localhost and loopback addresses, under which "
	    "browsers may ask (the host in the address of the page, without port); * is every name. Others "
	    "are refused with 421, since a page of another site could give its name the address of this "
	    "server and read everything." },
	{ "http.htpasswd", SETTING_STRING, "", NOT_NUMBER,
	    "For auth = basic: a file with lines USER:HASH, read again when it changes; server.user must "
	    "be able to read it. Hashes are bcrypt (htpasswd -B), yescrypt, scrypt and SHA-512 of "
	    "crypt(5); the $apr1$ of htpasswd -m is not supported. A password of more than 72 bytes needs "
	    "another method than bcrypt, which compares no more." },
	{ "http.user_header", SETTING_STRING, "X-Remote-User", NOT_NUMBER,
	    "For auth = proxy: the header in which the proxy names the user. The proxy must set it on "
	    "every request and replace any value that the client sent." },
	{ "http.proxy_secret", SETTING_SECRET, "", NOT_NUMBER,
	    "For auth = proxy: what the proxy must send in the header X-Ruad-Proxy-Secret with every request "
	    "over TCP. Put it into a file that only ruad can read, and name that in http.proxy_secret_file. "
	    "Empty: requests over TCP are refused." },
	{ "http.logout_url", SETTING_STRING, "", NOT_NUMBER,
	    "For auth = proxy: where the page's link Sign out leads, such as /oauth2/sign_out: an address "
	    "that begins with https://, http:// or one slash. Empty: there is no such link. With auth = "
	    "basic the link leads to /logout, which makes browsers forget the password." },
	{ "http.proxies", SETTING_LIST, "127.0.0.1 ::1 unix", NOT_NUMBER,
	    "Addresses of reverse proxies; unix is every Unix socket. The last address in their "
	    "X-Forwarded-For counts as the client, for its share of the threads and after wrong passwords." },
	{ "http.editors", SETTING_LIST, "", NOT_NUMBER,
	    "Users who may set labels of sources and upload reports on the page; * is every user. The role "
	    "that ruad user gives a user takes precedence. Empty: none; and without http.auth, the process "
	    "that serves pages cannot write to the database at all." },
	{ "http.threads", SETTING_INT, "8", 1, 256,
	    "Number of requests to process at the same time; each has a database connection. One client "
	    "can use half of them." },
	{ "http.timeout", SETTING_SECONDS, "30", 1, DAY,
	    "Idle time after which an HTTP connection is closed, and time that a request may take to "
	    "arrive." },

	{ "enrich.enabled", SETTING_BOOL, "on", NOT_NUMBER,
	    "Run ruad-enrich, which looks up names, networks and countries of sending addresses, and "
	    "checks the DNS of the domains that reports are about. No request of a browser causes a "
	    "lookup." },
	{ "enrich.resolver", SETTING_STRING, "", NOT_NUMBER,
	    "The DNS server to query: ADDRESS, ADDRESS:PORT or [IPV6]:PORT. Empty: those of "
	    "/etc/resolv.conf." },
	{ "enrich.lookups", SETTING_INT, "600", 0, 1000000,
	    "Largest number of addresses looked up in the DNS per minute; 0 disables lookups." },
	{ "enrich.questions", SETTING_INT, "100000", 1, 1000000000,
	    "Largest number of questions to the DNS per day (UTC), for addresses and domains together. The "
	    "second half is only for domains whose DMARC record names a mailbox of lmtp.recipients, and for "
	    "the addresses in reports about them: anybody can send reports about other domains." },
	{ "enrich.keep", SETTING_DAYS, "7", 1, 365,
	    "Days after which an address is looked up again; sooner if the TTL of its records is "
	    "shorter, but not within a day." },
	{ "enrich.check_every", SETTING_DAYS, "1", 0, 365,
	    "Days between two checks of a domain's DNS (as by ruad check); 0 disables checks." },
	{ "enrich.mmdb", SETTING_LIST, "", NOT_NUMBER,
	    "Files with networks and countries of addresses, in MaxMind's format: GeoLite2 ASN and "
	    "Country, DB-IP, IPinfo. Several files complement each other. A replaced file is noticed "
	    "within a minute, or at once on SIGHUP." },
	{ "enrich.services", SETTING_STRING, "", NOT_NUMBER,
	    "A file with further services that send mail for others, or other rules for known ones; "
	    "or a map in CSV (base_reverse_dns, name, type). ruad(8) describes both." },

	{ "notify.mail_to", SETTING_LIST, "", NOT_NUMBER,
	    "Mail addresses that get notices of what fails, has changed or runs out. ruad serve runs "
	    "ruad-notify if there is an address here or a URL in notify.webhook." },
	{ "notify.mail_from", SETTING_STRING, "", NOT_NUMBER,
	    "The address in From of notices, and their envelope sender. Empty: ruad@ and the name of this "
	    "host." },
	{ "notify.smtp", SETTING_STRING, "smtp://localhost:25", NOT_NUMBER,
	    "The mail server for notices and digests: smtp://HOST:PORT, or smtps://HOST:PORT for TLS from "
	    "the start." },
	{ "notify.smtp_starttls", SETTING_BOOL, "off", NOT_NUMBER,
	    "With smtp://: send only after STARTTLS with a valid certificate." },
	{ "notify.smtp_user", SETTING_STRING, "", NOT_NUMBER,
	    "The user to sign in as at the mail server. Empty: none." },
	{ "notify.smtp_password", SETTING_SECRET, "", NOT_NUMBER,
	    "Password of notify.smtp_user. Put it into a file that only ruad can read, and name that in "
	    "notify.smtp_password_file. Needs smtps:// or notify.smtp_starttls." },
	{ "notify.smtp_ca_file", SETTING_STRING, "", NOT_NUMBER,
	    "A file with the certificates (PEM) of the authorities that may sign the mail server's "
	    "certificate. Empty: those of the system." },
	{ "notify.webhook", SETTING_SECRET, "", NOT_NUMBER,
	    "URL that gets notices by HTTP, as JSON. It often contains a secret: notify.webhook_file names a "
	    "file that has it." },
	{ "notify.webhook_format", SETTING_CHOICE, "generic", NOT_NUMBER,
	    "What the service at notify.webhook expects: generic is ruad's own document, slack and teams are "
	    "messages for an incoming webhook of these services, and matrix is a message for the URL "
	    "https://SERVER/_matrix/client/v3/rooms/ROOM/send/m.room.message." },
	{ "notify.webhook_token", SETTING_SECRET, "", NOT_NUMBER,
	    "Token that is sent to notify.webhook as Authorization: Bearer, such as the access token of a "
	    "user of Matrix. Empty: none." },
	{ "notify.no_reports", SETTING_INT, "72", 0, 8760,
	    "Hours without an aggregate report after which a notice is sent; 0 is never." },
	{ "digest.period", SETTING_CHOICE, "none", NOT_NUMBER,
	    "Send a digest by mail, weekly or monthly: what to do and what changed in the last whole week "
	    "(from Monday to Sunday) or month, as ruad digest prints it. It is sent on the second day after "
	    "the last one, when its reports have arrived, over the mail server of notify.smtp. Each section "
	    "[digest NAME] is a further digest and has the same keys." },
	{ "digest.mail_to", SETTING_LIST, "", NOT_NUMBER,
	    "Mail addresses that get the digest. Empty: those of notify.mail_to." },
	{ "digest.domains", SETTING_LIST, "", NOT_NUMBER,
	    "The domains that the digest covers; *.example.com are all names below example.com. Mail that "
	    "could not be read belongs to no domain and is left out. Empty: all domains that count, and that "
	    "mail." },
	{ "digest.user", SETTING_STRING, "", NOT_NUMBER,
	    "Instead of digest.domains: the digest covers the domains that ruad user gives this user." },
	{ "digest.hour", SETTING_INT, "6", 0, 23, "Hour of that day, in UTC, from which on it is sent." },

	/* Aggregate reports contain only counts, need little space and cannot be requested again, and audits
	 * ask for years. Failure reports contain personal mail. Quarantined mail may contain anything and
	 * waits for a version of ruad that can read it; a year should suffice. */
	{ "retention.reports", SETTING_DAYS, "0", 0, CENTURY,
	    "Days that aggregate reports and their records are kept, counted from the beginning of the "
	    "period that they cover; 0 is forever. 822 is 27 months, as some services keep them." },
	{ "retention.failures", SETTING_DAYS, "90", 0, CENTURY,
	    "Days that failure reports, which contain personal data, are kept, counted from the arrival "
	    "of the message that they are about; 0 is forever." },
	{ "retention.tls", SETTING_DAYS, "0", 0, CENTURY,
	    "Days that SMTP TLS reports are kept, counted as for retention.reports; 0 is forever." },
	{ "retention.unread", SETTING_DAYS, "365", 0, CENTURY,
	    "Days that the bytes of quarantined mail are kept, counted from its receipt; 0 is forever. "
	    "Until then ruad reprocess can read it again." },
	{ "retention.audit", SETTING_DAYS, "730", 0, CENTURY,
	    "Days that entries of the audit log are kept, which name users and addresses; 0 is forever. "
	    "Changes of labels and exclusions of reports are kept forever, since they explain what the page "
	    "shows." },
	{ "retention.max_raw", SETTING_SIZE, "2G", 0, G_GUINT64_CONSTANT(1) << 50,
	    "Bytes of quarantined mail that are kept in total; 0 is any number. Beyond that, mail that "
	    "cannot be read is answered 452, so the mail server sends it again later; reports are stored as "
	    "usual." },
	{ "retention.min_free", SETTING_SIZE, "256M", 0, G_GUINT64_CONSTANT(1) << 50,
	    "Free space on the disk of server.state_dir below which no quarantined mail is kept. It is then "
	    "answered as for retention.max_raw." },
	{ "retention.failure_bodies", SETTING_BOOL, "off", NOT_NUMBER,
	    "Keep the complete message of a failure report, with its body and the addresses of third "
	    "parties. Off keeps only its header, with their local parts masked." },
};

const gsize setting_table_size = G_N_ELEMENTS(setting_table);

const char *setting_words(const struct setting *setting)
{
	static const struct {
		const char *name;
		const char *words;
	} choices[] = { { "digest.period", "none weekly monthly" }, { "http.auth", "none basic proxy" },
		{ "imap.tls", "required none" }, { "lmtp.require_authentic", "off flag quarantine" },
		{ "maildir.after", "seen delete" },
		{ "notify.webhook_format", "generic slack teams matrix" } };

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
