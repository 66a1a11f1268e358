#include "engine/exchange/import/comfy_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "engine/exchange/import/comfy_sigmas.h"
#include "engine/exchange/table.h"

namespace meander {
namespace {

constexpr int deepest = 64;  // nodes followed in a row

using Source = ComfyGraph::Source;

bool isSampler(const ComfyNode& n) {
    return (n.type.find("KSampler") != std::string::npos && n.type != "KSamplerSelect")
           || n.type.starts_with("SamplerCustom");
}

// Nodes that neither sample nor set anything that a recipe could hold.
bool isPlumbing(const std::string& type) {
    static const std::set<std::string> types = {"VAEDecode",
                                                "VAEDecodeTiled",
                                                "SaveImage",
                                                "PreviewImage",
                                                "PreviewAny",
                                                "SaveImageAdvanced",
                                                "SaveVideo",
                                                "CreateVideo",
                                                "Note",
                                                "MarkdownNote",
                                                "Reroute",
                                                "ComfySwitchNode",
                                                "GetImageSize",
                                                "ResolutionSelector",
                                                "SaveImageWebsocket",
                                                "SaveAnimatedWEBP"};
    return types.contains(type) || type.starts_with("Primitive");
}

class Reader {
public:
    Reader(const ComfyGraph& graph, const std::string& source) : m_graph(graph) {
        m_text.peer = Peer::ComfyUi;
        m_text.source = source;
    }

    std::optional<PeerText> read() {
        const ComfyNode* sampler = firstPass();
        if (!sampler) return {};
        visit(*sampler);
        if (sampler->type == "SamplerCustomAdvanced") readAdvanced(*sampler);
        else if (sampler->type == "SamplerCustom") readCustom(*sampler);
        else readKSampler(*sampler);
        readLatent(m_graph.source(*sampler, "latent_image"));
        nameTheRest(*sampler);
        return std::move(m_text);
    }

private:
    void visit(const ComfyNode& n) { m_visited.insert(n.id); }
    static std::string nameOf(const ComfyNode& n) { return n.type + " (node " + n.id + ")"; }

    // The sampler before `n` whose latent it goes on with.
    const ComfyNode* passBefore(const ComfyNode& n) const {
        std::vector<const ComfyNode*> todo{&n};
        std::set<std::string> seen{n.id};
        for (std::size_t i = 0; i < todo.size(); ++i)
            for (const char* input :
                 {"latent_image", "samples", "samples_to", "samples1", "latent", "pixels", "image", "samples_from"})
                if (const Source s = m_graph.source(*todo[i], input); s && seen.insert(s.node->id).second) {
                    if (isSampler(*s.node)) return s.node;
                    todo.push_back(s.node);
                }
        return nullptr;
    }

    // From the last sampler in the graph back to the one that starts from noise.
    const ComfyNode* firstPass() {
        std::vector<const ComfyNode*> samplers;
        std::set<std::string> followed;
        for (const auto& [id, n] : m_graph.nodes())
            if (isSampler(n)) samplers.push_back(&n);
        for (const ComfyNode* s : samplers)
            if (const ComfyNode* before = passBefore(*s)) followed.insert(before->id);
        if (samplers.empty()) return nullptr;
        const auto last = std::find_if(samplers.begin(), samplers.end(),
                                       [&](const ComfyNode* s) { return !followed.contains(s->id); });
        const ComfyNode* at = last == samplers.end() ? samplers.front() : *last;
        for (int depth = 0; depth < deepest; ++depth) {
            const ComfyNode* before = passBefore(*at);
            if (!before) break;
            at = before;
        }
        return at;
    }

    void add(const std::string& key, const std::string& value, const ComfyNode& n, const std::string& input) {
        if (!value.empty()) m_text.add(key, value, n.type + "." + input);
    }
    void add(const std::string& key, const ComfyNode& n, const std::string& input) {
        const std::string value = m_graph.text(n, input);
        if (value.empty() && (n.links.contains(input)))
            m_text.leaveOut(n.type + "." + input, {}, "another node computes it");
        add(key, value, n, input);
    }

    void readKSampler(const ComfyNode& n) {
        add("steps", n, "steps");
        add("cfg scale", n, "cfg");
        add("seed", n, m_graph.value(n, "noise_seed") ? "noise_seed" : "seed");
        add("sampler", n, "sampler_name");
        if (!readDenoise(n)) add("schedule type", n, "scheduler");
        prompts(n, "positive", "negative");
        readModel(m_graph.source(n, "model"));
        partOfSteps(n);
    }

