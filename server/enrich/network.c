#include "server/enrich/network.h"

#include <errno.h>
#include <maxminddb.h>
#include <netdb.h>
#include <string.h>

#include "server/common/file.h"
#include "server/common/log.h"

#define AS_NAME_MAX 200 /* bytes; a longer text is not a name */

struct database {
	const char *path;
	gboolean is_open;
	MMDB_s mmdb;
	gboolean was_tried;
	struct stat seen; /* the last file tried, which is open or was logged as bad; all 0: none */
};

struct networks {
	struct database *databases;
	gsize n_databases;
};

void network_clear(struct network *network)
{
	g_free(network->as_name);
	*network = (struct network){ .asn = -1 };
}

struct networks *networks_new(const char *const *paths)
{
	struct networks *networks = g_new0(struct networks, 1);

	networks->n_databases = g_strv_length((char **)paths);
	networks->databases = g_new0(struct database, networks->n_databases + 1);
	for (gsize i = 0; i < networks->n_databases; i++)
		networks->databases[i].path = paths[i];
	return networks;
}

static void database_close(struct database *database)
{
	if (database->is_open)
		MMDB_close(&database->mmdb);
	database->is_open = FALSE;
}

void networks_free(struct networks *networks)
{
	if (networks == NULL)
		return;
	for (gsize i = 0; i < networks->n_databases; i++)
		database_close(&networks->databases[i]);
	g_free(networks->databases);
	g_free(networks);
}

/* Returns TRUE if the file was opened. */
static gboolean database_refresh(struct database *database)
{
	struct stat now = { 0 };
	MMDB_s mmdb;
	int status;

	if (stat(database->path, &now) != 0)
		now = (struct stat){ 0 };
	if (database->was_tried && file_is_same(&now, &database->seen))
		return FALSE;
	database->was_tried = TRUE;
	database->seen = now;
	status = MMDB_open(database->path, MMDB_MODE_MMAP, &mmdb);
	if (status != MMDB_SUCCESS) {
		log_warning("enrich.mmdb: \"%s\": %s", database->path,
		    status == MMDB_FILE_OPEN_ERROR ? g_strerror(errno) : MMDB_strerror(status));
		return FALSE;
	}
	database_close(database);
	database->mmdb = mmdb;
	database->is_open = TRUE;
	log_info("enrich.mmdb: \"%s\" (%s) is open", database->path, mmdb.metadata.database_type);
	return TRUE;
}

gboolean networks_refresh(struct networks *networks)
{
	gboolean opened = FALSE;

	for (gsize i = 0; i < networks->n_databases; i++)
		opened = database_refresh(&networks->databases[i]) || opened;
	return opened;
}

/* The text at path, transfer full, or NULL if it is missing or not a text of at most AS_NAME_MAX bytes. */
static char *text_at(MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s data;
	char *text;

	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0 || data.data_size > AS_NAME_MAX)
		return NULL;
	text = g_strndup(data.utf8_string, data.data_size);
	if (!g_utf8_validate(text, -1, NULL))
		g_clear_pointer(&text, g_free);
	return text;
}

static gint64 number_at(MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s data;

	if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UINT32)
		return -1;
	return data.uint32;
}

/* MaxMind: autonomous_system_number = 64500; IPinfo: asn = "AS64500". */
static gint64 asn_of(MMDB_entry_s *entry)
{
	gint64 number = number_at(entry, (const char *const[]){ "autonomous_system_number", NULL });
	g_autofree char *word = NULL;
	guint64 value;

	if (number >= 0)
		return number;
	word = text_at(entry, (const char *const[]){ "asn", NULL });
	if (word == NULL)
		return -1;
	if (!g_ascii_string_to_unsigned(
		g_str_has_prefix(word, "AS") ? word + 2 : word, 10, 0, G_MAXUINT32, &value, NULL))
		return -1;
	return (gint64)value;
}

static char *as_name_of(MMDB_entry_s *entry)
{
	static const char *const paths[][2] = { { "autonomous_system_organization", NULL },
		{ "as_name", NULL }, { "name", NULL } };
	char *name = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(paths) && name == NULL; i++)
		name = text_at(entry, paths[i]);
	return name;
}

/* The country of the network, or else that of its registration. */
static void country_of(MMDB_entry_s *entry, char country[3])
{
	static const char *const paths[][3] = { { "country", "iso_code", NULL }, { "country_code", NULL },
		{ "country", NULL }, { "registered_country", "iso_code", NULL } };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *code = text_at(entry, paths[i]);

		if (code != NULL && strlen(code) == 2 && g_ascii_isalpha(code[0]) &&
		    g_ascii_isalpha(code[1])) {
			country[0] = g_ascii_toupper(code[0]);
			country[1] = g_ascii_toupper(code[1]);
			return;
		}
	}
}

static void look_up_in(const MMDB_s *mmdb, const struct sockaddr *address, struct network *network)
{
	int status;
	MMDB_lookup_result_s result = MMDB_lookup_sockaddr(mmdb, address, &status);

	if (status != MMDB_SUCCESS || !result.found_entry)
		return;
	if (network->asn < 0) {
		network->asn = asn_of(&result.entry);
		if (network->asn >= 0)
			network->as_name = as_name_of(&result.entry);
	}
	if (*network->country == '\0')
		country_of(&result.entry, network->country);
}

void networks_look_up(const struct networks *networks, const char *ip, struct network *network)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *address;

	*network = (struct network){ .asn = -1 };
	if (getaddrinfo(ip, NULL, &hints, &address) != 0)
		return;
	for (gsize i = 0; i < networks->n_databases; i++)
		if (networks->databases[i].is_open)
			look_up_in(&networks->databases[i].mmdb, address->ai_addr, network);
	freeaddrinfo(address);
}
