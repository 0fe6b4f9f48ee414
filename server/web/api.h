/*
 * api.h - answers requests below /api/v1/: runs the statement of a route and returns the result as JSON, CSV
 * or XML.
 *
 * routes.h has the table, connection.h the database.
 */
#pragma once

#include "server/web/answer.h"

/* Answer a request whose path begins with /api/. */
void api_answer(const struct visit *visit);
