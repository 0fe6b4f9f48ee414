/*
 * content.h - the answer of api.digest() as the blocks of a digest.
 *
 * What to do is said in the words of the page (words.h); the headings and the names of figures are those of
 * its Overview.
 */
#pragma once

#include <json-c/json.h>

#include "server/digest/block.h"

/* answer is borrowed; a member that is missing counts as null. */
struct content *content_new(struct json_object *answer) G_GNUC_WARN_UNUSED_RESULT;
void content_free(struct content *content); /* NULL is allowed */
