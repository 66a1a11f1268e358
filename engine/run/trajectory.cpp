#include "engine/run/trajectory.h"

#include <algorithm>

#include <array>
#include <chrono>
#include <ctime>
#include <random>

namespace meander {

const Evaluation* Trajectory::evaluationOf(int step) const {
    for (const auto& e : evaluations)
        if (e->step == step) return e.get();
    return nullptr;
}

const char* nameOf(RunStatus s) {
    switch (s) {
    case RunStatus::Queued: return "queued";
    case RunStatus::Running: return "running";
    case RunStatus::Paused: return "paused";
    case RunStatus::Finished: return "finished";
    case RunStatus::Cancelled: return "cancelled";
    case RunStatus::Failed: return "failed";
    case RunStatus::Interrupted: return "interrupted";
    }
    return "";
}

bool hasEnded(RunStatus s) { return s != RunStatus::Queued && s != RunStatus::Running && s != RunStatus::Paused; }

int stepsOf(const Run& r) {
    if (!r.trajectory || r.trajectory->levels.size() < 2) return r.recipe.steps;
    return int(std::max(r.trajectory->levels.size() - 1, r.trajectory->steps.size()));
}

Json toJson(const Run& r) {
    Json j;
    j["id"] = r.id;
    j["number"] = r.number;
    j["name"] = r.name;
    j["status"] = nameOf(r.status);
    if (!r.problem.empty()) j["problem"] = r.problem;
    j["created"] = r.created;
    j["seconds"] = r.seconds;
    j["evaluations"] = r.evaluations;
    if (r.sharedEvaluations > 0) j["shared_evaluations"] = r.sharedEvaluations;
    j["network_calls"] = r.networkCalls;
    j["device"] = r.device;
    j["peak_bytes"] = r.peakBytes;
    j["pinned"] = r.pinned;
    j["model_name"] = r.model.name;
    j["process"] = r.model.process.name();
    j["parametrization"] = nameOf(r.model.parametrization);
    j["recipe"] = toJson(r.recipe);
    return j;
}

std::string newRunId() {
    std::random_device source;
    std::string id;
    for (int word = 0; word < 4; ++word) {
        std::array<char, 9> hex{};
        std::snprintf(hex.data(), hex.size(), "%08x", unsigned(source()));
        id += hex.data();
    }
    return id;
}

std::string nowUtc() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

}  // namespace meander
