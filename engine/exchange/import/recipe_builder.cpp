// The one way from settings of another program to a recipe. Settings are applied in a fixed order, so their order in
// the file has no effect; each ends as read, assumed or not understood.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "engine/exchange/import/noise_text.h"
#include "engine/exchange/import/peer_settings.h"
#include "engine/exchange/import/peer_text.h"
#include "engine/exchange/import/prompt_syntax.h"
#include "engine/exchange/table.h"
#include "engine/guidance/guidance.h"
#include "engine/recipe/peer_names.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

namespace meander {
namespace {

constexpr int mostSteps = 10000, longestSide = 16384;

template <class Specs> const ParamSpec* specNamed(const Specs& specs, const std::string& key) {
    const auto it = std::find_if(specs.begin(), specs.end(), [&](const ParamSpec& s) { return s.key == key; });
    return it == specs.end() ? nullptr : &*it;
}

class Builder {
public:
    explicit Builder(const PeerText& text) : m_text(text), m_peer(infoOf(text.peer)) {
        m_read.source = text.source;
        m_read.program = m_peer.name;
        m_read.settings = text.notes;
        for (const PeerSetting& s : text.settings) gather(s);
    }

    ReadRecipe build() {
        m_read.recipe.prompt = m_text.prompt;
        m_read.recipe.negativePrompt = m_text.negative;
        if (!m_text.prompt.empty()) note(SettingOrigin::Read, "Prompt", m_text.prompt);
        if (!m_text.negative.empty()) note(SettingOrigin::Read, "Negative prompt", m_text.negative);
        size();
        steps();
        sampler();
        schedule();
        guidance();
        seed();
        noise();
        params(m_read.recipe.sampler, findSampler, samplerParams);
        params(m_read.recipe.schedule, findSchedule, scheduleParams);
        penultimate();
        promptSettings();
        rest();
        for (const auto& [prompt, where] :
             {std::pair(&m_text.prompt, "Prompt"), std::pair(&m_text.negative, "Negative prompt")})
            for (ImportedSetting& s : promptSyntax(*prompt, m_text.peer, m_peer.dialect, where))
                m_read.settings.push_back(std::move(s));
        return std::move(m_read);
    }

private:
    struct Entry {
        std::string value, written;
        bool isUsed = false;
    };

    void note(SettingOrigin origin, const std::string& name, const std::string& value, const std::string& reason = {}) {
        m_read.settings.push_back({origin, name, value, reason});
    }
    void read(const Entry& e) { note(SettingOrigin::Read, e.written, e.value); }
    void leftOut(const Entry& e, const std::string& reason = {}) {
        note(SettingOrigin::NotUnderstood, e.written, e.value, reason);
    }
    void assumed(const std::string& name, const std::string& value, const std::string& reason) {
        note(SettingOrigin::Assumed, name, value, reason);
    }
    std::string ofPeer() const { return std::string("the default of ") + m_peer.name; }

    // Of settings that are written twice the last counts, as it does in A1111.
    void gather(const PeerSetting& s) {
        const std::string written = s.written.empty() ? s.key : s.written;
        const auto [it, isNew] = m_entries.emplace(s.key, Entry{s.value, written});
        if (isNew) {
            m_order.push_back(s.key);
            return;
        }
        if (it->second.value != s.value) leftOut(it->second, "written again as " + s.value + ", which counts");
        it->second = {s.value, written};
    }

    Entry* take(const char* key) {
        const auto it = m_entries.find(key);
        if (it == m_entries.end()) return nullptr;
        it->second.isUsed = true;
        return &it->second;
    }

    // "512x768", or width and height apart.
    void size() {
        Recipe& r = m_read.recipe;
        const auto side = [](const std::string& text) {
            const auto n = numberOf(trimmedText(text));
            const bool isSide = n && *n == std::floor(*n) && *n >= 1 && *n <= longestSide;
            return isSide ? std::optional(int(*n)) : std::nullopt;
        };
        const std::string reason = "whole numbers of pixels up to " + std::to_string(longestSide) + " are needed";
        for (const auto& [key, member] : {std::pair("width", &Recipe::width), std::pair("height", &Recipe::height)})
            if (const Entry* e = take(key)) {
                r.*member = side(e->value);
                if (r.*member) read(*e);
                else leftOut(*e, reason);
            }
        if (const Entry* e = take("size")) {
            const auto cross = e->value.find_first_of("xX");
            const auto width = side(e->value.substr(0, cross));
            const auto height = cross == std::string::npos ? width : side(e->value.substr(cross + 1));
            if (!width || !height) return leftOut(*e, reason);
            r.width = width;
            r.height = height;
            read(*e);
        }
    }

