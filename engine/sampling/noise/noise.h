// Where a run's random numbers come from. A source gives the unit normals of the first state and of every step; which
// of them, is data of the recipe. The default is addressed (a pure function of seed, image, step and element); the
// others draw as other programs do, so that their seeds give their images here.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/param_specs.h"
#include "engine/core/params.h"
#include "engine/process/process.h"
#include "engine/sampling/sampling.h"
#include "engine/tensor/tensor.h"

namespace meander {

// The run that a source draws for.
struct NoiseContext {
    Backend& backend;
    Shape shape;  // (images, state...) of everything drawn at once
    DType type = DType::F32;
    bool isImage = false;  // states are (height, width, channels): peers draw them as (channels, height, width)
    std::uint64_t seed = 0;
    // Noise levels of the run (τ): the noisiest and the least noisy above 0. A path of noise runs between them.
    double tauMax = 1, tauMin = 0;
    bool rising = false;              // the run goes from clean to noise
    bool sharedAcrossImages = false;  // every image has the first one's noise (the base of variations)
};

// Unit normals, (images, state...). Sources that draw in order are called in the order of the sampler; the same
// requests in the same order give the same numbers.
class NoiseSource {
public:
    virtual ~NoiseSource() = default;
    virtual Tensor initial() = 0;
    virtual Tensor step(const NoiseRequest& q) = 0;
    // As if so many draws had been made (a run that goes on from a recorded state).
    virtual void skip(int draws) { (void)draws; }
};

struct NoiseInfo {
    std::string id, label, summary, source;
    std::vector<ParamSpec> params = {};
    // `params` are resolved. Null for rows that a plan replaces by another ("recorded").
    std::unique_ptr<NoiseSource> (*make)(const NoiseContext& context, const Params& params) = nullptr;
};

const std::vector<NoiseInfo>& noiseSources();
const NoiseInfo* findNoise(const std::string& id);

// The source with what every source can do on top: a variation of another seed, the noise of another size in its
// middle, an offset of each channel. Throws Failure. `choice` need not be resolved.
std::unique_ptr<NoiseSource> makeNoise(const Choice& choice, NoiseContext context);

// The seed that counts: the noise's own where it has one, else the run's.
std::uint64_t noiseSeed(const Choice& choice, std::uint64_t runSeed);
// Same numbers for same requests, however much of the two choices is written out.
bool sameNoise(const Choice& a, std::uint64_t seedA, const Choice& b, std::uint64_t seedB);
// "recorded" as the parent's own (resolved) choice with its seed written out: the draws of the parent without the
// parent.
Choice recordedNoise(const Choice& parent, std::uint64_t parentSeed);
// The address of a draw (kernels::NoiseAddress::draw): 0 is the first state, 4096 are set aside for each interval, and
// draws beyond those (long Langevin chains) get addresses behind those of all intervals.
std::uint32_t drawAddress(const NoiseRequest& q);
// The least noisy level above 0 and the noisiest; 0 and it where there is only one, so that a path has a length.
std::pair<double, double> levelRange(const std::vector<double>& levels);

// How unit noise becomes the first state y (integration coordinates, process.h) at level τ: y = mean + noiseStd ·
// noise.
//   level          τ                        k-diffusion, A1111, Karras et al. 2022; diffusers' Euler for linspace and
//       trailing spacing
//   unit_variance  √(a² + τ²)               data of unit variance: pipelines that start from N(0, 1) in native
//       coordinates; diffusers' Euler for leading spacing
//   comfyui        √(1 + τ²) when τ is the process's noisiest level (to 1e-5), else τ; always τ for flow
//   analytic       a·mean, √(a²·variance + τ²)   Analytic-Init (Zhao et al. 2024): the Gaussian closest to the true
//       marginal
struct FirstState {
    double noiseStd = 1;
    std::vector<double> mean;  // per channel or dimension; empty: 0
};
FirstState firstState(const Choice& noise, const Process& process, double tau, double sigmaData, std::int64_t channels);
// mean + noiseStd · unit
Tensor makeFirstState(const FirstState& f, const Tensor& unit);

// What the noise meets in a run.
struct NoiseSituation {
    Shape stateShape;  // of one item
    bool isImage = false;
    int images = 1;
    bool draws = true;             // the sampler draws on its way
    bool drawsBesidePath = false;  // SamplerInfo::drawsBesidePath
    std::string samplerLabel;
    bool restarted = false;  // a branch without its parent's history
};
// A sentence where the choice cannot work with the run at all, else empty.
std::string noiseProblem(const Choice& choice, const NoiseSituation& s);
std::vector<std::string> noiseAdvice(const Choice& choice, const NoiseSituation& s);
// Whether a sampler draws noise with these (resolved) parameters (SamplerInfo::draws).
bool drawsNoise(const SamplerInfo& info, const Params& params);

}  // namespace meander
