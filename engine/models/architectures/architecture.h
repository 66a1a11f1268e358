// The table of architectures: how a network of images is described and built from a configuration in diffusers' words.
// A new one is a file with `const Architecture& name()` and a line in list.inl.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/models/denoiser.h"
#include "engine/models/layers/builder.h"
#include "engine/models/model.h"

namespace meander {

struct Architecture {
    const char* className;  // diffusers' `_class_name`
    const char* family;     // as shown: "U-Net with cross-attention"
    // How a folder of diffusers with this network puts its text encoders together: id of the table of conditioners;
    // empty: it takes no text.
    const char* conditioner;
    // Fills in what follows from the network alone: state.shape (of the size it was trained for) and state.granule, in
    // cells for now; blocks, attention (without the number of tokens), bytesPerRow, takesGuidance. Throws Failure.
    void (*describe)(const Json& config, const std::string& what, ModelInfo& info);
    // Reads the weights by diffusers' names. Throws Failure.
    std::unique_ptr<Denoiser> (*build)(const Json& config, const std::string& what, NetworkBuilder& builder);
};

// Of blocks that attend to the text once, after themselves ("….attn2"), in execution order.
std::vector<TapSite> crossAttentionsOf(const std::vector<TapSite>& blocks);

const std::vector<const Architecture*>& architectures();
// Null for no such class.
const Architecture* findArchitecture(const std::string& className);

}  // namespace meander
