#include "server/dns/blocklist.h"

/* The bytes of blocklists.ini; CMake sets the path. */
__asm__(".section .rodata\n"
	".globl blocklists_ini\n"
	"blocklists_ini:\n"
	".incbin \"" BLOCKLISTS_INI "\"\n"
	".byte 0\n"
	".previous\n");

extern const char blocklists_ini[];

GPtrArray *blocklists_own(void)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *lists = blocklists_read(blocklists_ini, &error);

	if (lists == NULL)
		g_error("blocklists.ini: %s", error->message);
	return lists;
}
