/*
 * inflow.h - the body of a request in pieces, from the thread that receives it to the one that uses it.
 *
 * One piece at a time: the receiver asks for the next only when the user wants it, so that a client cannot
 * send faster than its body is used. Knows nothing of HTTP.
 */
#pragma once

#include <glib.h>

struct inflow;

/* want() lets the receiver continue; it is called on the user's thread. stopping (atomic, borrowed): not 0
 * once nothing more will come. */
struct inflow *inflow_new(
    void (*want)(gpointer user), gpointer user, const gint *stopping) G_GNUC_WARN_UNUSED_RESULT;
void inflow_free(struct inflow *inflow); /* NULL is allowed; neither thread may be in a function of it */

/* For the user: the next piece, transfer full; NULL at the end. *failed is set to TRUE if the body ended
 * early. */
GBytes *inflow_next(struct inflow *inflow, gboolean *failed) G_GNUC_WARN_UNUSED_RESULT;

/* For the receiver: a piece (transfer full), the end, or an early end. */
void inflow_put(struct inflow *inflow, GBytes *piece);
void inflow_end(struct inflow *inflow);
void inflow_fail(struct inflow *inflow);