    void steps() {
        Recipe& r = m_read.recipe;
        r.steps = m_peer.steps;
        const Entry* e = take("steps");
        const auto n = e ? numberOf(e->value) : std::nullopt;
        if (n && *n == std::floor(*n) && *n >= 1 && *n <= mostSteps) {
            r.steps = int(*n);
            read(*e);
            return;
        }
        if (e) leftOut(*e, "a whole number from 1 to " + std::to_string(mostSteps) + " is needed");
        assumed("Steps", std::to_string(r.steps), ofPeer());
    }

    void sampler() {
        const Entry* e = take("sampler");
        if (e && (m_text.peer == Peer::A1111 || m_text.peer == Peer::Forge) && lowerText(e->value) == "restart") {
            restart(*e);
            return;
        }
        auto known = e ? samplerNamed(e->value, m_text.peer) : std::nullopt;
        if (known) {
            read(*e);
        } else {
            if (e) leftOut(*e);
            known = samplerNamed(m_peer.sampler, m_text.peer);
            assumed("Sampler", m_peer.sampler, ofPeer());
            if (e) known->schedule.reset();
        }
        m_sampler = std::move(*known);
        m_read.recipe.sampler = m_sampler.sampler;
        const auto& specs = findSampler(m_sampler.sampler.id)->params;
        for (const auto& [key, value] : m_text.samplerParams)
            if (specNamed(specs, key)) m_read.recipe.sampler.params[key] = value;
    }

    // A1111's rule is Heun, which from 20 steps on goes back from σ 0.1 to 2 once or twice.
    void restart(const Entry& e) {
        m_sampler = *samplerNamed("Heun", m_text.peer);
        m_sampler.automatic = Choice{"karras", {}};
        m_read.recipe.sampler = m_sampler.sampler;
        if (m_read.recipe.steps < 20) note(SettingOrigin::Read, e.written, e.value, "below 20 steps it is Heun");
        else leftOut(e, "A1111's restarts are another rule than Meander's; Heun without them is set");
    }

    void schedule() {
        Recipe& r = m_read.recipe;
        r.scheduleOperators = m_text.operators;
        if (m_text.schedule) {
            r.schedule = *m_text.schedule;
            return;
        }
        const Entry* e = take("schedule type");
        const Entry* other = take("scheduler");
        if (!e) std::swap(e, other);
        if (const Entry* old = take("kdiff sched type"); old && !e) e = old;
        if (e && lowerText(e->value) != "automatic" && lowerText(e->value) != "default") {
            if (auto known = scheduleNamed(e->value, m_text.peer)) {
                r.schedule = std::move(*known);
                read(*e);
                if (m_sampler.schedule && !(*m_sampler.schedule == r.schedule))
                    leftOut({peerNameOfSchedule(*m_sampler.schedule), "Schedule in the sampler's name"},
                            "the schedule type counts");
                return;
            }
            leftOut(*e);
        } else if (e) {
            read(*e);
        }
        if (m_sampler.schedule) {
            r.schedule = *m_sampler.schedule;
            note(SettingOrigin::Read, "Schedule", peerNameOfSchedule(r.schedule), "in the sampler's name");
            return;
        }
        ownSchedule();
    }

    // What the program takes when the file names no schedule.
    void ownSchedule() {
        Recipe& r = m_read.recipe;
        const Entry* version = take("version");
        if (*m_peer.schedule) {
            r.schedule = *scheduleNamed(m_peer.schedule, m_text.peer);
            assumed("Schedule", m_peer.schedule, ofPeer());
        } else if (m_text.peer == Peer::A1111 || m_text.peer == Peer::Forge) {
            const bool isOld = version && joinsSchedule(version->value);
            r.schedule = !isOld && m_sampler.automatic ? *m_sampler.automatic : Choice{"normal", {}};
            const bool isTimestepSampler = r.sampler.id == "ddim" || r.sampler.id == "plms" || r.sampler.id == "uni_pc";
            if (isTimestepSampler && m_sampler.automatic) r.schedule = *m_sampler.automatic;
            assumed("Schedule", peerNameOfSchedule(r.schedule),
                    isOld ? std::string("before version 1.9 a sampler's name without a schedule meant even steps")
                          : std::string("the sampler's own in ") + m_peer.name);
        } else {
            r.schedule = {"model_steps", {{"spacing", std::string("leading")}}};
            assumed("Schedule", "training steps, leading", std::string("the sampler's own in ") + m_peer.name);
        }
    }

    // Sets a parameter when our range allows it.
    bool set(Choice& choice, const std::vector<ParamSpec>& specs, const std::string& key, const std::string& value) {
        const ParamSpec* spec = specNamed(specs, key);
        if (!spec) return false;
        const auto parsed = parseParam(*spec, value);
        if (!parsed) return false;
        Params one{{key, *parsed}};
        if (!resolveParams(specs, one, choice.id).ok()) return false;
        choice.params[key] = *parsed;
        return true;
    }

