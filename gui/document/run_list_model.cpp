#include "gui/document/run_list_model.h"

#include <algorithm>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/images/run_thumbnail.h"
#include "gui/images/state_image.h"
#include "gui/look/theme.h"
#include "gui/plots/run_style.h"

namespace meander::gui {
namespace {

constexpr int thumbnailSize = 96;

const HostTensor* endOf(const Run& r) {
    if (r.images) return &r.images;
    return r.trajectory && !r.trajectory->empty() && r.status == RunStatus::Finished ? &r.trajectory->last() : nullptr;
}

}  // namespace

std::optional<double> endDifference(const Run& a, const Run& b) {
    const HostTensor *x = endOf(a), *y = endOf(b);
    if (!x || !y || !(x->shape() == y->shape()) || x->count() == 0) return std::nullopt;
    double sum = 0;
    if (x->type() == DType::F32 && y->type() == DType::F32) {
        const auto u = x->floats(), v = y->floats();
        for (std::size_t i = 0; i < u.size(); ++i) sum += double(u[i] - v[i]) * double(u[i] - v[i]);
    } else {
        for (std::int64_t i = 0; i < x->count(); ++i) sum += (x->at(i) - y->at(i)) * (x->at(i) - y->at(i));
    }
    return std::sqrt(sum / double(x->count()));
}

bool areComparable(const Run& a, const Run& b) {
    return a.model.state == b.model.state
           && (a.model.state.kind == StateKind::Points ? a.model.state.shape == b.model.state.shape
                                                       : a.model.state.image == b.model.state.image);
}

QString progressText(const LiveRun& live) {
    const auto& t = live.run->trajectory;
    const int steps = stepsOf(*live.run);
    return RunListModel::tr("step %1 of %2").arg(t ? std::min(int(t->steps.size()), steps) : 0).arg(steps);
}

RunListModel::RunListModel(Document& document, QObject* parent) : QAbstractListModel(parent), m_document(document) {
    connect(&document, &Document::runsChanged, this, &RunListModel::reload);
    connect(&document, &Document::runChanged, this, &RunListModel::refresh);
    connect(&document, &Document::trajectoryLoaded, this, &RunListModel::refresh);
    reload();
}

void RunListModel::reload() {
    std::vector<RunPtr> next = m_document.runs();
    std::reverse(next.begin(), next.end());
    const RunPtr baseline = m_document.baseline();
    if ((baseline ? baseline->id : "") != (m_baseline ? m_baseline->id : "")) m_deltas.clear();
    m_baseline = baseline;
    const auto sameIds = std::equal(next.begin(), next.end(), m_runs.begin(), m_runs.end(),
                                    [](const RunPtr& a, const RunPtr& b) { return a->id == b->id; });
    if (sameIds) {
        m_runs = std::move(next);
        if (!m_runs.empty()) emit dataChanged(index(0), index(int(m_runs.size()) - 1));
        return;
    }
    beginResetModel();
    m_runs = std::move(next);
    m_thumbnails.clear();
    endResetModel();
}

void RunListModel::refresh(const QString& id) {
    m_thumbnails.remove(id);
    m_deltas.remove(id);
    if (m_baseline && qstr(m_baseline->id) == id) {
        // Its image may have come only now: all distances to it are new.
        m_baseline = m_document.run(id);
        m_deltas.clear();
        if (!m_runs.empty()) emit dataChanged(index(0), index(int(m_runs.size()) - 1));
    }
    for (std::size_t row = 0; row < m_runs.size(); ++row)
        if (qstr(m_runs[row]->id) == id) {
            if (const RunPtr r = m_document.run(id)) m_runs[row] = r;
            emit dataChanged(index(int(row)), index(int(row)));
        }
}

int RunListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : int(m_runs.size()); }

RunPtr RunListModel::runAt(int row) const {
    return row < 0 || row >= int(m_runs.size()) ? nullptr : m_runs[std::size_t(row)];
}

QModelIndex RunListModel::indexOf(const QString& id) const {
    for (std::size_t row = 0; row < m_runs.size(); ++row)
        if (qstr(m_runs[row]->id) == id) return index(int(row));
    return {};
}

