// The tensors of one part of a file: names without the prefix of the part, and shapes. No weights are read.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/weights/weight_file.h"

namespace meander {

class TensorList {
public:
    // Of all tensors whose names begin with `prefix`; keeps the files.
    TensorList(std::shared_ptr<const FileWeights> weights, std::string prefix);

    const std::string& prefix() const { return m_prefix; }
    bool isEmpty() const { return m_entries.empty(); }
    bool has(std::string_view name) const { return m_entries.contains(name); }
    bool hasAny(std::string_view prefix) const;
    // The first name that fits a pattern; each "*" stands for a number.
    std::optional<std::string> find(std::string_view pattern) const;
    std::int64_t extent(std::string_view name, std::size_t axis) const;  // 0 where there is none
    std::size_t rank(std::string_view name) const;                       // 0 where there is none
    // One more than the largest number that follows `prefix` ("double_blocks."); 0: none.
    int blocks(std::string_view prefix) const;
    // Do the tensors fit a test? Terms, all of which must hold, separated by spaces: "name" is there, "!name" is not,
    // "name[1]=384" is there and its second extent is 384. Names are patterns as in `find`.
    bool fits(std::string_view test) const;
    // Of the part.
    std::int64_t parameters() const;
    std::size_t bytes() const;
    const std::map<std::string, const TensorEntry*, std::less<>>& entries() const { return m_entries; }

private:
    std::shared_ptr<const FileWeights> m_weights;
    std::string m_prefix;
    std::map<std::string, const TensorEntry*, std::less<>> m_entries;
};

}  // namespace meander
