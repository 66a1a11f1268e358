// The settings of a ComfyUI graph: of the sampling pass that makes the image out of noise. Further passes and nodes
// without a counterpart are named.
#pragma once
#include "engine/exchange/import/comfy_graph.h"
#include "engine/exchange/import/peer_text.h"

namespace meander {

// Nothing when no node of the graph samples.
std::optional<PeerText> readComfyGraph(const ComfyGraph& graph, const std::string& source);

}  // namespace meander
