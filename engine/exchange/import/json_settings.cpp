#include "engine/exchange/import/json_settings.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "engine/core/python_json.h"
#include "engine/exchange/table.h"

namespace meander {
namespace {

// A key of theirs and the word of the text of parameters for the same.
struct Key {
    const char *theirs, *ours;
};

struct Format {
    Peer peer;
    const char* source;              // default for ReadRecipe::source
    std::vector<const char*> marks;  // keys that tell this format; one of them is there
    const char *prompt, *negative;
    std::vector<Key> keys;
    std::vector<const char*> provenance;  // keys about the file
};

const Format formats[] = {
    {Peer::SwarmUi,
     "parameters",
     {"swarm_version", "cfgscale"},
     "prompt",
     "negativeprompt",
     {{"steps", "steps"},
      {"seed", "seed"},
      {"cfgscale", "cfg scale"},
      {"sampler", "sampler"},
      {"scheduler", "scheduler"},
      {"comfyuisampler", "sampler"},
      {"comfyuischeduler", "scheduler"},
      {"model", "model"},
      {"width", "width"},
      {"height", "height"},
      {"variationseed", "swarm variation seed"},
      {"variationseedstrength", "swarm variation strength"},
      {"fluxguidancescale", "distilled cfg scale"},
      {"sigmashift", "shift"},
      {"samplersigmamin", "schedule min sigma"},
      {"samplersigmamax", "schedule max sigma"},
      {"samplerrho", "schedule rho"},
      {"rescalecfgmultiplier", "cfg rescale"},
      {"initimagecreativity", "denoising strength"},
      {"loras", "lora"},
      {"vae", "vae"}},
     {"swarm_version", "aspectratio", "images"}},
    {Peer::Fooocus,
     "parameters",
     {"metadata_scheme", "adm_guidance", "base_model", "guidance_scale"},
     "prompt",
     "negative_prompt",
     {{"steps", "steps"},
      {"seed", "seed"},
      {"guidance_scale", "cfg scale"},
      {"sampler", "sampler"},
      {"scheduler", "scheduler"},
      {"base_model", "model"},
      {"resolution", "size"},
      {"clip_skip", "clip skip"},
      {"refiner_model", "refiner"},
      {"vae", "vae"},
      {"loras", "lora"},
      {"styles", "styles"}},
     {"version", "metadata_scheme", "base_model_hash", "performance", "created_by"}},
    {Peer::InvokeAi,
     "invokeai_metadata",
     {"positive_prompt", "app_version", "generation_mode"},
     "positive_prompt",
     "negative_prompt",
     {{"steps", "steps"},
      {"seed", "seed"},
      {"cfg_scale", "cfg scale"},
      {"cfg_rescale_multiplier", "cfg rescale"},
      {"guidance", "distilled cfg scale"},
      {"scheduler", "sampler"},
      {"rand_device", "rng"},
      {"width", "width"},
      {"height", "height"},
      {"model", "model"},
      {"vae", "vae"},
      {"clip_skip", "clip skip"},
      {"strength", "denoising strength"},
      {"init_image", "init image"},
      {"loras", "lora"}},
     {"app_version", "generation_mode", "positive_style_prompt", "negative_style_prompt"}},
    {Peer::DrawThings,
     "UserComment",
     {"c", "seed_mode"},
     "c",
     "uc",
     {{"steps", "steps"},
      {"seed", "seed"},
      {"scale", "cfg scale"},
      {"sampler", "sampler"},
      {"shift", "shift"},
      {"size", "size"},
      {"model", "model"},
      {"strength", "denoising strength"},
      {"lora", "lora"}},
     {"profile", "v2"}},
    {Peer::NovelAi,
     "Comment",
     {"uc", "sm_dyn", "sm", "noise_schedule"},
     "prompt",
     "uc",
     {{"steps", "steps"},
      {"seed", "seed"},
      {"scale", "cfg scale"},
      {"sampler", "sampler"},
      {"noise_schedule", "scheduler"},
      {"cfg_rescale", "cfg rescale"},
      {"strength", "denoising strength"},
      {"width", "width"},
      {"height", "height"}},
     {"request_type", "signed_hash", "version", "n_samples"}},
    {Peer::SdCpp,
     "parameters",
     {"sample_params", "sample_steps", "sample_method"},
     "prompt",
     "negative_prompt",
     {{"steps", "steps"},
      {"sample_steps", "steps"},
      {"seed", "seed"},
      {"cfg_scale", "cfg scale"},
      {"txt_cfg", "cfg scale"},
      {"distilled_guidance", "guidance"},
      {"guidance", "guidance"},
      {"sample_method", "sampler"},
      {"scheduler", "scheduler"},
      {"eta", "eta"},
      {"rng_type", "rng"},
      {"flow_shift", "shift"},
      {"strength", "denoising strength"},
      {"clip_skip", "clip skip"},
      {"width", "width"},
      {"height", "height"}},
     {"schema", "version", "batch_count"}},
};

// What stands in a value that a person would write: texts bare, lists and objects as JSON; a model by its name.
std::string plainText(const Json& v) {
    if (v.is_string()) return v.get<std::string>();
    if (v.is_object())
        for (const char* key : {"model_name", "name", "image_name", "txt_cfg"})
            if (const auto it = v.find(key); it != v.end() && it->is_string()) return it->get<std::string>();
    if (v.is_number_float()) return numberText(v.get<double>());
    return v.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shortened(std::string s) {
    constexpr std::size_t longest = 200;
    if (s.size() <= longest) return s;
    std::size_t cut = longest;
    while (cut > 0 && (static_cast<unsigned char>(s[cut]) & 0xC0) == 0x80) --cut;
    return s.substr(0, cut) + "…";
}

bool isNothing(const Json& v) {
    return v.is_null() || ((v.is_array() || v.is_object()) && v.empty())
           || (v.is_string() && v.get<std::string>().empty());
}

std::string textAt(const Json& j, const char* key) {
    const auto it = j.find(key);
    return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// "digital art [blurry, dark]": the old writers put the negative prompt in brackets.
void splitBrackets(PeerText& t) {
    const auto open = t.prompt.find('['), close = t.prompt.rfind(']');
    if (!t.negative.empty() || open == std::string::npos || close == std::string::npos || close < open) return;
    t.negative = trimmedText(t.prompt.substr(open + 1, close - open - 1));
    t.prompt = trimmedText(t.prompt.substr(0, open) + t.prompt.substr(close + 1));
    t.notes.push_back({SettingOrigin::Read, "Negative prompt", t.negative, "in brackets in the prompt"});
}

PeerText readFormat(const Format& f, const Json& j, const std::string& source) {
    PeerText t;
    t.peer = f.peer;
    t.source = source.empty() ? f.source : source;
    t.prompt = trimmedText(textAt(j, f.prompt));
    t.negative = trimmedText(textAt(j, f.negative));
    for (const auto& [key, v] : j.items()) {
        if (key == f.prompt || key == f.negative) continue;
        const auto known = std::find_if(f.keys.begin(), f.keys.end(), [&](const Key& k) { return key == k.theirs; });
        const bool isProvenance =
            std::any_of(f.provenance.begin(), f.provenance.end(), [&](const char* p) { return key == p; });
        if (isNothing(v) && known == f.keys.end()) continue;
        if (isProvenance) t.notes.push_back({SettingOrigin::Read, key, shortened(plainText(v)), {}});
        else if (known == f.keys.end()) t.leaveOut(key, shortened(plainText(v)));
        else if (!isNothing(v)) t.add(known->ours, plainText(v), key);
    }
    return t;
}

// The nested "image" of InvokeAI 2.
std::optional<PeerText> readInvoke2(const Json& j, const std::string& source) {
    const auto image = j.find("image");
    if (image == j.end() || !image->is_object() || !image->contains("sampler")) return {};
    PeerText t;
    t.peer = Peer::InvokeAi;
    t.source = source.empty() ? "sd-metadata" : source;
    for (const auto& [key, v] : image->items()) {
        static const Key keys[] = {
            {"steps", "steps"}, {"seed", "seed"},     {"cfg_scale", "cfg scale"},        {"sampler", "sampler"},
            {"width", "width"}, {"height", "height"}, {"strength", "denoising strength"}};
        const auto* known =
            std::find_if(std::begin(keys), std::end(keys), [&](const Key& k) { return key == k.theirs; });
        if (key == "prompt")
            t.prompt = v.is_array() && !v.empty() && v[0].is_object() ? textAt(v[0], "prompt") : plainText(v);
        else if (known != std::end(keys)) t.add(known->ours, plainText(v), key);
        else if (!isNothing(v) && !(v.is_boolean() && !v.get<bool>())) t.leaveOut(key, shortened(plainText(v)));
    }
    if (const std::string model = textAt(j, "model_weights"); !model.empty()) t.add("model", model, "model_weights");
    splitBrackets(t);
    return t;
}

bool jsonFlag(const Json& j, const char* key) {
    const auto it = j.find(key);
    return it != j.end() && it->is_boolean() && it->get<bool>();
}

// A scheduler of diffusers: the sampler by its class, the levels by its settings.
PeerText readScheduler(const Json& j, const std::string& source) {
    PeerText t;
    t.peer = Peer::Diffusers;
    t.source = source.empty() ? "scheduler_config" : source;
    const std::string kind = textAt(j, "_class_name"), spacing = textAt(j, "timestep_spacing");
    t.add("sampler", kind, "_class_name");
    const bool isFlow = kind.starts_with("FlowMatch") || jsonFlag(j, "use_flow_sigmas");
    std::set<std::string> used{"_class_name",       "_diffusers_version",     "timestep_spacing",
                               "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
                               "use_flow_sigmas"};
    Choice levels{"model_steps", {{"spacing", spacing.empty() ? std::string("leading") : spacing}}};
    if (isFlow) {
        const bool isDynamic = jsonFlag(j, "use_dynamic_shifting");
        levels = isDynamic ? Choice{"flow_dynamic", {}} : Choice{"flow_shift", {}};
        for (const char* key : {"shift", "flow_shift"})
            if (const auto it = j.find(key); !isDynamic && it != j.end() && it->is_number())
                levels.params["shift"] = it->get<double>();
        for (const char* key : {"base_shift", "max_shift"})
            if (const auto it = j.find(key); isDynamic && it != j.end() && it->is_number())
                levels.params[key] = it->get<double>();
        used.insert({"shift", "flow_shift", "use_dynamic_shifting", "base_shift", "max_shift"});
        // DPM-Solver and UniPC step in the half log-SNR, also in a flow.
        static const std::set<std::string> inLambda{"DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler",
                                                    "UniPCMultistepScheduler"};
        if (inLambda.contains(kind)) {
            t.samplerParams["clock"] = std::string("lambda");
            t.notes.push_back({SettingOrigin::Read, "use_flow_sigmas", "true", "steps in λ = log((1 − t)/t)"});
        }
    } else {
        for (const auto& [key, id] :
             {std::pair("use_karras_sigmas", "karras"), std::pair("use_exponential_sigmas", "exponential"),
              std::pair("use_beta_sigmas", "beta")})
            if (jsonFlag(j, key)) levels = {id, {{"dialect", std::string("diffusers")}}};
    }
    t.notes.push_back({SettingOrigin::Read, "Schedule", levels.id + (spacing.empty() ? "" : ", " + spacing), {}});
    t.schedule = std::move(levels);
    static const std::set<std::string> process = {"num_train_timesteps",   "beta_start",      "beta_end",
                                                  "beta_schedule",         "prediction_type", "trained_betas",
                                                  "rescale_betas_zero_snr"};
    std::string ofModel;
    for (const auto& [key, v] : j.items()) {
        if (used.contains(key) || isNothing(v)) continue;
        if (process.contains(key)) ofModel += (ofModel.empty() ? "" : ", ") + key + ": " + shortened(plainText(v));
        else if (key == "solver_order") t.add("solver order", plainText(v), key);
        else if (key == "steps_offset") t.add("offset", plainText(v), key);
        else if (key == "set_alpha_to_one" && v == true)
            t.notes.push_back({SettingOrigin::Read, key, "true", "the last level is clean"});
        else if (!(v.is_boolean() && !v.get<bool>())) t.leaveOut(key, shortened(plainText(v)));
    }
    if (!ofModel.empty())
        t.notes.push_back({SettingOrigin::NotUnderstood, "Settings of the model", ofModel,
                           "not applied: the recipe's model keeps its own; open the folder of the model that they "
                           "belong to, or declare them with checkpoint=declared:prediction=…"});
    return t;
}

}  // namespace

Result<Json> parsePeerJson(const std::string& text, const std::string& what) {
    return parseJson(withoutNan(text), what, {maximumPeerJson, 64});
}

std::vector<std::string> repeatedKeys(const std::string& text) {
    std::vector<std::set<std::string>> seen;
    std::set<std::string> repeated;
    const auto note = [&](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::object_start) seen.emplace_back();
        if (event == Json::parse_event_t::object_end && !seen.empty()) seen.pop_back();
        if (event == Json::parse_event_t::key && !seen.empty())
            if (const auto key = value.get<std::string>(); !seen.back().insert(key).second) repeated.insert(key);
        return true;
    };
    static_cast<void>(Json::parse(withoutNan(text), note, false));
    return {repeated.begin(), repeated.end()};
}

std::optional<PeerText> readJsonSettings(const Json& j, const std::string& source) {
    if (!j.is_object()) return {};
    if (const auto swarm = j.find("sui_image_params"); swarm != j.end() && swarm->is_object()) {
        PeerText t = readFormat(formats[0], *swarm, source);
        for (const auto& [key, v] : j.items())
            if (key != "sui_image_params" && !isNothing(v))
                t.notes.push_back({SettingOrigin::Read, key, shortened(plainText(v)), {}});
        return t;
    }
    if (auto old = readInvoke2(j, source)) return old;
    if (textAt(j, "_class_name").ends_with("Scheduler")) return readScheduler(j, source);
    for (const Format& f : formats)
        if (std::any_of(f.marks.begin(), f.marks.end(), [&](const char* m) { return j.contains(m); })
            && (j.contains("seed") || j.contains("steps") || j.contains(f.prompt)))
            return readFormat(f, j, source);
    return {};
}

PeerText readDream(const std::string& text) {
    PeerText t;
    t.peer = Peer::InvokeAi;
    t.source = "Dream";
    const auto close = text.rfind('"');
    const bool isQuoted = text.starts_with('"') && close > 0 && close != std::string::npos;
    const auto end = isQuoted ? close : std::min(text.find(" -"), text.size());
    t.prompt = trimmedText(text.substr(isQuoted ? 1 : 0, end - (isQuoted ? 1 : 0)));
    std::istringstream words(text.substr(std::min(end + 1, text.size())));
    std::vector<std::string> list;
    for (std::string w; words >> w && list.size() < 200;) list.push_back(w);
    static const Key flags[] = {{"-s", "steps"}, {"-S", "seed"},   {"-C", "cfg scale"},         {"-A", "sampler"},
                                {"-W", "width"}, {"-H", "height"}, {"-f", "denoising strength"}};
    for (std::size_t i = 0; i < list.size();) {
        const std::string& flag = list[i++];
        const auto* known =
            std::find_if(std::begin(flags), std::end(flags), [&](const Key& k) { return flag == k.theirs; });
        std::string value;
        while (i < list.size()
               && !(list[i].size() > 1 && list[i][0] == '-' && std::isalpha(static_cast<unsigned char>(list[i][1]))))
            value += (value.empty() ? "" : " ") + list[i++];
        if (known != std::end(flags)) t.add(known->ours, value, flag);
        else t.leaveOut(flag, value);
    }
    splitBrackets(t);
    t.notes.push_back({SettingOrigin::Assumed, "Program", "InvokeAI before version 3", "by the form of the text"});
    return t;
}

}  // namespace meander
