// The table of samplers: form, command line, file format, documentation and tests follow from it.
#include "engine/sampling/samplers/samplers.h"

namespace meander {

namespace {

ParamSpec spec(const char* key, const char* label, double value, double high, const char* help) {
    ParamSpec s;
    s.key = key;
    s.label = label;
    s.defaultValue = value;
    s.maximum = high;
    s.step = 0.05;
    s.help = help;
    return s;
}
ParamSpec eta(double value) { return spec("eta", "η", value, 2, "Share of fresh noise: 0 follows the ODE, 1 has the variance of the reverse diffusion."); }
ParamSpec noiseScale() {
    auto s = spec("s_noise", "Noise scale", 1, 2, "Factor on the fresh noise; 1 is exact, slightly above 1 adds detail that imprecise models lose.");
    s.advanced = true;
    return s;
}

int one(int, int, const Params&) { return 1; }
int twoButLast(int step, int steps, const Params&) { return step + 1 < steps ? 2 : 1; }

}  // namespace

const std::vector<SamplerInfo>& samplers() {
    static const std::vector<SamplerInfo> table = {
        {"euler", "Euler", "First-order ODE step; the plain reference", "Song et al. 2021; Karras et al. 2022", {}, 1, false, false, euler, one},
        {"heun", "Heun", "Second-order ODE step with two evaluations", "Karras et al. 2022, algorithm 1", {}, 2, false, false, heun, twoButLast},
        {"euler_ancestral", "Euler ancestral", "Euler below the target, then fresh noise up to it", "Ho et al. 2020; k-diffusion", {eta(1), noiseScale()}, 1, true, false, eulerAncestral, one},
        {"ddim", "DDIM", "Along the predicted noise, with a share η of fresh noise", "Song et al. 2021, eq. 12", {eta(0)}, 1, false, false, ddim, one},
        {"dpmpp_2m", "DPM++ 2M", "Second-order multistep in log-SNR, one evaluation a step", "Lu et al. 2022, DPM-Solver++ algorithm 2", {}, 2, false, false, dpmpp2m, one},
        {"dpmpp_2m_sde", "DPM++ 2M SDE", "Second-order multistep for the reverse SDE", "Lu et al. 2022, DPM-Solver++ algorithm 3", {eta(1), noiseScale()}, 1, true, false, dpmpp2mSde, one},
        {"lcm", "LCM / consistency", "Jump to the data and noise again; for consistency models", "Song et al. 2023, algorithm 1; Luo et al. 2023", {}, 0, true, true, consistency, one},
    };
    return table;
}

const SamplerInfo* findSampler(const std::string& id) {
    for (const auto& s : samplers())
        if (s.id == id) return &s;
    return nullptr;
}

}  // namespace meander
