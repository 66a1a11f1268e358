#include "gui/panels/attention/token_bar.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QInputDialog>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <cmath>

#include "gui/look/theme.h"
#include "gui/selection/attention_query.h"
#include "gui/selection/step_link.h"
#include "gui/widgets/focus.h"

namespace meander::gui {

TokenBar::TokenBar(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
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
    m_share = new ChoiceField(this);
    m_share->addItems({tr("÷ prompt tokens"), tr("all tokens")});
    m_share->setToolTip(tr("What a word's attention is divided by: the sum over the words of the prompt, or nothing "
                           "(softmax over all tokens, special ones included)"));
    connect(m_special, &QToolButton::toggled, this, &TokenBar::rebuild);
    connect(m_share, &QComboBox::currentIndexChanged, this,
            [this](int i) { m_selection.setAttentionShare(AttentionShare(i)); });
    connect(&m_selection, &SelectionModel::runChanged, this, &TokenBar::rebuild);
    connect(&m_selection, &SelectionModel::wordsChanged, this, [this] {
        refreshCaption();
        update();
    });
    for (auto signal : {&SelectionModel::attentionChanged, &SelectionModel::cursorChanged,
                        &SelectionModel::imageChanged, &SelectionModel::rangeChanged})
        connect(&m_selection, signal, this, &TokenBar::refreshCaption);
    connect(&m_document, &Document::trajectoryLoaded, this, &TokenBar::rebuild);
    connect(&m_document, &Document::runFinished, this, &TokenBar::rebuild);
    // The words of a run are known when it starts; after that only the caption may change.
    connect(&m_document, &Document::runChanged, this, [this](const QString& id) {
        if (id != m_selection.currentRun()) return;
        m_chips.empty() ? rebuild() : refreshCaption();
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
            for (int t : w.tokens)
                pieces << QStringLiteral("%1 · %2")
                              .arg(QString::fromStdString(tokens[std::size_t(t)].text))
                              .arg(tokens[std::size_t(t)].id);
            m_chips.push_back({QString::fromStdString(w.text), pieces.join(QLatin1Char('\n')),
                               w.special || w.tokens.empty() ? -1 : tokens[std::size_t(w.tokens.front())].word});
        }
    }
    m_hovered.reset();
    m_focused = 0;
    setVisible(!m_chips.empty());
    refreshCaption();
    arrange();
    updateGeometry();
    update();
}

void TokenBar::refreshCaption() {
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    QString caption;
    m_hasMaps = false;
    if (run && run->trajectory) {
        const auto query =
            attentionQuery(*run, linkedStep(*run, shownCursor(m_document, m_selection)).evaluation, m_selection);
        m_hasMaps = !query.isEmpty();
        caption = m_hasMaps ? attentionCaption(query) : tr("attention was not recorded in this run");
    }
    m_share->setVisible(m_hasMaps);
    if (m_share->currentIndex() != int(m_selection.attentionShare()))
        m_share->setCurrentIndex(int(m_selection.attentionShare()));
    if (std::exchange(m_caption, caption) == caption) return;
    const int before = m_layout.height;
    arrange();
    if (m_layout.height != before) updateGeometry();
    update();
}

TokenBar::Layout TokenBar::layoutFor(int width) const {
    const QFontMetricsF fm(interfaceFont()), small(interfaceFont(8));
    const double height = fm.height() + 9, gap = 5, left = 12, right = width - 10;
    Layout l;
    const QSize special = m_special->sizeHint(), share = m_share->sizeHint();
    l.special = QRectF(right - special.width(), 6, special.width(), height);
    l.share = QRectF(l.special.left() - share.width() - 6, 6, share.width(), height);
    const double controls = (m_hasMaps ? l.share.left() : l.special.left()) - 8;
    double x = left, y = 6, least = 0;
    for (const Chip& c : m_chips) least = std::max(least, std::max(height, fm.horizontalAdvance(c.text) + 18));
    if (controls - left < least) y += height + gap;  // no chip fits beside them: a row of their own
    const auto limit = [&] { return y < 7 ? controls : right; };
    for (const Chip& c : m_chips) {
        const double w = std::max(height, fm.horizontalAdvance(c.text) + 18);
        if (x > left && x + w > limit()) {
            x = left;
            y += height + gap;
        }
        l.chips.emplace_back(x, y, w, height);
        x += w + 6;
    }
    const double wanted = small.horizontalAdvance(m_caption) + 4;
    if (limit() - x - 8 >= wanted) {
        l.caption = QRectF(x + 8, y, limit() - x - 8, height);
    } else {
        y += height + 2;
        l.caption = QRectF(left + 2, y, right - left, small.height());
        y += small.height() - height;
    }
    l.height = int(std::ceil(y + height + 6));
    return l;
}

void TokenBar::arrange() {
    m_layout = layoutFor(width());
    m_special->setGeometry(m_layout.special.toRect());
    m_share->setGeometry(m_layout.share.toRect());
}

int TokenBar::heightForWidth(int width) const { return layoutFor(width).height; }
QSize TokenBar::sizeHint() const { return {480, heightForWidth(std::max(width(), 320))}; }

void TokenBar::resizeEvent(QResizeEvent*) { arrange(); }

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
        p.setPen(QPen(isChosen                                        ? t.token
                      : hasKeyboardFocus(this) && m_focused == int(i) ? t.accent
                                                                      : t.line,
                      isChosen ? 1.5 : 1));
        const QRectF r = m_layout.chips[i].adjusted(0.5, 0.5, -0.5, -0.5);
        p.drawRoundedRect(r, r.height() / 2, r.height() / 2);
        p.setPen(c.word < 0 ? t.dim : isChosen ? t.token : t.text);
        p.drawText(m_layout.chips[i], Qt::AlignCenter, c.text);
    }
    p.setFont(interfaceFont(8));
    p.setPen(t.muted);
    const bool isOwnRow = m_layout.caption.left() < 20;
    p.drawText(m_layout.caption, (isOwnRow ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter,
               QFontMetricsF(p.font()).elidedText(m_caption, Qt::ElideRight, m_layout.caption.width()));
}

