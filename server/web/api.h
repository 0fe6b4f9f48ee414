/*
 * api.h - the answer to what lies below /api/v1/: runs the statement of a route, and says what came of it as JSON, CSV or
 * XML.
 *
 * routes.h has the table, connection.h the database.
 */
#pragma once

#include "server/web/answer.h"

/* The paths that begin with /api/. */
void api_answer(const struct visit *visit);
