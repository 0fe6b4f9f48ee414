#include "server/web/rights.h"

#define GRANT_SQL "SELECT api.user_grant(p_user => $1::text)"

enum connection_outcome rights_ask(const struct visit *visit, struct grant *grant, GError **error)
{
	char *const params[] = { (char *)visit->user };
	g_autoptr(GBytes) document = NULL;
	enum connection_outcome outcome;

	*grant = (struct grant){ GRANT_NONE, NULL };
	if (visit->user == NULL)
		return CONNECTION_ROWS;
	outcome =
	    connection_document(NULL, GRANT_SQL, params, G_N_ELEMENTS(params), &document, NULL, NULL, error);
	if (outcome == CONNECTION_ROWS && !grant_read(document, grant, error))
		outcome = CONNECTION_FAILED;
	return outcome;
}

gboolean rights_find(const struct visit *visit, struct grant *grant)
{
	g_autoptr(GError) error = NULL;
	enum connection_outcome outcome = rights_ask(visit, grant, &error);
	struct problem problem = { 0 };

	if (outcome == CONNECTION_ROWS)
		return TRUE;
	if (outcome == CONNECTION_INTERRUPTED) { /* nobody reads this; it is not worth a line in the log */
		answer_busy(visit, "the request was abandoned");
		return FALSE;
	}
	if (outcome != CONNECTION_FAILED) {
		answer_away(visit, ANSWER_AWAY, error->message);
		return FALSE;
	}
	problem_set(&problem, 500, "see the server's log");
	answer_problem(visit, &problem, error->message);
	return FALSE;
}
