#include "engine/process/parametrization.h"

#include <cmath>

namespace meander {

const char* nameOf(Parametrization p) {
    switch (p) {
    case Parametrization::Epsilon: return "epsilon";
    case Parametrization::X0: return "x0";
    case Parametrization::V: return "v";
    case Parametrization::Score: return "score";
    case Parametrization::FlowVelocity: return "flow velocity";
    case Parametrization::Edm: return "EDM preconditioning";
    case Parametrization::LcmEpsilon: return "consistency (LCM, epsilon)";
    case Parametrization::LcmV: return "consistency (LCM, v)";
    case Parametrization::FlowVelocityReversed: return "flow velocity, reversed time";
    case Parametrization::Consistency: return "consistency";
    case Parametrization::TrigFlow: return "TrigFlow";
    case Parametrization::FPrediction: return "F-prediction";
    }
    return "";
}

namespace {

// Level and data as the point (n, σ_d s) of a quarter circle of radius h: sine = n/h, cosine = σ_d s/h, finite at pure
// noise too.
struct Angle {
    double h, sine, cosine;
    Angle(double s, double n, double sigmaData)
        : h(std::hypot(n, sigmaData * s)), sine(n / h), cosine(sigmaData * s / h) {}
};

// Boundary weights of latent consistency models.
struct LcmBoundary {
    double skip, out;
    LcmBoundary(double time, double sigmaData) {
        const double scaled = 10 * time, total = scaled * scaled + sigmaData * sigmaData;
        skip = sigmaData * sigmaData / total;
        out = scaled / std::sqrt(total);
    }
};

bool saysEpsilon(Parametrization p) {
    return p == Parametrization::Epsilon || p == Parametrization::Score || p == Parametrization::LcmEpsilon;
}

}  // namespace

Conversion conversionAt(const Process& process, Parametrization p, double tau, double sigmaData) {
    const double k = process.nativeScale(tau), s = process.nativeSignal(tau), n = process.nativeNoise(tau),
                 a = process.signal(tau);
    if (s == 0 && saysEpsilon(p))
        throw Failure(std::string("At pure noise a prediction of ") + nameOf(p)
                      + " says nothing about the image. Start a little below, or use a model that predicts v, x0 or "
                        "a velocity.");
    Conversion c;
    c.input = k;
    c.time = process.networkTime(tau);
    switch (p) {
    case Parametrization::X0: break;
    case Parametrization::Epsilon:
    case Parametrization::LcmEpsilon:
        c.fromState = 1 / a;
        c.fromOutput = -n / s;
        break;
    case Parametrization::V:
    case Parametrization::LcmV:
        c.fromState = s * k / (s * s + n * n);
        c.fromOutput = -n / (s * s + n * n);
        break;
    case Parametrization::Score:
        c.fromState = 1 / a;
        c.fromOutput = n * n / s;
        break;
    case Parametrization::FlowVelocity:
    case Parametrization::FlowVelocityReversed: {
        const bool reversed = p == Parametrization::FlowVelocityReversed;
        c.fromState = k / (s + n);
        c.fromOutput = (reversed ? n : -n) / (s + n);
        if (reversed && process.kind() == ProcessKind::RectifiedFlow) c.time = process.networkTime(1) - c.time;
        break;
    }
    case Parametrization::Edm: {
        const Angle at(s, n, sigmaData);
        c.input = k / at.h;
        c.time = std::log(process.sigma(tau)) / 4;
        c.fromState = k * at.cosine * sigmaData / at.h;
        c.fromOutput = sigmaData * at.sine;
        break;
    }
    case Parametrization::Consistency: {
        const Angle at(s, n, sigmaData);
        const double above = n - process.minimum() * s, total = above * above + sigmaData * sigmaData * s * s;
        c.input = k / at.h;
        c.time = std::log(process.sigma(tau)) / 4;
        c.fromState = k * sigmaData * sigmaData * s / total;
        c.fromOutput = sigmaData * above / at.h;
        break;
    }
    case Parametrization::TrigFlow:
    case Parametrization::FPrediction: {
        const double unit = p == Parametrization::TrigFlow ? sigmaData : 1;
        const Angle at(s, n, unit);
        c.input = k / at.h;
        c.time = std::atan2(n, unit * s);
        c.fromState = k * at.cosine * unit / at.h;
        c.fromOutput = -unit * at.sine;
        break;
    }
    }
    if (p == Parametrization::LcmEpsilon || p == Parametrization::LcmV) {
        const LcmBoundary b(c.time, sigmaData);
        c.fromState = b.out * c.fromState + b.skip * k;
        c.fromOutput *= b.out;
    }
    return c;
}

PredictionCoeffs predictionCoeffsAt(const Process& process, Parametrization p, double tau, double sigmaData) {
    const double s = process.nativeSignal(tau), n = process.nativeNoise(tau), square = s * s + n * n;
    const Angle at(s, n, p == Parametrization::FPrediction ? 1 : sigmaData);
    const double unit = p == Parametrization::FPrediction ? 1 : sigmaData;
    switch (p) {
    case Parametrization::Epsilon: return {0, 1, s};
    case Parametrization::X0: return {1, 0, -n};
    case Parametrization::V: return {-n, s, square};
    case Parametrization::Score: return {0, -1 / n, -s / n};
    case Parametrization::FlowVelocity: return {-1, 1, s + n};
    case Parametrization::FlowVelocityReversed: return {1, -1, -(s + n)};
    case Parametrization::Edm: return {at.sine / unit, -at.cosine, -at.h / unit};
    case Parametrization::TrigFlow:
    case Parametrization::FPrediction: return {-at.sine / unit, at.cosine, at.h / unit};
    case Parametrization::Consistency: {
        // f = x0 solved for F
        const double above = n - process.minimum() * s, total = above * above + sigmaData * sigmaData * s * s;
        return {above * at.h / (sigmaData * total), -sigmaData * s * n * at.h / (total * above),
                -n * at.h / (sigmaData * above)};
    }
    case Parametrization::LcmEpsilon: {
        const LcmBoundary b(process.networkTime(tau), sigmaData);
        return {s * (b.skip * s + b.out - 1) / (b.out * n), (b.skip * s + b.out) / b.out, s / b.out};
    }
    case Parametrization::LcmV: {
        const LcmBoundary b(process.networkTime(tau), sigmaData);
        return {(b.skip * s * square + b.out * s * s - square) / (b.out * n), (b.skip * square + b.out * s) / b.out,
                square / b.out};
    }
    }
    return {};
}

PredictionConversion convert(const Process& process, Parametrization from, Parametrization to, double tau,
                             double sigmaData) {
    if (from == to) return {};
    const double s = process.nativeSignal(tau), n = process.nativeNoise(tau);
    const auto refuse = [&](const std::string& why) {
        return Failure(why + " (read " + nameOf(from) + " as " + nameOf(to) + " at τ = " + std::to_string(tau) + ").");
    };
    if (s == 0 && saysEpsilon(from))
        throw refuse(std::string("At pure noise a prediction of ") + nameOf(from) + " says nothing about the image");
    if (n == 0 && from == Parametrization::X0)
        throw refuse("At noise level 0 the state is the image itself, so it does not tell the noise");
    if (n == 0 && (from == Parametrization::Score || to == Parametrization::Score))
        throw refuse("At noise level 0 the score is infinite");
    const PredictionCoeffs f = predictionCoeffsAt(process, from, tau, sigmaData),
                           t = predictionCoeffsAt(process, to, tau, sigmaData);
    for (const PredictionCoeffs& m : {f, t})
        if (!std::isfinite(m.x0Coeff) || !std::isfinite(m.noiseCoeff) || !std::isfinite(m.determinant))
            throw refuse("At its boundary a consistency model's output does not count");
    // x0 = (onNoise x − n F)/determinant, ε = (s F − onX0 x)/determinant
    return {(t.x0Coeff * f.noiseCoeff - t.noiseCoeff * f.x0Coeff) * process.nativeScale(tau) / f.determinant,
            t.determinant / f.determinant};
}

}  // namespace meander
