#include "server/enrich/solicited.h"

#include "server/ingest/lmtp.h"

/* Returns whether a finding says that the DNS did not answer. */
static gboolean failed(json_object *check)
{
	json_object *findings = json_object_object_get(check, "findings");
	gsize n = findings != NULL ? json_object_array_length(findings) : 0;

	for (gsize i = 0; i < n; i++) {
		json_object *finding = json_object_array_get_idx(findings, i);

		if (g_strcmp0(
			json_object_get_string(json_object_object_get(finding, "code")), "dns_failed") == 0)
			return TRUE;
	}
	return FALSE;
}

json_object *solicited_json(json_object *check, const char *const *recipients)
{
	json_object *reports = json_object_object_get(check, "reports");
	gsize n = reports != NULL ? json_object_array_length(reports) : 0;

	for (gsize i = 0; i < n; i++) {
		json_object *report = json_object_array_get_idx(reports, i);
		const char *address = json_object_get_string(json_object_object_get(report, "address"));

		if (address != NULL && lmtp_recipient_match(recipients, address))
			return json_object_new_boolean(TRUE);
	}
	if (n == 0 && failed(check))
		return NULL;
	return json_object_new_boolean(FALSE);
}
