#include "server/common/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void a_token_is_its_prefix_and_256_random_bits(void **state)
{
	g_autoptr(GHashTable) made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	(void)state;
	for (int i = 0; i < 1000; i++) { /* enough for '-' and '_' */
		char *token = token_new(NULL);

		assert_non_null(token);
		assert_true(g_str_has_prefix(token, TOKEN_PREFIX));
		assert_int_equal(strlen(token), strlen(TOKEN_PREFIX) + 43);
		assert_int_equal(strspn(token + strlen(TOKEN_PREFIX), BASE64URL), 43);
		assert_true(g_hash_table_add(made, token)); /* it was not there */
	}
}

static void its_hash_is_sha_256_in_hex(void **state)
{
	g_autofree char *hash = token_hash("abc");
	g_autofree char *other = token_hash("");

	(void)state;
	assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(other, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_its_prefix_and_256_random_bits),
		cmocka_unit_test(its_hash_is_sha_256_in_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
