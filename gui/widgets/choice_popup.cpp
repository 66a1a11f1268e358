#include "gui/widgets/choice_popup.h"

#include <QGuiApplication>
#include <QKeyEvent>
#include <QPainter>
#include <QScreen>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "gui/commands/command_palette.h"
#include "gui/look/style_sheet.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

constexpr int indexRole = Qt::UserRole, helpRole = Qt::UserRole + 1, noIndex = -1, mostHeight = 480, leastWidth = 440;

// The name, and below it in one line what it does.
class EntryDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const QSize plain = QStyledItemDelegate::sizeHint(option, index);
        if (index.flags() == Qt::NoItemFlags) return {plain.width(), 28};  // a heading
        return describes(index)
                   ? QSize(plain.width(), QFontMetrics(option.font).height() + QFontMetrics(small()).height() + 8)
                   : plain;
    }
    void paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        if (!describes(index)) return QStyledItemDelegate::paint(p, option, index);
        QStyleOptionViewItem o = option;
        initStyleOption(&o, index);
        o.text.clear();
        o.widget->style()->drawControl(QStyle::CE_ItemViewItem, &o, p, o.widget);
        const QRect area = option.rect.adjusted(8, 3, -8, -3);
        p->save();
        p->setFont(option.font);
        p->setPen(theme().text);
        p->drawText(area, Qt::AlignLeft | Qt::AlignTop,
                    p->fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, area.width()));
        p->setFont(small());
        p->setPen(theme().muted);
        p->drawText(area, Qt::AlignLeft | Qt::AlignBottom,
                    p->fontMetrics().elidedText(summary(index), Qt::ElideRight, area.width()));
        p->restore();
    }

private:
    static QFont small() { return interfaceFont(8.5); }
    static QString summary(const QModelIndex& index) { return index.data(helpRole).toString().section('\n', 0, 0); }
    static bool describes(const QModelIndex& index) { return !summary(index).isEmpty(); }
};

}  // namespace

ChoicePopup::ChoicePopup(QComboBox* field)
    : QFrame(field, Qt::Popup),
      m_field(field),
      m_search(new QLineEdit(this)),
      m_list(new QListWidget(this)),
      m_help(new QLabel(this)) {
    setObjectName("choicePopup");
    m_search->setPlaceholderText(tr("Type to search"));
    m_search->setAccessibleName(tr("Search %1").arg(field->accessibleName()));
    m_search->installEventFilter(this);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setMouseTracking(true);
    m_list->setProperty("popup", true);
    m_list->setItemDelegate(new EntryDelegate(m_list));
    connect(m_list, &QListWidget::itemEntered, this,
            [this](const QListWidgetItem* item) { m_help->setText(helpOf(item)); });
    m_help->setWordWrap(true);
    m_help->setProperty("muted", true);
    m_help->setTextFormat(Qt::PlainText);
    m_help->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(6, 6, 6, 8);
    box->setSpacing(6);
    box->addWidget(m_search);
    box->addWidget(m_list, 1);
    box->addWidget(m_help);
    m_help->setContentsMargins(6, 0, 6, 0);
    connect(m_search, &QLineEdit::textChanged, this, &ChoicePopup::filter);
    connect(m_list, &QListWidget::itemClicked, this, &ChoicePopup::choose);
    connect(m_list, &QListWidget::currentItemChanged, this, &ChoicePopup::showHelp);
}

void ChoicePopup::popUp(const std::function<QString(int)>& groupOf, const QString& search) {
    m_entries.clear();
    QList<QString> groups;  // in the order in which they first appear
    QList<Entry> all;
    for (int i = 0; i < m_field->count(); ++i) {
        if (m_field->itemData(i, Qt::AccessibleDescriptionRole).toString() == QLatin1String("separator")) continue;
        const QString group = groupOf ? groupOf(i) : QString();
        if (!groups.contains(group)) groups.append(group);
        all.append({i, m_field->itemText(i), m_field->itemData(i, Qt::ToolTipRole).toString(), group,
                    m_field->itemData(i).toString()});
    }
    for (const QString& g : groups)
        for (const Entry& e : all)
            if (e.group == g) m_entries.append(e);
    m_help->setFont(interfaceFont(8.9));
    m_search->setText(search);
    filter();
    place();
    show();
    m_search->setFocus(Qt::PopupFocusReason);
    if (const QListWidgetItem* now = m_list->currentItem())
        m_list->scrollToItem(now, QAbstractItemView::PositionAtCenter);
}

