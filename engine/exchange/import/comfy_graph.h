// A graph of ComfyUI as one flat list of nodes with named values and links, from either of its formats: the one that
// runs ("API": id → class_type, inputs) and the one that the editor draws (nodes, links, widgets_values), with its
// subgraphs, primitives, reroutes and bypassed nodes resolved.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace meander {

struct ComfyLink {
    std::string node;
    int slot = 0;
};

struct ComfyNode {
    std::string id, type;
    std::map<std::string, Json> values;
    std::map<std::string, ComfyLink> links;
};

class ComfyGraph {
public:
    // Nothing when the JSON is neither format.
    static std::optional<ComfyGraph> fromJson(const Json& j);

    const std::map<std::string, ComfyNode>& nodes() const { return m_nodes; }
    // The node that an input is linked to, and the slot; switches are followed to the side that is chosen.
    struct Source {
        const ComfyNode* node = nullptr;
        int slot = 0;
        explicit operator bool() const { return node != nullptr; }
    };
    Source source(const ComfyNode& node, const std::string& input) const;
    // The value of an input, its own or that of the primitive node it is linked to.
    std::optional<Json> value(const ComfyNode& node, const std::string& input, int depth = 0) const;
    // As text: numbers as JSON writes them; empty when there is none or it is no text, number or boolean.
    std::string text(const ComfyNode& node, const std::string& input) const;

    std::map<std::string, ComfyNode> m_nodes;
};

}  // namespace meander
