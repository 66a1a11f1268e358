#include "engine/exchange/import/comfy_graph.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

namespace meander {
namespace {

constexpr int deepest = 64;  // links followed in a row
constexpr std::size_t mostNodes = 20000;
constexpr int bypassed = 4, muted = 2;            // modes of a node
constexpr int inputSide = -10, outputSide = -20;  // ids of a subgraph's own ends

// Names of a node's widgets in the order of its values; "*" is the control behind a seed, absent in old files.
struct Widgets {
    const char* type;
    std::vector<const char*> names;
};
const Widgets widgetTable[] = {
    {"KSampler", {"seed", "*", "steps", "cfg", "sampler_name", "scheduler", "denoise"}},
    {"KSamplerAdvanced",
     {"add_noise", "noise_seed", "*", "steps", "cfg", "sampler_name", "scheduler", "start_at_step", "end_at_step",
      "return_with_leftover_noise"}},
    {"SamplerCustom", {"add_noise", "noise_seed", "*", "cfg"}},
    {"RandomNoise", {"noise_seed", "*"}},
    {"KSamplerSelect", {"sampler_name"}},
    {"BasicScheduler", {"scheduler", "steps", "denoise"}},
    {"KarrasScheduler", {"steps", "sigma_max", "sigma_min", "rho"}},
    {"ExponentialScheduler", {"steps", "sigma_max", "sigma_min"}},
    {"PolyexponentialScheduler", {"steps", "sigma_max", "sigma_min", "rho"}},
    {"LaplaceScheduler", {"steps", "sigma_max", "sigma_min", "mu", "beta"}},
    {"SDTurboScheduler", {"steps", "denoise"}},
    {"BetaSamplingScheduler", {"steps", "alpha", "beta"}},
    {"VPScheduler", {"steps", "beta_d", "beta_min", "eps_s"}},
    {"AlignYourStepsScheduler", {"model_type", "steps", "denoise"}},
    {"GITSScheduler", {"coeff", "steps", "denoise"}},
    {"OptimalStepsScheduler", {"model_type", "steps", "denoise"}},
    {"LTXVScheduler", {"steps", "max_shift", "base_shift", "stretch", "terminal"}},
    {"Flux2Scheduler", {"steps", "width", "height"}},
    {"ManualSigmas", {"sigmas"}},
    {"SplitSigmas", {"step"}},
    {"SplitSigmasDenoise", {"denoise"}},
    {"SetFirstSigma", {"sigma"}},
    {"CFGGuider", {"cfg"}},
    {"FluxGuidance", {"guidance"}},
    {"RescaleCFG", {"multiplier"}},
    {"ModelSamplingAuraFlow", {"shift"}},
    {"ModelSamplingSD3", {"shift"}},
    {"ModelSamplingFlux", {"max_shift", "base_shift", "width", "height"}},
    {"ModelSamplingDiscrete", {"sampling", "zsnr"}},
    {"CLIPTextEncode", {"text"}},
    {"CLIPTextEncodeFlux", {"clip_l", "t5xxl", "guidance"}},
    {"CLIPTextEncodeSD3", {"clip_l", "clip_g", "t5xxl", "empty_padding"}},
    {"CLIPTextEncodeSDXL",
     {"width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"}},
    {"TextEncodeQwenImage21", {"prompt", "negative_prompt"}},
    {"CheckpointLoaderSimple", {"ckpt_name"}},
    {"CheckpointLoader", {"config_name", "ckpt_name"}},
    {"UNETLoader", {"unet_name", "weight_dtype"}},
    {"VAELoader", {"vae_name"}},
    {"CLIPLoader", {"clip_name", "type"}},
    {"DualCLIPLoader", {"clip_name1", "clip_name2", "type"}},
    {"LoraLoader", {"lora_name", "strength_model", "strength_clip"}},
    {"LoraLoaderModelOnly", {"lora_name", "strength_model"}},
    {"LoadImage", {"image"}},
    {"EmptyLatentImage", {"width", "height", "batch_size"}},
    {"EmptySD3LatentImage", {"width", "height", "batch_size"}},
    {"EmptyFlux2LatentImage", {"width", "height", "batch_size"}},
    {"Wan22ImageToVideoLatent", {"width", "height", "length", "batch_size"}},
    {"ComfySwitchNode", {"switch"}},
};

bool isPrimitive(const std::string& type) { return type.starts_with("Primitive"); }

std::string idText(const Json& j) {
    if (j.is_string()) return j.get<std::string>();
    return j.is_number_integer() ? j.dump() : std::string();
}

std::string textOf(const Json& object, const char* key) {
    const auto it = object.is_object() ? object.find(key) : object.end();
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& arrayOf(const Json& object, const char* key) {
    static const Json none = Json::array();
    const auto it = object.is_object() ? object.find(key) : object.end();
    return it != object.end() && it->is_array() ? *it : none;
}

bool isControl(const Json& v) {
    static const std::set<std::string> words = {"randomize", "fixed", "increment", "decrement", "increment-wrap"};
    return v.is_boolean() || (v.is_string() && words.contains(v.get<std::string>()));
}

ComfyGraph fromApi(const Json& j) {
    ComfyGraph graph;
    for (const auto& [id, node] : j.items()) {
        if (!node.is_object() || graph.m_nodes.size() >= mostNodes) continue;
        ComfyNode n{id, textOf(node, "class_type"), {}, {}};
        if (n.type.empty()) continue;
        if (const auto inputs = node.find("inputs"); inputs != node.end() && inputs->is_object())
            for (const auto& [key, v] : inputs->items()) {
                const bool isLink = v.is_array() && v.size() == 2 && !idText(v[0]).empty() && v[1].is_number_integer();
                if (isLink) n.links[key] = {idText(v[0]), v[1].get<int>()};
                else n.values[key] = v;
            }
        graph.m_nodes.emplace(id, std::move(n));
    }
    return graph;
}

// The editor's format. Ids inside a subgraph are prefixed by the id of its node: "57:3".
class Editor {
public:
    explicit Editor(const Json& j) {
        const auto definitions = j.find("definitions");
        if (definitions != j.end())
            for (const Json& s : arrayOf(*definitions, "subgraphs")) m_subgraphs[textOf(s, "id")] = &s;
        Scope& top = scope(j, nullptr, nullptr, "");
        collect(top, 0);
    }
    ComfyGraph graph;

private:
    struct Scope {
        std::map<std::string, const Json*> nodes;
        std::map<std::string, std::pair<std::string, int>> links;  // link id → node, slot
        std::map<int, std::string> outputs;                        // of a subgraph: slot → link id
        std::vector<std::string> inputs;                           // of a subgraph: names
        std::map<std::string, Scope*> children;
        Scope* parent = nullptr;
        const Json* outer = nullptr;
        std::string prefix;
    };
    // What an input is connected to: a node's slot, a value, or nothing.
    struct Port {
        std::optional<ComfyLink> link;
        std::optional<Json> value;
    };

    Scope& scope(const Json& j, Scope* parent, const Json* outer, const std::string& prefix) {
        Scope& s = *m_scopes.emplace_back(std::make_unique<Scope>());
        s.parent = parent;
        s.outer = outer;
        s.prefix = prefix;
        for (const Json& n : arrayOf(j, "nodes"))
            if (n.is_object() && n.contains("id")) s.nodes[idText(n["id"])] = &n;
        for (const Json& l : arrayOf(j, "links")) addLink(s, l);
        for (const Json& i : arrayOf(j, "inputs")) s.inputs.push_back(textOf(i, "name"));
        return s;
    }

    static void addLink(Scope& s, const Json& l) {
        std::string id, from, to;
        int fromSlot = 0, toSlot = 0;
        const auto number = [](const Json& v) { return v.is_number_integer() ? v.get<int>() : 0; };
        if (l.is_array() && l.size() >= 5) {
            id = idText(l[0]), from = idText(l[1]), to = idText(l[3]);
            fromSlot = number(l[2]), toSlot = number(l[4]);
        } else if (l.is_object() && l.contains("id") && l.contains("origin_id") && l.contains("target_id")) {
            id = idText(l["id"]), from = idText(l["origin_id"]), to = idText(l["target_id"]);
            fromSlot = number(l.value("origin_slot", Json(0))), toSlot = number(l.value("target_slot", Json(0)));
        } else {
            return;
        }
        s.links[id] = {from, fromSlot};
        if (to == std::to_string(outputSide)) s.outputs[toSlot] = id;
    }

    Scope* child(Scope& s, const std::string& id, const Json& node) {
        const auto definition = m_subgraphs.find(textOf(node, "type"));
        if (definition == m_subgraphs.end()) return nullptr;
        Scope*& c = s.children[id];
        if (!c && m_scopes.size() < 200) c = &scope(*definition->second, &s, &node, s.prefix + id + ":");
        return c;
    }

    Port portOf(Scope& s, const std::string& linkId, int depth) {
        const auto link = s.links.find(linkId);
        if (link == s.links.end() || depth > deepest) return {};
        const auto& [from, slot] = link->second;
        if (from == std::to_string(inputSide)) return outerPort(s, slot, depth);
        const auto found = s.nodes.find(from);
        if (found == s.nodes.end()) return {};
        const Json& node = *found->second;
        if (Scope* inner = child(s, from, node)) {
            const auto out = inner->outputs.find(slot);
            return out == inner->outputs.end() ? Port{} : portOf(*inner, out->second, depth + 1);
        }
        const std::string type = textOf(node, "type");
        if (type == "Reroute" || modeOf(node) == bypassed) return passedThrough(s, node, slot, depth);
        if (isPrimitive(type)) {
            for (const Json& input : arrayOf(node, "inputs"))
                if (Port p = inputPort(s, input, depth); p.value) return p;
            const Json& values = arrayOf(node, "widgets_values");
            return values.empty() ? Port{} : Port{{}, values[0]};
        }
        return {ComfyLink{s.prefix + from, slot}, {}};
    }

    // The input of a subgraph: what its node is linked to, or the value that its node shows.
    Port outerPort(Scope& s, int slot, int depth) {
        if (!s.parent || !s.outer || slot < 0 || std::size_t(slot) >= s.inputs.size()) return {};
        const Json& inputs = arrayOf(*s.outer, "inputs");
        const Json& values = arrayOf(*s.outer, "widgets_values");
        std::size_t widgets = 0, at = values.size();
        const Json* input = nullptr;
        for (const Json& i : inputs) {
            const bool isWidget = i.is_object() && i.contains("widget");
            if (textOf(i, "name") == s.inputs[std::size_t(slot)]) {
                input = &i;
                at = isWidget ? widgets : values.size();
            }
            widgets += isWidget;
        }
        if (!input) return {};
        if (Port p = inputPort(*s.parent, *input, depth); p.link || p.value) return p;
        return widgets == values.size() && at < values.size() ? Port{{}, values[at]} : Port{};
    }

    Port inputPort(Scope& s, const Json& input, int depth) {
        const auto link = input.is_object() ? input.find("link") : input.end();
        return link == input.end() || link->is_null() ? Port{} : portOf(s, idText(*link), depth + 1);
    }

    // The first input of the type of that output.
    Port passedThrough(Scope& s, const Json& node, int slot, int depth) {
        const Json& outputs = arrayOf(node, "outputs");
        const std::string type = std::size_t(slot) < outputs.size() ? textOf(outputs[std::size_t(slot)], "type") : "";
        for (const Json& input : arrayOf(node, "inputs"))
            if (type.empty() || type == "*" || textOf(input, "type") == type || textOf(input, "type") == "*")
                if (Port p = inputPort(s, input, depth); p.link || p.value) return p;
        return {};
    }

    static int modeOf(const Json& node) {
        const auto mode = node.find("mode");
        return mode != node.end() && mode->is_number_integer() ? mode->get<int>() : 0;
    }

    void collect(Scope& s, int depth) {
        for (const auto& [id, json] : s.nodes) {
            const Json& node = *json;
            if (modeOf(node) == bypassed || modeOf(node) == muted || graph.m_nodes.size() >= mostNodes) continue;
            if (Scope* inner = child(s, id, node)) {
                if (depth < 8) collect(*inner, depth + 1);
                continue;
            }
            ComfyNode n{s.prefix + id, textOf(node, "type"), {}, {}};
            readWidgets(node, n);
            for (const Json& input : arrayOf(node, "inputs")) {
                const Port p = inputPort(s, input, depth);
                const std::string name = textOf(input, "name");
                if (p.link) n.links[name] = *p.link;
                else if (p.value) n.values[name] = *p.value;
            }
            graph.m_nodes.emplace(n.id, std::move(n));
        }
    }

    static void readWidgets(const Json& node, ComfyNode& n) {
        const auto values = node.find("widgets_values");
        if (values == node.end()) return;
        if (values->is_object()) {
            for (const auto& [key, v] : values->items()) n.values[key] = v;
            return;
        }
        if (!values->is_array()) return;
        const auto* known = std::find_if(std::begin(widgetTable), std::end(widgetTable),
                                         [&](const Widgets& w) { return n.type == w.type; });
        if (known != std::end(widgetTable)) {
            std::size_t at = 0;
            for (const char* name : known->names) {
                if (at >= values->size()) return;
                if (std::string(name) == "*") at += isControl((*values)[at]);
                else n.values[name] = (*values)[at++];
            }
            return;
        }
        std::vector<std::string> names;  // of the inputs that are widgets
        for (const Json& input : arrayOf(node, "inputs"))
            if (input.is_object() && input.contains("widget")) names.push_back(textOf(input, "name"));
        if (names.size() == values->size())
            for (std::size_t i = 0; i < names.size(); ++i) n.values[names[i]] = (*values)[i];
        else if (isPrimitive(n.type) && !values->empty()) n.values["value"] = (*values)[0];
    }

    std::map<std::string, const Json*> m_subgraphs;
    std::vector<std::unique_ptr<Scope>> m_scopes;
};

}  // namespace

std::optional<ComfyGraph> ComfyGraph::fromJson(const Json& j) {
    if (!j.is_object()) return {};
    ComfyGraph graph;
    if (!arrayOf(j, "nodes").empty()) graph = std::move(Editor(j).graph);
    else if (j.contains("prompt") && j["prompt"].is_object()) graph = fromApi(j["prompt"]);
    else graph = fromApi(j);
    return graph.m_nodes.empty() ? std::nullopt : std::optional(std::move(graph));
}

ComfyGraph::Source ComfyGraph::source(const ComfyNode& node, const std::string& input) const {
    const ComfyNode* at = &node;
    std::string key = input;
    for (int depth = 0; depth < deepest; ++depth) {
        const auto link = at->links.find(key);
        if (link == at->links.end()) return {};
        const auto next = m_nodes.find(link->second.node);
        if (next == m_nodes.end()) return {};
        const ComfyNode& found = next->second;
        if (found.type == "ComfySwitchNode") {
            const auto on = value(found, "switch");
            key = on && on->is_boolean() && on->get<bool>() ? "on_true" : "on_false";
        } else if (found.type == "Reroute" && !found.links.empty()) {
            key = found.links.begin()->first;
        } else {
            return {&found, link->second.slot};
        }
        at = &found;
    }
    return {};
}

std::optional<Json> ComfyGraph::value(const ComfyNode& node, const std::string& input, int depth) const {
    const auto link = node.links.find(input);
    if (link == node.links.end()) {
        const auto v = node.values.find(input);
        return v == node.values.end() ? std::nullopt : std::optional(v->second);
    }
    const auto direct = m_nodes.find(link->second.node);
    if (direct == m_nodes.end() || depth > deepest) return {};
    const ComfyNode& from = direct->second;
    if (from.type == "ComfySwitchNode") {  // a switch between two values has them as its own
        const auto on = value(from, "switch", depth + 1);
        return value(from, on && on->is_boolean() && on->get<bool>() ? "on_true" : "on_false", depth + 1);
    }
    for (const char* key : {"value", "int", "float", "string", "text", "seed"})
        if (from.links.contains(key) || from.values.contains(key)) return value(from, key, depth + 1);
    return {};
}

std::string ComfyGraph::text(const ComfyNode& node, const std::string& input) const {
    const auto v = value(node, input);
    if (!v) return {};
    if (v->is_string()) return v->get<std::string>();
    return v->is_number() || v->is_boolean() ? v->dump() : std::string();
}

}  // namespace meander
