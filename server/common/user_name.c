#include "server/common/user_name.h"

#include <string.h>

gboolean user_name_is_valid(const char *text)
{
	if (*text == '\0' || strlen(text) > USER_NAME_MAX || !g_utf8_validate(text, -1, NULL))
		return FALSE;
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return FALSE;
	return TRUE;
}
