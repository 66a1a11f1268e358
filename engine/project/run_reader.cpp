#include <algorithm>
#include <cstring>

#include "engine/core/json.h"
#include "engine/project/model_json.h"
#include "engine/project/run_rows.h"
#include "engine/project/schema.h"
#include "engine/project/tensor_blob.h"

namespace meander {
namespace {

constexpr std::int64_t maximumIndex = 1 << 20;

std::optional<std::int64_t> id(const Statement& s, int column) {
    return s.isNull(column) ? std::optional<std::int64_t>() : s.integer(column);
}

int index(const Statement& s, int column) {
    const auto v = s.integer(column);
    if (v < 0 || v > maximumIndex) throw Failure("A recorded step has a number that cannot be.");
    return int(v);
}

template <class T> std::vector<T> numbers(const Statement& s, int column) {
    const auto bytes = s.blobView(column);
    std::vector<T> v(bytes.size() / sizeof(T));
    if (!v.empty()) std::memcpy(v.data(), bytes.data(), v.size() * sizeof(T));
    return v;
}

Json json(const Statement& s, int column, const std::string& what) {
    if (s.isNull(column)) return {};
    auto j = parseJson(s.text(column), what);
    if (!j) throw Failure(j.error().text);
    return std::move(*j);
}

RunStatus statusFrom(const std::string& name) {
    for (auto s : {RunStatus::Queued, RunStatus::Running, RunStatus::Paused, RunStatus::Finished, RunStatus::Cancelled,
                   RunStatus::Failed})
        if (name == nameOf(s)) return s;
    return RunStatus::Interrupted;
}

bool sound(const AttentionMap& map, std::size_t sites) {
    if ((map.site >= 0 && std::size_t(map.site) >= sites) || map.heads < 1) return false;
    const Shape& s = map.probabilities.shape();
    if (map.probabilities && (s.rank() != 4 || (s[0] != map.heads && s[0] != 1) || s.count() == 0))
        return false;  // a summary holds one mean map
    return map.entropy.empty() || map.mass.empty() || map.mass.size() % map.entropy.size() == 0;
}

// Views walk states of one trajectory side by side: all must have the shape of the first.
bool fits(const HostTensor& state, const Trajectory& t) {
    return !state || !t.initial || state.shape() == t.initial.shape();
}

const char* runColumns = "SELECT id, number, name, status, pinned, created, header, model, ";

}  // namespace

RunReader::RunReader(const Database& db, std::vector<std::string>* losses)
    : m_db(db),
      m_hasSums(db.number("SELECT count(*) FROM pragma_table_info('tensor') WHERE name = 'sum'") != 0),
      m_losses(losses) {}

std::string RunReader::soundness(std::string_view table) const {
    return m_hasSums ? "coalesce(sum = row_sum(" + columnsOf(table) + "), 1)" : "1";
}

void RunReader::lost(const std::string& what) const {
    if (!m_losses) throw Failure(what);
    m_losses->push_back(what);
}

const ModelInfo& RunReader::model(std::int64_t modelId) const {
    const auto known = m_models.find(modelId);
    if (known != m_models.end()) return known->second;
    Statement s(m_db, "SELECT json, " + soundness("model") + " FROM model WHERE id = ?");
    ModelInfo info;
    if (s.bind(1, modelId).next()) {
        info = modelFromJson(json(s, 0, "the description of a model in the project"));
        if (s.integer(1) == 0) throw Failure("The description of its model is damaged.");
    }
    return m_models.emplace(modelId, std::move(info)).first->second;
}

Run RunReader::header(const Statement& row) const {
    Run r;
    r.id = row.text(0);
    r.number = index(row, 1);
    r.name = row.text(2);
    r.status = statusFrom(row.text(3));
    r.pinned = row.integer(4) != 0;
    r.created = row.text(5);
    try {
        const std::string what = "the settings of run " + std::to_string(r.number) + " in the project";
        const Json j = json(row, 6, what);
        r.problem = jsonText(j, "problem", "", what);
        r.seconds = jsonReal(j, "seconds", 0, what);
        r.evaluations = int(jsonInteger(j, "evaluations", 0, what));
        r.sharedEvaluations = int(jsonInteger(j, "shared_evaluations", 0, what));
        r.networkCalls = int(jsonInteger(j, "network_calls", 0, what));
        r.device = jsonText(j, "device", "", what);
        if (j.contains("planned_levels")) r.plannedLevels = j["planned_levels"].get<std::vector<double>>();
        r.peakBytes = std::size_t(std::max<std::int64_t>(0, jsonInteger(j, "peak_bytes", 0, what)));
        if (!row.isNull(7)) r.model = model(row.integer(7));
        auto recipe = recipeFromJson(j.contains("recipe") ? j["recipe"] : Json::object());
        if (!recipe) throw Failure(recipe.error().text);
        r.recipe = *recipe;
        if (row.integer(8) == 0) throw Failure("Their checksum is wrong.");
    } catch (const std::exception& e) {  // its tensors may still be good: list it and say what is wrong
        r.problem = "Its settings are damaged. " + std::string(e.what());
        if (m_losses) m_losses->push_back("its settings");
    }
    return r;
}

std::vector<Run> RunReader::runs() const {
    std::vector<Run> list;
    Statement s(m_db, runColumns + soundness("run") + " FROM run WHERE removed = 0 ORDER BY position");
    while (s.next()) {
        if (s.text(0).empty()) continue;
        list.push_back(header(s));
    }
    return list;
}

Run RunReader::run(const std::string& runId) const {
    Statement s(m_db, runColumns + soundness("run") + " FROM run WHERE id = ?");
    if (!s.bind(1, runId).next()) throw Failure("The project has no such run. It may have been removed.");
    return header(s);
}

HostTensor RunReader::tensor(std::optional<std::int64_t> tensorId) const {
    if (!tensorId) return {};
    const auto known = m_tensors.find(*tensorId);
    if (known != m_tensors.end()) return known->second;
    HostTensor t;
    try {
        Statement s(m_db, "SELECT data, " + soundness("tensor") + " FROM tensor WHERE id = ?");
        if (!s.bind(1, *tensorId).next()) throw Failure("A recorded tensor is missing.");
        if (s.integer(1) == 0) throw Failure("A recorded tensor is damaged: its checksum is wrong.");
        t = m_memory.keep(unpackTensor(s.blobView(0)));
    } catch (const DatabaseError& e) {
        if (!m_losses) throw;
        lost(e.what());
    } catch (const Failure& e) {
        lost(e.what());
    }
    m_tensors.emplace(*tensorId, t);
    return t;
}

void RunReader::branches(const std::string& runId, int evaluation, Evaluation& e) const {
    Statement s(m_db, "SELECT branch, denoised, " + soundness("branch")
                          + " FROM branch WHERE run = ? AND evaluation = ? ORDER BY position");
    s.bind(1, runId).bind(2, std::int64_t(evaluation));
    while (s.next()) {
        const std::string written = s.text(0);
        const auto colon = written.find(':');
        const auto branch = branchNamed(written.substr(0, colon));
        if (!branch || s.integer(2) == 0) {
            lost("A branch of evaluation " + std::to_string(evaluation)
                 + (branch ? " is damaged." : " has an unknown name."));
            continue;
        }
        e.branches.push_back(
            {*branch, tensor(id(s, 1)), colon == std::string::npos ? std::string() : written.substr(colon + 1)});
    }
}

void RunReader::metrics(const std::string& runId, int evaluation, Evaluation& e) const {
    if (m_db.number("SELECT count(*) FROM sqlite_master WHERE name = 'reading'") == 0)
        return;  // an old file that cannot be written
    Statement s(m_db, "SELECT position, name, numbers, " + soundness("reading")
                          + " FROM reading WHERE run = ? AND evaluation = ? ORDER BY position");
    s.bind(1, runId).bind(2, std::int64_t(evaluation));
    const std::int64_t rows = e.denoised.shape().rank() > 0 ? e.denoised.shape()[0] : 0;
    while (s.next()) {
        if (s.integer(3) == 0) {
            lost("A measurement of evaluation " + std::to_string(evaluation) + " is damaged.");
            continue;
        }
        if (s.integer(0) >= 0) {
            e.metrics.push_back({s.text(1), numbers<double>(s, 2)});
            continue;
        }
        e.ancestors = numbers<std::int64_t>(s, 2);
        if (std::int64_t(e.ancestors.size()) != rows
            || std::any_of(e.ancestors.begin(), e.ancestors.end(),
                           [&](std::int64_t r) { return r < 0 || r >= rows; })) {
            lost("The selection of particles in evaluation " + std::to_string(evaluation) + " is damaged.");
            e.ancestors.clear();
        }
    }
}

void RunReader::attention(const std::string& runId, int evaluation, Evaluation& e, std::size_t sites) const {
    Statement s(m_db, "SELECT image, site, heads, probabilities, entropy, mass, " + soundness("attention")
                          + " FROM attention WHERE run = ? AND evaluation = ? ORDER BY image, site");
    s.bind(1, runId).bind(2, std::int64_t(evaluation));
    while (s.next()) {
        if (s.integer(6) == 0) {
            lost("An attention map of evaluation " + std::to_string(evaluation) + " is damaged.");
            continue;
        }
        const auto image = std::size_t(index(s, 0));
        AttentionMap map;
        map.site = s.integer(1) == -1 ? -1 : index(s, 1);  // −1: the mean over layers of a summary
        map.heads = index(s, 2);
        map.probabilities = tensor(id(s, 3));
        map.entropy = numbers<float>(s, 4);
        map.mass = numbers<float>(s, 5);
        if (!sound(map, sites)) {
            lost("An attention map does not have the shape that its layer asks for.");
            continue;
        }
        if (e.attention.size() <= image) {
            if (image > e.attention.size() + 65536) throw Failure("A recorded image has a number that cannot be.");
            e.attention.resize(image + 1);
        }
        e.attention[image].push_back(std::move(map));
    }
}

void RunReader::evaluations(const std::string& runId, Trajectory& t) const {
    Statement s(m_db, "SELECT idx, step, tau, sigma, log_snr, network_time, weight, network_rows, rows_in_call, "
                      "milliseconds, replayed, state, denoised, "
                          + soundness("evaluation") + " FROM evaluation WHERE run = ? ORDER BY idx");
    s.bind(1, runId);
    while (s.next()) {
        auto e = std::make_shared<Evaluation>();
        e->index = index(s, 0);
        e->step = index(s, 1);
        e->tau = s.real(2);
        e->sigma = s.real(3);
        e->logSnr = s.real(4);
        e->networkTime = s.real(5);
        e->guidanceWeight = s.real(6);
        e->networkRows = int(s.integer(7));
        e->rowsInCall = int(s.integer(8));
        e->milliseconds = s.real(9);
        e->replayed = s.integer(10) != 0;
        e->state = tensor(id(s, 11));
        e->denoised = tensor(id(s, 12));
        if (e->index != int(t.evaluations.size()))
            return lost("Evaluation " + std::to_string(t.evaluations.size()) + " is missing.");
        if (s.integer(13) == 0 || !e->denoised || (!e->state && !s.isNull(11)) || !fits(e->state, t)
            || !fits(e->denoised, t))
            return lost("Evaluation " + std::to_string(e->index) + " is damaged.");
        branches(runId, e->index, *e);
        metrics(runId, e->index, *e);
        attention(runId, e->index, *e, t.sites.size());
        for (const auto& b : e->branches)
            if (!b.denoised || !fits(b.denoised, t))
                return lost("A branch of evaluation " + std::to_string(e->index) + " is damaged.");
        t.evaluations.push_back(std::move(e));
    }
}

void RunReader::steps(const std::string& runId, Trajectory& t) const {
    Statement s(m_db, "SELECT idx, t_from, t_to, stochastic, state, " + soundness("step")
                          + " FROM step WHERE run = ? ORDER BY idx");
    s.bind(1, runId);
    while (s.next()) {
        auto step = std::make_shared<Step>();
        step->index = index(s, 0);
        step->from = s.real(1);
        step->to = s.real(2);
        step->stochastic = s.integer(3) != 0;
        step->state = tensor(id(s, 4));
        if (step->index != int(t.steps.size())) return lost("Step " + std::to_string(t.steps.size()) + " is missing.");
        if (s.integer(5) == 0 || !step->state || !fits(step->state, t))
            return lost("Step " + std::to_string(step->index) + " is damaged.");
        t.steps.push_back(std::move(step));
    }
}

std::shared_ptr<const Trajectory> RunReader::trajectory(const std::string& runId) const {
    m_tensors.clear();
    auto t = std::make_shared<Trajectory>();
    Statement s(m_db, "SELECT levels, sites, tokens, initial, " + soundness("run") + " FROM run WHERE id = ?");
    if (!s.bind(1, runId).next()) throw Failure("The project has no such run. It may have been removed.");
    if (s.integer(4) == 0) lost("Its settings or levels are damaged.");
    t->levels = numbers<double>(s, 0);
    t->sites = sitesFromJson(json(s, 1, "the attention layers of a run"));
    t->tokens = tokensFromJson(json(s, 2, "the words of a run"));
    t->initial = tensor(id(s, 3));
    const auto part = [&](auto read) {
        try {
            read();
        } catch (const DatabaseError& e) {
            if (!m_losses) throw;
            lost(e.what());
        }
    };
    part([&] { evaluations(runId, *t); });
    part([&] { steps(runId, *t); });
    if (!m_losses || m_losses->empty()) checkCounts(runId, *t);
    m_tensors.clear();
    return t;
}

// Rows whose keys were damaged belong to no run any more: an ended run knows how many it had.
void RunReader::checkCounts(const std::string& runId, const Trajectory& t) const {
    Statement s(m_db, "SELECT header FROM run WHERE id = ?");
    const Json header = s.bind(1, runId).next() ? json(s, 0, "the settings of a run") : Json();
    if (!header.is_object() || !header.contains("recorded") || !header["recorded"].is_object()) return;
    std::map<std::string, std::size_t> found{{"evaluation", t.evaluations.size()}, {"step", t.steps.size()}};
    for (const auto& e : t.evaluations) {
        found["branch"] += e->branches.size();
        found["reading"] += e->metrics.size() + (e->ancestors.empty() ? 0 : 1);
        for (const auto& image : e->attention) found["attention"] += image.size();
    }
    for (const auto& [kind, count] : header["recorded"].items())
        if (count.is_number_unsigned() && count.get<std::size_t>() > found[kind])
            lost(std::to_string(count.get<std::size_t>() - found[kind]) + " of its " + count.dump() + " rows of kind \""
                 + kind + "\" are missing.");
}

std::vector<std::string> RunReader::damage(const std::string& runId) const {
    std::vector<std::string> losses;
    const RunReader reader(m_db, &losses);
    const auto part = [&](auto read) {
        try {
            read();
        } catch (const std::exception& e) {
            losses.push_back(e.what());
        }
    };
    part([&] { static_cast<void>(reader.run(runId)); });
    part([&] { static_cast<void>(reader.trajectory(runId)); });
    part([&] { static_cast<void>(reader.images(runId)); });
    return losses;
}

HostTensor RunReader::images(const std::string& runId) const {
    m_tensors.clear();
    Statement s(m_db, "SELECT pictures FROM run WHERE id = ?");
    if (!s.bind(1, runId).next()) throw Failure("The project has no such run. It may have been removed.");
    return tensor(id(s, 0));
}

}  // namespace meander
