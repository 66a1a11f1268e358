#include "gui/panels/attention/token_bar.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include "gui/app/theme.h"
#include "gui/panels/attention/attention_query.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

TokenBar::TokenBar(Document& document, SelectionModel& selection, QWidget* parent) : QWidget(parent), m_document(document), m_selection(selection) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Words of the prompt"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    m_special = new QToolButton(this);
    m_special->setText(QStringLiteral("⟨ ⟩"));
    m_special->setToolTip(tr("Show start, end and padding tokens"));
    m_special->setCheckable(true);
    m_special->setProperty("flat", true);
    m_share = new QComboBox(this);
    m_share->addItems({tr("÷ prompt tokens"), tr("all tokens")});
    m_share->setToolTip(tr("What a word's attention is divided by: the sum over the words of the prompt, or nothing (softmax over all tokens, special ones included)"));
    connect(m_special, &QToolButton::toggled, this, &TokenBar::rebuild);
    connect(m_share, &QComboBox::currentIndexChanged, this, [this](int i) { m_selection.setAttentionShare(AttentionShare(i)); });
    connect(&m_selection, &SelectionModel::runChanged, this, &TokenBar::rebuild);
    connect(&m_selection, &SelectionModel::wordsChanged, this, [this] {
        refreshCaption();
        update();
    });
    for (auto signal : {&SelectionModel::attentionChanged, &SelectionModel::cursorChanged, &SelectionModel::imageChanged}) connect(&m_selection, signal, this, &TokenBar::refreshCaption);
    connect(&m_document, &Document::trajectoryLoaded, this, &TokenBar::rebuild);
    connect(&m_document, &Document::runFinished, this, &TokenBar::rebuild);
    connect(&m_document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun()) rebuild();
    });
    rebuild();
}

void TokenBar::rebuild() {
    m_chips.clear();
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    if (run && run->trajectory) {
        const auto& tokens = run->trajectory->tokens;
        for (const Word& w : wordsOf(tokens, m_special->isChecked())) {
            QStringList pieces;
            for (int t : w.tokens) pieces << QStringLiteral("%1 · %2").arg(QString::fromStdString(tokens[std::size_t(t)].text)).arg(tokens[std::size_t(t)].id);
            m_chips.push_back({QString::fromStdString(w.text), pieces.join(QLatin1Char('\n')), w.special || w.tokens.empty() ? -1 : tokens[std::size_t(w.tokens.front())].word, {}});
        }
    }
    m_hovered.reset();
    m_focused = 0;
    setVisible(!m_chips.empty());
    layoutChips(width());
    refreshCaption();
    updateGeometry();
    update();
}

void TokenBar::refreshCaption() {
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    QString caption;
    m_hasMaps = false;
    if (run && run->trajectory) {
        const auto query = attentionQuery(run->trajectory, linkedStep(*run, shownCursor(m_document, m_selection)).evaluation, m_selection);
        m_hasMaps = !query.isEmpty();
        caption = m_hasMaps ? attentionCaption(query) : tr("attention was not recorded in this run");
    }
    m_share->setVisible(m_hasMaps);
    if (m_share->currentIndex() != int(m_selection.attentionShare())) m_share->setCurrentIndex(int(m_selection.attentionShare()));
    if (std::exchange(m_caption, caption) != caption) update();
}

int TokenBar::layoutChips(int width) {
    QFontMetricsF fm(interfaceFont());
    const double height = fm.height() + 9, controls = m_share->sizeHint().width() + m_special->sizeHint().width() + 24;
    double x = 12, y = 6;
    for (Chip& c : m_chips) {
        const double w = std::max(height, fm.horizontalAdvance(c.text) + 18);
        const double limit = y < 7 ? width - controls : width - 12;
        if (x > 12 && x + w > limit) {
            x = 12;
            y += height + 5;
        }
        c.rect = {x, y, w, height};
        x += w + 6;
    }
    m_special->setGeometry(width - m_special->sizeHint().width() - 10, 6, m_special->sizeHint().width(), int(height));
    m_share->setGeometry(m_special->x() - m_share->sizeHint().width() - 6, 5, m_share->sizeHint().width(), int(height) + 2);
    return int(y + height + 5 + QFontMetricsF(interfaceFont(8)).height() + 7);
}

