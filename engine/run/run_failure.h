// Why a run, or a plan, could not be carried out: a sentence for a person, and the technical detail.
#pragma once
#include <exception>

#include "engine/core/result.h"

namespace meander {

// Failures and device errors are sentences already. Anything else is a fault of the program: its words stay in the
// detail.
Error errorOf(const std::exception& e);

}  // namespace meander