    // Only a part of the steps, or noise that stays in.
    void partOfSteps(const ComfyNode& n) {
        const std::string start = m_graph.text(n, "start_at_step"), end = m_graph.text(n, "end_at_step"),
                          steps = m_graph.text(n, "steps");
        if (!start.empty() && start != "0")
            m_text.leaveOut(n.type + ".start_at_step", start, "the run starts at the first step");
        int last = 0, all = 0;
        std::from_chars(end.data(), end.data() + end.size(), last);
        std::from_chars(steps.data(), steps.data() + steps.size(), all);
        if (!end.empty() && last < all)
            m_text.leaveOut(n.type + ".end_at_step", end,
                            "a later pass does the rest there; here this pass goes to the end");
        if (m_graph.text(n, "add_noise") == "disable" || m_graph.text(n, "add_noise") == "false")
            m_text.leaveOut(n.type + ".add_noise", "disable", "the run starts from noise");
    }

    // Below 1, from an empty latent, a longer schedule's last steps are taken.
    bool readDenoise(const ComfyNode& n) {
        const std::string given = m_graph.text(n, "denoise");
        double denoise = 1;
        std::from_chars(given.data(), given.data() + given.size(), denoise);
        if (given.empty() || denoise >= 1) return false;
        const Source latent = m_graph.source(n, "latent_image");
        const bool isEmpty = latent && latent.node->type.starts_with("Empty");
        if (!isEmpty || !(denoise > 0)) {
            m_text.add("denoising strength", given, n.type + ".denoise");
            return false;
        }
        auto sigmas = comfySchedule(n, m_graph);
        if (!sigmas) return false;
        take(*sigmas, n);
        return true;
    }

    void take(ComfySigmas& sigmas, const ComfyNode& n) {
        m_text.schedule = std::move(sigmas.schedule);
        m_text.operators = std::move(sigmas.operators);
        std::erase_if(m_text.settings, [](const PeerSetting& s) { return s.key == "steps"; });
        m_text.add("steps", std::to_string(sigmas.steps), n.type + ".steps");
        m_text.notes.push_back({SettingOrigin::Read, "Schedule", sigmas.description, {}});
        for (ImportedSetting& s : sigmas.notes) m_text.notes.push_back(std::move(s));
        for (const std::string& id : sigmas.visited) m_visited.insert(id);
    }

    void readSigmas(const ComfyNode& n) {
        auto sigmas = comfySigmas(m_graph, m_graph.source(n, "sigmas"));
        if (sigmas) {
            take(*sigmas, n);
            return;
        }
        const Source s = m_graph.source(n, "sigmas");
        m_text.leaveOut("Sigmas", s ? nameOf(*s.node) : "not linked");
        if (s) visit(*s.node);
    }

    void readSamplerNode(const Source& s) {
        if (!s) return;
        visit(*s.node);
        if (s.node->type == "KSamplerSelect") {
            add("sampler", *s.node, "sampler_name");
            return;
        }
        struct Row {
            const char *node, *sampler;
        };
        constexpr Row rows[] = {{"SamplerEulerAncestral", "euler_ancestral"},
                                {"SamplerEulerAncestralCFGPP", "euler_ancestral_cfg_pp"},
                                {"SamplerDPMPP_2M_SDE", "dpmpp_2m_sde"},
                                {"SamplerDPMPP_SDE", "dpmpp_sde"},
                                {"SamplerDPMPP_3M_SDE", "dpmpp_3m_sde"},
                                {"SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral"},
                                {"SamplerDPMAdaptative", "dpm_adaptive"},
                                {"SamplerLMS", "lms"},
                                {"SamplerER_SDE", "er_sde"},
                                {"SamplerSASolver", "sa_solver"},
                                {"SamplerSEEDS2", "seeds_2"}};
        for (const Row& r : rows)
            if (s.node->type == r.node) {
                add("sampler", r.sampler, *s.node, "");
                add("eta", *s.node, "eta");
                add("sigma noise", *s.node, "s_noise");
                return;
            }
        m_text.leaveOut("Sampler", nameOf(*s.node));
    }

    void readCustom(const ComfyNode& n) {
        add("cfg scale", n, "cfg");
        add("seed", n, "noise_seed");
        prompts(n, "positive", "negative");
        readModel(m_graph.source(n, "model"));
        readSamplerNode(m_graph.source(n, "sampler"));
        readSigmas(n);
        partOfSteps(n);
    }

