/*
 * help.h - the answer of api/v1/help: the texts in one language, with what the database adds (the SQL behind
 * the numbers, the window) and what the settings say: where the database and LMTP are.
 *
 * The texts are embedded files, made by web/texts.mjs. Knows nothing of HTTP headers or of how a language is
 * chosen.
 */
#pragma once

#include <glib.h>

/* Once, before help_print(). lmtp: an address of lmtp.listen, or NULL. */
void help_init(const char *lmtp);

/*
 * Add the members of document, a JSON object from the database, to those of texts, a JSON object of ours,
 * with {lmtp} in the texts of "onboarding_samples" replaced by options of swaks; and "psql", the command for
 * database (words of libpq without secrets, or NULL). All are borrowed; the result is transfer full. A
 * document that is not an object adds nothing.
 */
GBytes *help_print(GBytes *texts, GBytes *document, const char *database) G_GNUC_WARN_UNUSED_RESULT;
