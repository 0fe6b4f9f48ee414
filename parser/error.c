#include "parser/error.h"

G_DEFINE_QUARK(ruad-error-quark, ruad_error)
