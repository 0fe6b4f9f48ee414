#include "server/enrich/enrich.h"

#include <json-c/json.h>

#include "parser/error.h"
#include "parser/orgdomain.h"
#include "server/common/log.h"
#include "server/database/db.h"
#include "server/database/role.h"
#include "server/dns/check.h"
#include "server/dns/selectors.h"
#include "server/enrich/address_json.h"
#include "server/enrich/quota.h"
#include "server/enrich/services.h"
#include "server/enrich/services_file.h"
#include "server/enrich/solicited.h"

#define NETWORK_BATCH  1000
#define CHECKS_A_ROUND 10 /* domains whose DNS is checked, */
#define CHECKS_SECONDS 60 /* and after so long no other is begun: some are slow */

struct enrich {
	const struct settings *settings;
	struct db *db;            /* NULL while it is unavailable */
	gboolean database_failed; /* which was logged */
	struct networks *networks;
	gboolean networks_are_kept;    /* in the database, as the files say now */
	struct services_file services; /* the administrator's */
	gboolean services_are_kept;
	struct resolver *resolver;
	guint counted;          /* questions of the resolver that are in spent */
	gint64 spent;           /* questions of today, as the database knows */
	gboolean budget_logged; /* that they are all that a day may have */
	gboolean dns_is_silent; /* which was logged */
	struct orgdomains *orgdomains;
};

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
	gboolean is_new;

	enrich->settings = settings;
	enrich->services.path = settings_string(settings, "enrich.services");
	if (services_file_refresh(&enrich->services, &is_new, error))
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
	services_file_clear(&enrich->services);
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
	const struct db_value values[] = { DB_TEXT(enrich->services.json), DB_TEXT(ours) };

	return ours != NULL &&
	       db_exec(enrich->db,
		   "SELECT ruad.enrich_services('file', $1::jsonb), ruad.enrich_services('ruad', $2::jsonb)",
		   values, 2, error);
}

/* -- the budget -- */

/* Add the questions since the last call to those of today. */
static gboolean count_questions(struct enrich *enrich, GError **error)
{
	guint asked = resolver_asked(enrich->resolver);
	g_autofree char *more = g_strdup_printf("%u", asked - enrich->counted);
	const struct db_value value = DB_TEXT(more);
	struct db_rows *rows = db_query(enrich->db, "SELECT ruad.enrich_spend($1::bigint)", &value, 1, error);

	if (rows == NULL)
		return FALSE;
	enrich->counted = asked;
	enrich->spent = g_ascii_strtoll(db_rows_get(rows, 0, 0), NULL, 10);
	db_rows_free(rows);
	return TRUE;
}

/* Logs once a day that nothing is left. */
static enum quota_budget budget_left(struct enrich *enrich)
{
	gint64 most = settings_int(enrich->settings, "enrich.questions");
	enum quota_budget left = quota_budget(enrich->spent, most);

	if (left == QUOTA_SPENT && !enrich->budget_logged)
		log_warning("enrich.questions: today's %" G_GINT64_FORMAT
			    " questions to the DNS are spent; names and checks wait for the next day",
		    most);
	enrich->budget_logged = left == QUOTA_SPENT;
	return left;
}

/* -- networks -- */

