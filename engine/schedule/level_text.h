// Levels as text, both ways, in the forms of other programs. What is written is read back bit by bit, except training
// steps, which are whole numbers there.
#pragma once
#include <string>
#include <vector>

#include "engine/process/process.h"

namespace meander::levels {

enum class TextForm : std::uint8_t {
    ComfyUi,             // "14.6146, 10, 0": ManualSigmas; no exponents
    Json,                // "[14.6146, 10, 0]"
    DiffusersSigmas,     // {"sigmas": [14.6146, 10]}: a pipeline's `sigmas`, which adds the final 0 itself
    DiffusersTimesteps,  // {"timesteps": [999, 842]}: a pipeline's `timesteps`
    SdCpp,               // "--sigmas 14.6146,10,0"
};
// An error for training steps where the model's time is continuous, and of levels of which two fall on one step.
Result<std::string> textOf(const std::vector<double>& levels, TextForm form, const Process& p);

struct ReadLevels {
    std::vector<double> levels;      // τ, strictly falling
    std::vector<std::string> notes;  // what was changed to make them so
};
// Numbers with anything between them, a JSON list, or an object with "sigmas" or "timesteps". σ, or t of a flow;
// training steps where the text says so. Errors are sentences.
Result<ReadLevels> levelsFromText(const std::string& text, const Process& p);

// All numbers of a text with anything but letters between them; an error names what is none. At most 10001.
Result<std::vector<double>> numbersIn(const std::string& text);
// The shortest text without an exponent that is read back as the same number.
std::string plainNumber(double v);

}  // namespace meander::levels
