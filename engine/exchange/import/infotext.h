// The text of parameters that A1111 introduced and many programs write: prompt, "Negative prompt: …", then settings as
// "Steps: 20, Sampler: Euler a, …", in any order, over any number of lines, with JSON and quoted values among them.
#pragma once
#include "engine/exchange/import/peer_text.h"

namespace meander {

PeerText readInfotext(const std::string& text);

}  // namespace meander
