#include "parser/error.h"

/* clang-format off */
G_DEFINE_QUARK(ruad-error-quark, ruad_error)
