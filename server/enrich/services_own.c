#include "server/enrich/services.h"

/* The file beside this one, as it stands; CMake names it. */
__asm__(".section .rodata\n"
	".globl services_own\n"
	"services_own:\n"
	".incbin \"" SERVICES_INI "\"\n"
	".byte 0\n"
	".previous\n");
