#include "server/common/token.h"

#include <string.h>
#include <sys/random.h>

#include "parser/error.h"

#define RANDOM_SIZE 32 /* bytes */

char *token_new(GError **error)
{
	guchar random[RANDOM_SIZE];
	g_autofree char *encoded = NULL;
	char *token;

	if (getrandom(random, sizeof random, 0) != sizeof random) {
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the system gives no random bytes");
		return NULL;
	}
	encoded = g_base64_encode(random, sizeof random);
	encoded[strcspn(encoded, "=")] = '\0';
	token = g_strconcat(TOKEN_PREFIX, g_strdelimit(g_strdelimit(encoded, "+", '-'), "/", '_'), NULL);
	explicit_bzero(random, sizeof random);
	explicit_bzero(encoded, strlen(encoded));
	return token;
}

char *token_hash(const char *token)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}
