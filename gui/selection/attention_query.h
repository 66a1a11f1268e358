// What the views ask of recorded attention, as values that a worker thread can take along. The reductions are
// engine/analysis/attention_maps.
#pragma once
#include <QHash>
#include <QSet>
#include <QString>
#include <memory>

#include "engine/analysis/attention_maps.h"
#include "gui/selection/selection_model.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

struct AttentionQuery {
    std::shared_ptr<const Trajectory> record;
    AttentionSelection part;
    MapScale scale = MapScale::SharePrompt;
    bool isEmpty() const { return !record; }
};

// At one evaluation (−1: the last one), or over the brushed range of steps, with the layer, head and normalisation of
// the selection. Empty when nothing was recorded there.
AttentionQuery attentionQuery(const Run& run, int evaluation, const SelectionModel& selection);
bool hasAttention(const Trajectory& t, int evaluation, int image);
// By Token::word; of a word that comes again "a (2)".
QHash<int, QString> wordNames(const std::vector<Token>& tokens);
// Mean of the chosen words' maps.
HeatMap heatOf(const AttentionQuery& query, const QSet<int>& words);
std::vector<WordShare> wordsAtPixel(const AttentionQuery& query, QPointF pixel);
// "cross-attention · mean of 6 layers, 4 heads, steps 3–7 · ÷ prompt tokens"; cheap, does not reduce anything.
QString attentionCaption(const AttentionQuery& query);

}  // namespace meander::gui
