#include "server/enrich/enrich.h"

#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/error.h"
#include "parser/orgdomain.h"
#include "server/common/db.h"
#include "server/common/log.h"
#include "server/dns/check.h"
#include "server/enrich/names.h"
#include "server/enrich/network.h"
#include "server/enrich/services.h"
#include "server/enrich/solicited.h"

#define BATCH           100 /* addresses looked up at once */
#define NETWORK_BATCH   1000
#define CHECKS_A_ROUND  10 /* domains whose DNS is checked, some of them slow */
#define PAUSE_MORE      10 /* seconds; enrich.lookups is a minute's */
#define PAUSE_DONE      60
#define PAUSE_FAILED    15
#define ROUNDS_A_MINUTE (60 / PAUSE_MORE)
#define DAY             (24 * 60 * 60)
#define KEEP_FAILED     (60 * 60) /* of an address or domain that the DNS did not answer for */

struct enrich {
	const struct settings *settings;
	struct db *db; /* NULL while away */
	struct networks *networks;
	struct resolver *resolver;
	struct orgdomains *orgdomains;
	gboolean services_are_kept; /* in the database, as they are now */
	struct stat services_file;  /* as last read */
	gboolean database_failed;   /* which was logged */
};

/* -- the admin's list of services -- */

static gboolean services_file_changed(struct enrich *enrich)
{
	const char *path = settings_string(enrich->settings, "enrich.services");
	struct stat now = { 0 };

	if (*path == '\0' || stat(path, &now) != 0)
		return FALSE;
	if (now.st_mtim.tv_sec == enrich->services_file.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == enrich->services_file.st_mtim.tv_nsec &&
	    now.st_ino == enrich->services_file.st_ino && now.st_size == enrich->services_file.st_size)
		return FALSE;
	enrich->services_file = now;
	return TRUE;
}

/* The admin's services as JSON, "[]" without a file. */
static char *read_services_file(const struct enrich *enrich, GError **error)
{
	const char *path = settings_string(enrich->settings, "enrich.services");
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;

	if (*path == '\0')
		return g_strdup("[]");
	if (g_file_get_contents(path, &text, NULL, &cause))
		return services_read(text, path, error);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "enrich.services: %s", cause->message);
	return NULL;
}

struct enrich *enrich_new(const struct settings *settings, GError **error)
{
	const char *server = settings_string(settings, "enrich.resolver");
	struct resolver_options options = RESOLVER_OPTIONS_DEFAULT;
	struct enrich *enrich = g_new0(struct enrich, 1);
	g_autofree char *services = NULL;

	enrich->settings = settings;
	(void)services_file_changed(enrich);
	if (*server != '\0')
		options.server = server;
	services = read_services_file(enrich, error);
	if (services != NULL)
		enrich->resolver = resolver_new(&options, error);
	if (enrich->resolver == NULL) {
		enrich_free(enrich);
		return NULL;
	}
	orgdomain_init();
	enrich->orgdomains = orgdomains_new();
	enrich->networks = networks_new(settings_list(settings, "enrich.mmdb"));
	return enrich;
}

void enrich_free(struct enrich *enrich)
{
	if (enrich == NULL)
		return;
	db_close(enrich->db);
	networks_free(enrich->networks);
	resolver_free(enrich->resolver);
	orgdomains_free(enrich->orgdomains);
	g_free(enrich);
}

/* -- the database -- */

/* Run a function that takes one JSON text. */
static gboolean hand_over(struct enrich *enrich, const char *sql, json_object *document, GError **error)
{
	struct db_value value = DB_TEXT(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN));

	return db_exec(enrich->db, sql, &value, 1, error);
}

static gboolean keep_services(struct enrich *enrich, GError **error)
{
	g_autofree char *theirs = NULL;
	g_autofree char *ours = NULL;
	struct db_value values[2];

	if (services_file_changed(enrich))
		enrich->services_are_kept = FALSE;
	if (enrich->services_are_kept)
		return TRUE;
	theirs = read_services_file(enrich, error);
	ours = services_read(services_own, "ruad's services.ini", error);
	if (theirs == NULL || ours == NULL)
		return FALSE;
	values[0] = DB_TEXT(theirs);
	values[1] = DB_TEXT(ours);
	enrich->services_are_kept =
	    db_exec(enrich->db, "SELECT ruad.enrich_services('file', $1::jsonb)", values, 1, error) &&
	    db_exec(enrich->db, "SELECT ruad.enrich_services('ruad', $1::jsonb)", values + 1, 1, error);
	return enrich->services_are_kept;
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

/* All addresses once more, since a file of networks is new: without the DNS, and so without a budget. */
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
		return KEEP_FAILED;
	return CLAMP((gint64)name->ttl, MIN(DAY, most), most);
}

