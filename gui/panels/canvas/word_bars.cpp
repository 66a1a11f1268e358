#include "gui/panels/canvas/word_bars.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

#include "gui/look/theme.h"
#include "gui/plots/axis.h"

namespace meander::gui {

WordBars::WordBars(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection), m_work(this, [this](const Answer& answer) {
          if (!m_isAnswering) return;
          m_shares = answer.shares;
          m_words = answer.words;
          m_names = answer.names;
          update();
          emit changed();
      }) {
    setAccessibleName(tr("What made this pixel"));
    for (auto signal :
         {&SelectionModel::runChanged, &SelectionModel::cursorChanged, &SelectionModel::pixelChanged,
          &SelectionModel::attentionChanged, &SelectionModel::imageChanged, &SelectionModel::rangeChanged})
        connect(&m_selection, signal, this, &WordBars::refresh);
    connect(&m_selection, &SelectionModel::wordsChanged, this, qOverload<>(&QWidget::update));
    for (auto signal : {&Document::trajectoryLoaded, &Document::runFinished})
        connect(&m_document, signal, this, &WordBars::refresh);
    connect(&m_document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() && !m_isOffered) refresh();
    });
    refresh();
}

void WordBars::refresh() {
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    const bool wasOffered = m_isOffered, wasAnswering = m_isAnswering;
    m_isOffered = run && run->trajectory && hasAttention(*run->trajectory, 0, m_selection.image());
    AttentionQuery query;
    if (run && m_selection.pixel())
        query = attentionQuery(*run, linkedStep(*run, shownCursor(m_document, m_selection)).evaluation, m_selection);
    m_isAnswering = !query.isEmpty();
    if (m_isAnswering) {
        m_work.request([query, at = *m_selection.pixel()] {
            const auto& tokens = query.record->tokens;
            const auto names = wordNames(tokens);
            Answer answer{wordsAtPixel(query, at), {}, {}};
            for (const WordShare& s : answer.shares) {
                answer.words.push_back(s.tokens.empty() ? -1 : tokens[std::size_t(s.tokens.front())].word);
                answer.names << names.value(answer.words.back(), QString::fromStdString(s.text));
            }
            return answer;
        });
    } else {
        m_shares.clear();
        m_words.clear();
        m_names.clear();
    }
    update();
    if (wasOffered != m_isOffered || wasAnswering != m_isAnswering) emit changed();
}

QString WordBars::hint() const {
    if (!m_isAnswering) return tr("Click on the image: the words that looked there are ranked here.");
    const auto range = m_selection.stepRange();
    return range ? tr("mass ÷ area share · mean of %1").arg(rangeText(range->first, range->last))
                 : tr("click anywhere · mass ÷ area share");
}

QSize WordBars::sizeHint() const {
    QFontMetrics fm(interfaceFont());
    const int width = 212, small = QFontMetrics(interfaceFont(8)).height();
    const int rows = int(std::min<std::size_t>(m_shares.size(), 8)) * (fm.height() + 11);
    return {width, 26 + fm.height()
                       + (m_isAnswering ? small + rows
                                        : QFontMetrics(interfaceFont(8))
                                              .boundingRect(0, 0, width - 24, 200, Qt::TextWordWrap, hint())
                                              .height())};
}

double WordBars::rowTop(int row) const {
    QFontMetricsF fm(interfaceFont());
    return 12 + fm.height() + QFontMetricsF(interfaceFont(8)).height() + 10 + row * (fm.height() + 11);
}

void WordBars::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(QPen(t.line, 1));
    p.setBrush(t.panel);
    p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::cardRadius, metrics::cardRadius);
    const double margin = 12, right = width() - margin;
    p.setPen(t.text);
    p.setFont(interfaceFont(0, true));
    QFontMetricsF bold(p.font());
    p.drawText(QRectF(margin, 10, right - margin, bold.height()), Qt::AlignLeft | Qt::AlignVCenter,
               tr("What made this pixel"));
    p.setFont(interfaceFont(8));
    p.setPen(t.muted);
    QFontMetricsF small(p.font());
    p.drawText(QRectF(margin, 12 + bold.height(), right - margin, m_isAnswering ? small.height() : small.height() * 3),
               Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, hint());
    const QFont font = interfaceFont(), number = numberFont(8.5);
    QFontMetricsF fm(font);
    double longest = 40;
    for (const QString& name : m_names) longest = std::max(longest, fm.horizontalAdvance(name));
    const double labelWidth = std::min(longest + 10, (right - margin) * 0.5),
                 numberWidth = QFontMetricsF(number).horizontalAdvance(QStringLiteral("00.0×")) + 6;
    double most = 1e-9;
    for (const auto& s : m_shares) most = std::max(most, s.concentration);
    for (int i = 0; i < int(m_shares.size()) && rowTop(i) + fm.height() <= height() - 4; ++i) {
        const WordShare& s = m_shares[std::size_t(i)];
        QRectF row(margin, rowTop(i), right - margin, fm.height());
        p.setFont(font);
        p.setPen(t.text);
        p.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, fm.elidedText(m_names[i], Qt::ElideRight, labelWidth - 4));
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
        if (event->position().y() >= rowTop(i) - 4 && event->position().y() < rowTop(i + 1) - 4)
            m_selection.toggleWord(m_words[std::size_t(i)], event->modifiers() & Qt::ControlModifier);
}

}  // namespace meander::gui