// A question about another width must not leave the chips laid out for it.
int TokenBar::heightForWidth(int width) const {
    auto* self = const_cast<TokenBar*>(this);
    const int height = self->layoutChips(width);
    if (width != this->width()) self->layoutChips(this->width());
    return height;
}
QSize TokenBar::sizeHint() const { return {480, heightForWidth(std::max(width(), 320))}; }

void TokenBar::resizeEvent(QResizeEvent*) { layoutChips(width()); }

void TokenBar::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), t.panel);
    p.setPen(QPen(t.line, 1));
    p.drawLine(QPointF(0, 0.5), QPointF(width(), 0.5));
    p.setFont(interfaceFont());
    for (std::size_t i = 0; i < m_chips.size(); ++i) {
        const Chip& c = m_chips[i];
        const bool isChosen = c.word >= 0 && m_selection.words().contains(c.word), isHovered = m_hovered == int(i);
        p.setBrush(isChosen ? t.tokenBackground : isHovered && c.word >= 0 ? t.line : t.raised);
        p.setPen(QPen(isChosen ? t.token : hasFocus() && m_focused == int(i) ? t.accent : t.line, isChosen ? 1.5 : 1));
        const QRectF r = c.rect.adjusted(0.5, 0.5, -0.5, -0.5);
        p.drawRoundedRect(r, r.height() / 2, r.height() / 2);
        p.setPen(c.word < 0 ? t.dim : isChosen ? t.token : t.text);
        p.drawText(c.rect, Qt::AlignCenter, c.text);
    }
    p.setFont(interfaceFont(8));
    QFontMetricsF fm(p.font());
    p.setPen(t.muted);
    p.drawText(QRectF(14, height() - fm.height() - 5, width() - 28, fm.height()), Qt::AlignLeft | Qt::AlignVCenter, fm.elidedText(m_caption, Qt::ElideRight, width() - 28));
}

std::optional<int> TokenBar::chipAt(QPointF at) const {
    for (std::size_t i = 0; i < m_chips.size(); ++i)
        if (m_chips[i].rect.contains(at)) return int(i);
    return {};
}

void TokenBar::mousePressEvent(QMouseEvent* event) {
    const auto chip = chipAt(event->position());
    if (!chip || event->button() != Qt::LeftButton) return;
    m_focused = *chip;
    if (const int word = m_chips[std::size_t(*chip)].word; word >= 0) m_selection.toggleWord(word, event->modifiers() & Qt::ControlModifier);
}

void TokenBar::mouseMoveEvent(QMouseEvent* event) {
    if (const auto chip = chipAt(event->position()); std::exchange(m_hovered, chip) != chip) update();
}

void TokenBar::leaveEvent(QEvent*) {
    m_hovered.reset();
    update();
}

void TokenBar::keyPressEvent(QKeyEvent* event) {
    const int last = chipCount() - 1;
    switch (event->key()) {
        case Qt::Key_Left: m_focused = std::max(0, m_focused - 1); break;
        case Qt::Key_Right: m_focused = std::min(last, m_focused + 1); break;
        case Qt::Key_Space:
        case Qt::Key_Return:
            if (m_focused <= last && last >= 0 && m_chips[std::size_t(m_focused)].word >= 0) m_selection.toggleWord(m_chips[std::size_t(m_focused)].word, event->modifiers() & Qt::ControlModifier);
            break;
        case Qt::Key_Escape: m_selection.setWords({}); break;
        default: QWidget::keyPressEvent(event); return;
    }
    if (m_focused <= last && last >= 0) setAccessibleDescription(m_chips[std::size_t(m_focused)].text);
    update();
}

bool TokenBar::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        if (const auto chip = chipAt(help->pos())) QToolTip::showText(help->globalPos(), m_chips[std::size_t(*chip)].pieces, this);
        else QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

void TokenBar::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) update();
    if (event->type() == QEvent::FontChange) rebuild();
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
