// Names of built-in models: "analytic:gaussian?d=16&process=flow" is a scheme, a name and parameters. Everything else
// is a path.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/process/process.h"

namespace meander {

struct ModelId {
    std::string scheme, name;  // "analytic", "gaussian"; the scheme of a path is empty and the name is the path
    std::map<std::string, std::string> parameters;
    std::string text;  // as given

    static Result<ModelId> parse(const std::string& text);

    // Takes a parameter out of the list. Throws Failure when it is not a number (a list of numbers, separated by
    // commas) or out of range.
    std::string takeText(const std::string& key, const std::string& fallback);
    double takeNumber(const std::string& key, double fallback, double minimum, double maximum);
    std::optional<std::vector<double>> takeNumbers(const std::string& key);
    // Under the key "process": "edm" or "ve" (sigma_min, sigma_max), "sd15" or "vp-scaled-linear", "vp-linear"
    // (beta_start, beta_end, train_steps), "vp-cosine" (train_steps), each of these with zero_snr=1 (σ ends at 4096) or
    // zero_snr=comfyui (4518.8); "flow" (shift, train_steps). In brackets the further keys it takes.
    Process takeProcess(const std::string& fallback);
    // Throws Failure when a parameter is left over.
    void finish() const;

private:
    Process takeVariancePreserving(const std::string& name);
};

}  // namespace meander
