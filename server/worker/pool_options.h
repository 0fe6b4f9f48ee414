/*
 * pool_options.h - what a pool of workers and each of its processes must know.
 */
#pragma once

#include "parser/limits.h"

struct pool_options {
	const char *worker; /* path of the ruad-parse executable */
	guint workers;      /* processes at most, >= 1 */
	guint max_mails;    /* documents a worker reads before it is replaced, >= 1 */
	guint seconds;      /* of silence from a worker while it owes us bytes, before it is killed */
	guint
	    max_seconds; /* of waiting for one document in all, before it is killed; time of the sink is not counted */
	guint64 memory;              /* bytes of address space a worker may take (RLIMIT_AS) */
	struct parser_limits limits; /* those of parser_settings.h; the others are at their default */
	const char *authserv_id;     /* see struct parser_options; NULL or "": none */
	gboolean failure_bodies;
};

struct settings;

/* What the settings say, for pool_new(); strings are borrowed from settings, as is worker. */
struct pool_options pool_options_of(const struct settings *settings, const char *worker);
