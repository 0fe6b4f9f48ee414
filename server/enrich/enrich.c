#include "server/enrich/enrich.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "parser/orgdomain.h"
#include "server/common/file.h"
#include "server/common/log.h"
#include "server/database/db.h"
#include "server/database/role.h"
#include "server/dns/check.h"
#include "server/enrich/names.h"
#include "server/enrich/network.h"
#include "server/enrich/services.h"
#include "server/enrich/solicited.h"

#define BATCH           100 /* addresses looked up at once */
#define NETWORK_BATCH   1000
#define CHECKS_A_ROUND  10 /* domains whose DNS is checked, */
#define CHECKS_SECONDS  60 /* no check starts later in a round, since some are slow */
#define PAUSE_DONE      60 /* seconds */
#define PAUSE_FAILED    15
#define ROUNDS_A_MINUTE 6 /* while there is more to do */
#define DAY             (24 * 60 * 60)
#define KEEP_FAILED     (60 * 60) /* seconds, of an address or domain that the DNS did not answer for */
#define KEEP_SILENT     (5 * 60)  /* the same, while no DNS server answers anything */

struct enrich {
	const struct settings *settings;
	struct db *db;            /* NULL while it is unavailable */
	gboolean database_failed; /* which was logged */
	struct networks *networks;
	gboolean networks_are_kept; /* in the database, as the files say now */
	char *services;             /* the admin's, as JSON */
	struct stat services_file;  /* the file that they were read from; all 0 if none */
	gboolean services_are_kept;
	struct resolver *resolver;
	gboolean dns_is_silent; /* which was logged */
	struct orgdomains *orgdomains;
};

/* -- the admin's list of services -- */

/* The services in the file at path as JSON, transfer full; "[]" if path is "". */
static char *services_of(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;

	if (*path == '\0')
		return g_strdup("[]");
	if (g_file_get_contents(path, &text, NULL, &cause))
		return services_read(text, path, error);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "enrich.services: %s", cause->message);
	return NULL;
}

/* Read the file if it has changed. After a failure the old services stay. */
static gboolean refresh_services(struct enrich *enrich, GError **error)
{
	const char *path = settings_string(enrich->settings, "enrich.services");
	struct stat now = { 0 };
	char *services;

	if (stat(path, &now) != 0)
		now = (struct stat){ 0 };
	if (enrich->services != NULL && file_is_same(&now, &enrich->services_file))
		return TRUE;
	enrich->services_file = now;
	services = services_of(path, error);
	if (services == NULL)
		return FALSE;
	g_free(enrich->services);
	enrich->services = services;
	enrich->services_are_kept = FALSE;
	return TRUE;
}

/* -- creation -- */

static struct resolver *new_resolver(const struct settings *settings, GError **error)
{
	const char *server = settings_string(settings, "enrich.resolver");
	struct resolver_options options = RESOLVER_OPTIONS_DEFAULT;
	struct resolver *resolver;

	if (*server != '\0')
		options.server = server;
	resolver = resolver_new(&options, error);
	if (resolver == NULL)
		g_prefix_error(error, "enrich.resolver: ");
	return resolver;
}

struct enrich *enrich_new(const struct settings *settings, GError **error)
{
	struct enrich *enrich = g_new0(struct enrich, 1);

	enrich->settings = settings;
	if (refresh_services(enrich, error))
		enrich->resolver = new_resolver(settings, error);
	if (enrich->resolver == NULL) {
		enrich_free(enrich);
		return NULL;
	}
	orgdomain_init();
	enrich->orgdomains = orgdomains_new();
	enrich->networks = networks_new(settings_list(settings, "enrich.mmdb"));
	enrich->networks_are_kept = TRUE;
	return enrich;
}

void enrich_free(struct enrich *enrich)
{
	if (enrich == NULL)
		return;
	db_close(enrich->db);
	g_free(enrich->services);
	networks_free(enrich->networks);
	resolver_free(enrich->resolver);
	orgdomains_free(enrich->orgdomains);
	g_free(enrich);
}

/* -- the database -- */

/* Call a function that takes one JSON text. */
static gboolean hand_over(struct enrich *enrich, const char *sql, json_object *document, GError **error)
{
	struct db_value value = DB_TEXT(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN));

	return db_exec(enrich->db, sql, &value, 1, error);
}

/* Both lists together: a service that is removed from the admin's list may be in ours. */
static gboolean keep_services(struct enrich *enrich, GError **error)
{
	g_autofree char *ours = services_read(services_own, "ruad's services.ini", error);
	const struct db_value values[] = { DB_TEXT(enrich->services), DB_TEXT(ours) };

	return ours != NULL &&
	       db_exec(enrich->db,
		   "SELECT ruad.enrich_services('file', $1::jsonb), ruad.enrich_services('ruad', $2::jsonb)",
		   values, 2, error);
}

