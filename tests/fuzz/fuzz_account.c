/* Mails of random structure, which the input chooses: nothing in them vanishes (account.h). */
#include "parser/parse.h"
#include "tests/unit/parser/account.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct choices choices = { .data = data, .size = size };
	struct generated *mail;
	char *fault;

	parse_init();
	mail = generate_mail(&choices);
	fault = account_for(mail);
	if (fault != NULL)
		g_error("%s", fault);
	generate_free(mail);
	return 0;
}
