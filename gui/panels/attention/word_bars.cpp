#include "gui/panels/attention/word_bars.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

#include "gui/app/theme.h"
#include "gui/plots/axis.h"

namespace meander::gui {

WordBars::WordBars(Document& document, SelectionModel& selection, bool isCard, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection), m_isCard(isCard), m_work(this, [this](const std::vector<WordShare>& shares) {
          m_shares = shares;
          m_words.clear();
          const RunPtr run = recordOf(m_document, m_selection.currentRun());
          for (const WordShare& s : m_shares) m_words.push_back(run && run->trajectory && !s.tokens.empty() ? run->trajectory->tokens[std::size_t(s.tokens.front())].word : -1);
          updateGeometry();
          update();
          emit changed();
      }) {
    setAccessibleName(tr("What made this pixel"));
    for (auto signal : {&SelectionModel::runChanged, &SelectionModel::cursorChanged, &SelectionModel::pixelChanged, &SelectionModel::attentionChanged, &SelectionModel::imageChanged, &SelectionModel::rangeChanged}) connect(&m_selection, signal, this, &WordBars::refresh);
    connect(&m_selection, &SelectionModel::wordsChanged, this, qOverload<>(&QWidget::update));
    connect(&m_document, &Document::trajectoryLoaded, this, &WordBars::refresh);
    refresh();
}

void WordBars::refresh() {
    AttentionQuery query;
    if (RunPtr run = m_selection.pixel() ? recordOf(m_document, m_selection.currentRun()) : nullptr)
        query = attentionQuery(*run, linkedStep(*run, shownCursor(m_document, m_selection)).evaluation, m_selection);
    m_caption = attentionCaption(query);
    const bool was = m_isAnswering;
    m_isAnswering = !query.isEmpty();
    if (m_isAnswering) {
        m_work.request([query, at = *m_selection.pixel()] { return wordsAtPixel(query, at); });
    } else {
        m_shares.clear();
        m_words.clear();
    }
    update();
    if (was != m_isAnswering) emit changed();
}

QSize WordBars::sizeHint() const {
    QFontMetrics fm(interfaceFont());
    const int small = QFontMetrics(interfaceFont(8)).height();
    const int rows = int(std::min<std::size_t>(m_shares.size(), 8)) * (fm.height() + 11);
    return {m_isCard ? 212 : 240, m_isAnswering ? 26 + fm.height() + small + rows : 18 + fm.height() + 2 * small};
}

double WordBars::rowTop(int row) const {
    QFontMetricsF fm(interfaceFont());
    return 12 + fm.height() + QFontMetricsF(interfaceFont(8)).height() + 10 + row * (fm.height() + 11);
}

void WordBars::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    if (m_isCard) {
        p.setPen(QPen(t.line, 1));
        p.setBrush(t.panel);
        p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::cardRadius, metrics::cardRadius);
    }
    const double margin = m_isCard ? 12 : 0, right = width() - margin;
    p.setPen(t.text);
    p.setFont(interfaceFont(0, true));
    QFontMetricsF bold(p.font());
    p.drawText(QRectF(margin, m_isCard ? 10 : 6, right - margin, bold.height()), Qt::AlignLeft | Qt::AlignVCenter, tr("What made this pixel"));
    p.setFont(interfaceFont(8));
    p.setPen(t.muted);
    QFontMetricsF small(p.font());
    const auto range = m_selection.stepRange();
    const QString hint = m_isAnswering ? (range ? tr("mass ÷ area share · mean of %1").arg(rangeText(range->first, range->last)) : tr("click anywhere · mass ÷ area share")) : tr("Click on the picture: the words that looked there are ranked here.");
    p.drawText(QRectF(margin, (m_isCard ? 12 : 8) + bold.height(), right - margin, m_isAnswering ? small.height() : small.height() * 3), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, hint);
    const QFont font = interfaceFont(), number = numberFont(8.5);
    QFontMetricsF fm(font);
    double longest = 40;
    for (const auto& s : m_shares) longest = std::max(longest, fm.horizontalAdvance(QString::fromStdString(s.text)));
    const double labelWidth = std::min(longest + 10, (right - margin) * 0.5), numberWidth = QFontMetricsF(number).horizontalAdvance(QStringLiteral("00.0×")) + 6;
    double most = 1e-9;
    for (const auto& s : m_shares) most = std::max(most, s.concentration);
    for (int i = 0; i < int(m_shares.size()) && rowTop(i) + fm.height() <= height() - 4; ++i) {
        const WordShare& s = m_shares[std::size_t(i)];
        QRectF row(margin, rowTop(i), right - margin, fm.height());
        p.setFont(font);
        p.setPen(t.text);
        p.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, fm.elidedText(QString::fromStdString(s.text), Qt::ElideRight, labelWidth - 4));
        QRectF track(row.left() + labelWidth, row.center().y() - 5, row.width() - labelWidth - numberWidth, 10);
        p.setPen(Qt::NoPen);
        p.setBrush(t.raised);
        p.drawRoundedRect(track, 3, 3);
        QRectF bar = track;
        bar.setWidth(std::max(2.0, track.width() * s.concentration / most));
        const bool isChosen = m_selection.words().contains(m_words[std::size_t(i)]);
        p.setBrush(isChosen ? t.token : t.accent);
        p.drawRoundedRect(bar, 3, 3);
        p.setFont(number);
        p.setPen(t.muted);
        p.drawText(row, Qt::AlignRight | Qt::AlignVCenter, formatNumber(s.concentration, 2) + QStringLiteral("×"));
    }
}

void WordBars::mousePressEvent(QMouseEvent* event) {
    for (int i = 0; i < int(m_words.size()); ++i)
        if (event->position().y() >= rowTop(i) - 4 && event->position().y() < rowTop(i + 1) - 4) m_selection.toggleWord(m_words[std::size_t(i)], event->modifiers() & Qt::ControlModifier);
}

}  // namespace meander::gui
