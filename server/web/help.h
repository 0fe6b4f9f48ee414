/*
 * help.h - the answer of api/v1/help: the texts in one language, with what the database adds (the SQL behind
 * the numbers, the window).
 *
 * The texts are embedded files, made by web/texts.mjs. Knows nothing of HTTP headers or of how a language is
 * chosen.
 */
#pragma once

#include <glib.h>

/*
 * Add the members of document, a JSON object from the database, to those of texts, a JSON object of ours.
 * Both are borrowed; the result is transfer full. A document that is no object adds nothing.
 */
GBytes *help_print(GBytes *texts, GBytes *document) G_GNUC_WARN_UNUSED_RESULT;
