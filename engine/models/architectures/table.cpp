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

const Architecture* findArchitecture(const std::string& className) {
    for (const Architecture* a : architectures())
        if (className == a->className) return a;
    return nullptr;
}

}  // namespace meander
