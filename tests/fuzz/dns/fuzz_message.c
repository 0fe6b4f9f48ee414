/* The first byte chooses the queried type; the others are a name server's answer. */
#include <string.h>

#include "server/dns/reply.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_answer(const struct dns_answer *answer)
{
	g_assert((answer->status == DNS_OK) == (answer->n_records > 0));
	g_assert(answer->n_records <= DNS_RECORDS_MAX);
	for (guint i = 0; i < answer->n_records; i++) {
		g_assert(g_utf8_validate(answer->records[i].text, -1, NULL));
		g_assert(strlen(answer->records[i].text) <= 3 * 65536);
	}
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const enum dns_type TYPES[] = { DNS_A, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA, DNS_SOA, DNS_DS,
		DNS_TLSA };
	struct dns_answer answer;

	if (size < 1)
		return 0;
	reply_read(data + 1, size - 1, "www.example", TYPES[data[0] % G_N_ELEMENTS(TYPES)], &answer);
	check_answer(&answer);
	dns_answer_clear(&answer);
	return 0;
}
