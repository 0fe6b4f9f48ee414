/*
 * errands.h - what the programs that connect to other servers (ruad-fetch, ruad-notify) have done there, in
 * memory that they write and ruad-web reads for /metrics.
 *
 * ruad serve names an errand for each program that it starts. Lock-free; a writer may be killed at any time,
 * and continues to count when it is started again. NULL as errand has no effect.
 */
#pragma once

#include <glib.h>

#define ERRAND_NOTIFY    "notify" /* the name of ruad-notify's; all others are of ruad-fetch */
#define ERRANDS_MAX      32       /* one for each account, the Maildirs and ruad-notify */
#define ERRAND_NAME_SIZE 64       /* bytes, with the NUL */

enum errand_count {
	ERRAND_DONE,    /* mails handed over or messages sent */
	ERRAND_REFUSED, /* mails that will not be tried again */
	ERRAND_LATER,   /* attempts with one mail or message that failed and will be repeated */
	ERRAND_FAILED,  /* rounds that failed as a whole: no connection, a wrong password, no database */
	ERRAND_COUNTS   /* their number */
};

struct errands;
struct errand;

/* Make the memory. Returns a descriptor for errands_open(), close-on-exec, or -1. */
int errands_create(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Use the memory of a descriptor, which is closed. NULL if it is not such memory. */
struct errands *errands_open(int fd, gboolean writable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void errands_close(struct errands *errands); /* NULL is allowed */

/* Name an errand, for example "imap"; a longer name is cut. Returns its number, the same for the same name,
 * or -1 if there are ERRANDS_MAX. For ruad serve only. */
int errands_name(struct errands *errands, const char *name);

/* The errand with this number, borrowed; NULL if it has no name. */
struct errand *errands_get(struct errands *errands, int number);

/* -- of the program -- */

void errand_add(struct errand *errand, enum errand_count count, gint64 n);

/* A round ended without a failure, now. */
void errand_succeed(struct errand *errand);

/* -- of the reader -- */

/* Copied, as the memory belongs to another process; transfer full. */
char *errand_name(const struct errand *errand) G_GNUC_WARN_UNUSED_RESULT;
gint64 errand_get(const struct errand *errand, enum errand_count count);

/* Seconds since 1970; 0: never. */
gint64 errand_succeeded_at(const struct errand *errand);
