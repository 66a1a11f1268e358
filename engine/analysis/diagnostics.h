// The diagnostics of a recorded run: one value per step, each with what it is, its formula, its unit and how to read
// it. No network is called. Space: integration coordinates (engine/process), RMS (÷ √d) instead of raw norms so that
// resolutions compare. Several images are averaged.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/analysis/path.h"

namespace meander {

enum class DiagnosticAxis : std::uint8_t { Step, Frame };  // Frame: steps + 1 values, frame 0 is the start

struct Diagnostic {
    std::string id;     // "D3", "G1" ...; "M:cos a red circle" for what a guidance rule measured
    std::string label;  // "Step change"
    std::string unit;   // "RMS", "°", "dB", ""
    std::string formula;
    std::string reading;  // one sentence: how to read it
    DiagnosticAxis axis = DiagnosticAxis::Step;
    std::vector<double> values;                                 // NaN where it is not defined
    double summary = std::numeric_limits<double>::quiet_NaN();  // one number for the run, where there is one
    std::string summaryLabel;
};

struct DiagnosticOptions {
    std::optional<int> image;                         // one image; none: the mean over all (at most 64 are looked at)
    double range = 2;                                 // of clean states, for PSNR: images run from −1 to 1
    ManifoldKind manifold = ManifoldKind::Euclidean;  // whose geodesics steps follow
    // Of the run of the same seed that reuses nothing; null: there is none, and no error of the reuse.
    std::shared_ptr<const Trajectory> whole = nullptr;
};

// In display order; those that the record cannot give (no second branch, no states) are left out.
std::vector<Diagnostic> diagnose(const Trajectory& t, const DiagnosticOptions& options = {});
// The id of the error of reuse against the whole run.
inline constexpr const char* reuseErrorId = "R1";
bool isMeasuredByRule(const Diagnostic& d);
const Diagnostic* findDiagnostic(const std::vector<Diagnostic>& all, const std::string& id);

}  // namespace meander
