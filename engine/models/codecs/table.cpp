// The table of codecs, from list.inl: one file and one line each.
#include "engine/models/codecs/codec.h"

namespace meander {

#define CODEC(name) const CodecKind& name();
#include "engine/models/codecs/list.inl"
#undef CODEC

const std::vector<const CodecKind*>& codecKinds() {
    static const std::vector<const CodecKind*> table = {
#define CODEC(name) &name(),
#include "engine/models/codecs/list.inl"
#undef CODEC
    };
    return table;
}

const CodecKind* findCodec(const std::string& className) {
    for (const CodecKind* k : codecKinds())
        if (className == k->className) return k;
    return nullptr;
}

}  // namespace meander
