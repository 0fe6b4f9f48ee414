#include "server/enrich/services.h"

/* The bytes of services.ini; CMake sets the path. */
__asm__(".section .rodata\n"
	".globl services_own\n"
	"services_own:\n"
	".incbin \"" SERVICES_INI "\"\n"
	".byte 0\n"
	".previous\n");
