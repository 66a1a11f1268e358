#include "gui/panels/attention/head_edit.h"

#include <QHBoxLayout>
#include <QSignalBlocker>
#include <cmath>

#include "engine/interventions/blocks.h"
#include "gui/plots/axis.h"

namespace meander::gui {

namespace {

constexpr int most = 300, notch = 5;  // per cent

}  // namespace

HeadEdit::HeadEdit(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    const auto button = [this](const QString& text, const QString& name) {
        auto* b = new QToolButton(this);
        b->setText(text);
        b->setObjectName(name);
        b->setCheckable(true);
        return b;
    };
    m_mute = button(tr("Mute"), QStringLiteral("head.mute"));
    m_solo = button(tr("Solo"), QStringLiteral("head.solo"));
    m_slider = new QSlider(Qt::Horizontal, this);
    m_slider->setObjectName(QStringLiteral("head.scale"));
    m_slider->setRange(0, most);
    m_slider->setSingleStep(notch);
    m_slider->setPageStep(5 * notch);
    m_slider->setAccessibleName(tr("Scale of the head in the draft, per cent"));
    m_value = new QLabel(this);
    m_value->setProperty("muted", true);
    m_value->setMinimumWidth(QFontMetrics(font()).horizontalAdvance(QStringLiteral("× 0.00 ")));
    auto* box = new QHBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->addWidget(m_mute);
    box->addWidget(m_solo);
    box->addWidget(m_slider, 1);
    box->addWidget(m_value);
    connect(m_mute, &QToolButton::clicked, this, [this] { toggle(chosen(false)); });
    connect(m_solo, &QToolButton::clicked, this, [this] { toggle(chosen(true)); });
    connect(m_slider, &QSlider::valueChanged, this, &HeadEdit::scaleTo);
    connect(&document, &Document::draftChanged, this, &HeadEdit::refresh);
    connect(&document, &Document::trajectoryLoaded, this, &HeadEdit::refresh);
    connect(&document, &Document::runFinished, this, &HeadEdit::refresh);
    connect(&selection, &SelectionModel::runChanged, this, &HeadEdit::refresh);
    connect(&selection, &SelectionModel::attentionChanged, this, &HeadEdit::refresh);
    refresh();
}

std::optional<HeadPlace> HeadEdit::placeOf(int site, int head, bool isOthers) const {
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!run || !run->trajectory || site < 0 || head < 0 || site >= int(run->trajectory->sites.size())
        || run->recipe.model != m_document.draft().model)
        return {};
    const auto block = blockHolding(run->model, run->trajectory->sites[std::size_t(site)].path);
    if (!block) return {};
    return HeadPlace{*block, head, isOthers};
}

std::optional<HeadPlace> HeadEdit::chosen(bool isOthers) const {
    return placeOf(m_selection.attentionSite(), m_selection.attentionHead(), isOthers);
}

double HeadEdit::scaleAt(int site, int head) const {
    const auto place = placeOf(site, head, false);
    double scale = place ? headScale(m_document.draft(), *place) : 1;
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!place || !run) return scale;
    for (int other = 0; other < run->trajectory->sites[std::size_t(site)].heads; ++other)
        if (other != head) scale *= headScale(m_document.draft(), {place->block, other, true});
    return scale;
}

void HeadEdit::toggleMute(int site, int head) { toggle(placeOf(site, head, false)); }
void HeadEdit::toggleSolo(int site, int head) { toggle(placeOf(site, head, true)); }

void HeadEdit::toggle(std::optional<HeadPlace> place) {
    if (place) {
        const bool isMuted = headScale(m_document.draft(), *place) == 0;
        const QString name = tr("layer %1, head %2").arg(place->block).arg(place->head);
        m_document.editDraft(withHeadScale(m_document.draft(), *place, isMuted ? 1 : 0),
                             place->isOthers ? tr("solo of %1").arg(name) : tr("mute of %1").arg(name));
    }
    refresh();
}

void HeadEdit::scaleTo(int percent) {
    const auto place = chosen(false);
    if (!place) return;
    m_document.editDraft(withHeadScale(m_document.draft(), *place, percent / 100.0),
                         tr("scale of layer %1, head %2").arg(place->block).arg(place->head),
                         QStringLiteral("head.%1.%2").arg(place->block).arg(place->head));
}

void HeadEdit::refresh() {
    const auto place = chosen(false), others = chosen(true);
    const Recipe& draft = m_document.draft();
    const double scale = place ? headScale(draft, *place) : 1;
    for (QWidget* w : {static_cast<QWidget*>(m_mute), static_cast<QWidget*>(m_solo), static_cast<QWidget*>(m_slider)})
        w->setEnabled(place.has_value());
    m_mute->setChecked(place && scale == 0);
    m_solo->setChecked(others && headScale(draft, *others) == 0);
    const QSignalBlocker quiet(m_slider);
    m_slider->setValue(int(std::lround(std::min(scale * 100, double(most)))));
    m_value->setText(place ? tr("× %1").arg(formatNumber(scale)) : QString());
    const RunPtr run = m_document.run(m_selection.currentRun());
    const QString why = run && run->recipe.model != draft.model
                            ? tr("The draft has another model than this run.")
                            : tr("Choose a head above; the draft then runs with it changed.");
    m_mute->setToolTip(place ? tr("Mute this head in the draft, or take that back (M in the matrix)") : why);
    m_solo->setToolTip(place ? tr("Mute all other heads of its layer in the draft, or take that back (double click in "
                                  "the matrix)")
                             : why);
    m_slider->setToolTip(place ? tr("Scale of this head's output in the draft; 100 % leaves it as it is") : why);
    emit changed();
}

}  // namespace meander::gui