std::optional<int> TokenBar::chipAt(QPointF at) const {
    for (std::size_t i = 0; i < m_layout.chips.size(); ++i)
        if (m_layout.chips[i].contains(at)) return int(i);
    return {};
}

void TokenBar::mousePressEvent(QMouseEvent* event) {
    const auto chip = chipAt(event->position());
    if (!chip || event->button() != Qt::LeftButton) return;
    m_focused = *chip;
    if (const int word = m_chips[std::size_t(*chip)].word; word >= 0)
        m_selection.toggleWord(word, event->modifiers() & Qt::ControlModifier);
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
        if (m_focused <= last && last >= 0 && m_chips[std::size_t(m_focused)].word >= 0)
            m_selection.toggleWord(m_chips[std::size_t(m_focused)].word, event->modifiers() & Qt::ControlModifier);
        break;
    case Qt::Key_Escape:
        if (m_share->hasFocus()) return QWidget::keyPressEvent(event);  // it closed that box
        m_selection.setWords({});
        break;
    default: QWidget::keyPressEvent(event); return;
    }
    if (m_focused <= last && last >= 0) setAccessibleDescription(m_chips[std::size_t(m_focused)].text);
    update();
}

// Which of the places where its word stands.
WordPlace TokenBar::placeOf(int chip) const {
    const QString& text = m_chips[std::size_t(chip)].text;
    int occurrence = 0;
    for (int i = 0; i <= chip; ++i) occurrence += m_chips[std::size_t(i)].text.compare(text, Qt::CaseInsensitive) == 0;
    return {text.toStdString(), occurrence};
}

// Of the chip under the mouse, or the one that the keys stand on.
void TokenBar::contextMenuEvent(QContextMenuEvent* event) {
    const auto chip = event->reason() == QContextMenuEvent::Mouse ? chipAt(event->pos())
                      : m_focused < chipCount()                   ? std::optional(m_focused)
                                                                  : std::nullopt;
    const RunPtr run = recordOf(m_document, m_selection.currentRun());
    if (!chip || !run || m_chips[std::size_t(*chip)].word < 0) return;
    const WordPlace place = placeOf(*chip);
    const bool isSameModel = run->recipe.model == m_document.draft().model;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->setToolTipsVisible(true);
    QAction* scale = menu->addAction(tr("Scale this word's attention…"), this, [this, place] { scaleWord(place); });
    scale->setEnabled(isSameModel);
    scale->setToolTip(isSameModel ? tr("A factor on the attention to it, in the draft")
                                  : tr("The draft has another model than this run."));
    QAction* reset = menu->addAction(tr("Leave its attention as it is"), this, [this, place] {
        m_document.editDraft(withWordScale(m_document.draft(), place, 1),
                             tr("attention to “%1”").arg(QString::fromStdString(place.word)));
    });
    reset->setEnabled(isSameModel && wordScale(m_document.draft(), place) != 1);
    reset->setToolTip(tr("Takes its factor out of the draft"));
    const QPoint at = event->reason() == QContextMenuEvent::Mouse ? event->globalPos()
                                                                  : mapToGlobal(chipRect(*chip).bottomLeft().toPoint());
    menu->popup(at);
}

void TokenBar::scaleWord(const WordPlace& place) {
    const QString word = QString::fromStdString(place.word);
    auto* dialog = new QInputDialog(this);
    dialog->setObjectName(QStringLiteral("scaleWord"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Scale the attention to “%1”").arg(word));
    dialog->setLabelText(
        tr("Factor on the attention to “%1” in the draft: 1 leaves it as it is, 0 removes it").arg(word));
    dialog->setInputMode(QInputDialog::DoubleInput);
    dialog->setDoubleRange(0, 20);
    dialog->setDoubleDecimals(2);
    dialog->setDoubleStep(0.1);
    const double now = wordScale(m_document.draft(), place);
    dialog->setDoubleValue(now == 1 ? 2 : now);
    connect(dialog, &QInputDialog::doubleValueSelected, this, [this, place, word](double factor) {
        m_document.editDraft(withWordScale(m_document.draft(), place, factor), tr("attention to “%1”").arg(word));
    });
    dialog->open();
}

bool TokenBar::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        if (const auto chip = chipAt(help->pos()))
            QToolTip::showText(help->globalPos(),
                               m_chips[std::size_t(*chip)].pieces
                                   + (m_chips[std::size_t(*chip)].word < 0
                                          ? QString()
                                          : tr("\nRight click or Menu key: scale its attention")),
                               this);
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
