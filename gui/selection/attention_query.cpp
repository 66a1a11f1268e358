#include "gui/selection/attention_query.h"

#include <QCoreApplication>
#include <algorithm>

namespace meander::gui {
namespace {
QString tr(const char* text) { return QCoreApplication::translate("Attention", text); }

const Evaluation* evaluationAt(const Trajectory& t, int index) {
    if (t.evaluations.empty() || index >= int(t.evaluations.size())) return nullptr;
    return t.evaluations[index < 0 ? t.evaluations.size() - 1 : std::size_t(index)].get();
}
}  // namespace

bool hasAttention(const Trajectory& t, int evaluation, int image) {
    const Evaluation* e = evaluationAt(t, evaluation);
    return e && image >= 0 && image < int(e->attention.size()) && !e->attention[std::size_t(image)].empty();
}

QHash<int, QString> wordNames(const std::vector<Token>& tokens) {
    QHash<int, QString> names;
    QHash<QString, int> seen;
    for (const Word& w : wordsOf(tokens)) {
        if (w.tokens.empty()) continue;
        const QString text = QString::fromStdString(w.text);
        const int n = ++seen[text];
        names[tokens[std::size_t(w.tokens.front())].word] = n > 1 ? QStringLiteral("%1 (%2)").arg(text).arg(n) : text;
    }
    return names;
}

AttentionQuery attentionQuery(const Run& run, int evaluation, const SelectionModel& selection) {
    if (!run.trajectory) return {};
    const auto range = selection.stepRange();
    const auto steps = range ? stepsIn(run, *range) : std::nullopt;
    bool isRecorded = false;
    for (const auto& e : run.trajectory->evaluations)
        isRecorded |= steps && e->step >= steps->first && e->step <= steps->second
                      && hasAttention(*run.trajectory, e->index, selection.image());
    if (steps ? !isRecorded : !hasAttention(*run.trajectory, evaluation, selection.image())) return {};
    AttentionQuery q;
    const int step = steps ? 0 : evaluationAt(*run.trajectory, evaluation)->step;
    q.record = run.trajectory;
    q.part.image = selection.image();
    q.part.firstStep = steps ? steps->first : step;
    q.part.lastStep = steps ? steps->second : step;
    if (selection.attentionSite() >= 0) q.part.sites = {selection.attentionSite()};
    if (selection.attentionHead() >= 0) q.part.heads = {selection.attentionHead()};
    q.scale = selection.attentionShare() == AttentionShare::PromptTokens ? MapScale::SharePrompt : MapScale::Raw;
    return q;
}

HeatMap heatOf(const AttentionQuery& query, const QSet<int>& words) {
    if (query.isEmpty() || words.isEmpty()) return {};
    const TokenMaps maps = reduceAttention(*query.record, query.part);
    const auto all = wordsOf(query.record->tokens);
    if (maps.empty()) return {};
    const auto perWord = mapsOf(maps, all, query.scale, query.record->tokens);
    HeatMap sum;
    int used = 0;
    for (int w : words) {
        if (w < 0 || w >= int(perWord.size())) continue;
        const HeatMap& m = perWord[std::size_t(w)];
        if (sum.values.empty()) sum = m;
        else
            for (std::size_t i = 0; i < m.values.size(); ++i) sum.values[i] += m.values[i];
        ++used;
    }
    for (double& v : sum.values) v /= std::max(1, used);
    if (!sum.values.empty()) {
        const auto [low, high] = std::minmax_element(sum.values.begin(), sum.values.end());
        sum.low = *low;
        sum.high = *high;
    }
    return sum;
}

std::vector<WordShare> wordsAtPixel(const AttentionQuery& query, QPointF pixel) {
    if (query.isEmpty()) return {};
    const TokenMaps maps = reduceAttention(*query.record, query.part);
    if (maps.empty()) return {};
    const double cellW = 1.0 / maps.width, cellH = 1.0 / maps.height;
    const double x = std::min(int(pixel.x() * maps.width), maps.width - 1) * cellW,
                 y = std::min(int(pixel.y() * maps.height), maps.height - 1) * cellH;
    return wordsAt(maps, wordsOf(query.record->tokens), Region{x, y, x + cellW, y + cellH});
}

QString attentionCaption(const AttentionQuery& q) {
    if (q.isEmpty()) return {};
    const Trajectory& t = *q.record;
    int heads = 0;
    for (const TapSite& s : t.sites) heads = std::max(heads, s.heads);
    const QString layer =
        q.part.sites.empty() ? tr("mean of %1 layers").arg(t.sites.size()) : tr("layer %1").arg(q.part.sites.front());
    const QString head = !q.part.heads.empty()  ? tr("head %1").arg(q.part.heads.front())
                         : q.part.sites.empty() ? tr("%1 heads").arg(heads)
                                                : tr("mean of %1 heads").arg(heads);
    const int last = q.part.lastStep.value_or(q.part.firstStep);
    const QString steps = last > q.part.firstStep ? tr("mean of %1").arg(rangeText(q.part.firstStep, last))
                                                  : rangeText(q.part.firstStep, last);
    return tr("cross-attention · %1, %2, %3 · %4").arg(layer, head, steps, QString::fromUtf8(nameOf(q.scale)));
}

}  // namespace meander::gui
