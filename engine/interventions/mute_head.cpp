// One head of an attention layer, scaled before the output projection; 0 mutes it (Michel et al. 2019, "Are Sixteen
// Heads Really Better than One?").
#include "engine/interventions/common.h"

namespace meander::intervention {
namespace {

constexpr const char* label = "Head scaling";

class MuteHead final : public BlockHook {
public:
    MuteHead(const Params& p, const InterventionSetup& s)
        : BlockHook(p, s, label, attentionsNamed(text(p, "attention"), s.model, label)),
          m_head(int(integer(p, "head"))),
          m_scale(real(p, "scale")),
          m_isSolo(text(p, "which") == "others") {
        checkHead(m_head, text(p, "layers"), s.model, label);
    }
    // y (rows, n, heads·d): the columns of one head, or of all others, times the scale.
    void attended(const nn::SiteCall& call, const nn::Attention&, const Tensor& y) override {
        const std::int64_t c = y.shape()[-1], d = c / call.site.heads;
        std::vector<float> factors(std::size_t(c), m_isSolo ? float(m_scale) : 1.0f);
        std::fill_n(factors.begin() + m_head * d, d, m_isSolo ? 1.0f : float(m_scale));
        y.backend().binary(kernels::Binary::Mul, y,
                           upload(y.backend(), HostTensor::fromFloats({c}, factors)).converted(y.type()), y);
    }

private:
    int m_head;
    double m_scale;
    bool m_isSolo;
};

}  // namespace

InterventionInfo muteHead() {
    return {.id = "mute_head",
            .label = label,
            .summary = "Scales the output of an attention head, or mutes it",
            .source = "Michel et al. 2019",
            .params = {blocksParam(), attentionParam(), integerParam("head", "Head", 0, 0, 1023, "Which head, from 0."),
                       realParam("scale", "Scale", 0, -10, 10, "Factor on its output; 0 mutes it, 1 is off."),
                       choiceParam("which", "Scales", {{"one", "That head"}, {"others", "All others"}},
                                   "All others of the layers at 0: that head is heard alone (solo).")},
            .make = [](const Params& p, const InterventionSetup& s) -> nn::SiteHookPtr {
                return std::make_shared<MuteHead>(p, s);
            }};
}

}  // namespace meander::intervention
