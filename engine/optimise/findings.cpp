// What was found, in words.
#include <cmath>
#include <cstdio>

#include "engine/optimise/schedule_fit.h"
#include "engine/sampling/sampling.h"

namespace meander {
namespace {

std::string number(double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", v);
    return text;
}

// "43 % less than", "as much as", "12 % more than"
std::string share(double saved) {
    const long percent = std::lround(std::abs(saved) * 100);
    if (percent == 0) return "as much as ";
    return std::to_string(percent) + (saved > 0 ? " % less than " : " % more than ");
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i)
        text += (i == 0 ? "" : i + 1 < parts.size() ? ", " : " and ") + parts[i];
    return text;
}

std::string predictedSentence(const ScheduleFit& fit) {
    std::vector<std::string> parts;
    for (std::size_t i = 1; i < fit.schedules.size(); ++i) {
        const ComparedSchedule& other = fit.schedules[i];
        parts.push_back(share(compared(fit.fitted().predicted, other.predicted).saved) + other.label + " ("
                        + number(other.predicted.rms) + ')');
    }
    return "Predicted from the record of " + std::to_string(fit.referencePaths)
           + (fit.referencePaths == 1 ? " path" : " paths") + ", without evaluations: an error of "
           + number(fit.fitted().predicted.rms) + (parts.empty() ? "" : ", " + joined(parts)) + '.';
}

std::string measuredSentence(const ScheduleFit& fit) {
    const ErrorEstimate& own = *fit.fitted().measured;
    std::vector<std::string> parts;
    for (std::size_t i = 1; i < fit.schedules.size(); ++i) {
        const ComparedSchedule& other = fit.schedules[i];
        const double predicted = compared(fit.fitted().predicted, other.predicted).saved;
        parts.push_back(share(compared(own, *other.measured).saved) + other.label + " (" + number(other.measured->rms)
                        + "; predicted " + std::to_string(std::lround(predicted * 100)) + " %)");
    }
    return "Measured on " + std::to_string(own.squares.size()) + " held-out seeds: an error of " + number(own.rms)
           + " (95 %: " + number(own.low) + " to " + number(own.high) + ")"
           + (parts.empty() ? "" : ", " + joined(parts)) + '.';
}

}  // namespace

bool wins(const ScheduleFit& fit) {
    for (std::size_t i = 1; i < fit.schedules.size(); ++i)
        if (!fit.fitted().measured || !fit.schedules[i].measured
            || compared(*fit.fitted().measured, *fit.schedules[i].measured).verdict != Verdict::Better)
            return false;
    return true;
}

std::vector<std::string> findings(const ScheduleFit& fit) {
    std::vector<std::string> sentences;
    if (!fit.fitted().measured) sentences.push_back(predictedSentence(fit));
    else {
        sentences.push_back(measuredSentence(fit));
        for (std::size_t i = 1; i < fit.schedules.size(); ++i) {
            const ComparedSchedule& other = fit.schedules[i];
            const ErrorComparison c = compared(*fit.fitted().measured, *other.measured);
            if (c.verdict == Verdict::Worse)
                sentences.push_back("The fitted schedule is worse than " + other.label + ". Keep " + other.label + '.');
            if (c.verdict == Verdict::NotTold)
                sentences.push_back("The seeds do not tell the fitted schedule from " + other.label
                                    + ". Measure on more seeds, or keep " + other.label + '.');
            if (!agrees(compared(fit.fitted().predicted, other.predicted).saved, c.saved))
                sentences.push_back("The prediction against " + other.label
                                    + " was off by more than a factor of 2; the measurement counts.");
        }
    }
    sentences.insert(sentences.end(), fit.notes.begin(), fit.notes.end());
    return sentences;
}

}  // namespace meander