// The third line of a card: what matters most about this run beside its settings.
QString RunListModel::note(const Run& run) const {
    if (const LiveRun* live = m_document.live(qstr(run.id))) {
        if (run.status == RunStatus::Queued) return tr("waiting");
        const QString left = live->secondsLeft > 0.5 ? tr(" · %1 left").arg(secondsText(live->secondsLeft)) : QString();
        return (run.status == RunStatus::Running ? QString() : statusWord(run.status) + QStringLiteral(" · "))
               + progressText(*live) + left;
    }
    if (run.status != RunStatus::Finished) return statusLine(run);
    if (run.pinned) return tr("★ baseline");
    const QString seed =
        m_baseline && m_baseline->recipe.seed == run.recipe.seed ? QString() : tr(" · seed %1").arg(run.recipe.seed);
    if (m_baseline && m_baseline->evaluations > 0 && run.evaluations != m_baseline->evaluations) {
        const int percent = qRound(100.0 * (run.evaluations - m_baseline->evaluations) / m_baseline->evaluations);
        return tr("%1 % NFE")
                   .arg(percent > 0 ? QStringLiteral("+%1").arg(percent) : QStringLiteral("−%1").arg(-percent))
               + seed;
    }
    return evaluationsText(run.evaluations) + seed;
}

QImage RunListModel::thumbnail(const Run& run) const {
    const QString id = qstr(run.id);
    if (const LiveRun* live = m_document.live(id); live && live->preview) return imageOf(live->preview);
    auto it = m_thumbnails.find(id);
    if (it != m_thumbnails.end()) return *it;
    QImage image = runThumbnail(run, thumbnailSize, runStyle(run.number - 1, theme()).color);
    const bool isFinished = run.status == RunStatus::Finished;
    // A run that did not finish has no image, but the estimate of its last evaluation.
    if (image.isNull() && !isFinished && run.trajectory && !run.trajectory->evaluations.empty())
        image = stateImage(run, 0, int(run.trajectory->evaluations.size()) - 1, Quantity::Denoised, theme().dark);
    if (image.isNull() && isFinished) m_document.requestImage(id);
    if (image.isNull() && !isFinished) m_document.requestTrajectory(id);
    return *m_thumbnails.insert(id, image);
}

QString RunListModel::delta(const Run& run) const {
    if (!m_baseline || run.pinned || run.status != RunStatus::Finished) return {};
    const QString id = qstr(run.id);
    auto it = m_deltas.find(id);
    if (it != m_deltas.end()) return *it;
    if (!endOf(*m_baseline)) m_document.requestImage(qstr(m_baseline->id));  // its card may be out of sight
    const auto d = endDifference(run, *m_baseline);
    return *m_deltas.insert(id, d ? tr("Δ %1").arg(QString::number(*d, 'f', 3)) : QString());
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
    const RunPtr run = runAt(index.row());
    if (!run) return {};
    const QString id = qstr(run->id);
    switch (role) {
    case IdRole: return id;
    case Qt::DisplayRole:
    case Qt::EditRole:
    case TitleRole: return runName(m_document, *run);
    case LineRole: return recipeLine(run->recipe);
    case ColorRole: return runStyle(run->number - 1, theme()).color;
    case NumberRole: return run->number;
    case PinnedRole: return run->pinned;
    case NoteRole: return note(*run);
    case StatusRole: return int(run->status);
    case ProgressRole: {
        const LiveRun* live = m_document.live(id);
        return live && live->evaluations > 0 ? double(live->evaluation) / live->evaluations : -1.0;
    }
    case DeltaRole: return delta(*run);
    case ThumbnailRole: return thumbnail(*run);
    case Qt::ToolTipRole:
        return tr("Run %1 · %2\n%3 · seed %4\n%5 · %6 · %7\nΔ: RMS of the finished images against the baseline")
            .arg(run->number)
            .arg(runTitle(*run), recipeLine(run->recipe))
            .arg(run->recipe.seed)
            .arg(evaluationsText(run->evaluations), secondsText(run->seconds), statusLine(*run));
    case Qt::AccessibleTextRole:
        return tr("Run %1, %2, %3, %4")
            .arg(run->number)
            .arg(runName(m_document, *run), recipeLine(run->recipe), note(*run));
    default: return {};
    }
}

bool RunListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    const RunPtr run = runAt(index.row());
    if (!run || role != Qt::EditRole) return false;
    if (value.toString() != runName(m_document, *run)) m_document.renameRun(qstr(run->id), value.toString());
    return true;
}

Qt::ItemFlags RunListModel::flags(const QModelIndex& index) const {
    return QAbstractListModel::flags(index) | Qt::ItemIsEditable;
}

}  // namespace meander::gui
