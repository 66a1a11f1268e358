// Python pickles, read without running anything: a machine that builds plain containers, numbers, texts and the tensors
// of PyTorch, and refuses every other import by its name.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/weights/formats/byte_reader.h"

namespace meander::pickle {

struct Value;
using Ref = const Value*;

struct None {};
struct List {
    std::vector<Ref> items;  // of a tuple, a list or a set
};
struct Dict {
    std::vector<std::pair<Ref, Ref>> items;
};
// An import that is allowed, see the table in pickle.cpp.
struct Import {
    const struct ImportRule* rule;
};
// A run of elements in the file, named by PyTorch.
struct Storage {
    const ElementType* type;  // null: bytes of any type
    std::string key;
    std::int64_t count;
};
struct Tensor {
    const ElementType* type;
    std::string storage;
    std::int64_t storageBytes, offset;  // offset in elements
    std::vector<std::int64_t> extents, strides;
};

struct Value {
    std::variant<None, bool, std::int64_t, double, std::string, List, Dict, Import, Storage, Tensor> is;
    template <class T> const T* as() const { return std::get_if<T>(&is); }
};

// The values of one pickle; they live as long as this.
class Pickle {
public:
    // Reads up to and including the STOP of the pickle at the reader's place. Throws Failure.
    explicit Pickle(ByteReader& in);
    const Value& root() const { return *m_root; }

private:
    friend class Machine;
    std::deque<Value> m_values;
    Ref m_root = nullptr;
};

}  // namespace meander::pickle
