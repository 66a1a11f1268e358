// The table of architectures, from list.inl: one file and one line each.
#include "engine/models/architectures/architecture.h"

namespace meander {

#define ARCHITECTURE(name) const Architecture& name();
#include "engine/models/architectures/list.inl"
#undef ARCHITECTURE

const std::vector<const Architecture*>& architectures() {
    static const std::vector<const Architecture*> table = {
#define ARCHITECTURE(name) &name(),
#include "engine/models/architectures/list.inl"
#undef ARCHITECTURE
    };
    return table;
}

std::vector<TapSite> crossAttentionsOf(const std::vector<TapSite>& blocks) {
    std::vector<TapSite> found;
    for (const TapSite& b : blocks) found.push_back({b.path + ".attn2", b.heads, b.height, b.width, 0});
    return found;
}

const Architecture* findArchitecture(const std::string& className) {
    for (const Architecture* a : architectures())
        if (className == a->className) return a;
    return nullptr;
}

}  // namespace meander