    void readAdvanced(const ComfyNode& n) {
        if (const Source noise = m_graph.source(n, "noise")) {
            visit(*noise.node);
            add("seed", *noise.node, "noise_seed");
        }
        if (const Source guider = m_graph.source(n, "guider")) {
            visit(*guider.node);
            if (guider.node->type == "CFGGuider") {
                add("cfg scale", *guider.node, "cfg");
                prompts(*guider.node, "positive", "negative");
            } else {
                if (guider.node->type != "BasicGuider") m_text.leaveOut("Guider", nameOf(*guider.node));
                m_text.add("cfg scale", "1", guider.node->type);
                prompts(*guider.node, m_graph.source(*guider.node, "conditioning") ? "conditioning" : "positive",
                        "negative");
            }
            readModel(m_graph.source(*guider.node, "model"));
        }
        readSamplerNode(m_graph.source(n, "sampler"));
        readSigmas(n);
    }

    void prompts(const ComfyNode& n, const char* positive, const char* negative) {
        m_text.prompt = promptOf(m_graph.source(n, positive), "Prompt", true);
        m_text.negative = promptOf(m_graph.source(n, negative), "Negative prompt", false);
    }

    // The first text on the way back from a sampler's conditioning; further ones are named.
    std::string promptOf(Source from, const char* what, bool isPositive) {
        std::vector<std::string> texts;
        std::vector<Source> todo;
        std::set<std::string> seen;
        if (from) todo.push_back(from);
        for (std::size_t i = 0; i < todo.size() && i < 200; ++i) {
            const Source at = todo[i];
            if (!seen.insert(at.node->id + "/" + std::to_string(at.slot)).second) continue;
            visit(*at.node);
            if (at.node->type == "ConditioningZeroOut") continue;  // the empty condition
            if (at.node->values.contains("guidance")) add("guidance", *at.node, "guidance");
            readClip(m_graph.source(*at.node, "clip"));
            if (const auto text = textOf(at, what)) {
                if (std::find(texts.begin(), texts.end(), *text) == texts.end()) texts.push_back(*text);
                continue;
            }
            const bool hasSides = m_graph.source(*at.node, "positive") && m_graph.source(*at.node, "negative");
            if (hasSides) {
                todo.push_back(m_graph.source(*at.node, at.slot == 1 ? "negative" : "positive"));
                m_text.leaveOut("Conditioning", nameOf(*at.node));
                continue;
            }
            bool isLinked = false;
            for (const auto& [key, link] : at.node->links)
                if (key.find("conditioning") != std::string::npos) {
                    if (const Source next = m_graph.source(*at.node, key)) todo.push_back(next);
                    isLinked = true;
                }
            if (!isLinked || (at.node->type != "FluxGuidance" && at.node->type != "Reroute"))
                m_text.leaveOut(isLinked ? "Conditioning" : what, nameOf(*at.node));
        }
        for (std::size_t i = 1; i < texts.size(); ++i)
            m_text.leaveOut(what, texts[i], "joined to the first; one prompt is used");
        if (texts.empty() && isPositive && !todo.empty()) m_text.leaveOut(what, {}, "no text was found on its way");
        return texts.empty() ? std::string() : texts.front();
    }

    // From a text encoder's node back to its file: the layer whose states are taken, "-2" the one before the last.
    void readClip(Source s) {
        for (int depth = 0; s && depth < deepest; ++depth) {
            const ComfyNode& n = *s.node;
            if (n.type == "CLIPSetLastLayer") {
                visit(n);
                const std::string layer = m_graph.text(n, "stop_at_clip_layer");
                if (!m_hasClipLayer && layer.starts_with('-'))
                    add("clip skip", layer.substr(1), n, "stop_at_clip_layer");
                m_hasClipLayer = true;
            }
            s = m_graph.source(n, "clip");
        }
    }

    // The text that a node encodes; nothing when it encodes none.
    std::optional<std::string> textOf(const Source& at, const char* what) {
        const ComfyNode& n = *at.node;
        const std::vector<const char*> keys =
            at.slot == 1 && m_graph.value(n, "negative_prompt")
                ? std::vector<const char*>{"negative_prompt"}
                : std::vector<const char*>{"text",        "t5xxl",  "text_g", "prompt",
                                           "user_prompt", "clip_l", "clip_g", "text_l"};
        std::vector<std::string> found;
        for (const char* key : keys) {
            if (!m_graph.value(n, key)) {
                if (n.links.contains(key)) {
                    m_text.leaveOut(what, n.type + "." + key, "its text is made by another node");
                    return std::string();
                }
                continue;
            }
            const std::string text = trimmedText(m_graph.text(n, key));
            if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(text);
        }
        if (found.empty()) return {};
        for (std::size_t i = 1; i < found.size(); ++i)
            if (!found[i].empty()) m_text.leaveOut(what, found[i], "another text encoder's text; one prompt is used");
        return found.front().empty() && found.size() > 1 ? found[1] : found.front();
    }

