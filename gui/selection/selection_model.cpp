#include "gui/selection/selection_model.h"

namespace meander::gui {

void SelectionModel::setCurrentRun(const QString& run) {
    if (m_run == run) return;
    m_run = run;
    if (m_compared == run) m_compared.clear();
    const bool wordsChange = !m_words.isEmpty(), pixelChange = m_pixel.has_value(),
               siteChange = m_site != -1 || m_head != -1;
    m_words.clear();
    m_pixel.reset();
    m_site = m_head = -1;
    m_hover.reset();
    m_image = 0;
    const bool rangeChange = m_range.has_value();
    m_range.reset();
    emit runChanged();
    if (rangeChange) emit rangeChanged();
    if (wordsChange) emit wordsChanged();
    if (pixelChange) emit pixelChanged();
    if (siteChange) emit attentionChanged();
}

void SelectionModel::setComparedRun(const QString& run) {
    const QString next = run == m_run ? QString() : run;
    if (m_compared == next) return;
    m_compared = next;
    emit runChanged();
}

void SelectionModel::lockStep(const StepCursor& c) {
    if (m_locked == c && !m_hover) return;
    m_locked = c;
    m_hover.reset();
    emit cursorChanged();
}

void SelectionModel::hoverStep(const StepCursor& c) {
    if (m_hover == c) return;
    m_hover = c;
    emit cursorChanged();
}

void SelectionModel::clearHover() {
    if (!m_hover) return;
    m_hover.reset();
    emit cursorChanged();
}

void SelectionModel::setStepRange(std::optional<StepRange> range) {
    if (m_range == range) return;
    m_range = range;
    emit rangeChanged();
}

void SelectionModel::setFollowsLive(bool on) {
    if (m_live == on) return;
    m_live = on;
    emit liveChanged();
}

void SelectionModel::setImage(int index) {
    if (m_image == index) return;
    m_image = index;
    emit imageChanged();
}

void SelectionModel::setWords(const QSet<int>& words) {
    if (m_words == words) return;
    m_words = words;
    emit wordsChanged();
}

void SelectionModel::toggleWord(int word, bool extend) {
    QSet<int> next = extend ? m_words : QSet<int>();
    if (m_words.contains(word)) next.remove(word);
    else next.insert(word);
    setWords(next);
}

void SelectionModel::setPixel(std::optional<QPointF> p) {
    if (m_pixel == p) return;
    m_pixel = p;
    emit pixelChanged();
}

void SelectionModel::setAttentionSite(int site) {
    if (m_site == site) return;
    m_site = site;
    emit attentionChanged();
}

void SelectionModel::setAttentionHead(int head) {
    if (m_head == head) return;
    m_head = head;
    emit attentionChanged();
}

void SelectionModel::setAxis(StepAxis axis) {
    if (m_axis == axis) return;
    m_axis = axis;
    emit axisChanged();
}

}  // namespace meander::gui