void ChoicePopup::place() {
    const int width = std::max(m_field->width(), leastWidth);
    // As high as the longest help needs, so that the list stays while the pointer moves.
    int help = 0;
    for (const Entry& e : m_entries)
        help = std::max(help, QFontMetrics(m_help->font())
                                  .boundingRect(QRect(0, 0, width - 26, 1000), Qt::TextWordWrap, e.help)
                                  .height());
    m_help->setFixedHeight(help);
    m_help->setVisible(help > 0);
    int rows = 0;
    for (int i = 0; i < m_list->count(); ++i) rows += m_list->sizeHintForRow(i);
    const int height = std::min(mostHeight, m_search->sizeHint().height() + rows + help + 38);
    const QRect screen = m_field->screen() ? m_field->screen()->availableGeometry()
                                           : QGuiApplication::primaryScreen()->availableGeometry();
    QPoint at = m_field->mapToGlobal(QPoint(0, m_field->height() + 2));
    if (at.y() + height > screen.bottom())
        at.setY(std::max(screen.top(), m_field->mapToGlobal(QPoint(0, 0)).y() - height - 2));
    at.setX(std::clamp(at.x(), screen.left(), std::max(screen.left(), screen.right() - width)));
    setGeometry(QRect(at, QSize(width, height)));
}

void ChoicePopup::filter() {
    const QString query = m_search->text().trimmed();
    m_list->clear();
    QString group;
    QListWidgetItem* best = nullptr;
    int bestScore = 0;
    for (const Entry& e : m_entries) {
        // The name and what files call it count most, its group and help find it too.
        const int score = query.isEmpty() ? 1
                                          : std::max({3 * matchScore(query, e.text), 3 * matchScore(query, e.id),
                                                      matchScore(query, e.text + ' ' + e.group + ' ' + e.help)});
        if (score <= 0) continue;
        if (e.group != group || (m_list->count() == 0 && !e.group.isEmpty())) {
            group = e.group;
            auto* head = new QListWidgetItem(group, m_list);
            head->setFlags(Qt::NoItemFlags);
            head->setFont(headFont());
            head->setForeground(theme().muted);
            head->setData(indexRole, noIndex);
        }
        auto* item = new QListWidgetItem(e.text, m_list);
        item->setData(indexRole, e.index);
        item->setData(helpRole, e.help);
        if (query.isEmpty() ? e.index == m_field->currentIndex() : score > bestScore) {
            best = item;
            bestScore = score;
        }
    }
    if (m_list->count() == 0) {
        auto* none = new QListWidgetItem(tr("Nothing here is called “%1”.").arg(query), m_list);
        none->setFlags(Qt::NoItemFlags);
        none->setData(indexRole, noIndex);
    }
    // Nothing chosen yet: the first entry, whose help then fills the place kept for it.
    for (int i = 0; i < m_list->count() && !best; ++i)
        if (m_list->item(i)->data(indexRole).toInt() != noIndex) best = m_list->item(i);
    m_list->setCurrentItem(best);
    if (best) m_list->scrollToItem(best);
    showHelp();
}

QList<int> ChoicePopup::shownChoices() const {
    QList<int> shown;
    for (int i = 0; i < m_list->count(); ++i)
        if (const int index = m_list->item(i)->data(indexRole).toInt(); index != noIndex) shown.append(index);
    return shown;
}

QString ChoicePopup::helpOf(const QListWidgetItem* item) { return item ? item->data(helpRole).toString() : QString(); }
void ChoicePopup::showHelp() { m_help->setText(helpOf(m_list->currentItem())); }

void ChoicePopup::move(int rows) {
    const int direction = rows > 0 ? 1 : -1, count = m_list->count();
    int at = m_list->currentRow(), left = std::abs(rows);
    for (int i = at + direction; i >= 0 && i < count && left > 0; i += direction)
        if (m_list->item(i)->data(indexRole).toInt() != noIndex) {
            at = i;
            --left;
        }
    if (at >= 0) m_list->setCurrentRow(at);
}

void ChoicePopup::choose(const QListWidgetItem* item) {
    if (!item || item->data(indexRole).toInt() == noIndex) return;
    const int index = item->data(indexRole).toInt();
    hide();
    emit chosen(index);
}

bool ChoicePopup::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_search || event->type() != QEvent::KeyPress) return QFrame::eventFilter(watched, event);
    switch (static_cast<QKeyEvent*>(event)->key()) {
    case Qt::Key_Down: move(1); return true;
    case Qt::Key_Up: move(-1); return true;
    case Qt::Key_PageDown: move(8); return true;
    case Qt::Key_PageUp: move(-8); return true;
    case Qt::Key_Return:
    case Qt::Key_Enter: choose(m_list->currentItem()); return true;
    case Qt::Key_Tab:
    case Qt::Key_Escape: hide(); return true;
    default: return QFrame::eventFilter(watched, event);
    }
}

// By hand: style sheets take a frame inside a combo box for a part of that box and leave it unpainted.
void ChoicePopup::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.fillRect(rect(), theme().raised);
    p.setPen(mixed(theme().line, theme().text, 0.22));
    p.drawRect(rect().adjusted(0, 0, -1, -1));
}

void ChoicePopup::hideEvent(QHideEvent* event) {
    QFrame::hideEvent(event);
    m_field->setFocus(Qt::PopupFocusReason);
}

}  // namespace meander::gui