    // From a sampler's model back to its file, through what changes it.
    void readModel(Source s) {
        for (int depth = 0; s && depth < deepest; ++depth) {
            const ComfyNode& n = *s.node;
            visit(n);
            if (n.type == "ModelSamplingAuraFlow" || n.type == "ModelSamplingSD3") shift(m_graph.text(n, "shift"), n);
            else if (n.type == "ModelSamplingFlux") fluxShift(n);
            else if (n.type == "RescaleCFG") add("cfg rescale", n, "multiplier");
            else if (n.values.contains("ckpt_name")) add("model", n, "ckpt_name");
            else if (n.values.contains("unet_name")) add("model", n, "unet_name");
            else if (n.values.contains("lora_name")) add("lora", n, "lora_name");
            else m_text.leaveOut("Model", nameOf(n));
            s = m_graph.source(n, "model");
        }
    }

    void shift(const std::string& value, const ComfyNode& n) {
        if (value.empty() || m_shift) return;  // the node next to the sampler counts
        m_shift = value;
        m_text.add("shift", value, n.type + ".shift");
    }

    // µ on a line through the number of image tokens; the time shift is e^µ.
    void fluxShift(const ComfyNode& n) {
        double values[4] = {1.15, 0.5, 1024, 1024};
        const char* keys[] = {"max_shift", "base_shift", "width", "height"};
        for (int i = 0; i < 4; ++i) {
            const std::string t = m_graph.text(n, keys[i]);
            std::from_chars(t.data(), t.data() + t.size(), values[i]);
        }
        const double slope = (values[0] - values[1]) / (4096 - 256), tokens = values[2] * values[3] / 256;
        const double mu = values[1] + slope * (tokens - 256);
        if (std::isfinite(mu) && std::abs(mu) < 4.6) shift(numberText(std::exp(mu)), n);
        else m_text.leaveOut("Model", nameOf(n));
    }

    void readLatent(const Source& s) {
        if (!s) return;
        visit(*s.node);
        if (s.node->type.starts_with("Empty") || s.node->values.contains("width")) {
            const std::string width = m_graph.text(*s.node, "width"), height = m_graph.text(*s.node, "height"),
                              batch = m_graph.text(*s.node, "batch_size");
            if (!width.empty()) m_text.add("size", width + "x" + height, s.node->type);
            if (!batch.empty() && batch != "1") m_text.add("batch size", batch, s.node->type);
            return;
        }
        std::string image;
        Source at = s;
        for (int depth = 0; at && depth < deepest; ++depth) {
            visit(*at.node);
            image = m_graph.text(*at.node, "image");
            if (!image.empty()) break;
            Source next;
            for (const char* input : {"pixels", "samples", "image", "images"})
                if (!next) next = m_graph.source(*at.node, input);
            at = next;
        }
        m_text.add("init image", image.empty() ? nameOf(*s.node) : image, s.node->type);
    }

    void nameTheRest(const ComfyNode& first) {
        for (const auto& [id, n] : m_graph.nodes()) {
            if (m_visited.contains(id) || isPlumbing(n.type)) continue;
            if (isSampler(n)) m_text.leaveOut("Another pass", nameOf(n), "the one of node " + first.id + " is read");
            else if (n.values.contains("vae_name")) add("vae", n, "vae_name");
            else if (n.values.contains("clip_name") || n.values.contains("clip_name1"))
                m_text.leaveOut("Text encoder",
                                m_graph.text(n, n.values.contains("clip_name") ? "clip_name" : "clip_name1"),
                                "the model's own is used");
            else if (n.type.starts_with("CLIPTextEncode") || n.type.starts_with("CheckpointLoader")
                     || n.type.starts_with("Empty") || n.type == "LoadImage" || n.type.starts_with("ImageScale"))
                m_text.leaveOut("Node of another pass", nameOf(n));
            else m_text.leaveOut("Node", nameOf(n));
        }
    }

    const ComfyGraph& m_graph;
    PeerText m_text;
    std::set<std::string> m_visited;
    std::optional<std::string> m_shift;
    bool m_hasClipLayer = false;
};

}  // namespace

std::optional<PeerText> readComfyGraph(const ComfyGraph& graph, const std::string& source) {
    return Reader(graph, source).read();
}

}  // namespace meander