/* -- networks -- */

static void add_text(json_object *object, const char *key, const char *text)
{
	json_object_object_add(
	    object, key, text != NULL && *text != '\0' ? json_object_new_string(text) : NULL);
}

static void add_network(const struct enrich *enrich, json_object *object, const char *ip)
{
	struct network network;

	networks_look_up(enrich->networks, ip, &network);
	json_object_object_add(object, "asn", network.asn >= 0 ? json_object_new_int64(network.asn) : NULL);
	add_text(object, "as_name", network.as_name);
	add_text(object, "country", network.country);
	network_clear(&network);
}

/* Look up the networks of all addresses again, since a file of networks is new: without the DNS, so without a
 * budget. */
static gboolean renew_networks(struct enrich *enrich, GError **error)
{
	g_autofree char *after = NULL;
	g_autofree char *limit = g_strdup_printf("%d", NETWORK_BATCH);
	gsize n;

	do {
		const struct db_value values[] = { DB_TEXT(after), DB_TEXT(limit) };
		struct db_rows *rows = db_query(enrich->db,
		    "SELECT host(source_ip) FROM ruad.enrich_addresses($1::inet, $2::int)", values, 2, error);
		json_object *found;
		gboolean kept;

		if (rows == NULL)
			return FALSE;
		found = json_object_new_array();
		n = db_rows_count(rows);
		for (gsize i = 0; i < n; i++) {
			json_object *object = json_object_new_object();

			add_text(object, "source_ip", db_rows_get(rows, i, 0));
			add_network(enrich, object, db_rows_get(rows, i, 0));
			json_object_array_add(found, object);
		}
		if (n > 0) {
			g_free(after);
			after = g_strdup(db_rows_get(rows, n - 1, 0));
		}
		db_rows_free(rows);
		kept = n == 0 || hand_over(enrich, "SELECT ruad.enrich_networks($1::jsonb)", found, error);
		json_object_put(found);
		if (!kept)
			return FALSE;
	} while (n == NETWORK_BATCH);
	return TRUE;
}

/* -- addresses -- */

static gint64 keep_of(const struct enrich *enrich, const struct name *name)
{
	gint64 most = settings_days(enrich->settings, "enrich.keep") * DAY;

	if (name->status == NAME_UNKNOWN)
		return enrich->dns_is_silent ? KEEP_SILENT : KEEP_FAILED;
	return CLAMP((gint64)name->ttl, MIN(DAY, most), most);
}

static json_object *address_json(struct enrich *enrich, const struct name *name)
{
	json_object *object = json_object_new_object();

	add_text(object, "source_ip", name->ip);
	json_object_object_add(object, "keep", json_object_new_int64(keep_of(enrich, name)));
	json_object_object_add(object, "failed", json_object_new_boolean(name->status == NAME_UNKNOWN));
	add_text(object, "rdns", name->name);
	add_text(
	    object, "rdns_domain", name->name != NULL ? orgdomain_of(enrich->orgdomains, name->name) : NULL);
	add_network(enrich, object, name->ip);
	return object;
}

/* Log once if no server answers. The system's servers may have changed, so their list is read again. */
static void note_silence(struct enrich *enrich, gboolean is_silent)
{
	struct resolver *resolver;

	if (is_silent && !enrich->dns_is_silent)
		log_warning("no DNS server answers; the known names of addresses stay");
	enrich->dns_is_silent = is_silent;
	if (!is_silent)
		return;
	resolver = new_resolver(enrich->settings, NULL);
	if (resolver == NULL)
		return;
	resolver_free(enrich->resolver);
	enrich->resolver = resolver;
}

static void ask_for_names(struct enrich *enrich, struct name *names, gsize n)
{
	guint answered = resolver_answered_count(enrich->resolver);

	if (n == 0 || settings_int(enrich->settings, "enrich.lookups") == 0)
		return;
	resolver_budget(enrich->resolver, 0, 0);
	names_look_up(enrich->resolver, names, n);
	resolver_forget(enrich->resolver);
	note_silence(enrich, resolver_answered_count(enrich->resolver) == answered);
}

