#include "engine/core/json.h"
#include "engine/project/model_json.h"
#include "engine/project/run_rows.h"
#include "engine/project/schema.h"
#include "engine/project/tensor_blob.h"

namespace meander {
namespace {

constexpr std::size_t remembered = 6;

std::span<const std::byte> bytesOf(const std::vector<float>& v) { return std::as_bytes(std::span(v)); }

Json headerOf(const Run& r) {
    Json j;
    j["recipe"] = toJson(r.recipe);
    if (!r.problem.empty()) j["problem"] = r.problem;
    j["seconds"] = r.seconds;
    j["evaluations"] = r.evaluations;
    if (r.sharedEvaluations > 0) j["shared_evaluations"] = r.sharedEvaluations;
    j["network_calls"] = r.networkCalls;
    j["device"] = r.device;
    j["peak_bytes"] = r.peakBytes;
    if (!r.plannedLevels.empty()) j["planned_levels"] = r.plannedLevels;
    return j;
}

}  // namespace

void RunWriter::changeRow(const std::string& runId, const std::function<void()>& change) {
    const std::string sum = "row_sum(" + columnsOf("run") + ")";
    bool isSound = true;
    if (Statement s(m_db, "SELECT coalesce(sum = " + sum + ", 1) FROM run WHERE id = ?"); s.bind(1, runId).next())
        isSound = s.integer(0) != 0;
    change();
    if (isSound) Statement(m_db, "UPDATE run SET sum = " + sum + " WHERE id = ?").bind(1, runId).finish();
}

void RunWriter::header(const Run& run, const Json& recorded) {
    changeRow(run.id, [&] { writeHeader(run, recorded); });
}

void RunWriter::writeHeader(const Run& run, const Json& recorded) {
    const std::string model = modelToJson(run.model).dump();
    Json j = headerOf(run);
    if (!recorded.is_null()) j["recorded"] = recorded;
    Statement(m_db, insertionInto("model", "INSERT OR IGNORE")).bind(1, model).finish();
    Statement(m_db, "INSERT INTO run(id, position, number, name, status, pinned, created, header, model) "
                    "VALUES(?1, (SELECT coalesce(max(position), 0) + 1 FROM run), ?2, ?3, ?4, ?5, ?6, ?7, (SELECT id "
                    "FROM model WHERE json = ?8)) "
                    "ON CONFLICT(id) DO UPDATE SET number = ?2, name = CASE WHEN ?3 = '' THEN name ELSE ?3 END, status "
                    "= ?4, pinned = max(pinned, ?5), created = ?6, header = ?7, "
                    "model = excluded.model")
        .bind(1, run.id)
        .bind(2, std::int64_t(run.number))
        .bind(3, run.name)
        .bind(4, std::string_view(nameOf(run.status)))
        .bind(5, std::int64_t(run.pinned))
        .bind(6, run.created)
        .bind(7, j.dump(-1, ' ', false, Json::error_handler_t::replace))
        .bind(8, model)
        .finish();
}

// A branch that takes over its parent's steps begins with them: without them what follows could not be read after a
// crash.
void RunWriter::begin(const Run& run) {
    header(run);
    if (!run.trajectory || run.trajectory->empty()) return;
    start(run.id, {run.trajectory->levels, run.trajectory->initial, run.trajectory->sites, run.trajectory->tokens});
    record(run.id, *run.trajectory);
}

// In the order in which they happened, so that shared states are found again.
void RunWriter::record(const std::string& runId, const Trajectory& t) {
    std::size_t s = 0;
    for (const auto& e : t.evaluations) {
        while (s < t.steps.size() && t.steps[s]->index < e->step) step(runId, *t.steps[s++]);
        evaluation(runId, *e);
    }
    while (s < t.steps.size()) step(runId, *t.steps[s++]);
}

void RunWriter::start(const std::string& runId, const RunStart& s) {
    Statement old(m_db, "SELECT initial FROM run WHERE id = ?");
    if (!old.bind(1, runId).next()) return;
    std::optional<std::int64_t> initial;
    if (!old.isNull(0)) initial = old.integer(0);
    old.reset();
    if (!initial) initial = tensor(runId, s.initial);
    changeRow(runId, [&] {
        Statement(m_db, "UPDATE run SET levels = ?, sites = ?, tokens = ?, initial = ? WHERE id = ?")
            .bind(1, std::as_bytes(std::span(s.levels)))
            .bind(2, sitesToJson(s.sites).dump())
            .bind(3, tokensToJson(s.tokens).dump(-1, ' ', false, Json::error_handler_t::replace))
            .bind(4, initial)
            .bind(5, runId)
            .finish();
    });
}

std::optional<std::int64_t> RunWriter::tensor(const std::string& runId, const HostTensor& t) {
    if (!t) return {};
    auto& recent = m_recent[runId];
    for (const auto& [known, id] : recent)
        if (known.sameBits(t)) return id;
    Statement(m_db, insertionInto("tensor")).bind(1, runId).bind(2, packTensor(t)).finish();
    const auto id = m_db.lastId();
    recent.emplace_front(t, id);
    if (recent.size() > remembered) recent.pop_back();
    return id;
}

bool RunWriter::has(const char* table, const std::string& runId, int index) const {
    Statement s(m_db, std::string("SELECT 1 FROM ") + table + " WHERE run = ? AND idx = ?");
    return s.bind(1, runId).bind(2, std::int64_t(index)).next();
}

void RunWriter::evaluation(const std::string& runId, const Evaluation& e) {
    if (has("evaluation", runId, e.index)) return;
    const auto state = tensor(runId, e.state), denoised = tensor(runId, e.denoised);
    Statement(m_db, insertionInto("evaluation"))
        .bind(1, runId)
        .bind(2, std::int64_t(e.index))
        .bind(3, std::int64_t(e.step))
        .bind(4, e.tau)
        .bind(5, e.sigma)
        .bind(6, e.logSnr)
        .bind(7, e.networkTime)
        .bind(8, e.guidanceWeight)
        .bind(9, std::int64_t(e.networkRows))
        .bind(10, std::int64_t(e.rowsInCall))
        .bind(11, e.milliseconds)
        .bind(12, std::int64_t(e.replayed))
        .bind(13, state)
        .bind(14, denoised)
        .finish();
    for (std::size_t i = 0; i < e.branches.size(); ++i)
        Statement(m_db, insertionInto("branch"))
            .bind(1, runId)
            .bind(2, std::int64_t(e.index))
            .bind(3, std::int64_t(i))
            .bind(4, e.branches[i].label.empty() ? nameOf(e.branches[i].branch)
                                                 : nameOf(e.branches[i].branch) + ":" + e.branches[i].label)
            .bind(5, tensor(runId, e.branches[i].denoised))
            .finish();
    metrics(runId, e);
    for (std::size_t image = 0; image < e.attention.size(); ++image)
        for (const auto& map : e.attention[image])
            Statement(m_db, insertionInto("attention", "INSERT OR REPLACE"))
                .bind(1, runId)
                .bind(2, std::int64_t(e.index))
                .bind(3, std::int64_t(image))
                .bind(4, std::int64_t(map.site))
                .bind(5, std::int64_t(map.heads))
                .bind(6, tensor(runId, map.probabilities))
                .bind(7, bytesOf(map.entropy))
                .bind(8, bytesOf(map.mass))
                .finish();
}

void RunWriter::metrics(const std::string& runId, const Evaluation& e) {
    const auto write = [&](std::int64_t position, const std::string& name, std::span<const std::byte> numbers) {
        Statement(m_db, insertionInto("reading"))
            .bind(1, runId)
            .bind(2, std::int64_t(e.index))
            .bind(3, position)
            .bind(4, name)
            .bind(5, numbers)
            .finish();
    };
    for (std::size_t i = 0; i < e.metrics.size(); ++i)
        write(std::int64_t(i), e.metrics[i].name, std::as_bytes(std::span(e.metrics[i].values)));
    if (!e.ancestors.empty()) write(-1, "survivors", std::as_bytes(std::span(e.ancestors)));
}

void RunWriter::step(const std::string& runId, const Step& s) {
    if (has("step", runId, s.index)) return;
    const auto state = tensor(runId, s.state);
    Statement(m_db, insertionInto("step"))
        .bind(1, runId)
        .bind(2, std::int64_t(s.index))
        .bind(3, s.from)
        .bind(4, s.to)
        .bind(5, std::int64_t(s.stochastic))
        .bind(6, state)
        .finish();
}

void RunWriter::finish(const Run& run) {
    begin(run);
    if (run.trajectory && run.trajectory->empty()) record(run.id, *run.trajectory);
    if (run.images)
        changeRow(run.id, [&] {
            Statement(m_db, "UPDATE run SET pictures = ? WHERE id = ?")
                .bind(1, tensor(run.id, run.images))
                .bind(2, run.id)
                .finish();
        });
    header(run, recordedRows(run.id));
    m_recent.erase(run.id);
}

Json RunWriter::recordedRows(const std::string& runId) const {
    Json j;
    for (const char* table : {"evaluation", "step", "branch", "reading", "attention"}) {
        Statement s(m_db, std::string("SELECT count(*) FROM ") + table + " WHERE run = ?");
        j[table] = s.bind(1, runId).next() ? s.integer(0) : 0;
    }
    return j;
}

void RunWriter::label(const std::string& runId, const std::string& name, bool pinned) {
    changeRow(runId, [&] {
        Statement(m_db, "UPDATE run SET name = ?, pinned = ? WHERE id = ?")
            .bind(1, name)
            .bind(2, std::int64_t(pinned))
            .bind(3, runId)
            .finish();
    });
}

void RunWriter::setRemoved(const std::string& runId, bool removed) {
    changeRow(runId, [&] {
        Statement(m_db, "UPDATE run SET removed = ? WHERE id = ?")
            .bind(1, std::int64_t(removed))
            .bind(2, runId)
            .finish();
    });
}

void RunWriter::interruptRunning() {
    std::vector<std::string> ids;
    Statement running(m_db, "SELECT id FROM run WHERE status IN ('running', 'paused')");
    while (running.next()) ids.push_back(running.text(0));
    running.reset();
    for (const auto& id : ids)
        changeRow(id, [&] {
            countRecorded(id);
            Statement(m_db, "UPDATE run SET status = 'interrupted' WHERE id = ?").bind(1, id).finish();
        });
}

// The counts in the header of a run whose program ended before it could write them, from the evaluations recorded:
// images are the rows of one state, and evaluations that a record answered cost nothing.
void RunWriter::countRecorded(const std::string& runId) {
    Statement row(m_db, "SELECT header FROM run WHERE id = ?");
    if (!row.bind(1, runId).next()) return;
    auto header = parseJson(row.text(0), "the settings of a run");
    row.reset();
    if (!header || !header->is_object()) return;  // reading it tells of the damage
    Statement sums(m_db, "SELECT coalesce(sum(network_rows), 0), coalesce(sum(milliseconds), 0) FROM evaluation "
                         "WHERE run = ? AND NOT replayed");
    if (!sums.bind(1, runId).next()) return;
    const auto recipe = recipeFromJson(header->value("recipe", Json::object()));
    const std::int64_t images = recipe ? std::max(1, recipe->images) : 1;
    const auto known = header->find("evaluations");
    const std::int64_t counted = known != header->end() && known->is_number_integer() ? known->get<std::int64_t>() : 0;
    const auto spent = header->find("seconds");
    const double seconds = spent != header->end() && spent->is_number() ? spent->get<double>() : 0;
    (*header)["evaluations"] = std::max(counted, sums.integer(0) / images);
    (*header)["seconds"] = std::max(seconds, sums.real(1) / 1000);
    sums.reset();
    Statement(m_db, "UPDATE run SET header = ? WHERE id = ?")
        .bind(1, header->dump(-1, ' ', false, Json::error_handler_t::replace))
        .bind(2, runId)
        .finish();
}

void RunWriter::erase(const std::string& runId) {
    for (const char* table : {"step", "evaluation", "branch", "reading", "attention", "tensor"})
        Statement(m_db, std::string("DELETE FROM ") + table + " WHERE run = ?").bind(1, runId).finish();
    Statement(m_db, "DELETE FROM run WHERE id = ?").bind(1, runId).finish();
    m_recent.erase(runId);
}

void RunWriter::eraseRemoved() {
    std::vector<std::string> ids;
    Statement s(m_db, "SELECT id FROM run WHERE removed = 1");
    while (s.next()) ids.push_back(s.text(0));
    s.reset();
    for (const auto& id : ids) erase(id);
    if (!ids.empty()) m_db.run("DELETE FROM model WHERE id NOT IN (SELECT model FROM run WHERE model IS NOT NULL)");
}

}  // namespace meander