static json_object *address_json(struct enrich *enrich, const struct name *name)
{
	json_object *object = json_object_new_object();

	add_text(object, "source_ip", name->ip);
	json_object_object_add(object, "keep", json_object_new_int64(keep_of(enrich, name)));
	if (name->status == NAME_UNKNOWN) {
		json_object_object_add(object, "failed", json_object_new_boolean(TRUE));
		return object;
	}
	add_text(object, "rdns", name->name);
	add_text(
	    object, "rdns_domain", name->name != NULL ? orgdomain_of(enrich->orgdomains, name->name) : NULL);
	add_network(enrich, object, name->ip);
	return object;
}

/* Look up at most limit addresses; *n is how many there were. */
static gboolean look_up_some(struct enrich *enrich, guint limit, gsize *n, GError **error)
{
	gboolean by_dns = settings_int(enrich->settings, "enrich.lookups") > 0;
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
	if (by_dns) {
		resolver_budget(enrich->resolver, 0, 0);
		names_look_up(enrich->resolver, names, *n);
	}
	found = json_object_new_array();
	for (gsize i = 0; i < *n; i++)
		json_object_array_add(found, address_json(enrich, &names[i]));
	kept = *n == 0 || hand_over(enrich, "SELECT ruad.enrich_store($1::jsonb)", found, error);
	json_object_put(found);
	names_clear(names, *n);
	resolver_forget(enrich->resolver);
	db_rows_free(rows);
	return kept;
}

/* Addresses, as many as a round may; *more when others wait. */
static gboolean look_up_addresses(struct enrich *enrich, gboolean *more, GError **error)
{
	gint64 lookups = settings_int(enrich->settings, "enrich.lookups");
	gint64 left = lookups > 0 ? MAX(1, lookups / ROUNDS_A_MINUTE) : G_MAXINT64;
	gsize n = 0;

	do {
		guint limit = (guint)MIN(left, BATCH);

		if (!look_up_some(enrich, limit, &n, error))
			return FALSE;
		left -= (gint64)n;
		*more = n == limit;
	} while (*more && left > 0);
	return TRUE;
}

/* -- domains -- */

/* The selectors of [{"domain", "selector"}, ...], borrowed from document. */
static GArray *selectors_of(json_object *document)
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
	return selectors;
}

/* The check of domain as it is kept, or NULL when the DNS did not answer or domain is none. */
static json_object *check_domain(struct enrich *enrich, const char *domain, const char *seen)
{
	json_object *document = json_tokener_parse(seen);
	g_autoptr(GArray) selectors = selectors_of(document);
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

/* Some domains; *more when others may wait. */
static gboolean check_domains(struct enrich *enrich, gboolean *more, GError **error)
{
	g_autofree char *limit = g_strdup_printf("%d", CHECKS_A_ROUND);
	const struct db_value value = DB_TEXT(limit);
	struct db_rows *rows;
	gboolean kept = TRUE;

	if (settings_days(enrich->settings, "enrich.check_every") == 0)
		return TRUE;
	rows =
	    db_query(enrich->db, "SELECT domain, selectors FROM ruad.dns_wanted($1::int)", &value, 1, error);
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; kept && i < db_rows_count(rows); i++)
		kept = check_and_keep(enrich, db_rows_get(rows, i, 0), db_rows_get(rows, i, 1), error);
	*more = *more || db_rows_count(rows) == CHECKS_A_ROUND;
	db_rows_free(rows);
	return kept;
}

/* -- a round -- */

static gboolean work(struct enrich *enrich, gboolean *more, GError **error)
{
	gboolean is_new = networks_refresh(enrich->networks);

	return keep_services(enrich, error) &&
	       db_exec(enrich->db, "SELECT ruad.enrich_collect()", NULL, 0, error) &&
	       (!is_new || renew_networks(enrich, error)) && look_up_addresses(enrich, more, error) &&
	       check_domains(enrich, more, error);
}

/* Says so once, until it works again. */
static void say_failed(struct enrich *enrich, const GError *error)
{
	if (!enrich->database_failed)
		log_warning("%s", error->message);
	enrich->database_failed = TRUE;
}

enum enrich_outcome enrich_round(struct enrich *enrich)
{
	g_autoptr(GError) error = NULL;
	gboolean more = FALSE;

	if (enrich->db == NULL)
		enrich->db =
		    db_open(settings_string(enrich->settings, "database.url"), "ruad-enrich", &error);
	if (enrich->db != NULL && work(enrich, &more, &error)) {
		enrich->database_failed = FALSE;
		return more ? ENRICH_MORE : ENRICH_DONE;
	}
	say_failed(enrich, error);
	if (enrich->db != NULL && !db_alive(enrich->db))
		g_clear_pointer(&enrich->db, db_close);
	return ENRICH_FAILED;
}

guint enrich_pause(enum enrich_outcome outcome)
{
	switch (outcome) {
	case ENRICH_MORE:
		return PAUSE_MORE;
	case ENRICH_FAILED:
		return PAUSE_FAILED;
	default:
		return PAUSE_DONE;
	}
}