/* Look up at most limit addresses; *n is their number. */
static gboolean look_up_some(struct enrich *enrich, guint limit, gsize *n, GError **error)
{
	g_autofree char *words = g_strdup_printf("%u", limit);
	const struct db_value value = DB_TEXT(words);
	struct db_rows *rows =
	    db_query(enrich->db, "SELECT host(source_ip) FROM ruad.enrich_wanted($1::int)", &value, 1, error);
	g_autofree struct name *names = NULL;
	json_object *found;
	gboolean kept;

	if (rows == NULL)
		return FALSE;
	*n = db_rows_count(rows);
	names = g_new0(struct name, *n);
	for (gsize i = 0; i < *n; i++)
		names[i] = (struct name){ .ip = db_rows_get(rows, i, 0), .status = NAME_NONE };
	ask_for_names(enrich, names, *n);
	found = json_object_new_array();
	for (gsize i = 0; i < *n; i++)
		json_object_array_add(found, address_json(enrich, &names[i]));
	kept = *n == 0 || hand_over(enrich, "SELECT ruad.enrich_store($1::jsonb)", found, error);
	json_object_put(found);
	names_clear(names, *n);
	db_rows_free(rows);
	return kept;
}

/* The number of rounds per minute: with fewer than ROUNDS_A_MINUTE lookups each round has one. */
static gint64 rounds_a_minute(const struct enrich *enrich)
{
	gint64 lookups = settings_int(enrich->settings, "enrich.lookups");

	return lookups > 0 ? MIN(lookups, ROUNDS_A_MINUTE) : ROUNDS_A_MINUTE;
}

/* Look up as many addresses as a round may; *more if others wait. */
static gboolean look_up_addresses(struct enrich *enrich, gboolean *more, GError **error)
{
	gint64 lookups = settings_int(enrich->settings, "enrich.lookups");
	gint64 left = lookups > 0 ? lookups / rounds_a_minute(enrich) : G_MAXINT64;
	gsize n = 0;

	do {
		guint limit = (guint)MIN(left, BATCH);

		if (!look_up_some(enrich, limit, &n, error))
			return FALSE;
		left -= (gint64)n;
		*more = n == limit;
	} while (*more && left > 0 && !enrich->dns_is_silent);
	return TRUE;
}

/* -- domains -- */

/* Selectors that programs and services use by default, to find keys that no report contains. */
static const char *const USUAL_SELECTORS[] = { "default", "google", "selector1", "selector2", "s1", "s2",
	"k1", "k2", "k3", "mail", "dkim", "smtp", "mandrill", "mxvault", "fm1", "fm2", "fm3", "zoho",
	"protonmail", "protonmail2", "protonmail3" };