static json_object *network_of(const struct enrich *enrich, const char *ip)
{
	struct network network;
	json_object *object;

	networks_look_up(enrich->networks, ip, &network);
	object = address_network_json(ip, &network);
	network_clear(&network);
	return object;
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
		for (gsize i = 0; i < n; i++)
			json_object_array_add(found, network_of(enrich, db_rows_get(rows, i, 0)));
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

static json_object *address_of(struct enrich *enrich, const struct name *name)
{
	gint64 most = settings_days(enrich->settings, "enrich.keep") * QUOTA_DAY;
	const char *domain = name->name != NULL ? orgdomain_of(enrich->orgdomains, name->name) : NULL;
	struct network network;
	json_object *object;

	networks_look_up(enrich->networks, name->ip, &network);
	object = address_json(name, domain, &network, quota_keep(name, most, enrich->dns_is_silent));
	network_clear(&network);
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
	enrich->counted = 0;
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
static gboolean look_up_some(
    struct enrich *enrich, guint limit, enum quota_budget left, gsize *n, GError **error)
{
	g_autofree char *words = g_strdup_printf("%u", limit);
	const struct db_value values[] = { DB_TEXT(words), DB_TEXT(left == QUOTA_OWN ? "true" : "false") };
	struct db_rows *rows = db_query(enrich->db,
	    "SELECT host(source_ip) FROM ruad.enrich_wanted($1::int, $2::boolean)", values, 2, error);
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
		json_object_array_add(found, address_of(enrich, &names[i]));
	kept = *n == 0 || hand_over(enrich, "SELECT ruad.enrich_store($1::jsonb)", found, error);
	json_object_put(found);
	names_clear(names, *n);
	db_rows_free(rows);
	return kept;
}

/* Look up as many addresses as a round may; *more if others wait. */
static gboolean look_up_addresses(struct enrich *enrich, gboolean *more, GError **error)
{
	gint64 lookups = settings_int(enrich->settings, "enrich.lookups");
	gint64 left = quota_lookups(lookups);
	gsize n = 0;

	do {
		guint limit = (guint)MIN(left, QUOTA_BATCH);
		enum quota_budget budget = lookups == 0 ? QUOTA_ALL : budget_left(enrich);

		*more = FALSE;
		if (budget == QUOTA_SPENT)
			return TRUE;
		if (!look_up_some(enrich, limit, budget, &n, error) || !count_questions(enrich, error))
			return FALSE;
		left -= (gint64)n;
		*more = n == limit;
	} while (*more && left > 0 && !enrich->dns_is_silent);
	return TRUE;
}

/* -- domains -- */

/* The result of checking domain as it is stored, or NULL if the DNS did not answer or domain is invalid. */
static json_object *check_domain(struct enrich *enrich, const char *domain, const char *seen)
{
	json_object *document = json_tokener_parse(seen);
	g_autoptr(GArray) selectors = selectors_of(document, domain);
	const struct check_options options = {
		.selectors = (const struct check_selector *)(gpointer)selectors->data,
		.n_selectors = selectors->len,
		.selectors_from = CHECK_FROM_REPORTS,
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
	gint64 every = settings_days(enrich->settings, "enrich.check_every") * QUOTA_DAY;
	g_autofree char *keep = g_strdup_printf("%" G_GINT64_FORMAT, result != NULL ? every : QUOTA_FAILED);
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
	gint64 most = settings_int(enrich->settings, "enrich.questions");
	enum quota_budget left = budget_left(enrich);
	g_autofree char *limit = g_strdup_printf("%d", CHECKS_A_ROUND);
	const struct db_value values[] = { DB_TEXT(limit), DB_TEXT(left == QUOTA_OWN ? "true" : "false") };
	struct db_rows *rows;
	gboolean kept = TRUE;

	if (settings_days(enrich->settings, "enrich.check_every") == 0 || enrich->dns_is_silent ||
	    left == QUOTA_SPENT)
		return TRUE;
	rows = db_query(enrich->db, "SELECT domain, selectors FROM ruad.dns_wanted($1::int, $2::boolean)",
	    values, G_N_ELEMENTS(values), error);
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; kept && i < db_rows_count(rows) && g_get_monotonic_time() < end &&
			  quota_budget(enrich->spent, most) == left;
	     i++)
		kept = check_and_keep(enrich, db_rows_get(rows, i, 0), db_rows_get(rows, i, 1), error) &&
		       count_questions(enrich, error);
	*more = *more || db_rows_count(rows) == CHECKS_A_ROUND || quota_budget(enrich->spent, most) != left;
	db_rows_free(rows);
	return kept;
}

/* -- a round -- */

static void refresh_files(struct enrich *enrich)
{
	g_autoptr(GError) error = NULL;
	gboolean is_new;

	if (networks_refresh(enrich->networks))
		enrich->networks_are_kept = FALSE;
	if (!services_file_refresh(&enrich->services, &is_new, &error))
		log_warning("%s; the list that was read before stays", error->message);
	if (is_new)
		enrich->services_are_kept = FALSE;
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
	       count_questions(enrich, error) && look_up_addresses(enrich, more, error) &&
	       check_domains(enrich, more, error);
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
	if (budget_left(enrich) == QUOTA_SPENT)
		return ENRICH_DONE; /* what is left waits for the next day */
	return more ? ENRICH_MORE : ENRICH_DONE;
}

guint enrich_pause(const struct enrich *enrich, enum enrich_outcome outcome)
{
	return quota_pause(settings_int(enrich->settings, "enrich.lookups"), outcome);
}
