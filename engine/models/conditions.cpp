#include "engine/models/conditions.h"

#include <stdexcept>

namespace meander {

const Tensor& Conditions::at(const std::string& name) const {
    const auto it = tensors.find(name);
    if (it == tensors.end()) throw std::invalid_argument("the conditioning of a row has no '" + name + "'");
    return it->second;
}

bool Conditions::fits(const Conditions& other) const {
    return tensors.size() == other.tensors.size()
           && std::equal(tensors.begin(), tensors.end(), other.tensors.begin(), [](const auto& a, const auto& b) {
                  return a.first == b.first && a.second.type() == b.second.type()
                         && a.second.shape().with(0, 1) == b.second.shape().with(0, 1);
              });
}

Conditions stacked(const std::vector<const Conditions*>& rows) {
    Conditions all;
    if (rows.empty()) return all;
    for (const auto& [name, first] : rows.front()->tensors) {
        std::vector<Tensor> parts;
        for (const Conditions* c : rows) {
            if (!c->fits(*rows.front()))
                throw std::invalid_argument("rows of one call are conditioned on tensors of other shapes");
            parts.push_back(c->at(name));
        }
        all.tensors.emplace(name, stackRows(parts));
    }
    return all;
}

}  // namespace meander