static gboolean has_selector(const GArray *selectors, const char *domain, const char *selector)
{
	for (guint i = 0; i < selectors->len; i++) {
		const struct check_selector *seen = &g_array_index(selectors, struct check_selector, i);

		if (g_strcmp0(seen->domain, domain) == 0 && strcmp(seen->selector, selector) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The selectors of [{"domain", "selector"}, ...], borrowed from document; then the usual ones of domain. */
static GArray *selectors_of(json_object *document, const char *domain)
{
	GArray *selectors = g_array_new(FALSE, FALSE, sizeof(struct check_selector));
	gsize n = json_object_is_type(document, json_type_array) ? json_object_array_length(document) : 0;

	for (gsize i = 0; i < n; i++) {
		json_object *entry = json_object_array_get_idx(document, i);
		struct check_selector selector = {
			.domain = json_object_get_string(json_object_object_get(entry, "domain")),
			.selector = json_object_get_string(json_object_object_get(entry, "selector")),
		};

		if (selector.selector != NULL)
			g_array_append_val(selectors, selector);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(USUAL_SELECTORS); i++) {
		struct check_selector usual = { .selector = USUAL_SELECTORS[i], .probed = TRUE };

		if (!has_selector(selectors, domain, usual.selector))
			g_array_append_val(selectors, usual);
	}
	return selectors;
}

/* The result of checking domain as it is stored, or NULL if the DNS did not answer or domain is invalid. */
static json_object *check_domain(struct enrich *enrich, const char *domain, const char *seen)
{
	json_object *document = json_tokener_parse(seen);
	g_autoptr(GArray) selectors = selectors_of(document, domain);
	const struct check_options options = {
		.selectors = (const struct check_selector *)(gpointer)selectors->data,
		.n_selectors = selectors->len,
	};
	g_autoptr(GError) error = NULL;
	struct check *check =
	    check_with(enrich->resolver, domain, &options, g_get_real_time() / G_USEC_PER_SEC, &error);
	json_object *result = NULL;

	if (check != NULL && check->answered) {
		result = check_json(check);
		json_object_object_add(result, "solicited",
		    solicited_json(result, settings_list(enrich->settings, "lmtp.recipients")));
	}
	check_free(check);
	json_object_put(document);
	resolver_forget(enrich->resolver);
	return result;
}

static gboolean check_and_keep(
    struct enrich *enrich, const char *domain, const char *selectors, GError **error)
{
	json_object *result = check_domain(enrich, domain, selectors);
	gint64 every = settings_days(enrich->settings, "enrich.check_every") * DAY;
	g_autofree char *keep = g_strdup_printf("%" G_GINT64_FORMAT, result != NULL ? every : KEEP_FAILED);
	const struct db_value values[] = {
		DB_TEXT(domain),
		DB_TEXT(
		    result != NULL ? json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN) : NULL),
		DB_TEXT(keep),
	};
	gboolean kept =
	    db_exec(enrich->db, "SELECT ruad.dns_store($1::text, $2::jsonb, $3::bigint)", values, 3, error);

	json_object_put(result);
	return kept;
}

/* Check some domains; *more if others may wait. */
static gboolean check_domains(struct enrich *enrich, gboolean *more, GError **error)
{
	gint64 end = g_get_monotonic_time() + CHECKS_SECONDS * G_USEC_PER_SEC;
	g_autofree char *limit = g_strdup_printf("%d", CHECKS_A_ROUND);
	const struct db_value value = DB_TEXT(limit);
	struct db_rows *rows;
	gboolean kept = TRUE;

	if (settings_days(enrich->settings, "enrich.check_every") == 0 || enrich->dns_is_silent)
		return TRUE;
	rows =
	    db_query(enrich->db, "SELECT domain, selectors FROM ruad.dns_wanted($1::int)", &value, 1, error);
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; kept && i < db_rows_count(rows) && g_get_monotonic_time() < end; i++)
		kept = check_and_keep(enrich, db_rows_get(rows, i, 0), db_rows_get(rows, i, 1), error);
	*more = *more || db_rows_count(rows) == CHECKS_A_ROUND;
	db_rows_free(rows);
	return kept;
}

/* -- a round -- */

static void refresh_files(struct enrich *enrich)
{
	g_autoptr(GError) error = NULL;

	if (networks_refresh(enrich->networks))
		enrich->networks_are_kept = FALSE;
	if (!refresh_services(enrich, &error) && error != NULL)
		log_warning("%s; the old list stays", error->message);
}

static gboolean keep_files(struct enrich *enrich, GError **error)
{
	if (!enrich->services_are_kept)
		enrich->services_are_kept = keep_services(enrich, error);
	if (enrich->services_are_kept && !enrich->networks_are_kept)
		enrich->networks_are_kept = renew_networks(enrich, error);
	return enrich->services_are_kept && enrich->networks_are_kept;
}

static gboolean open_database(struct enrich *enrich, GError **error)
{
	const char *conninfo = settings_string(enrich->settings, "database.enrich_url");

	if (enrich->db != NULL)
		return TRUE;
	if (*conninfo == '\0')
		conninfo = settings_string(enrich->settings, "database.url");
	enrich->services_are_kept = FALSE; /* the database may be an older copy */
	enrich->db = db_open(conninfo, "ruad-enrich", error);
	if (enrich->db != NULL && !role_assume(enrich->db, "ruad_enrich", error))
		g_clear_pointer(&enrich->db, db_close);
	return enrich->db != NULL;
}

static gboolean work(struct enrich *enrich, gboolean *more, GError **error)
{
	return open_database(enrich, error) && keep_files(enrich, error) &&
	       db_exec(enrich->db, "SELECT ruad.enrich_collect()", NULL, 0, error) &&
	       look_up_addresses(enrich, more, error) && check_domains(enrich, more, error);
}

/* Log a failure once, until the round succeeds again. */
static void note_failure(struct enrich *enrich, const GError *error)
{
	if (!enrich->database_failed)
		log_warning("%s", error->message);
	enrich->database_failed = TRUE;
	if (enrich->db != NULL && !db_alive(enrich->db))
		g_clear_pointer(&enrich->db, db_close);
}

enum enrich_outcome enrich_round(struct enrich *enrich)
{
	g_autoptr(GError) error = NULL;
	gboolean more = FALSE;

	refresh_files(enrich);
	if (!work(enrich, &more, &error)) {
		note_failure(enrich, error);
		return ENRICH_FAILED;
	}
	enrich->database_failed = FALSE;
	if (enrich->dns_is_silent)
		return ENRICH_FAILED;
	return more ? ENRICH_MORE : ENRICH_DONE;
}

guint enrich_pause(const struct enrich *enrich, enum enrich_outcome outcome)
{
	switch (outcome) {
	case ENRICH_MORE:
		return (guint)(60 / rounds_a_minute(enrich));
	case ENRICH_FAILED:
		return PAUSE_FAILED;
	default:
		return PAUSE_DONE;
	}
}
