// Attention at another temperature: softmax(q kᵀ/(T √d)). Below 1 every place looks at less, above 1 at more (entropy
// control: Jin et al. 2023 scale it with the size of the image).
#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Attention temperature";

class AttentionTemperature final : public BlockHook {
public:
    AttentionTemperature(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, attentionsNamed(text(p, "attention"), s.model, label)),
          m_temperature(real(p, "temperature")) {}
    void attending(const nn::SiteCall&, nn::Attention& a) override {
        a.q = combine({{1 / m_temperature, a.q.clone()}});
    }

private:
    double m_temperature;
};

}  // namespace

InterventionInfo attentionTemperature() {
    return {.id = "attention_temperature",
            .label = label,
            .summary = "Sharpens or flattens attention",
            .source = "Jin et al. 2023",
            .params = {realParam("temperature", "Temperature", 2, 0.01, 100,
                                 "Divides the logits: below 1 sharper, above 1 flatter; 1 is off.", 0.05),
                       allBlocksParam(), attentionParam()},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<AttentionTemperature>(p, s);
            }};
}

}  // namespace meander::intervention