    void guidance() {
        Recipe& r = m_read.recipe;
        r.guidance.clear();
        const Entry* e = take("cfg scale");
        const auto& specs = findGuidance("cfg")->params;
        Choice cfg{"cfg", {}};
        const auto scale = e ? numberOf(e->value) : std::nullopt;
        if (scale && set(cfg, specs, "scale", e->value)) {
            read(*e);
        } else {
            if (e) leftOut(*e, scale ? "Meander's scales go from 0 to 50" : "");
            set(cfg, specs, "scale", numberText(m_peer.scale));
            assumed("CFG scale", numberText(m_peer.scale), ofPeer());
        }
        for (const auto& [theirs, ours] : {std::pair("cfg rescale", "rescale"), std::pair("skip early cfg", "from")})
            if (const Entry* more = take(theirs)) {
                const auto n = numberOf(more->value);
                if (set(cfg, specs, ours, more->value)) read(*more);
                else leftOut(*more, n ? "outside Meander's range" : "");
            }
        if (real(cfg.params, "scale") != 1) r.guidance.push_back(std::move(cfg));
        for (const char* key : {"distilled cfg scale", "guidance"})
            if (const Entry* d = take(key)) {
                Choice told{"distilled", {}};
                const auto n = numberOf(d->value);
                if (n && *n == 0) read(*d);
                else if (n && set(told, findGuidance("distilled")->params, "scale", d->value)) {
                    r.guidance.push_back(std::move(told));
                    note(SettingOrigin::Read, d->written, d->value, "for models that are conditioned on it");
                } else leftOut(*d);
            }
    }

    void seed() {
        Recipe& r = m_read.recipe;
        const Entry* e = take("seed");
        const std::string whole = e && e->value.ends_with(".0") ? e->value.substr(0, e->value.size() - 2)
                                  : e                           ? e->value
                                                                : std::string();
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
        if (!whole.empty() && error == std::errc() && end == whole.data() + whole.size()) {
            r.seed = value;
            read(*e);
            return;
        }
        if (e && whole == "-1") leftOut(*e, "a random seed, which the file does not tell");
        else if (e) leftOut(*e, "a whole number below 2⁶⁴ is needed");
        assumed("Seed", std::to_string(r.seed), "the file tells none");
    }

    void noise() {
        Choice& noise = m_read.recipe.noise;
        noise = {m_peer.noise, {}};
        bool isSource = false;
        if (Entry* e = take("rng")) {
            isSource = readNoiseSetting("rng", e->value, noise, m_text.peer);
            if (isSource) read(*e);
            else leftOut(*e, "an unknown source of noise");
        }
        if (!isSource) assumed("Noise", findNoise(m_peer.noise)->label, m_peer.noiseReason);
        if (m_text.peer == Peer::ComfyUi || m_text.peer == Peer::SwarmUi) {
            noise.params["initial_scale"] = std::string("comfyui");
            noise.params["step_noise"] = std::string("gpu");
            if (findSampler(m_read.recipe.sampler.id)->stochastic && !m_sampler.drawsPath)
                assumed("Noise of the steps", "GPU", "the device is not written");
        }
        for (const char* key :
             {"variation seed", "variation seed strength", "seed resize from", "ensd", "sgm noise multiplier"})
            if (Entry* e = take(key)) {
                if (readNoiseSetting(key, e->value, noise)) read(*e);
                else leftOut(*e);
            }
        if (m_sampler.drawsPath) drawFromPath(noise);
    }

    // An SDE sampler of that program draws from a Brownian path between the run's levels.
    void drawFromPath(Choice& noise) {
        Choice path{"brownian", {{"base", noise.id}}};
        const bool isCpu = !m_sampler.drawsOnGpu && !m_peer.pathsFollowNoise;
        path.params["nodes"] = std::string(isCpu                     ? "torch_cpu"
                                           : m_peer.pathsFollowNoise ? noise.id.c_str()
                                                                     : "torch_cuda");
        for (const auto& [key, value] : noise.params)
            if (key != "step_noise" && key != "step_seed_delta") path.params[key] = value;
        noise = std::move(path);
        note(SettingOrigin::Assumed, "Noise of the steps", "Brownian path",
             std::string("as ") + m_peer.name + " draws it for this sampler");
    }

