/*
 * programs.h - the programs that ruad serve runs, each with no more than it needs: its settings, one role of
 * the database, its sockets, and the memory that it shares with others.
 *
 * The supervisor keeps them running. When each is started is for cmd_serve.c.
 */
#pragma once

#include "server/cli/database.h"
#include "server/cli/sockets.h"
#include "server/cli/supervisor.h"
#include "server/common/errands.h"

#define PROGRAMS_POSTGRES "PostgreSQL" /* its name for the supervisor */

/* What they are started with; all borrowed. */
struct programs {
	const struct settings *settings;
	struct database *database;
	struct supervisor *supervisor;
	struct sockets *sockets;
	int vitals_fd;  /* ruad-ingest writes it, ruad-web and ruad-notify read it */
	int errands_fd; /* ruad-fetch and ruad-notify write it, ruad-web reads it */
	struct errands *errands;
};

/* Of a program that serves sockets: its name, and the request that it answers when it runs. NULL: it greets
 * every client. */
const char *programs_name(enum service s);
const char *programs_request(enum service s);

/* The private PostgreSQL. */
void programs_start_postgres(const struct programs *programs);

/* The programs that serve sockets. */
void programs_start_services(const struct programs *programs);

/* The other programs, as the settings want them, and ruad prune once a day. */
void programs_start_others(const struct programs *programs);

/* Tell ruad-enrich to check its files, ruad-fetch to look for mail, and ruad-notify to look at once. */
void programs_hang_up(const struct programs *programs);
