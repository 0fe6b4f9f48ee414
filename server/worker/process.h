/*
 * process.h - a ruad-parse process, from its start to its end.
 *
 * It gets a socket, a pipe as standard error and a harmless environment, and nothing else. Its standard error
 * is untrusted input like its answers: it is logged in quotes, up to a number of lines.
 */
#pragma once

#include "server/worker/pool_options.h"

struct process;

/* Start a process. RUAD_ERROR_SYSTEM if that fails. Its greeting (wire.h) is not read yet. */
struct process *process_start(const struct pool_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Kill and reap it, whatever it does. NULL is allowed. */
void process_end(struct process *process);

/* Our ends: a stream socket, and the non-blocking pipe from its standard error. */
int process_socket(const struct process *process);
int process_stderr(const struct process *process);

/* Microseconds of processor time that it has used. */
gint64 process_cpu(const struct process *process);

/* From now on it runs only when others leave time. */
void process_lower_priority(const struct process *process);

/* Log what it has written to standard error. Returns FALSE if there will be no more. */
gboolean process_log_stderr(struct process *process);

/* How a process that closed its socket has ended, such as "ended by signal 9 (Killed)". Transfer full. */
char *process_last_words(const struct process *process) G_GNUC_WARN_UNUSED_RESULT;