    // `find`: the table's look-up, since a setting may change the choice itself.
    template <class Find> void params(Choice& choice, Find find, std::span<const ParamOf> table) {
        for (const ParamOf& p : table) {
            const Entry* e = take(p.theirs);
            if (!e) continue;
            if (m_text.peer == Peer::SdCpp && std::string(p.theirs) == "eta" && choice.id != "ddim"
                && choice.id != "tcd") {
                note(SettingOrigin::Read, e->written, e->value, "without effect on this sampler there");
                continue;
            }
            const auto& specs = find(choice.id)->params;
            const bool isOff = !specNamed(specs, p.ours) && numberOf(e->value).value_or(1) == 0;
            if (set(choice, specs, p.ours, e->value) || churned(choice, p.ours, e->value) || isOff) read(*e);
            else leftOut(*e, specNamed(specs, p.ours) ? "outside Meander's range" : choice.id + " has no such setting");
        }
    }

    // Euler, Heun and DPM2 with churn are one sampler here.
    bool churned(Choice& choice, const std::string& key, const std::string& value) {
        const bool isOde = choice.id == "euler" || choice.id == "heun" || choice.id == "dpm_2";
        if (!isOde || !key.starts_with("s_") || (key == "s_noise" && value == "1"))
            return isOde && key == "s_noise" && value == "1";
        Choice churn{"edm_churn", {{"method", choice.id}, {"s_churn", 0.0}}};
        if (!set(churn, findSampler("edm_churn")->params, key, value)) return false;
        choice = std::move(churn);
        return true;
    }

    void penultimate() {
        Recipe& r = m_read.recipe;
        const bool isComfy =
                       m_text.peer == Peer::ComfyUi || m_text.peer == Peer::SwarmUi || m_text.peer == Peer::Fooocus,
                   isWebUi = m_text.peer == Peer::A1111 || m_text.peer == Peer::Forge,
                   isDpm2 = r.sampler.id == "dpm_2" || r.sampler.id == "dpm_2_ancestral",
                   isUniPc = r.sampler.id == "uni_pc" || r.sampler.id == "uni_pc_bh2";
        const Entry* e = take("discard penultimate sigma");
        if (e) read(*e);
        const bool isAsked = e && lowerText(e->value) != "false";
        if (m_text.schedule || !(isAsked || (isDpm2 && (isComfy || isWebUi)) || (isUniPc && isComfy))) return;
        // That program makes one level more and leaves out the one before the last.
        r.steps = std::min(r.steps + 1, mostSteps);
        r.scheduleOperators.push_back({"discard_penultimate", {}});
        if (!e)
            assumed("Discard penultimate sigma", "True",
                    std::string("as ") + m_peer.name + " does for this sampler; of " + std::to_string(r.steps)
                        + " levels one is left out");
    }

    // The syntax of the prompts is a setting where one of them has any.
    void promptSettings() {
        Recipe& r = m_read.recipe;
        PromptDialect dialect = m_peer.dialect;
        const Entry* emphasis = take("emphasis");
        if (emphasis && isA1111(dialect)) {
            const std::string kind = lowerText(emphasis->value);
            if (kind == "no norm") dialect = PromptDialect::A1111NoNorm;
            if (kind == "no norm" || kind == "original") read(*emphasis);
            else leftOut(*emphasis, "weights act as in its kind \"Original\"");
        } else if (emphasis) {
            leftOut(*emphasis);
        }
        if (hasSyntax(r.prompt, dialect) || hasSyntax(r.negativePrompt, dialect)) {
            const auto& known = promptDialects();
            const auto info =
                std::find_if(known.begin(), known.end(), [&](const auto& d) { return d.dialect == dialect; });
            r.promptDialect = info->id;
            note(SettingOrigin::Read, "Prompt syntax", info->label);
        }
        const Entry* skip = take("clip skip");
        if (!skip) return;
        const auto given = numberOf(skip->value);
        // InvokeAI counts the layers that are left out; 0 and less stand for the default elsewhere.
        const double layer = given ? std::max(*given + (m_text.peer == Peer::InvokeAi), 1.0) : 0;
        if (layer < 1 || layer > 32 || layer != std::floor(layer))
            return leftOut(*skip, "a whole number up to 32 is needed");
        r.clipSkip = int(layer);
        read(*skip);
    }

    void rest() {
        for (const std::string& key : m_order) {
            const Entry& e = m_entries.at(key);
            if (e.isUsed && key != "version") continue;
            if (std::any_of(std::begin(provenance), std::end(provenance), [&](const char* p) { return key == p; })) {
                read(e);
                continue;
            }
            const auto* remark = std::find_if(std::begin(withoutCounterpart), std::end(withoutCounterpart),
                                              [&](const Remark& r) { return key.starts_with(r.key); });
            leftOut(e, remark == std::end(withoutCounterpart) ? "" : remark->reason);
        }
    }

    const PeerText& m_text;
    const PeerInfo& m_peer;
    std::map<std::string, Entry> m_entries;
    std::vector<std::string> m_order;
    NamedSampler m_sampler;
    ReadRecipe m_read;
};

}  // namespace

ReadRecipe recipeOf(const PeerText& text) { return Builder(text).build(); }

}  // namespace meander
